import { madd } from './simd';
import { atLeast, atMost, logv, splat } from './math';
import { firstLanes, rowDot, rowFactor, storeFirst, sumLanes } from './rows';

// Losses that compare whole rows: distributions, classes, directions. Arguments as in losses.ts.

const EPSILON: f32 = 1e-7;

/** x clipped to [1e-7, 1]. */
// @ts-ignore: decorator
@inline function share(x: v128): v128 {
  return atMost(atLeast(x, EPSILON), 1);
}

/**
 * Σ t·log(clip(t) / clip(p)), clipped to [1e-7, 1] (Kullback and Leibler, 1951); dp = -t / p where p is not
 * clipped.
 */
export function kullbackLeiblerDivergence(
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
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    store<f32>(loss + ((<usize>row) << 2), divergence(p + at, t + at, n));
    if (!dp) continue;
    const f = splat(-rowFactor(row, weight, scale, inner));
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const x = v128.load(p + i);
      const q = share(x);
      const slope = f32x4.div(f32x4.mul(v128.load(t + i), f), q);
      storeFirst(dp + i, v128.and(slope, f32x4.eq(x, q)), n - j);
    }
  }
}

/** Σ t·log(clip(t) / clip(p)) (n). */
function divergence(p: usize, t: usize, n: i32): f32 {
  let u = splat(0);
  for (let j = 0; j < n; j += 4, p += 16, t += 16) {
    const x = v128.load(t);
    const ratio = logv(f32x4.div(share(x), share(v128.load(p))));
    u = f32x4.add(u, v128.and(f32x4.mul(x, ratio), firstLanes(n - j)));
  }
  return sumLanes(u);
}

/**
 * max(0, 1 + max((1 - t)·p) - Σ t·p), t one-hot. dp = (1 - t)·[first place of the maximum] - t where the loss
 * is positive.
 */
export function categoricalHinge(
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
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const rival = rivalOf(p + at, t + at, n);
    const best = load<f32>(p + at + ((<usize>rival) << 2)) * (1 - load<f32>(t + at + ((<usize>rival) << 2)));
    const short: f32 = 1 + best - rowDot(p + at, t + at, n);
    store<f32>(loss + ((<usize>row) << 2), max<f32>(short, 0));
    if (!dp) continue;
    const factor: f32 = short > 0 ? rowFactor(row, weight, scale, inner) : 0;
    const f = splat(-factor);
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      storeFirst(dp + i, f32x4.mul(v128.load(t + i), f), n - j);
    }
    const i = at + ((<usize>rival) << 2);
    store<f32>(dp + i, load<f32>(dp + i) + factor * (1 - load<f32>(t + i)));
  }
}

/** The first place where (1 - t)·p is largest. */
function rivalOf(p: usize, t: usize, n: i32): i32 {
  let best: f32 = -Infinity;
  let place = 0;
  for (let j = 0; j < n; j++, p += 4, t += 4) {
    const x: f32 = (1 - load<f32>(t)) * load<f32>(p);
    if (x > best) {
      best = x;
      place = j;
    }
  }
  return place;
}

/** 1 / √max(square, 1e-7). */
// @ts-ignore: decorator
@inline function inverseNorm(square: f32): f32 {
  return 1 / sqrt<f32>(max(square, EPSILON));
}

/**
 * -Σ t·p / (|t|·|p|), norms at least √1e-7; dp = (p·Σ t·p / |p|² - t) / (|t|·|p|), without its first term
 * where |p| is smaller than that.
 */
export function cosineProximity(
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
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const square = rowDot(p + at, p + at, n);
    const inverse = inverseNorm(square);
    const both = inverse * inverseNorm(rowDot(t + at, t + at, n));
    const cosine = rowDot(p + at, t + at, n) * both;
    store<f32>(loss + ((<usize>row) << 2), -cosine);
    if (!dp) continue;
    const factor = rowFactor(row, weight, scale, inner);
    const ofP = splat(square > EPSILON ? cosine * inverse * inverse * factor : 0);
    const ofT = splat(-both * factor);
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const turned = madd(v128.load(p + i), ofP, f32x4.mul(v128.load(t + i), ofT));
      storeFirst(dp + i, turned, n - j);
    }
  }
}
