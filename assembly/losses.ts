import { madd } from './simd';
import { atLeast, atMost, sigmoidv, softplusTail, splat, tanhv, withSign } from './math';
import { binarySlope, binaryValue } from './crossentropy';
import { firstLanes, rowFactor, storeFirst, sumLanes } from './rows';

// Losses that are a mean over the n elements of a row. All losses share one form: p (rows,n) predictions, t (rows,n)
// targets, loss (rows); where dp is not 0, dp (rows,n) = d loss[row]/dp · weight[row / inner] · scale[0]. weight is the
// address of one factor a sample or 0 (all 1), inner the rows a sample has; begin, end in rows. The loss is unweighted.

const SQUARED: i32 = 0;
const ABSOLUTE: i32 = 1;
const BINARY: i32 = 2;
const SIGMOID: i32 = 3;
const HINGE: i32 = 4;
const LOGCOSH: i32 = 5;
const HUBER: i32 = 6;

const LN2: f32 = 0.6931471805599453;

/** log(cosh(x)) = |x| + log(1 + exp(-2|x|)) - log 2; its series below 0.25, where that cancels. */
// @ts-ignore: decorator
@inline function logcoshv(x: v128): v128 {
  const a = f32x4.abs(x);
  const far = f32x4.add(a, f32x4.sub(softplusTail(f32x4.add(a, a)), splat(LN2)));
  const z = f32x4.mul(x, x);
  const series = madd(
    madd(madd(splat(-17.0 / 2520.0), z, splat(1.0 / 45.0)), z, splat(-1.0 / 12.0)),
    z,
    splat(0.5),
  );
  return v128.bitselect(f32x4.mul(z, series), far, f32x4.lt(a, splat(0.25)));
}

/** Loss of one element. */
// @ts-ignore: decorator
@inline function value(kind: i32, p: v128, t: v128, delta: f32): v128 {
  if (kind == BINARY) return binaryValue(p, t);
  if (kind == SIGMOID) return f32x4.add(f32x4.sub(atLeast(p, 0), f32x4.mul(p, t)), softplusTail(p));
  if (kind == HINGE) return atLeast(f32x4.sub(splat(1), f32x4.mul(t, p)), 0);
  const x = f32x4.sub(p, t);
  if (kind == SQUARED) return f32x4.mul(x, x);
  if (kind == ABSOLUTE) return f32x4.abs(x);
  if (kind == LOGCOSH) return logcoshv(x);
  const near = atMost(f32x4.abs(x), delta); // HUBER: a²/2 + delta·(|x| - a), a = min(|x|, delta)
  const linear = f32x4.mul(f32x4.sub(f32x4.abs(x), near), splat(delta));
  return madd(f32x4.mul(near, near), splat(0.5), linear);
}

/** Its derivative by p. */
// @ts-ignore: decorator
@inline function slope(kind: i32, p: v128, t: v128, delta: f32): v128 {
  if (kind == BINARY) return binarySlope(p, t);
  if (kind == SIGMOID) return f32x4.sub(sigmoidv(p), t);
  if (kind == HINGE) return v128.and(f32x4.neg(t), f32x4.gt(f32x4.sub(splat(1), f32x4.mul(t, p)), splat(0)));
  const x = f32x4.sub(p, t);
  if (kind == SQUARED) return f32x4.add(x, x);
  if (kind == ABSOLUTE) return v128.and(withSign(splat(1), x), f32x4.ne(x, splat(0)));
  if (kind == LOGCOSH) return tanhv(x);
  return atLeast(atMost(x, delta), -delta);
}

/** Σ of the values of a row; with `gradient` (a literal) 1, dp (n) = slope·factor. */
// @ts-ignore: decorator
@inline function rowLoss(
  kind: i32,
  gradient: i32,
  p: usize,
  t: usize,
  dp: usize,
  n: i32,
  factor: f32,
  delta: f32,
): f32 {
  const f = splat(factor);
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, p += 32, t += 32, dp += 32) {
    if (gradient) {
      const a = f32x4.mul(slope(kind, v128.load(p), v128.load(t), delta), f);
      const b = f32x4.mul(slope(kind, v128.load(p, 16), v128.load(t, 16), delta), f);
      v128.store(dp, a);
      v128.store(dp, b, 16);
    }
    u = f32x4.add(u, value(kind, v128.load(p), v128.load(t), delta));
    v = f32x4.add(v, value(kind, v128.load(p, 16), v128.load(t, 16), delta));
  }
  for (; j < n; j += 4, p += 16, t += 16, dp += 16) {
    u = f32x4.add(u, v128.and(value(kind, v128.load(p), v128.load(t), delta), firstLanes(n - j)));
    if (gradient) storeFirst(dp, f32x4.mul(slope(kind, v128.load(p), v128.load(t), delta), f), n - j);
  }
  return sumLanes(f32x4.add(u, v));
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
    let sum: f32;
    if (dp) {
      const factor = rowFactor(row, weight, scale, inner) / count;
      sum = rowLoss(kind, 1, p + at, t + at, dp + at, n, factor, delta);
    } else {
      sum = rowLoss(kind, 0, p + at, t + at, dp, n, 0, delta);
    }
    store<f32>(loss + ((<usize>row) << 2), sum / count);
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
