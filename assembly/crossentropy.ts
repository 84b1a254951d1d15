import { madd } from './simd';
import { splat } from './math';
import { firstLanes, rowFactor, rowMax, rowSum, storeFirst, sumLanes } from './rows';
import { exponentialsOfRow, exponentialSum, logOf, scaleRow } from './softmax';

// Cross-entropies; arguments as in losses.ts. The sparse ones take t (rows), a class index as a float: an
// index outside [0, n) makes the row's loss NaN and leaves its gradient without a target.

/** Class index of a row, or -1 where it is none of the n. */
// @ts-ignore: decorator
@inline export function classOf(t: usize, row: i32, n: i32): i32 {
  const index = <i32>load<f32>(t + ((<usize>row) << 2));
  return <u32>index < <u32>n ? index : -1;
}

/**
 * log(Σ exp(p)) - Σ t·p for p logits, t (rows,n) summing to 1: cross-entropy of softmax(p); dp =
 * softmax(p)·Σt - t.
 */
export function softmaxCrossentropy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  loss: usize,
  dp: usize,
  weight: usize,
  scale: usize,
  n: i32,
  inner: i32,
): void {
  const size = (<usize>n) << 2;
  for (let row = begin; row < end; row++) {
    const at = <usize>row * size;
    const top = rowMax(p + at, n);
    const total = rowSum(t + at, n);
    const expected = shiftedDot(p + at, t + at, n, top);
    let sum: f32;
    if (dp) {
      sum = exponentialsOfRow(p + at, dp + at, n, top);
      denseGradient(dp + at, t + at, n, total / sum, rowFactor(row, weight, scale, inner));
    } else {
      sum = exponentialSum(p + at, n, top);
    }
    store<f32>(loss + ((<usize>row) << 2), logOf(sum) * total - expected);
  }
}

/** Σ t·(p - top) (n). */
function shiftedDot(p: usize, t: usize, n: i32, top: f32): f32 {
  const shift = splat(top);
  let u = splat(0);
  for (let j = 0; j < n; j += 4, p += 16, t += 16) {
    const lanes = firstLanes(n - j);
    u = madd(v128.and(f32x4.sub(v128.load(p), shift), lanes), v128.and(v128.load(t), lanes), u);
  }
  return sumLanes(u);
}

/** dp (n) = (dp·share - t)·factor. */
function denseGradient(dp: usize, t: usize, n: i32, share: f32, factor: f32): void {
  const s = splat(share);
  const f = splat(factor);
  let j = 0;
  for (; j + 8 <= n; j += 8, dp += 32, t += 32) {
    const u = f32x4.mul(f32x4.sub(f32x4.mul(v128.load(dp), s), v128.load(t)), f);
    const v = f32x4.mul(f32x4.sub(f32x4.mul(v128.load(dp, 16), s), v128.load(t, 16)), f);
    v128.store(dp, u);
    v128.store(dp, v, 16);
  }
  for (; j < n; j += 4, dp += 16, t += 16) {
    storeFirst(dp, f32x4.mul(f32x4.sub(f32x4.mul(v128.load(dp), s), v128.load(t)), f), n - j);
  }
}

/** log(Σ exp(p)) - p[t] for p logits; dp = softmax(p) - onehot(t). */
export function sparseSoftmaxCrossentropy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  loss: usize,
  dp: usize,
  weight: usize,
  scale: usize,
  n: i32,
  inner: i32,
): void {
  const size = (<usize>n) << 2;
  for (let row = begin; row < end; row++) {
    const at = <usize>row * size;
    const index = classOf(t, row, n);
    const top = rowMax(p + at, n);
    const chosen = index < 0 ? <f32>NaN : load<f32>(p + at + ((<usize>index) << 2)) - top;
    let sum: f32;
    if (dp) {
      const factor = rowFactor(row, weight, scale, inner);
      sum = exponentialsOfRow(p + at, dp + at, n, top);
      scaleRow(dp + at, dp + at, n, factor / sum, 0);
      if (index >= 0) addTo(dp + at, index, -factor);
    } else {
      sum = exponentialSum(p + at, n, top);
    }
    store<f32>(loss + ((<usize>row) << 2), logOf(sum) - chosen);
  }
}

// @ts-ignore: decorator
@inline export function addTo(row: usize, index: i32, x: f32): void {
  const at = row + ((<usize>index) << 2);
  store<f32>(at, load<f32>(at) + x);
}
