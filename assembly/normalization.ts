import { splat } from './math';
import { inverseDeviation } from './moments';
import { storeFirst } from './rows';
import { madd } from './simd';

// Batch normalisation over the last axis: x, y, dy, dx are (rows,n), rows = samples·perSample; vectors of n
// are padded with zeros to slices of 16. The sums of chunks (see moments.ts) are added in the order of the
// chunks.

/**
 * mean and biased variance (n) of all rows from the chunks' moments, scale = gamma / √(variance + epsilon),
 * shift = beta - mean·scale; gamma, beta 0 for ones, zeros; rows a cell with the number of samples; begin,
 * end in slices.
 * Relative error of the variance: 1e-6 + 3e-8·|mean|/deviation, because chunks keep their means as floats.
 */
export function batchStatistics(
  begin: i32,
  end: i32,
  partial: usize,
  rows: usize,
  chunk: i32,
  perSample: i32,
  mean: usize,
  variance: usize,
  scale: usize,
  shift: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
  n: i32,
): void {
  const samples = load<i32>(rows);
  const total = splat(<f32>(samples * perSample));
  const next = (<usize>((n + 15) & ~15)) << 3;
  for (let c = (<usize>begin) << 6, stop = (<usize>end) << 6; c < stop; c += 32) {
    const first0 = v128.load(partial + c);
    const first1 = v128.load(partial + c, 16);
    let s = splat(0);
    let t = s;
    for (let i = 0, p = partial + c; i < samples; i += chunk, p += next) {
      const count = splat(<f32>(min(chunk, samples - i) * perSample));
      s = madd(f32x4.sub(v128.load(p), first0), count, s);
      t = madd(f32x4.sub(v128.load(p, 16), first1), count, t);
    }
    const mean0 = f32x4.add(first0, f32x4.div(s, total));
    const mean1 = f32x4.add(first1, f32x4.div(t, total));
    v128.store(mean + c, mean0);
    v128.store(mean + c, mean1, 16);
    s = splat(0);
    t = s;
    for (let i = 0, p = partial + c; i < samples; i += chunk, p += next) {
      const count = splat(<f32>(min(chunk, samples - i) * perSample));
      const d = f32x4.sub(v128.load(p), mean0);
      const e = f32x4.sub(v128.load(p, 16), mean1);
      const m2 = p + (next >> 1);
      s = f32x4.add(s, madd(f32x4.mul(d, d), count, v128.load(m2)));
      t = f32x4.add(t, madd(f32x4.mul(e, e), count, v128.load(m2, 16)));
    }
    v128.store(variance + c, f32x4.div(s, total));
    v128.store(variance + c, f32x4.div(t, total), 16);
  }
  inferenceScale(begin, end, mean, variance, scale, shift, gamma, beta, epsilon);
}

/** moving += (value - moving)·(1 - momentum); begin, end in slices. */
export function movingAverage(begin: i32, end: i32, moving: usize, value: usize, momentum: f32): void {
  const rate = splat(1 - momentum);
  for (let c = (<usize>begin) << 6, stop = (<usize>end) << 6; c < stop; c += 32) {
    const u = v128.load(moving + c);
    const v = v128.load(moving + c, 16);
    v128.store(moving + c, madd(f32x4.sub(v128.load(value + c), u), rate, u));
    v128.store(moving + c, madd(f32x4.sub(v128.load(value + c, 16), v), rate, v), 16);
  }
}

/**
 * scale = gamma / √(variance + epsilon), shift = beta - mean·scale; gamma, beta 0 for ones, zeros; in
 * slices.
 */
export function inferenceScale(
  begin: i32,
  end: i32,
  mean: usize,
  variance: usize,
  scale: usize,
  shift: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
): void {
  for (let c = (<usize>begin) << 6, stop = (<usize>end) << 6; c < stop; c += 16) {
    const factor = outer(gamma, variance, epsilon, c);
    v128.store(scale + c, factor);
    const offset = beta ? v128.load(beta + c) : splat(0);
    v128.store(shift + c, madd(f32x4.neg(v128.load(mean + c)), factor, offset));
  }
}

/** y (rows,n) = x·scale + shift; begin, end in rows. */
export function normalize(
  begin: i32,
  end: i32,
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  n: i32,
): void {
  const stride = (<usize>n) << 2;
  x += <usize>begin * stride;
  y += <usize>begin * stride;
  for (let r = begin; r < end; r++, x += stride, y += stride) {
    let c: usize = 0;
    for (; c + 32 <= stride; c += 32) {
      const u = madd(v128.load(x + c), v128.load(scale + c), v128.load(shift + c));
      const v = madd(v128.load(x + c, 16), v128.load(scale + c, 16), v128.load(shift + c, 16));
      v128.store(y + c, u);
      v128.store(y + c, v, 16);
    }
    for (; c < stride; c += 16) {
      const u = madd(v128.load(x + c), v128.load(scale + c), v128.load(shift + c));
      storeFirst(y + c, u, <i32>((stride - c) >> 2));
    }
  }
}

/**
 * sumDy = dbeta and sumDyXhat = dgamma (n) from the chunks' sums; rows a cell with samples; begin, end in
 * slices.
 */
