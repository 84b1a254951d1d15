import { madd, storeLanes } from './simd';
import { splat } from './math';

// Reductions over one row of n floats. Two vectors a step, then single ones, the last one masked: an order
// that depends on n only.

/** All ones in the first `count` lanes. */
// @ts-ignore: decorator
@inline export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** Stores the first min(count, 4) lanes, count ≥ 1. */
// @ts-ignore: decorator
@inline export function storeFirst(address: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(address, v);
  else storeLanes(address, v, count);
}

// @ts-ignore: decorator
@inline export function sumLanes(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2);
  return low + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

// @ts-ignore: decorator
@inline function maxLanes(v: v128): f32 {
  const low = max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 2));
  return max(low, max(f32x4.extract_lane(v, 1), f32x4.extract_lane(v, 3)));
}

/** Largest of x (n); NaNs are passed over. */
export function rowMax(x: usize, n: i32): f32 {
  let u = splat(-Infinity);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32) {
    u = f32x4.pmax(u, v128.load(x));
    v = f32x4.pmax(v, v128.load(x, 16));
  }
  for (; j < n; j += 4, x += 16) {
    u = f32x4.pmax(u, v128.bitselect(v128.load(x), splat(-Infinity), firstLanes(n - j)));
  }
  return maxLanes(f32x4.pmax(u, v));
}

/** Σ x (n). */
export function rowSum(x: usize, n: i32): f32 {
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32) {
    u = f32x4.add(u, v128.load(x));
    v = f32x4.add(v, v128.load(x, 16));
  }
  for (; j < n; j += 4, x += 16) u = f32x4.add(u, v128.and(v128.load(x), firstLanes(n - j)));
  return sumLanes(f32x4.add(u, v));
}

/** Σ a·b (n). */
export function rowDot(a: usize, b: usize, n: i32): f32 {
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, a += 32, b += 32) {
    u = madd(v128.load(a), v128.load(b), u);
    v = madd(v128.load(a, 16), v128.load(b, 16), v);
  }
  for (; j < n; j += 4, a += 16, b += 16) {
    const lanes = firstLanes(n - j);
    u = madd(v128.and(v128.load(a), lanes), v128.and(v128.load(b), lanes), u);
  }
  return sumLanes(f32x4.add(u, v));
}

/** weight[row / inner] · scale[0] / inner; a weight address of 0 stands for ones. */
export function rowFactor(row: i32, weight: usize, scale: usize, inner: i32): f32 {
  const factor = load<f32>(scale) / <f32>inner;
  return weight ? load<f32>(weight + ((<usize>(row / inner)) << 2)) * factor : factor;
}
