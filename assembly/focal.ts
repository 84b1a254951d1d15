import { atLeast, expm1v, expv, logv, sigmoidv, softplusTail, splat } from './math';
import { binarySlope, binaryValue, clip, unclipped } from './pointwise';
import { firstLanes, rowFactor, rowMax, rowSum, storeFirst, sumLanes } from './rows';
import { exponentialSum, logOf } from './softmax';

// Focal cross-entropies (Lin et al., 2017, eq. 4 and 5), arguments as in losses.ts: the cross-entropy of an
// element times r^gamma, r how far the probability is from the target. alphas (n) has a weight for each class, or its
// address is 0.

/** r^gamma for r ≥ 0; 1 where gamma is 0. */
// @ts-ignore: decorator
@inline function powerOf(r: v128, gamma: f32): v128 {
  return expv(f32x4.mul(atLeast(logv(r), -1e4), splat(gamma)));
}

/** t·positive + (1 - t)·negative; with alphas, these are alpha and 1 - alpha of the class, j the first of four. */
// @ts-ignore: decorator
@inline function balance(t: v128, positive: f32, negative: f32, alphas: usize, j: i32): v128 {
  const one = splat(1);
  const own = alphas ? v128.load(alphas + ((<usize>j) << 2)) : splat(positive);
  const other = alphas ? f32x4.sub(one, own) : splat(negative);
  return f32x4.add(f32x4.mul(t, own), f32x4.mul(f32x4.sub(one, t), other));
}

/** Four elements of t times their alphas, from j on. */
// @ts-ignore: decorator
@inline function weighted(t: usize, alphas: usize, j: i32): v128 {
  const y = v128.load(t);
  return alphas ? f32x4.mul(y, v128.load(alphas + ((<usize>j) << 2))) : y;
}

/** t·(1 - q) + (1 - t)·q, rest = 1 - q. */
// @ts-ignore: decorator
@inline function farness(q: v128, rest: v128, t: v128): v128 {
  return f32x4.add(f32x4.mul(t, rest), f32x4.mul(f32x4.sub(splat(1), t), q));
}

/** Loss of one element whose probability, or (`logits`, a literal, 1) whose logit is p. */
// @ts-ignore: decorator
@inline function focalValue(logits: i32, p: v128, t: v128, gamma: f32): v128 {
  const q = logits ? sigmoidv(p) : clip(p);
  const rest = logits ? sigmoidv(f32x4.neg(p)) : f32x4.sub(splat(1), q);
  return f32x4.mul(powerOf(farness(q, rest, t), gamma), entropy(logits, p, t));
}

// @ts-ignore: decorator
@inline function entropy(logits: i32, p: v128, t: v128): v128 {
  if (!logits) return binaryValue(p, t);
  return f32x4.add(f32x4.sub(atLeast(p, 0), f32x4.mul(p, t)), softplusTail(p));
}

/** Its derivative by p: r^gamma·(gamma·dr/r·entropy + d entropy), dr = (1 - 2t)·dq. */
// @ts-ignore: decorator
@inline function focalSlope(logits: i32, p: v128, t: v128, gamma: f32): v128 {
  const one = splat(1);
  const q = logits ? sigmoidv(p) : clip(p);
  const rest = logits ? sigmoidv(f32x4.neg(p)) : f32x4.sub(one, q);
  const r = farness(q, rest, t);
  const turn = f32x4.sub(one, f32x4.add(t, t));
  const dr = logits ? f32x4.mul(f32x4.mul(q, rest), turn) : v128.and(turn, unclipped(p));
  const relative = f32x4.div(f32x4.mul(dr, splat(gamma)), atLeast(r, 1e-37));
  const own = logits ? f32x4.sub(q, t) : binarySlope(p, t);
  return f32x4.mul(powerOf(r, gamma), f32x4.add(f32x4.mul(relative, entropy(logits, p, t)), own));
}

// @ts-ignore: decorator
@inline function binaryFocal(
  logits: i32,
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
  gamma: f32,
  positive: f32,
  negative: f32,
  alphas: usize,
): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const f = splat(dp ? rowFactor(row, weight, scale, inner) / <f32>n : 0);
    let sum = splat(0);
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const x = v128.load(p + i);
      const y = v128.load(t + i);
      const share = balance(y, positive, negative, alphas, j);
      const value = f32x4.mul(focalValue(logits, x, y, gamma), share);
      sum = f32x4.add(sum, v128.and(value, firstLanes(n - j)));
      if (dp) {
        storeFirst(dp + i, f32x4.mul(f32x4.mul(focalSlope(logits, x, y, gamma), share), f), n - j);
      }
    }
    store<f32>(loss + ((<usize>row) << 2), sumLanes(sum) / <f32>n);
  }
}

/**
 * mean share·r^gamma·(-t·log q - (1 - t)·log(1 - q)), r = t·(1 - q) + (1 - t)·q, share = t·positive + (1 -
 * t)·negative (or by alphas), q = p clipped to [1e-7, 1 - 1e-7]; no gradient outside.
 */
