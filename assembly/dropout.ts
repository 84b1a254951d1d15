import { splat } from './math';
import { MASK, NORMAL, fill } from './random';
import { storeFirst } from './rows';
import { madd, storeLanes } from './simd';

/** y = a·b; begin, end in elements. */
export function multiply(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = f32x4.mul(v128.load(a + i), v128.load(b + i));
    const v = f32x4.mul(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = f32x4.mul(v128.load(a + i), v128.load(b + i));
    if (i + 16 <= stop) v128.store(y + i, u);
    else storeLanes(y + i, u, (<i32>(stop - i)) >> 2);
  }
}

/** The smallest 24-bit number that keeps an element. */
// @ts-ignore: decorator
@inline export function thresholdOf(rate: f32): v128 {
  return i32x4.splat(<i32>ceil<f32>(rate * 16777216));
}

/**
 * mask (rows,size) = 0 with probability rate, else 1/(1 - rate); y = x·mask. The counter holds the row's
 * number in the mini-batch; begin, end in rows.
 */
export function dropout(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  mask: usize,
  key: usize,
  site: i32,
  size: i32,
  rate: f32,
): void {
  const threshold = thresholdOf(rate);
  const scale = splat(1 / (1 - rate));
  for (let r = begin; r < end; r++) {
    const offset = (<usize>r * <usize>size) << 2;
    fill(MASK, 0, size, mask + offset, r, key, site, threshold, scale);
    multiply(0, size, x + offset, mask + offset, y + offset);
  }
}

/**
 * mask (rows,size) = 0 with probability rate, else scale, drawn as `dropout` does; with `together` 1 all rows
 * are alike; begin, end in rows.
 */
export function dropoutMask(
  begin: i32,
  end: i32,
  mask: usize,
  key: usize,
  site: i32,
  size: i32,
  rate: f32,
  scale: f32,
  together: i32,
): void {
  for (let r = begin; r < end; r++) {
    const row = mask + ((<usize>r * <usize>size) << 2);
    fill(MASK, 0, size, row, together ? 0 : r, key, site, thresholdOf(rate), splat(scale));
  }
}

/** y (rows,size) = mean + deviation·z, z normal; the counter holds the row's number; begin, end in rows. */
export function normalRows(
  begin: i32,
  end: i32,
  y: usize,
  key: usize,
  site: i32,
  size: i32,
  mean: f32,
  deviation: f32,
): void {
  for (let r = begin; r < end; r++) {
    const row = y + ((<usize>r * <usize>size) << 2);
    fill(NORMAL, 0, size, row, r, key, site, splat(mean), splat(deviation));
  }
}

/** y = x·mask + kept, or `dropped` where mask is 0; begin, end in elements. */
export function alphaDropout(
  begin: i32,
  end: i32,
  x: usize,
  mask: usize,
  y: usize,
  kept: f32,
  dropped: f32,
): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = alphaDropped(v128.load(x + i), v128.load(mask + i), kept, dropped);
    const v = alphaDropped(v128.load(x + i, 16), v128.load(mask + i, 16), kept, dropped);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = alphaDropped(v128.load(x + i), v128.load(mask + i), kept, dropped);
    storeFirst(y + i, u, (<i32>(stop - i)) >> 2);
  }
}

// @ts-ignore: decorator
@inline function alphaDropped(x: v128, mask: v128, kept: f32, dropped: f32): v128 {
  const zero = f32x4.eq(mask, splat(0));
  return v128.bitselect(splat(dropped), madd(x, mask, splat(kept)), zero);
}

/** y (rows,time,size) = x·mask (rows,size), the same mask at all times; begin, end in rows. */
export function multiplySteps(
  begin: i32,
  end: i32,
  x: usize,
  mask: usize,
  y: usize,
  time: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  for (let r = begin; r < end; r++) {
    for (let t = 0; t < time; t++) {
      const offset = <usize>(r * time + t) * bytes;
      multiply(0, size, x + offset, mask + <usize>r * bytes, y + offset);
    }
  }
}
