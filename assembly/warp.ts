import { copyFloats } from './gather';
import { addScaled, blend } from './resize';

// x (samples, height, width, channels), y (samples, outHeight, outWidth, channels), t (samples, 6): see transforms.ts.
// What lies outside of x is, by `mode`:

/** abcd|dcba */
const REFLECT: i32 = 0;
/** abcd|abcd */
const WRAP: i32 = 1;
/** abcd|dddd */
const NEAREST: i32 = 2;
/** abcd|0000, or another value. */
const CONSTANT: i32 = 3;

/** The index in an axis of n pixels that pixel i shows, or -1 for the constant. */
// @ts-ignore: decorator
@inline function shown(mode: i32, i: i32, n: i32): i32 {
  if (<u32>i < <u32>n) return i;
  if (mode == CONSTANT) return -1;
  if (mode == NEAREST) return i < 0 ? 0 : n - 1;
  const period = mode == REFLECT ? 2 * n : n;
  const rest = i % period;
  const at = rest < 0 ? rest + period : rest;
  return at < n ? at : period - 1 - at;
}

/** Whether y is x. */
function isIdentity(t: usize): bool {
  return (
    load<f32>(t) == 1 &&
    load<f32>(t, 4) == 0 &&
    load<f32>(t, 8) == 0 &&
    load<f32>(t, 12) == 0 &&
    load<f32>(t, 16) == 1 &&
    load<f32>(t, 20) == 0
  );
}

/** The pixel at row i and column j of a sample, or `outside` where one of them is -1. */
// @ts-ignore: decorator
@inline function pixelAt(x: usize, i: i32, j: i32, width: i32, pixel: usize, outside: usize): usize {
  return (i | j) < 0 ? outside : x + <usize>(i * width + j) * pixel;
}

/** dx += dy·weight at a pixel, unless there is none. */
// @ts-ignore: decorator
@inline function addTo(dx: usize, dy: usize, channels: i32, weight: f32): void {
  if (dx && weight != 0) addScaled(dx, dy, channels, weight);
}

/** y of one sample, or with `gradient` dx in the place of x and dy in that of y; `outside` is a pixel, or 0. */
// @ts-ignore: decorator
@inline function warpSample(
  gradient: bool,
  x: usize,
  t: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  mode: i32,
  bilinear: i32,
  outside: usize,
): void {
  const pixel = (<usize>channels) << 2;
  // In float64, so that a place is as exact as the transform.
  const t1 = <f64>load<f32>(t, 4);
  const t4 = <f64>load<f32>(t, 16);
  const round: f64 = bilinear ? 0 : 0.5;
  for (let r = 0; r < outHeight; r++) {
    const row = <f64>load<f32>(t) * <f64>r + <f64>load<f32>(t, 8) + round;
    const column = <f64>load<f32>(t, 12) * <f64>r + <f64>load<f32>(t, 20) + round;
    for (let c = 0; c < outWidth; c++, y += pixel) {
      const v = row + t1 * <f64>c;
      const u = column + t4 * <f64>c;
      const top = floor<f64>(v);
      const left = floor<f64>(u);
      const i = shown(mode, <i32>top, height);
      const j = shown(mode, <i32>left, width);
      const a = pixelAt(x, i, j, width, pixel, outside);
      if (!bilinear) {
        if (gradient) addTo(a, y, channels, 1);
        else copyFloats(a, y, channels);
        continue;
      }
      const k = shown(mode, <i32>top + 1, height);
      const l = shown(mode, <i32>left + 1, width);
      const b = pixelAt(x, i, l, width, pixel, outside);
      const d = pixelAt(x, k, j, width, pixel, outside);
      const e = pixelAt(x, k, l, width, pixel, outside);
      const down = <f32>(v - top);
      const across = <f32>(u - left);
      if (gradient) {
        addTo(a, y, channels, (1 - down) * (1 - across));
        addTo(b, y, channels, (1 - down) * across);
        addTo(d, y, channels, down * (1 - across));
        addTo(e, y, channels, down * across);
      } else blend(a, b, d, e, y, channels, down, across);
    }
  }
}

/**
 * y = x seen through the transforms: the pixel nearest to each place, or with `bilinear` 1 the mean of the four
 * around it by nearness. scratch: channels floats and 16 bytes; begin, end in samples.
 */
export function warp(
  begin: i32,
  end: i32,
  x: usize,
  t: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  mode: i32,
  bilinear: i32,
  value: f32,
  scratch: usize,
): void {
  const size = height * width * channels;
  const outSize = outHeight * outWidth * channels;
  for (let c = 0; c < channels; c++) store<f32>(scratch + ((<usize>c) << 2), value);
  for (let s = <usize>begin; s < <usize>end; s++) {
    const from = x + ((s * <usize>size) << 2);
    const to = y + ((s * <usize>outSize) << 2);
    const own = t + s * 24;
    if (outHeight == height && outWidth == width && isIdentity(own)) copyFloats(from, to, size);
    else {
      warpSample(false, from, own, to, height, width, channels, outHeight, outWidth, mode, bilinear, scratch);
    }
  }
}

/** dx = Σ dy by the weights of `warp`, pixel after pixel of dy; begin, end in samples. */
export function warpGradient(
  begin: i32,
  end: i32,
  dy: usize,
  t: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  mode: i32,
  bilinear: i32,
): void {
  const size = (<usize>(height * width * channels)) << 2;
  const outSize = (<usize>(outHeight * outWidth * channels)) << 2;
  for (let s = <usize>begin; s < <usize>end; s++) {
    const to = dx + s * size;
    const from = dy + s * outSize;
    memory.fill(to, 0, size);
    warpSample(true, to, t + s * 24, from, height, width, channels, outHeight, outWidth, mode, bilinear, 0);
  }
}
