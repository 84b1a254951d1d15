import { splat } from './math';
import { madd } from './simd';

// Column sums of batch normalisation over chunks of a fixed number of samples, so that their bits do not
// depend on workers. x and dy are (rows,n), rows = samples·perSample. Chunk i of `partial` holds two
// vectors, each n padded with zeros to slices of 16. Tiles are 16 columns wide: lanes past n read what
// follows the row and end as zeros.

/** p (16) = the lanes of a, b, c, d before `count`, then zeros. */
// @ts-ignore: decorator
@inline export function storeTile(p: usize, a: v128, b: v128, c: v128, d: v128, count: i32): void {
  const limit = i32x4.splat(count);
  v128.store(p, v128.and(a, i32x4.gt_s(limit, i32x4(0, 1, 2, 3))));
  v128.store(p, v128.and(b, i32x4.gt_s(limit, i32x4(4, 5, 6, 7))), 16);
  v128.store(p, v128.and(c, i32x4.gt_s(limit, i32x4(8, 9, 10, 11))), 32);
  v128.store(p, v128.and(d, i32x4.gt_s(limit, i32x4(12, 13, 14, 15))), 48);
}

/** Σ d² - (Σ d)² / rows, not below 0: what the rounding of the mean added, d = x - mean, goes. */
// @ts-ignore: decorator
@inline function corrected(squares: v128, sum: v128, rows: v128): v128 {
  return f32x4.max(f32x4.sub(squares, f32x4.div(f32x4.mul(sum, sum), rows)), splat(0));
}

/** 1 / √(variance + epsilon) of four columns. */
// @ts-ignore: decorator
@inline export function inverseDeviation(variance: usize, epsilon: f32): v128 {
  return f32x4.div(splat(1), f32x4.sqrt(f32x4.add(v128.load(variance), splat(epsilon))));
}

/** mean, m2 = Σ (x - mean)² of `count` ≤ 16 columns over the rows from x to stop. */
function momentsTile(x: usize, stop: usize, stride: usize, mean: usize, m2: usize, count: i32): void {
  const rows = splat(<f32>(<i32>((stop - x) / stride)));
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let p = x; p < stop; p += stride) {
    s0 = f32x4.add(s0, v128.load(p));
    s1 = f32x4.add(s1, v128.load(p, 16));
    s2 = f32x4.add(s2, v128.load(p, 32));
    s3 = f32x4.add(s3, v128.load(p, 48));
  }
  const mean0 = f32x4.div(s0, rows);
  const mean1 = f32x4.div(s1, rows);
  const mean2 = f32x4.div(s2, rows);
  const mean3 = f32x4.div(s3, rows);
  s0 = splat(0);
  s1 = s0;
  s2 = s0;
  s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  for (let p = x; p < stop; p += stride) {
    const d0 = f32x4.sub(v128.load(p), mean0);
    const d1 = f32x4.sub(v128.load(p, 16), mean1);
    const d2 = f32x4.sub(v128.load(p, 32), mean2);
    const d3 = f32x4.sub(v128.load(p, 48), mean3);
    s0 = f32x4.add(s0, d0);
    s1 = f32x4.add(s1, d1);
    s2 = f32x4.add(s2, d2);
    s3 = f32x4.add(s3, d3);
    t0 = madd(d0, d0, t0);
    t1 = madd(d1, d1, t1);
    t2 = madd(d2, d2, t2);
    t3 = madd(d3, d3, t3);
  }
  t0 = corrected(t0, s0, rows);
  t1 = corrected(t1, s1, rows);
  t2 = corrected(t2, s2, rows);
  t3 = corrected(t3, s3, rows);
  storeTile(m2, t0, t1, t2, t3, count);
  s0 = f32x4.add(mean0, f32x4.div(s0, rows));
  s1 = f32x4.add(mean1, f32x4.div(s1, rows));
  s2 = f32x4.add(mean2, f32x4.div(s2, rows));
  s3 = f32x4.add(mean3, f32x4.div(s3, rows));
  storeTile(mean, s0, s1, s2, s3, count);
}