export function binaryFocalCrossentropy(
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
  gamma: f32,
  positive: f32,
  negative: f32,
  alphas: usize,
): void {
  binaryFocal(0, begin, end, p, t, loss, dp, weight, scale, n, inner, gamma, positive, negative, alphas);
}

/** binaryFocalCrossentropy of sigmoid(p), without clipping. */
export function sigmoidFocalCrossentropy(
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
  gamma: f32,
  positive: f32,
  negative: f32,
  alphas: usize,
): void {
  binaryFocal(1, begin, end, p, t, loss, dp, weight, scale, n, inner, gamma, positive, negative, alphas);
}

/**
 * -alpha·Σ alphas·t·(1 - q)^gamma·log q, q = p / Σ p clipped to [1e-7, 1 - 1e-7]; dp = (g - Σ g·q) / Σ p with g the
 * derivative by q, 0 where q is clipped.
 */
export function categoricalFocalCrossentropy(
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
  gamma: f32,
  alpha: f32,
  alphas: usize,
): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const share: f32 = 1 / rowSum(p + at, n);
    let sum = splat(0);
    let inside = splat(0);
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const q = f32x4.mul(v128.load(p + i), splat(share));
      const lanes = firstLanes(n - j);
      const y = weighted(t + i, alphas, j);
      const power = powerOf(f32x4.sub(splat(1), clip(q)), gamma);
      sum = f32x4.sub(sum, v128.and(f32x4.mul(f32x4.mul(y, power), logv(clip(q))), lanes));
      inside = f32x4.add(inside, v128.and(f32x4.mul(slopeByShare(q, y, gamma), q), lanes));
    }
    store<f32>(loss + ((<usize>row) << 2), alpha * sumLanes(sum));
    if (!dp) continue;
    const total = splat(sumLanes(inside));
    const f = splat(alpha * share * rowFactor(row, weight, scale, inner));
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const q = f32x4.mul(v128.load(p + i), splat(share));
      const g = slopeByShare(q, weighted(t + i, alphas, j), gamma);
      storeFirst(dp + i, f32x4.mul(f32x4.sub(g, total), f), n - j);
    }
  }
}

/** t·(1 - q)^gamma·(gamma·log q / (1 - q) - 1 / q) where q is not clipped. */
// @ts-ignore: decorator
@inline function slopeByShare(q: v128, t: v128, gamma: f32): v128 {
  const c = clip(q);
  const rest = f32x4.sub(splat(1), c);
  const bend = f32x4.div(f32x4.mul(logv(c), splat(gamma)), rest);
  const slope = f32x4.mul(powerOf(rest, gamma), f32x4.sub(bend, f32x4.div(splat(1), c)));
  return v128.and(f32x4.mul(t, slope), unclipped(q));
}

/**
 * categoricalFocalCrossentropy of q = softmax(p), without clipping: log q = p - log Σ exp p. dp = h - q·Σ h
 * with h = alpha·t·(1 - q)^gamma·(gamma·q·log q / (1 - q) - 1).
 */
export function softmaxFocalCrossentropy(
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
  gamma: f32,
  alpha: f32,
  alphas: usize,
): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const top = rowMax(p + at, n);
    const shift = splat(top);
    const rest = splat(logOf(exponentialSum(p + at, n, top)));
    let sum = splat(0);
    let inside = splat(0);
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const logarithm = f32x4.sub(f32x4.sub(v128.load(p + i), shift), rest);
      const lanes = firstLanes(n - j);
      const y = weighted(t + i, alphas, j);
      const power = powerOf(restOf(logarithm), gamma);
      sum = f32x4.sub(sum, v128.and(f32x4.mul(f32x4.mul(y, power), logarithm), lanes));
      inside = f32x4.add(inside, v128.and(slopeByLogarithm(logarithm, y, gamma), lanes));
    }
    store<f32>(loss + ((<usize>row) << 2), alpha * sumLanes(sum));
    if (!dp) continue;
    const total = splat(sumLanes(inside));
    const f = splat(alpha * rowFactor(row, weight, scale, inner));
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const logarithm = f32x4.sub(f32x4.sub(v128.load(p + i), shift), rest);
      const h = slopeByLogarithm(logarithm, weighted(t + i, alphas, j), gamma);
      storeFirst(dp + i, f32x4.mul(f32x4.sub(h, f32x4.mul(expv(logarithm), total)), f), n - j);
    }
  }
}

/** 1 - q. */
// @ts-ignore: decorator
@inline function restOf(logarithm: v128): v128 {
  return f32x4.abs(expm1v(logarithm));
}

/** t·(1 - q)^gamma·(gamma·q·log q / (1 - q) - 1). */
// @ts-ignore: decorator
@inline function slopeByLogarithm(logarithm: v128, t: v128, gamma: f32): v128 {
  const rest = restOf(logarithm);
  const bend = f32x4.div(
    f32x4.mul(f32x4.mul(expv(logarithm), logarithm), splat(gamma)),
    atLeast(rest, 1e-37),
  );
  return f32x4.mul(f32x4.mul(t, powerOf(rest, gamma)), f32x4.sub(bend, splat(1)));
}
