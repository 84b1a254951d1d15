import { copyFloats } from './gather';
import { splat } from './math';
import { add } from './arrays';
import { storeFirst } from './rows';
import { madd } from './simd';

// x (samples, height, width, channels), y (samples, outHeight, outWidth, channels). Row r of y lies at r·rise /
// fall of x, column c at c·run / reach: exact in integers, so that no rounding moves a pixel.

const NEAREST: i32 = 0;
const BILINEAR: i32 = 1;

/** y (n) = x + (z - x)·weight. */
// @ts-ignore: decorator
@inline function between(x: v128, z: v128, weight: v128): v128 {
  return madd(f32x4.sub(z, x), weight, x);
}

/** One pixel y of the four a b (above) and c d (below) around it. */
export function blend(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  y: usize,
  channels: i32,
  down: f32,
  across: f32,
): void {
  const v = splat(down);
  const h = splat(across);
  for (let left = channels; left > 0; left -= 4, a += 16, b += 16, c += 16, d += 16, y += 16) {
    const top = between(v128.load(a), v128.load(b), h);
    const bottom = between(v128.load(c), v128.load(d), h);
    storeFirst(y, between(top, bottom, v), left);
  }
}

/** dx (n) += dy·weight. */
export function addScaled(dx: usize, dy: usize, n: i32, weight: f32): void {
  const w = splat(weight);
  for (; n > 0; n -= 4, dx += 16, dy += 16) {
    storeFirst(dx, madd(v128.load(dy), w, v128.load(dx)), n);
  }
}

/** y, or with `gradient` dx in the place of x and dy in that of y, of all samples. */
// @ts-ignore: decorator
@inline function resize(
  kind: i32,
  gradient: bool,
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rise: i32,
  fall: i32,
  run: i32,
  reach: i32,
  round: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const line = <usize>width * pixel;
  const size = <usize>height * line;
  let out = y + <usize>begin * <usize>(outHeight * outWidth) * pixel;
  for (let s = <usize>begin; s < <usize>end; s++) {
    const sample = x + s * size;
    if (gradient) memory.fill(sample, 0, size);
    for (let r = 0; r < outHeight; r++) {
      const above = r * rise + (round ? fall >> 1 : 0);
      const top = min(above / fall, height - 1);
      const next = above % fall > 0 && top + 1 < height ? line : 0;
      const down = next ? <f32>(above % fall) / <f32>fall : 0;
      for (let c = 0; c < outWidth; c++, out += pixel) {
        const before = c * run + (round ? reach >> 1 : 0);
        const left = min(before / reach, width - 1);
        const at = sample + <usize>top * line + <usize>left * pixel;
        if (kind == NEAREST) {
          if (gradient) add(0, channels, at, out, at);
          else copyFloats(at, out, channels);
          continue;
        }
        const right = before % reach > 0 && left + 1 < width ? pixel : 0;
        const across = right ? <f32>(before % reach) / <f32>reach : 0;
        if (!gradient) {
          blend(at, at + right, at + next, at + next + right, out, channels, down, across);
          continue;
        }
        addScaled(at, out, channels, (1 - down) * (1 - across));
        if (right) addScaled(at + right, out, channels, (1 - down) * across);
        if (next) addScaled(at + next, out, channels, down * (1 - across));
        if (next && right) addScaled(at + next + right, out, channels, down * across);
      }
    }
  }
}

/** y = the pixel of x at or before each place, or nearest to it with `round` 1; begin, end in samples. */
export function resizeNearest(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rise: i32,
  fall: i32,
  run: i32,
  reach: i32,
  round: i32,
): void {
  resize(
    NEAREST,
    false,
    begin,
    end,
    x,
    y,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    rise,
    fall,
    run,
    reach,
    round,
  );
}

/** dx = Σ dy of the pixels of y that took it; begin, end in samples. */
export function resizeNearestGradient(
  begin: i32,
  end: i32,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rise: i32,
  fall: i32,
  run: i32,
  reach: i32,
  round: i32,
): void {
  resize(
    NEAREST,
    true,
    begin,
    end,
    dx,
    dy,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    rise,
    fall,
    run,
    reach,
    round,
  );
}

/**
 * y = mean of the four pixels of x around each place, weighted by nearness, clamped at the last row and
 * column; begin, end in samples.
 */
export function resizeBilinear(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rise: i32,
  fall: i32,
  run: i32,
  reach: i32,
): void {
  resize(
    BILINEAR,
    false,
    begin,
    end,
    x,
    y,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    rise,
    fall,
    run,
    reach,
    0,
  );
}

/** dx = Σ dy by the weights of `resizeBilinear`; begin, end in samples. */
export function resizeBilinearGradient(
  begin: i32,
  end: i32,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rise: i32,
  fall: i32,
  run: i32,
  reach: i32,
): void {
  resize(
    BILINEAR,
    true,
    begin,
    end,
    dx,
    dy,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    rise,
    fall,
    run,
    reach,
    0,
  );
}
