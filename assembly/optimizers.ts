import { madd } from './simd';
import { atLeast, splat } from './math';

// One fused update a kernel, formulas of TensorFlow.js 4.22. w, its gradient dw and the slots have one
// layout; begin, end in slices of 16 floats. rate is the address of the learning rate. Decay rates are f64,
// so that 1 - beta is rounded once. Padding (w = dw = slots = 0) stays 0 as long as epsilon > 0.

// @ts-ignore: decorator
@inline export function complement(beta: f64): v128 {
  return splat(<f32>(1 - beta));
}

/** a·keep + b·take, a moving average. */
// @ts-ignore: decorator
@inline export function blend(a: v128, keep: v128, b: v128, take: v128): v128 {
  return madd(a, keep, f32x4.mul(b, take));
}

// @ts-ignore: decorator
@inline export function square(x: v128): v128 {
  return f32x4.mul(x, x);
}

// @ts-ignore: decorator
@inline export function storePair(address: usize, u: v128, v: v128): void {
  v128.store(address, u);
  v128.store(address, v, 16);
}

/** w -= rate·dw. */
export function sgd(begin: i32, end: i32, w: usize, dw: usize, rate: usize): void {
  const minusRate = splat(-load<f32>(rate));
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = madd(v128.load(dw + i), minusRate, v128.load(w + i));
    const v = madd(v128.load(dw + i, 16), minusRate, v128.load(w + i, 16));
    storePair(w + i, u, v);
  }
}

// @ts-ignore: decorator
@inline function momentumLoop(
  nesterov: i32,
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  velocity: usize,
  rate: usize,
  momentum: f32,
): void {
  const minusRate = splat(-load<f32>(rate));
  const keep = splat(momentum);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const v0 = madd(v128.load(velocity + i), keep, g0);
    const v1 = madd(v128.load(velocity + i, 16), keep, g1);
    const w0 = madd(nesterov ? madd(v0, keep, g0) : v0, minusRate, v128.load(w + i));
    const w1 = madd(nesterov ? madd(v1, keep, g1) : v1, minusRate, v128.load(w + i, 16));
    storePair(velocity + i, v0, v1);
    storePair(w + i, w0, w1);
  }
}

/**
 * velocity = momentum·velocity + dw; w -= rate·velocity, or with nesterov w -= rate·(dw + momentum·velocity).
 */
export function momentum(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  velocity: usize,
  rate: usize,
  momentum: f32,
  nesterov: i32,
): void {
  if (nesterov) momentumLoop(1, begin, end, w, dw, velocity, rate, momentum);
  else momentumLoop(0, begin, end, w, dw, velocity, rate, momentum);
}

/** accumulator += dw²; w -= rate·dw / √(accumulator + epsilon) (Duchi et al., 2011). */
export function adagrad(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  accumulator: usize,
  rate: usize,
  epsilon: f32,
): void {
  const minusRate = splat(-load<f32>(rate));
  const eps = splat(epsilon);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const a0 = madd(g0, g0, v128.load(accumulator + i));
    const a1 = madd(g1, g1, v128.load(accumulator + i, 16));
    const step0 = f32x4.div(g0, f32x4.sqrt(f32x4.add(a0, eps)));
    const step1 = f32x4.div(g1, f32x4.sqrt(f32x4.add(a1, eps)));
    const w0 = madd(step0, minusRate, v128.load(w + i));
    const w1 = madd(step1, minusRate, v128.load(w + i, 16));
    storePair(accumulator + i, a0, a1);
    storePair(w + i, w0, w1);
  }
}

/**
 * step = dw·√((update + epsilon) / (gradient + epsilon)) with the averages before this step, w -= rate·step;
 * gradient, update = moving averages of dw², step² (Zeiler, 2012, but for the average before the step).
 */
