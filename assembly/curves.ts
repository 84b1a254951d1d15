import { madd } from './simd';
import {
  at,
  atLeast,
  atMost,
  cosv,
  expm1v,
  expv,
  gaussianv,
  logv,
  sigmoidv,
  ONE,
  sinv,
  softplusv,
  splat,
  tailRatio,
  tanhv,
  TWO,
  withSign,
} from './math';

// The functions of activations.ts and functions.ts on four lanes; `kind` is a literal, so every chain of ifs folds at compile
// time.

export const RELU: i32 = 0;
export const RELU6: i32 = 1;
export const LEAKY_RELU: i32 = 2;
export const ELU: i32 = 3;
export const SELU: i32 = 4;
export const SIGMOID: i32 = 5;
export const HARD_SIGMOID: i32 = 6;
export const SOFTPLUS: i32 = 7;
export const SOFTSIGN: i32 = 8;
export const TANH: i32 = 9;
export const SWISH: i32 = 10;
export const MISH: i32 = 11;
export const GELU: i32 = 12;
export const GELU_NEW: i32 = 13;
export const EXPONENTIAL: i32 = 14;
export const LOGARITHM: i32 = 15;
export const COSINE: i32 = 16;
export const CLIPPED_RELU: i32 = 17;
export const THRESHOLDED_RELU: i32 = 18;
export const SINE: i32 = 19;
export const SQUARE: i32 = 20;
export const SQUARE_ROOT: i32 = 21;
export const ABSOLUTE: i32 = 22;
export const RECIPROCAL: i32 = 23;
export const SIGN: i32 = 24;

const SELU_SCALE: f32 = 1.0507009873554805;
const SELU_SCALE_ALPHA: f32 = 1.7580993408473768;
const INVERSE_SQRT_TWO_PI: usize = memory.data<f32>([0.3989422804014327]);
/** 2·√(2/π), as (1 + tanh u) / 2 = sigmoid(2u); times 0.044715; times three. */
const GELU_RATE: usize = memory.data<f32>([1.5957691216057308]);
const GELU_CUBE: usize = memory.data<f32>([0.07135481627260025]);
const GELU_CUBE_SLOPE: usize = memory.data<f32>([0.21406444881780075]);
const FOUR: usize = memory.data<f32>([4]);
const TWENTY: usize = memory.data<f32>([20]);
const MINUS_TWENTY: usize = memory.data<f32>([-20]);

/** y where x < 0, else `otherwise`. */
// @ts-ignore: decorator
@inline function whereNegative(x: v128, y: v128, otherwise: v128): v128 {
  return v128.bitselect(y, otherwise, f32x4.lt(x, splat(0)));
}

/**
 * tanh(softplus(x)) = w / (w + 2), w = e·(e + 2), e = exp(x): this is w; it is 1 to the last bit from x = 20
 * on.
 */
// @ts-ignore: decorator
@inline function mishWeight(e: v128): v128 {
  return f32x4.mul(e, f32x4.add(e, at(TWO)));
}

/** The exponential that gate and slope of mish and gelu share; x itself for swish and geluNew. */
// @ts-ignore: decorator
@inline export function shared(kind: i32, x: v128): v128 {
  if (kind == MISH) return expv(f32x4.pmin(x, at(TWENTY)));
  if (kind == GELU) return gaussianv(x);
  return x;
}

/**
 * What swish, mish, gelu and geluNew multiply x by, from 0 to 1; e = shared(x). Of gelu it is Φ(x), of geluNew
 * sigmoid(2u), u = √(2/π)·(x + 0.044715 x³).
 */
// @ts-ignore: decorator
@inline export function gate(kind: i32, x: v128, e: v128): v128 {
  if (kind == SWISH) return sigmoidv(x);
  if (kind == MISH) {
    const w = mishWeight(e);
    return f32x4.div(w, f32x4.add(w, at(TWO)));
  }
  if (kind == GELU) {
    const tail = f32x4.mul(e, tailRatio(x));
    return whereNegative(x, tail, f32x4.sub(at(ONE), tail));
  }
  const rate = madd(f32x4.mul(x, x), at(GELU_CUBE), at(GELU_RATE)); // GELU_NEW
  return sigmoidv(f32x4.mul(x, rate));
}

/** (x·gate(x))', e = shared(x), g = gate(x). */
// @ts-ignore: decorator
@inline export function gatedSlope(kind: i32, x: v128, e: v128, g: v128): v128 {
  if (kind == GELU) return madd(f32x4.mul(x, e), at(INVERSE_SQRT_TWO_PI), g);
  if (kind == MISH) {
    const d = f32x4.add(mishWeight(e), at(TWO));
    const rise = f32x4.div(f32x4.mul(f32x4.mul(at(FOUR), e), f32x4.add(e, at(ONE))), f32x4.mul(d, d));
    return madd(x, rise, g);
  }
  const rise = f32x4.mul(g, f32x4.sub(at(ONE), g));
  if (kind == SWISH) return madd(x, rise, g);
  const c = f32x4.pmax(f32x4.pmin(x, at(TWENTY)), at(MINUS_TWENTY)); // GELU_NEW: beyond, x² must not overflow
  const du = madd(f32x4.mul(c, c), at(GELU_CUBE_SLOPE), at(GELU_RATE));
  return madd(f32x4.mul(c, du), rise, g);
}