export function batchGradientCombine(
  begin: i32,
  end: i32,
  partial: usize,
  rows: usize,
  chunk: i32,
  perSample: i32,
  sumDy: usize,
  sumDyXhat: usize,
  n: i32,
): void {
  const samples = load<i32>(rows);
  const vector = (<usize>((n + 15) & ~15)) << 2;
  for (let c = (<usize>begin) << 6, stop = (<usize>end) << 6; c < stop; c += 16) {
    let s = splat(0);
    let t = s;
    for (let i = 0, p = partial + c; i < samples; i += chunk, p += vector << 1) {
      s = f32x4.add(s, v128.load(p));
      t = f32x4.add(t, v128.load(p + vector));
    }
    v128.store(sumDy + c, s);
    v128.store(sumDyXhat + c, t);
  }
}

// The factors of dx that rows share, for four columns at byte c.

/** gamma / √(variance + epsilon); the choice is made without branches, which V8 would not pack. */
// @ts-ignore: decorator
@inline function outer(gamma: usize, variance: usize, epsilon: f32, c: usize): v128 {
  const given = v128.load(select<usize>(gamma, variance, gamma != 0) + c);
  const factor = v128.bitselect(given, splat(1), i32x4.splat(-(<i32>(gamma != 0))));
  return f32x4.mul(factor, inverseDeviation(variance + c, epsilon));
}

// @ts-ignore: decorator
@inline function slope(sumDyXhat: usize, variance: usize, epsilon: f32, c: usize, count: v128): v128 {
  const sum = f32x4.mul(v128.load(sumDyXhat + c), inverseDeviation(variance + c, epsilon));
  return f32x4.neg(f32x4.div(sum, count));
}

// @ts-ignore: decorator
@inline function gradient(x: v128, dy: v128, mean: v128, meanDy: v128, slope: v128, outer: v128): v128 {
  return f32x4.mul(madd(f32x4.sub(x, mean), slope, f32x4.sub(dy, meanDy)), outer);
}

/**
 * dx = gamma/√(variance + epsilon)·(dy - sumDy/R - x̂·sumDyXhat/R), x̂ = (x - mean)/√(variance + epsilon),
 * R = all rows; rows a cell with the number of samples; gamma 0 for ones; begin, end in rows. Columns by
 * columns within blocks of 32 rows, so that the factors stay in registers.
 */
export function batchGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dx: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  sumDy: usize,
  sumDyXhat: usize,
  rows: usize,
  perSample: i32,
  n: i32,
  epsilon: f32,
): void {
  const count = splat(<f32>(load<i32>(rows) * perSample));
  const stride = (<usize>n) << 2;
  for (let r = begin; r < end; r += 32) {
    const first = <usize>r * stride;
    const stop = <usize>min(r + 32, end) * stride;
    let c: usize = 0;
    for (; c + 64 <= stride; c += 64) {
      const mean0 = v128.load(mean + c);
      const mean1 = v128.load(mean + c, 16);
      const mean2 = v128.load(mean + c, 32);
      const mean3 = v128.load(mean + c, 48);
      const meanDy0 = f32x4.div(v128.load(sumDy + c), count);
      const meanDy1 = f32x4.div(v128.load(sumDy + c, 16), count);
      const meanDy2 = f32x4.div(v128.load(sumDy + c, 32), count);
      const meanDy3 = f32x4.div(v128.load(sumDy + c, 48), count);
      const slope0 = slope(sumDyXhat, variance, epsilon, c, count);
      const slope1 = slope(sumDyXhat, variance, epsilon, c + 16, count);
      const slope2 = slope(sumDyXhat, variance, epsilon, c + 32, count);
      const slope3 = slope(sumDyXhat, variance, epsilon, c + 48, count);
      const outer0 = outer(gamma, variance, epsilon, c);
      const outer1 = outer(gamma, variance, epsilon, c + 16);
      const outer2 = outer(gamma, variance, epsilon, c + 32);
      const outer3 = outer(gamma, variance, epsilon, c + 48);
      for (let i = first + c; i < stop; i += stride) {
        const g0 = gradient(v128.load(x + i), v128.load(dy + i), mean0, meanDy0, slope0, outer0);
        const g1 = gradient(v128.load(x + i, 16), v128.load(dy + i, 16), mean1, meanDy1, slope1, outer1);
        const g2 = gradient(v128.load(x + i, 32), v128.load(dy + i, 32), mean2, meanDy2, slope2, outer2);
        const g3 = gradient(v128.load(x + i, 48), v128.load(dy + i, 48), mean3, meanDy3, slope3, outer3);
        v128.store(dx + i, g0);
        v128.store(dx + i, g1, 16);
        v128.store(dx + i, g2, 32);
        v128.store(dx + i, g3, 48);
      }
    }
    for (; c < stride; c += 16) {
      const mean0 = v128.load(mean + c);
      const meanDy0 = f32x4.div(v128.load(sumDy + c), count);
      const slope0 = slope(sumDyXhat, variance, epsilon, c, count);
      const outer0 = outer(gamma, variance, epsilon, c);
      for (let i = first + c; i < stop; i += stride) {
        const u = gradient(v128.load(x + i), v128.load(dy + i), mean0, meanDy0, slope0, outer0);
        storeFirst(dx + i, u, <i32>((stride - c) >> 2));
      }
    }
  }
}
