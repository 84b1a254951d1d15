import { copyFloats } from './gather';
import { splat } from './math';
import { NORMAL, UNIFORM, fill } from './random';
import { storeFirst } from './rows';
import { madd } from './simd';

// What augmentation does to the values of images: brightness, contrast, erased boxes.

/** y (rows,size) = low + (high - low)·u, u uniform in [0, 1); the counter holds the row's number; begin, end in rows. */
export function uniformRows(
  begin: i32,
  end: i32,
  y: usize,
  key: usize,
  site: i32,
  size: i32,
  low: f32,
  high: f32,
): void {
  for (let r = begin; r < end; r++) {
    const row = y + ((<usize>r * <usize>size) << 2);
    fill(UNIFORM, 0, size, row, r, key, site, splat(low), splat(high - low));
  }
}

// @ts-ignore: decorator
@inline function clipped(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
}

/**
 * y = shift + x·factor, clipped to [low, high], x (samples,pixels,channels). factor (samples), shift
 * (samples,channels) · (1 - factor), or with factor 0 x + shift. scratch: 32·channels bytes, eight pixels;
 * begin, end in samples.
 */
export function adjust(
  begin: i32,
  end: i32,
  x: usize,
  factor: usize,
  shift: usize,
  y: usize,
  pixels: i32,
  channels: i32,
  low: f32,
  high: f32,
  scratch: usize,
): void {
  const least = splat(low);
  const most = splat(high);
  const period = channels << 3;
  const size = pixels * channels;
  for (let s = <usize>begin; s < <usize>end; s++) {
    const own: f32 = factor ? load<f32>(factor + (s << 2)) : 1;
    const rest: f32 = factor ? 1 - own : 1;
    const from = shift + ((s * <usize>channels) << 2);
    for (let i = 0, c = 0; i < period; i++, c = c + 1 < channels ? c + 1 : 0) {
      store<f32>(scratch + ((<usize>i) << 2), rest * load<f32>(from + ((<usize>c) << 2)));
    }
    const a = splat(own);
    let p = x + ((s * <usize>size) << 2);
    let q = y + ((s * <usize>size) << 2);
    for (let left = size; left > 0; left -= period) {
      const n = min(left, period);
      let b = scratch;
      let i = 0;
      for (; i + 8 <= n; i += 8, p += 32, q += 32, b += 32) {
        const u = madd(v128.load(p), a, v128.load(b));
        const v = madd(v128.load(p, 16), a, v128.load(b, 16));
        v128.store(q, clipped(u, least, most));
        v128.store(q, clipped(v, least, most), 16);
      }
      for (; i < n; i += 4, p += 16, q += 16, b += 16) {
        storeFirst(q, clipped(madd(v128.load(p), a, v128.load(b)), least, most), n - i);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function inside(y: v128, dy: v128, low: f32, high: f32): v128 {
  return v128.and(dy, v128.and(f32x4.gt(y, splat(low)), f32x4.lt(y, splat(high))));
}

/** dx = dy where low < y < high, else 0; begin, end in elements. */
export function clipGradient(
  begin: i32,
  end: i32,
  y: usize,
  dy: usize,
  dx: usize,
  low: f32,
  high: f32,
): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = inside(v128.load(y + i), v128.load(dy + i), low, high);
    const v = inside(v128.load(y + i, 16), v128.load(dy + i, 16), low, high);
    v128.store(dx + i, u);
    v128.store(dx + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeFirst(dx + i, inside(v128.load(y + i), v128.load(dy + i), low, high), (<i32>(stop - i)) >> 2);
  }
}

/** The first pixel, and the one past the last, of √share of an axis of n pixels; `place` in [0, 1) says where. */
// @ts-ignore: decorator
@inline function side(box: usize, share: f32, place: f32, n: i32): void {
  const length = sqrt<f32>(share) * <f32>n;
  const start = place * (<f32>n - length);
  store<f32>(box, ceil<f32>(start));
  store<f32>(box, min(ceil<f32>(start + length), <f32>n), 4);
}

/**
 * boxes (rows,8): first row and the one past the last, first column and the one past the last; all 0 but with a
 * probability in [least, most]. Their sides are √share of the image's, a share in [low, high] each; begin, end in
 * rows.
 */
export function eraseBoxes(
  begin: i32,
  end: i32,
  boxes: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  low: f32,
  high: f32,
  least: f32,
  most: f32,
): void {
  uniformRows(begin, end, boxes, key, site, 8, 0, 1);
  for (let r = <usize>begin; r < <usize>end; r++) {
    const box = boxes + (r << 5);
    const tall = low + (high - low) * load<f32>(box);
    const wide = low + (high - low) * load<f32>(box, 4);
    const top = load<f32>(box, 8);
    const left = load<f32>(box, 12);
    const chance = least + (most - least) * load<f32>(box, 16);
    if (load<f32>(box, 20) < chance) {
      side(box, tall, top, height);
      side(box + 8, wide, left, width);
    } else memory.fill(box, 0, 16);
  }
}

/** y = x, but `value` in the box of each image (height,width,channels); begin, end in samples. */
export function erase(
  begin: i32,
  end: i32,
  x: usize,
  boxes: usize,
  y: usize,
  height: i32,
  width: i32,
  channels: i32,
  value: f32,
): void {
  const size = <usize>(height * width * channels);
  const filling = splat(value);
  for (let s = <usize>begin; s < <usize>end; s++) {
    const to = y + ((s * size) << 2);
    const box = boxes + (s << 5);
    copyFloats(x + ((s * size) << 2), to, size);
    const n = (<i32>load<f32>(box, 12) - <i32>load<f32>(box, 8)) * channels;
    for (let r = <i32>load<f32>(box); r < <i32>load<f32>(box, 4); r++) {
      let q = to + ((<usize>((r * width + <i32>load<f32>(box, 8)) * channels)) << 2);
      for (let left = n; left > 0; left -= 4, q += 16) storeFirst(q, filling, left);
    }
  }
}

/**
 * Fills the box of each image of y with deviation·z, z normal, clipped to [low, high]; an element has the draw of
 * its place in the image; begin, end in samples.
 */
export function eraseNoise(
  begin: i32,
  end: i32,
  boxes: usize,
  y: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  channels: i32,
  deviation: f32,
  low: f32,
  high: f32,
): void {
  const size = <usize>(height * width * channels);
  const least = splat(low);
  const most = splat(high);
  for (let s = begin; s < end; s++) {
    const to = y + ((<usize>s * size) << 2);
    const box = boxes + ((<usize>s) << 5);
    const n = (<i32>load<f32>(box, 12) - <i32>load<f32>(box, 8)) * channels;
    for (let r = <i32>load<f32>(box); r < <i32>load<f32>(box, 4); r++) {
      const first = (r * width + <i32>load<f32>(box, 8)) * channels;
      fill(NORMAL, first, first + n, to, s, key, site, splat(0), splat(deviation));
      let q = to + ((<usize>first) << 2);
      for (let left = n; left > 0; left -= 4, q += 16)
        storeFirst(q, clipped(v128.load(q), least, most), left);
    }
  }
}