export function adadelta(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  accumulatedGradient: usize,
  accumulatedUpdate: usize,
  rate: usize,
  rho: f64,
  epsilon: f32,
): void {
  const minusRate = splat(-load<f32>(rate));
  const keep = splat(<f32>rho);
  const take = complement(rho);
  const eps = splat(epsilon);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const a0 = v128.load(accumulatedGradient + i);
    const a1 = v128.load(accumulatedGradient + i, 16);
    const b0 = v128.load(accumulatedUpdate + i);
    const b1 = v128.load(accumulatedUpdate + i, 16);
    const step0 = f32x4.mul(g0, adadeltaRatio(a0, b0, eps));
    const step1 = f32x4.mul(g1, adadeltaRatio(a1, b1, eps));
    const w0 = madd(step0, minusRate, v128.load(w + i));
    const w1 = madd(step1, minusRate, v128.load(w + i, 16));
    storePair(accumulatedGradient + i, blend(a0, keep, square(g0), take), blend(a1, keep, square(g1), take));
    storePair(
      accumulatedUpdate + i,
      blend(b0, keep, square(step0), take),
      blend(b1, keep, square(step1), take),
    );
    storePair(w + i, w0, w1);
  }
}

// @ts-ignore: decorator
@inline function adadeltaRatio(gradient: v128, update: v128, epsilon: v128): v128 {
  return f32x4.div(f32x4.sqrt(f32x4.add(update, epsilon)), f32x4.sqrt(f32x4.add(gradient, epsilon)));
}

// @ts-ignore: decorator
@inline function rmspropLoop(
  centered: i32,
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  meanSquare: usize,
  moment: usize,
  meanGradient: usize,
  rate: usize,
  decay: f64,
  momentum: f32,
  epsilon: f32,
): void {
  const learningRate = splat(load<f32>(rate));
  const keep = splat(<f32>decay);
  const take = complement(decay);
  const inertia = splat(momentum);
  const eps = splat(epsilon);
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const g0 = v128.load(dw + i);
    const g1 = v128.load(dw + i, 16);
    const s0 = blend(v128.load(meanSquare + i), keep, square(g0), take);
    const s1 = blend(v128.load(meanSquare + i, 16), keep, square(g1), take);
    let variance0 = s0;
    let variance1 = s1;
    if (centered) {
      const c0 = blend(v128.load(meanGradient + i), keep, g0, take);
      const c1 = blend(v128.load(meanGradient + i, 16), keep, g1, take);
      storePair(meanGradient + i, c0, c1);
      variance0 = atLeast(f32x4.sub(s0, square(c0)), 0);
      variance1 = atLeast(f32x4.sub(s1, square(c1)), 0);
    }
    const step0 = f32x4.div(f32x4.mul(g0, learningRate), f32x4.sqrt(f32x4.add(variance0, eps)));
    const step1 = f32x4.div(f32x4.mul(g1, learningRate), f32x4.sqrt(f32x4.add(variance1, eps)));
    const m0 = madd(v128.load(moment + i), inertia, step0);
    const m1 = madd(v128.load(moment + i, 16), inertia, step1);
    const w0 = f32x4.sub(v128.load(w + i), m0);
    const w1 = f32x4.sub(v128.load(w + i, 16), m1);
    storePair(meanSquare + i, s0, s1);
    storePair(moment + i, m0, m1);
    storePair(w + i, w0, w1);
  }
}

/**
 * meanSquare = average of dw²; moment = momentum·moment + rate·dw / √(meanSquare + epsilon); w -= moment
 * (Hinton, 2012). Centered, where the address meanGradient is not 0: √(meanSquare - meanGradient² + epsilon).
 * TensorFlow.js subtracts epsilon there, which is NaN for small gradients; TensorFlow and this kernel add it.
 */
export function rmsprop(
  begin: i32,
  end: i32,
  w: usize,
  dw: usize,
  meanSquare: usize,
  moment: usize,
  meanGradient: usize,
  rate: usize,
  decay: f64,
  momentum: f32,
  epsilon: f32,
): void {
  if (meanGradient) {
    rmspropLoop(1, begin, end, w, dw, meanSquare, moment, meanGradient, rate, decay, momentum, epsilon);
  } else {
    rmspropLoop(0, begin, end, w, dw, meanSquare, moment, 0, rate, decay, momentum, epsilon);
  }
}