/** f(x). */
// @ts-ignore: decorator
@inline export function forward(kind: i32, x: v128, alpha: f32): v128 {
  if (kind == RELU) return f32x4.max(x, splat(0));
  if (kind == RELU6) return f32x4.min(f32x4.max(x, splat(0)), splat(6));
  if (kind == CLIPPED_RELU) return f32x4.min(f32x4.max(x, splat(0)), splat(alpha));
  if (kind == THRESHOLDED_RELU) return v128.andnot(x, f32x4.le(x, splat(alpha)));
  if (kind == LEAKY_RELU) return whereNegative(x, f32x4.mul(x, splat(alpha)), x);
  if (kind == ELU) return whereNegative(x, f32x4.mul(expm1v(atMost(x, 0)), splat(alpha)), x);
  if (kind == SELU) {
    const below = f32x4.mul(expm1v(atMost(x, 0)), splat(SELU_SCALE_ALPHA));
    return whereNegative(x, below, f32x4.mul(x, splat(SELU_SCALE)));
  }
  if (kind == SIGMOID) return sigmoidv(x);
  if (kind == HARD_SIGMOID) return atLeast(atMost(madd(x, splat(0.2), splat(0.5)), 1), 0);
  if (kind == SOFTPLUS) return softplusv(x);
  if (kind == SOFTSIGN) return f32x4.div(x, f32x4.add(f32x4.abs(x), splat(1)));
  if (kind == TANH) return tanhv(x);
  if (kind == SWISH || kind == MISH || kind == GELU || kind == GELU_NEW) {
    return f32x4.mul(x, gate(kind, x, shared(kind, x)));
  }
  if (kind == EXPONENTIAL) return expv(x);
  if (kind == LOGARITHM) return logv(x);
  if (kind == COSINE) return cosv(x);
  if (kind == SINE) return sinv(x);
  if (kind == SQUARE) return f32x4.mul(x, x);
  if (kind == SQUARE_ROOT) return f32x4.sqrt(x);
  if (kind == ABSOLUTE) return f32x4.abs(x);
  if (kind == RECIPROCAL) return f32x4.div(splat(1), x);
  return signv(x); // SIGN
}

/** -1, 0 or 1. */
// @ts-ignore: decorator
@inline function signv(x: v128): v128 {
  return v128.and(withSign(splat(1), x), f32x4.ne(x, splat(0)));
}

/** f'(s), s the output where that gives it, else the input: see activations.ts and functions.ts. */
// @ts-ignore: decorator
@inline export function slope(kind: i32, s: v128, alpha: f32): v128 {
  const one = splat(1);
  if (kind == RELU) return v128.and(f32x4.gt(s, splat(0)), one);
  if (kind == RELU6) return v128.and(v128.and(f32x4.gt(s, splat(0)), f32x4.lt(s, splat(6))), one);
  if (kind == CLIPPED_RELU) {
    return v128.and(v128.and(f32x4.gt(s, splat(0)), f32x4.lt(s, splat(alpha))), one);
  }
  if (kind == THRESHOLDED_RELU) return v128.and(f32x4.gt(s, splat(alpha)), one);
  if (kind == LEAKY_RELU) return v128.bitselect(one, splat(alpha), f32x4.gt(s, splat(0)));
  if (kind == ELU) return whereNegative(s, f32x4.add(s, splat(alpha)), one);
  if (kind == SELU) {
    const below = f32x4.add(s, splat(SELU_SCALE_ALPHA));
    return v128.bitselect(splat(SELU_SCALE), below, f32x4.gt(s, splat(0)));
  }
  if (kind == SIGMOID) return f32x4.mul(s, f32x4.sub(one, s));
  if (kind == HARD_SIGMOID) return v128.and(v128.and(f32x4.gt(s, splat(0)), f32x4.lt(s, one)), splat(0.2));
  if (kind == SOFTPLUS) return f32x4.neg(expm1v(f32x4.neg(s)));
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(s, s));
  if (kind == EXPONENTIAL) return s;
  if (kind == SQUARE_ROOT) return f32x4.div(splat(0.5), s);
  if (kind == RECIPROCAL) return f32x4.neg(f32x4.mul(s, s));
  return slopeOfInput(kind, s);
}

/** f'(x) of the functions whose output does not give it. */
// @ts-ignore: decorator
@inline function slopeOfInput(kind: i32, x: v128): v128 {
  const one = splat(1);
  if (kind == LOGARITHM) return f32x4.div(one, x);
  if (kind == COSINE) return f32x4.neg(sinv(x));
  if (kind == SINE) return cosv(x);
  if (kind == SQUARE) return f32x4.add(x, x);
  if (kind == ABSOLUTE) return signv(x);
  const d = f32x4.add(f32x4.abs(x), one); // SOFTSIGN
  return f32x4.div(one, f32x4.mul(d, d));
}
