import { splat } from './math';
import { storeFirst } from './rows';
import { AVERAGE, MAX, quad, quadGradient, window, windowGradient } from './windows';

// x (samples, height, width, channels), y (samples, outHeight, outWidth, channels). A window is what lies
// inside the input of poolHeight × poolWidth positions from row oh·strideHeight - padTop and column
// ow·strideWidth - padLeft on.

/** y, or with `gradient` dx, of all windows of all samples. */
// @ts-ignore: decorator
@inline function pool(
  kind: i32,
  gradient: bool,
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  poolHeight: i32,
  poolWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const row = <usize>width * pixel;
  const size = <usize>height * row;
  const outSize = <usize>(outHeight * outWidth) * pixel;
  let quads =
    poolHeight == 2 && poolWidth == 2 && strideHeight == 2 && strideWidth == 2 && padTop == 0 && padLeft == 0;
  quads = quads && outHeight << 1 <= height && outWidth << 1 <= width && (channels & 7) == 0;
  const covered = quads && (outHeight * outWidth) << 2 == height * width;
  for (let s = <usize>begin; s < <usize>end; s++) {
    if (gradient && !covered) memory.fill(dx + s * size, 0, size);
    let out = s * outSize;
    for (let h = -padTop; h < outHeight * strideHeight - padTop; h += strideHeight) {
      const top = max(h, 0);
      const rows = min(h + poolHeight, height) - top;
      for (let w = -padLeft; w < outWidth * strideWidth - padLeft; w += strideWidth) {
        const left = max(w, 0);
        const columns = min(w + poolWidth, width) - left;
        const at = s * size + <usize>top * row + <usize>left * pixel;
        if (quads) {
          if (gradient) quadGradient(kind, x + at, y + out, dy + out, dx + at, row, channels);
          else quad(kind, x + at, y + out, row, channels);
        } else if (gradient)
          windowGradient(kind, x + at, y + out, dy + out, dx + at, rows, columns, row, channels);
        else window(kind, x + at, y + out, rows, columns, row, channels);
        out += pixel;
      }
    }
  }
}

/** y = largest element of each window and channel, NaN if one is NaN; begin, end in samples. */
export function maxPool(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  poolHeight: i32,
  poolWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  pool(
    MAX,
    false,
    begin,
    end,
    x,
    y,
    0,
    0,
    height,
    width,
    channels,
    poolHeight,
    poolWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    outHeight,
    outWidth,
  );
}

/**
 * dx = dy at the first largest element of each window and channel, summed over windows; begin, end in
 * samples.
 */
export function maxPoolGradient(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  poolHeight: i32,
  poolWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  pool(
    MAX,
    true,
    begin,
    end,
    x,
    y,
    dy,
    dx,
    height,
    width,
    channels,
    poolHeight,
    poolWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    outHeight,
    outWidth,
  );
}

/** y = mean of each window and channel; begin, end in samples. */
export function averagePool(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  poolHeight: i32,
  poolWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  pool(
    AVERAGE,
    false,
    begin,
    end,
    x,
    y,
    0,
    0,
    height,
    width,
    channels,
    poolHeight,
    poolWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    outHeight,
    outWidth,
  );
}

/** dx = dy / elements of the window, summed over windows; begin, end in samples. */
export function averagePoolGradient(
  begin: i32,
  end: i32,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  poolHeight: i32,
  poolWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  pool(
    AVERAGE,
    true,
    begin,
    end,
    0,
    0,
    dy,
    dx,
    height,
    width,
    channels,
    poolHeight,
    poolWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    outHeight,
    outWidth,
  );
}

/** y (samples,channels) = mean of x (samples,positions,channels) over positions; begin, end in samples. */
export function globalAverage(begin: i32, end: i32, x: usize, y: usize, positions: i32, channels: i32): void {
  const pixel = (<usize>channels) << 2;
  const size = <usize>positions * pixel;
  const count = splat(<f32>positions);
  for (let s = <usize>begin; s < <usize>end; s++) {
    let p = x + s * size;
    let out = y + s * pixel;
    let c = channels;
    for (; c >= 8; c -= 8, p += 32, out += 32) {
      let u = splat(0);
      let v = u;
      for (let i = p, stop = p + size; i < stop; i += pixel) {
        u = f32x4.add(u, v128.load(i));
        v = f32x4.add(v, v128.load(i, 16));
      }
      v128.store(out, f32x4.div(u, count));
      v128.store(out, f32x4.div(v, count), 16);
    }
    for (; c > 0; c -= 4, p += 16, out += 16) {
      let u = splat(0);
      for (let i = p, stop = p + size; i < stop; i += pixel) u = f32x4.add(u, v128.load(i));
      storeFirst(out, f32x4.div(u, count), c);
    }
  }
}

/** dx (samples,positions,channels) = dy (samples,channels) / positions; begin, end in samples. */
export function globalAverageGradient(
  begin: i32,
  end: i32,
  dy: usize,
  dx: usize,
  positions: i32,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const size = <usize>positions * pixel;
  const count = splat(<f32>positions);
  for (let s = <usize>begin; s < <usize>end; s++) {
    const sample = dx + s * size;
    for (let c = 0; c < channels; c += 4) {
      const offset = (<usize>c) << 2;
      storeFirst(sample + offset, f32x4.div(v128.load(dy + s * pixel + offset), count), channels - c);
    }
    for (let done = pixel; done < size; done += done) {
      memory.copy(sample + done, sample, min(done, size - done));
    }
  }
}
