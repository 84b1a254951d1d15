import {
  ABSOLUTE,
  BINARY,
  HINGE,
  HUBER,
  LOGARITHMIC,
  LOGCOSH,
  PERCENTAGE,
  POISSON,
  SIGMOID,
  slope,
  SQUARED,
  SQUARED_HINGE,
  value,
} from './pointwise';
import { splat } from './math';
import { firstLanes, rowFactor, storeFirst, sumLanes } from './rows';

// Losses that are a mean over the n elements of a row. All losses share one form: p (rows,n) predictions, t
// (rows,n) targets, loss (rows); where dp is not 0, dp (rows,n) = d loss[row]/dp · weight[row / inner] ·
// scale[0] / inner. weight is the address of one factor a sample or 0 (all 1), inner the rows a sample has;
// begin, end in rows. The loss is unweighted. dp overlaps
// neither p nor t.

/**
 * Σ of the values of a row (n). Where `keep` (a literal) is 1, room is 32 bytes to overwrite: V8 packs a loop
 * only if it ends in adjacent stores, and packing makes it 1.6 times faster.
 */
// @ts-ignore: decorator
@inline function rowValue(kind: i32, keep: i32, p: usize, t: usize, room: usize, n: i32, delta: f32): f32 {
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, p += 32, t += 32) {
    u = f32x4.add(u, value(kind, v128.load(p), v128.load(t), delta));
    v = f32x4.add(v, value(kind, v128.load(p, 16), v128.load(t, 16), delta));
  }
  if (keep) {
    v128.store(room, u);
    v128.store(room, v, 16);
    u = v128.load(room);
    v = v128.load(room, 16);
  }
  for (; j < n; j += 4, p += 16, t += 16) {
    u = f32x4.add(u, v128.and(value(kind, v128.load(p), v128.load(t), delta), firstLanes(n - j)));
  }
  return sumLanes(f32x4.add(u, v));
}

/** dp (n) = slope·factor. */
// @ts-ignore: decorator
@inline function rowSlope(kind: i32, p: usize, t: usize, dp: usize, n: i32, factor: f32, delta: f32): void {
  const f = splat(factor);
  let j = 0;
  for (; j + 8 <= n; j += 8, p += 32, t += 32, dp += 32) {
    const u = f32x4.mul(slope(kind, v128.load(p), v128.load(t), delta), f);
    const v = f32x4.mul(slope(kind, v128.load(p, 16), v128.load(t, 16), delta), f);
    v128.store(dp, u);
    v128.store(dp, v, 16);
  }
  for (; j < n; j += 4, p += 16, t += 16, dp += 16) {
    storeFirst(dp, f32x4.mul(slope(kind, v128.load(p), v128.load(t), delta), f), n - j);
  }
}

// @ts-ignore: decorator
@inline function means(
  kind: i32,
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
  delta: f32,
): void {
  const count = <f32>n;
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const sum =
      dp && n >= 8
        ? rowValue(kind, 1, p + at, t + at, dp + at, n, delta)
        : rowValue(kind, 0, p + at, t + at, 0, n, delta);
    store<f32>(loss + ((<usize>row) << 2), sum / count);
    if (dp) rowSlope(kind, p + at, t + at, dp + at, n, rowFactor(row, weight, scale, inner) / count, delta);
  }
}

/** dy (rows) = weight[row / inner] · scale[0] / inner, the gradient of the weighted mean of rows by each. */
export function lossFactors(begin: i32, end: i32, dy: usize, weight: usize, scale: usize, inner: i32): void {
  for (let row = begin; row < end; row++) {
    store<f32>(dy + ((<usize>row) << 2), rowFactor(row, weight, scale, inner));
  }
}

/** mean (p - t)². */
export function meanSquaredError(
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
  means(SQUARED, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean |p - t|; the gradient at p = t is 0. */
export function meanAbsoluteError(
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
  means(ABSOLUTE, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** -mean (t·log q + (1 - t)·log(1 - q)), q = p clipped to [1e-7, 1 - 1e-7]; no gradient outside. */
export function binaryCrossentropy(
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
  means(BINARY, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** binary cross-entropy of sigmoid(p): mean (max(p, 0) - p·t + log(1 + exp(-|p|))). */
export function sigmoidCrossentropy(
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
  means(SIGMOID, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean max(1 - t·p, 0), t in {-1, 1}. */
export function hinge(
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
  means(HINGE, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean log(cosh(p - t)). */
export function logcosh(
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
  means(LOGCOSH, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean of x²/2 where |x| ≤ delta, else delta·(|x| - delta/2); x = p - t (Huber, 1964). */
export function huber(
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
  delta: f32,
): void {
  means(HUBER, begin, end, p, t, loss, dp, weight, scale, n, inner, delta);
}

/** 100·mean (|p - t| / max(|t|, 1e-7)); the gradient at p = t is 0. */
export function meanAbsolutePercentageError(
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
  means(PERCENTAGE, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean (log(1 + p) - log(1 + t))², p and t clipped to at least 1e-7; no gradient below. */
export function meanSquaredLogarithmicError(
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
  means(LOGARITHMIC, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean max(1 - t·p, 0)², t in {-1, 1}. */
export function squaredHinge(
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
  means(SQUARED_HINGE, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}

/** mean (p - t·log(p + 1e-7)). */
export function poisson(
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
  means(POISSON, begin, end, p, t, loss, dp, weight, scale, n, inner, 0);
}
