import { madd } from './simd';
import { splat, withSign } from './math';
import { blend, complement, square, storePair } from './optimizers';

// Adam and its kin; conventions as in optimizers.ts. correction is the address of [1 - beta1^t, 1 - beta2^t].

/** beta^t, t ≥ 0, by repeated squaring. */
function power(beta: f64, t: i32): f64 {
  let result: f64 = 1;
  for (let factor = beta; t > 0; t >>= 1, factor *= factor) if (t & 1) result *= factor;
  return result;
}

/**
 * correction (2) = [1 - beta1^t, 1 - beta2^t] for t = step[0] (i32), counted from 1; begin, end are not used.
 */
export function adamCorrection(
  begin: i32,
  end: i32,
  correction: usize,
  step: usize,
  beta1: f64,
  beta2: f64,
): void {
  const t = load<i32>(step);
  store<f32>(correction, <f32>(1 - power(beta1, t)));
  store<f32>(correction, <f32>(1 - power(beta2, t)), 4);
}

/** w·shrink - step·m / (√(v·scale) + epsilon); shrink only with `decoupled` (a literal) 1. */
// @ts-ignore: decorator
@inline function adamStep(
  decoupled: i32,
  w: v128,
  m: v128,
  v: v128,
  minusStep: v128,
  scale: v128,
  epsilon: v128,
  shrink: v128,
): v128 {
  const direction = f32x4.div(m, f32x4.add(f32x4.sqrt(f32x4.mul(v, scale)), epsilon));
  return madd(direction, minusStep, decoupled ? f32x4.mul(w, shrink) : w);
}

// @ts-ignore: decorator
@inline function adamLoop(
  decoupled: i32,
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  rate: usize,
  correction: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
): void {
  const minusStep = splat(-load<f32>(rate) / load<f32>(correction));
  const scale = splat(1 / load<f32>(correction, 4));
  const shrink = splat(1 - load<f32>(rate) * weightDecay);
  const eps = splat(epsilon);
  const keep1 = splat(<f32>beta1);
  const take1 = complement(beta1);
  const keep2 = splat(<f32>beta2);
  const take2 = complement(beta2);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const m0 = blend(v128.load(m + i), keep1, g0, take1);
    const m1 = blend(v128.load(m + i, 16), keep1, g1, take1);
    const v0 = blend(v128.load(v + i), keep2, square(g0), take2);
    const v1 = blend(v128.load(v + i, 16), keep2, square(g1), take2);
    const w0 = adamStep(decoupled, v128.load(w + i), m0, v0, minusStep, scale, eps, shrink);
    const w1 = adamStep(decoupled, v128.load(w + i, 16), m1, v1, minusStep, scale, eps, shrink);
    storePair(m + i, m0, m1);
    storePair(v + i, v0, v1);
    storePair(w + i, w0, w1);
  }
}

/**
 * m, v = moving averages of dw, dw²; w -= rate·(m / c1) / (√(v / c2) + epsilon), c = correction (Kingma and
 * Ba, 2014).
 */
export function adam(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  rate: usize,
  correction: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
): void {
  adamLoop(0, begin, end, w, dw, m, v, rate, correction, beta1, beta2, epsilon, 0);
}

/** w -= rate·weightDecay·w, then as adam (Loshchilov and Hutter, 2017). */
export function adamw(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  rate: usize,
  correction: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
): void {
  adamLoop(1, begin, end, w, dw, m, v, rate, correction, beta1, beta2, epsilon, weightDecay);
}

/**
 * m = moving average of dw; u = max(beta2·u, |dw|); w -= rate / c1·m / (u + epsilon) (Kingma and Ba, 2014,
 * section 7).
 */
export function adamax(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  u: usize,
  rate: usize,
  correction: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
): void {
  const minusStep = splat(-load<f32>(rate) / load<f32>(correction));
  const eps = splat(epsilon);
  const keep1 = splat(<f32>beta1);
  const take1 = complement(beta1);
  const keep2 = splat(<f32>beta2);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const m0 = blend(v128.load(m + i), keep1, g0, take1);
    const m1 = blend(v128.load(m + i, 16), keep1, g1, take1);
    const u0 = f32x4.max(f32x4.mul(v128.load(u + i), keep2), f32x4.abs(g0));
    const u1 = f32x4.max(f32x4.mul(v128.load(u + i, 16), keep2), f32x4.abs(g1));
    const w0 = madd(f32x4.div(m0, f32x4.add(u0, eps)), minusStep, v128.load(w + i));
    const w1 = madd(f32x4.div(m1, f32x4.add(u1, eps)), minusStep, v128.load(w + i, 16));
    storePair(m + i, m0, m1);
    storePair(u + i, u0, u1);
    storePair(w + i, w0, w1);
  }
}