/** sumDy = Σ dy, sumDyXhat = Σ dy·(x - mean)·inverse of `count` ≤ 16 columns over the rows from x to stop. */
function gradientTile(
  x: usize,
  stop: usize,
  dy: usize,
  stride: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  sumDy: usize,
  sumDyXhat: usize,
  count: i32,
): void {
  const mean0 = v128.load(mean);
  const mean1 = v128.load(mean, 16);
  const mean2 = v128.load(mean, 32);
  const mean3 = v128.load(mean, 48);
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  for (let p = x, q = dy; p < stop; p += stride, q += stride) {
    const d0 = v128.load(q);
    const d1 = v128.load(q, 16);
    const d2 = v128.load(q, 32);
    const d3 = v128.load(q, 48);
    s0 = f32x4.add(s0, d0);
    s1 = f32x4.add(s1, d1);
    s2 = f32x4.add(s2, d2);
    s3 = f32x4.add(s3, d3);
    t0 = madd(d0, f32x4.sub(v128.load(p), mean0), t0);
    t1 = madd(d1, f32x4.sub(v128.load(p, 16), mean1), t1);
    t2 = madd(d2, f32x4.sub(v128.load(p, 32), mean2), t2);
    t3 = madd(d3, f32x4.sub(v128.load(p, 48), mean3), t3);
  }
  storeTile(sumDy, s0, s1, s2, s3, count);
  t0 = f32x4.mul(t0, inverseDeviation(variance, epsilon));
  t1 = f32x4.mul(t1, inverseDeviation(variance + 16, epsilon));
  t2 = f32x4.mul(t2, inverseDeviation(variance + 32, epsilon));
  t3 = f32x4.mul(t3, inverseDeviation(variance + 48, epsilon));
  storeTile(sumDyXhat, t0, t1, t2, t3, count);
}

/**
 * partial (chunks,2,n) = mean of x and Σ (x - mean)² over each chunk's rows; rows a cell with the number of
 * samples; begin, end in samples, multiples of chunk or the last sample.
 */
export function batchMoments(
  begin: i32,
  end: i32,
  x: usize,
  partial: usize,
  rows: usize,
  chunk: i32,
  perSample: i32,
  n: i32,
): void {
  const samples = min(end, load<i32>(rows));
  const stride = (<usize>n) << 2;
  const vector = (<usize>((n + 15) & ~15)) << 2;
  for (let s = begin; s < samples; s += chunk) {
    const first = x + <usize>s * <usize>perSample * stride;
    const stop = x + <usize>min(s + chunk, samples) * <usize>perSample * stride;
    const mean = partial + ((<usize>(s / chunk)) << 1) * vector;
    for (let c = 0; c < n; c += 16) {
      const at = (<usize>c) << 2;
      momentsTile(first + at, stop + at, stride, mean + at, mean + vector + at, n - c);
    }
  }
}

/**
 * partial (chunks,2,n) = Σ dy and Σ dy·(x - mean) / √(variance + epsilon) over each chunk's rows; rows a
 * cell with the number of samples; begin, end in samples, multiples of chunk or the last sample.
 */
export function batchGradientSums(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  partial: usize,
  rows: usize,
  chunk: i32,
  perSample: i32,
  n: i32,
): void {
  const samples = min(end, load<i32>(rows));
  const stride = (<usize>n) << 2;
  const vector = (<usize>((n + 15) & ~15)) << 2;
  for (let s = begin; s < samples; s += chunk) {
    const first = <usize>s * <usize>perSample * stride;
    const stop = <usize>min(s + chunk, samples) * <usize>perSample * stride;
    const sums = partial + ((<usize>(s / chunk)) << 1) * vector;
    for (let c = 0; c < n; c += 16) {
      const at = (<usize>c) << 2;
      const p = x + first + at;
      const q = dy + first + at;
      const out = sums + at;
      gradientTile(p, x + stop + at, q, stride, mean + at, variance + at, epsilon, out, out + vector, n - c);
    }
  }
}
