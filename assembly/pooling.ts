import { splat } from './math';
import { storeFirst } from './rows';

// x (samples, height, width, channels), y (samples, outHeight, outWidth, channels). A window is what lies inside the input
// of poolHeight × poolWidth positions from row oh·strideHeight - padTop and column ow·strideWidth - padLeft on.

const MAX: i32 = 0;
const AVERAGE: i32 = 1;

/** One step of a reduction; a NaN stays. */
// @ts-ignore: decorator
@inline function reduce(kind: i32, a: v128, x: v128): v128 {
  return kind == MAX ? f32x4.max(a, x) : f32x4.add(a, x);
}

// @ts-ignore: decorator
@inline function finish(kind: i32, a: v128, count: v128): v128 {
  return kind == MAX ? a : f32x4.div(a, count);
}

/** y (channels) of one window of rows × columns positions at x; `row` and `pixel` are strides in bytes. */
// @ts-ignore: decorator
@inline function window(kind: i32, x: usize, y: usize, rows: usize, columns: usize, row: usize, channels: i32): void {
  const pixel = (<usize>channels) << 2;
  const count = splat(<f32>(rows * columns));
  const empty = splat(kind == MAX ? -Infinity : 0);
  let c = 0;
  for (; c + 8 <= channels; c += 8, x += 32, y += 32) {
    let u = empty;
    let v = empty;
    for (let r = x, bottom = x + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) {
        u = reduce(kind, u, v128.load(p));
        v = reduce(kind, v, v128.load(p, 16));
      }
    }
    v128.store(y, finish(kind, u, count));
    v128.store(y, finish(kind, v, count), 16);
  }
  for (; c < channels; c += 4, x += 16, y += 16) {
    let u = empty;
    for (let r = x, bottom = x + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) u = reduce(kind, u, v128.load(p));
    }
    storeFirst(y, finish(kind, u, count), channels - c);
  }
}

/** y of all windows of all samples. */
// @ts-ignore: decorator
@inline function pool(
  kind: i32,
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
  const pixel = (<usize>channels) << 2;
  const row = <usize>width * pixel;
  y += <usize>begin * <usize>(outHeight * outWidth) * pixel;
  for (let s = begin; s < end; s++) {
    const sample = x + <usize>s * <usize>height * row;
    for (let h = -padTop; h < outHeight * strideHeight - padTop; h += strideHeight) {
      const top = max(h, 0);
      const rows = min(h + poolHeight, height) - top;
      for (let w = -padLeft; w < outWidth * strideWidth - padLeft; w += strideWidth) {
        const left = max(w, 0);
        const columns = min(w + poolWidth, width) - left;
        window(kind, sample + <usize>top * row + <usize>left * pixel, y, rows, columns, row, channels);
        y += pixel;
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
  // prettier-ignore
  pool(MAX, begin, end, x, y, height, width, channels, poolHeight, poolWidth, strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth);
}