/**
 * correction (3) = [u' / (1 - P·u'), (1 - u) / (1 - P), 1 - beta2^t], u = beta1·(1 - 0.96^t / 2) of step t =
 * step[0] (i32), u' that of t + 1, P the product of u up to t; begin, end are not used.
 */
export function nadamCorrection(
  begin: i32,
  end: i32,
  correction: usize,
  step: usize,
  beta1: f64,
  beta2: f64,
): void {
  const t = load<i32>(step);
  let product: f64 = 1;
  let decay: f64 = 0.5;
  for (let i = 0; i < t && product > 1e-20; i++) {
    decay *= 0.96;
    product *= beta1 * (1 - decay);
  }
  decay = 0.5 * power(0.96, t);
  const next = beta1 * (1 - 0.96 * decay);
  store<f32>(correction, <f32>(next / (1 - product * next)));
  store<f32>(correction, <f32>((1 - beta1 * (1 - decay)) / (1 - product)), 4);
  store<f32>(correction, <f32>(1 - power(beta2, t)), 8);
}

/**
 * m, v = moving averages of dw, dw²; w -= rate·(c0·m + c1·dw) / (√(v / c2) + epsilon), c = correction of
 * nadamCorrection (Dozat, 2016).
 */
export function nadam(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  rate: usize,
  correction: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
): void {
  const ofM = splat(-load<f32>(rate) * load<f32>(correction));
  const ofG = splat(-load<f32>(rate) * load<f32>(correction, 4));
  const scale = splat(1 / load<f32>(correction, 8));
  const eps = splat(epsilon);
  const keep1 = splat(<f32>beta1);
  const take1 = complement(beta1);
  const keep2 = splat(<f32>beta2);
  const take2 = complement(beta2);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const m0 = blend(v128.load(m + i), keep1, g0, take1);
    const m1 = blend(v128.load(m + i, 16), keep1, g1, take1);
    const v0 = blend(v128.load(v + i), keep2, square(g0), take2);
    const v1 = blend(v128.load(v + i, 16), keep2, square(g1), take2);
    const step0 = f32x4.div(blend(m0, ofM, g0, ofG), f32x4.add(f32x4.sqrt(f32x4.mul(v0, scale)), eps));
    const step1 = f32x4.div(blend(m1, ofM, g1, ofG), f32x4.add(f32x4.sqrt(f32x4.mul(v1, scale)), eps));
    storePair(m + i, m0, m1);
    storePair(v + i, v0, v1);
    storePair(w + i, f32x4.add(v128.load(w + i), step0), f32x4.add(v128.load(w + i, 16), step1));
  }
}

/** w -= rate·sign(beta1·m + (1 - beta1)·dw); m = beta2·m + (1 - beta2)·dw (Chen et al., 2023, algorithm 2). */
export function lion(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  m: usize,
  rate: usize,
  beta1: f64,
  beta2: f64,
): void {
  const minusRate = splat(-load<f32>(rate));
  const keep1 = splat(<f32>beta1);
  const take1 = complement(beta1);
  const keep2 = splat(<f32>beta2);
  const take2 = complement(beta2);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const m0 = v128.load(m + i);
    const m1 = v128.load(m + i, 16);
    const w0 = madd(sign(blend(m0, keep1, g0, take1)), minusRate, v128.load(w + i));
    const w1 = madd(sign(blend(m1, keep1, g1, take1)), minusRate, v128.load(w + i, 16));
    storePair(m + i, blend(m0, keep2, g0, take2), blend(m1, keep2, g1, take2));
    storePair(w + i, w0, w1);
  }
}

/** -1, 0 or 1. */
// @ts-ignore: decorator
@inline function sign(x: v128): v128 {
  return v128.and(withSign(splat(1), x), f32x4.ne(x, splat(0)));
}
