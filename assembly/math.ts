import { madd } from './simd';

// Elementary functions on four lanes. Errors in ulp are measured against float64 in
// test/kernels/math.test.ts. Exponents are read and made by adding 1.5·2^23 and shifting: V8 packs these into
// AVX2, unlike conversions and rounding. Numbers lie in memory: filling all lanes from there is one load, from a
// literal three instructions of which two share a port.

export const ONE: usize = memory.data<f32>([1]);
export const TWO: usize = memory.data<f32>([2]);
const MINUS_TWO: usize = memory.data<f32>([-2]);
const MINUS_HALF: usize = memory.data<f32>([-0.5]);
const INFINITY: usize = memory.data<f32>([Infinity]);
const SIGN: usize = memory.data<u32>([0x80000000]);
/** 1.5·2^23: the low bits of x + MAGIC hold nearest(x). */
const MAGIC: usize = memory.data<f32>([12582912]);
const MAGIC_BITS: usize = memory.data<u32>([0x4b400000]);
/** Of the exponents of floats. */
const BIAS: usize = memory.data<i32>([127]);
const LOG2_E: usize = memory.data<f32>([1.44269502]);
/** −ln 2 in two parts; the first has 9 bits, so that k times it is exact without fused multiply-add. */
const MINUS_LN2_HIGH: usize = memory.data<f32>([-0.693359375]);
const MINUS_LN2_LOW: usize = memory.data<f32>([2.12194442e-4]);
const LN2_HIGH: usize = memory.data<f32>([0.693359375]);
const LN2_LOW: usize = memory.data<f32>([-2.12194442e-4]);

// @ts-ignore: decorator
@inline export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** The number at `address` in all lanes. */
// @ts-ignore: decorator
@inline export function at(address: usize): v128 {
  return v128.load32_splat(address);
}

/** The smaller; a NaN in x stays. */
// @ts-ignore: decorator
@inline export function atMost(x: v128, limit: f32): v128 {
  return f32x4.pmin(x, splat(limit));
}

/** The larger; a NaN in x stays. */
// @ts-ignore: decorator
@inline export function atLeast(x: v128, limit: f32): v128 {
  return f32x4.pmax(x, splat(limit));
}

/** |x| with the sign of `sign`; x ≥ 0. */
// @ts-ignore: decorator
@inline export function withSign(x: v128, sign: v128): v128 {
  return v128.or(x, v128.and(sign, at(SIGN)));
}

/** p·x + the number at `address`. */
// @ts-ignore: decorator
@inline export function horner(p: v128, x: v128, address: usize): v128 {
  return madd(p, x, at(address));
}

/** x / ln 2 + MAGIC: x = k·ln 2 + r with k = nearest(x / ln 2) in its low bits. */
// @ts-ignore: decorator
@inline function exponent(x: v128): v128 {
  return madd(x, at(LOG2_E), at(MAGIC));
}

const EXPM1: usize = memory.data<f32>([
  0.0013882395578548312, 0.008367180824279785, 0.04166722297668457, 0.16666539013385773, 0.4999999701976776,
]);

/** exp(r) - 1 for the rest r of x, |r| ≤ ln 2 / 2: r + r²·Q(r), minimax, 2^-26. */
// @ts-ignore: decorator
@inline function expm1OfRest(x: v128, t: v128): v128 {
  const k = f32x4.sub(t, at(MAGIC));
  const r = madd(k, at(MINUS_LN2_LOW), madd(k, at(MINUS_LN2_HIGH), x));
  let q = at(EXPM1);
  q = horner(q, r, EXPM1 + 4);
  q = horner(q, r, EXPM1 + 8);
  q = horner(q, r, EXPM1 + 12);
  q = horner(q, r, EXPM1 + 16);
  return madd(f32x4.mul(r, r), q, r);
}

// @ts-ignore: decorator
@inline function powerOfTwo(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, at(BIAS)), 23);
}

const EXP_TOP: usize = memory.data<f32>([89]);
const EXP_BOTTOM: usize = memory.data<f32>([-104]);

/**
 * exp(x): 1.1 ulp, 0 below -103.97, Infinity above 88.72. Two factors 2^k, so that denormal results round
 * once.
 */
// @ts-ignore: decorator
@inline export function expv(x: v128): v128 {
  const clipped = f32x4.pmax(f32x4.pmin(x, at(EXP_TOP)), at(EXP_BOTTOM));
  const t = exponent(clipped);
  const k = i32x4.sub(t, at(MAGIC_BITS));
  const half = i32x4.shr_s(k, 1);
  const p = f32x4.add(expm1OfRest(clipped, t), at(ONE));
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(k, half)));
}

const EXPM1_BOTTOM: usize = memory.data<f32>([-20]);

/** exp(x) - 1 for x ≤ 0: 1 ulp; the sign of a zero is lost. */
// @ts-ignore: decorator
@inline export function expm1v(x: v128): v128 {
  const clipped = f32x4.pmax(x, at(EXPM1_BOTTOM));
  const t = exponent(clipped);
  const scale = powerOfTwo(i32x4.sub(t, at(MAGIC_BITS)));
  return madd(scale, expm1OfRest(clipped, t), f32x4.sub(scale, at(ONE)));
}

const LOG: usize = memory.data<f32>([
  -0.07634497433900833, 0.1276157796382904, -0.13160182535648346, 0.14201757311820984, -0.16623356938362122,
  0.20001226663589478, -0.2500081956386566, 0.3333333134651184,
]);

/** k·ln 2 + log(1 + f), √½ ≤ 1 + f < √2: f - f²/2 + f³·P(f), minimax, 2^-27. */
// @ts-ignore: decorator
@inline function logOfParts(f: v128, k: v128): v128 {
  let p = at(LOG);
  p = horner(p, f, LOG + 4);
  p = horner(p, f, LOG + 8);
  p = horner(p, f, LOG + 12);
  p = horner(p, f, LOG + 16);
  p = horner(p, f, LOG + 20);
  p = horner(p, f, LOG + 24);
  p = horner(p, f, LOG + 28);
  const square = f32x4.mul(f, f);
  const tail = madd(f32x4.mul(square, f), p, f32x4.mul(k, at(LN2_LOW)));
  return madd(k, at(LN2_HIGH), f32x4.add(f, madd(square, at(MINUS_HALF), tail)));
}

const SQRT_HALF_BITS: usize = memory.data<i32>([0x3f3504f3]);
const SMALLEST_NORMAL: usize = memory.data<f32>([1.17549435e-38]);
const LIFT: usize = memory.data<f32>([8388608]);
const LIFT_EXPONENT: usize = memory.data<f32>([23]);

/** The exponent of x / √½ as a float. */
// @ts-ignore: decorator
@inline function exponentOf(e: v128): v128 {
  return f32x4.sub(i32x4.add(e, at(MAGIC_BITS)), at(MAGIC));
}

/** log(x) of finite normal x > 0: 1 ulp. Anything else, NaN too, gives a wrong number. */
// @ts-ignore: decorator
@inline export function logOfNormal(x: v128): v128 {
  const e = i32x4.shr_s(i32x4.sub(x, at(SQRT_HALF_BITS)), 23); // exponent of x / √½
  const mantissa = i32x4.sub(x, i32x4.shl(e, 23));
  return logOfParts(f32x4.sub(mantissa, at(ONE)), exponentOf(e));
}

/** log(x): 1 ulp, denormals too; -Infinity at ±0, NaN below. */
// @ts-ignore: decorator
@inline export function logv(x: v128): v128 {
  const denormal = f32x4.lt(x, at(SMALLEST_NORMAL));
  const y = v128.bitselect(f32x4.mul(x, at(LIFT)), x, denormal);
  const e = i32x4.shr_s(i32x4.sub(y, at(SQRT_HALF_BITS)), 23); // exponent of y / √½
  const mantissa = i32x4.sub(y, i32x4.shl(e, 23));
  const scaled = f32x4.sub(exponentOf(e), v128.and(denormal, at(LIFT_EXPONENT)));
  const value = logOfParts(f32x4.sub(mantissa, at(ONE)), scaled);
  const zero = f32x4.eq(x, splat(0));
  const special = v128.bitselect(splat(-Infinity), v128.or(x, f32x4.lt(x, splat(0))), zero);
  return v128.bitselect(value, special, v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, at(INFINITY))));
}

const SQRT_TWO_MINUS_ONE: usize = memory.data<f32>([0.414213568]);
const HALF: usize = memory.data<f32>([0.5]);

/** log(1 + x) for 0 ≤ x ≤ 1: 1.5 ulp. */
// @ts-ignore: decorator
@inline export function log1pv(x: v128): v128 {
  const large = f32x4.gt(x, at(SQRT_TWO_MINUS_ONE));
  const halved = f32x4.mul(f32x4.sub(x, at(ONE)), at(HALF)); // (1 + x) / 2 - 1
  return logOfParts(v128.bitselect(halved, x, large), v128.and(large, at(ONE)));
}

/** log(1 + exp(-|x|)), the smooth part of softplus and of logistic losses. */
// @ts-ignore: decorator
@inline export function softplusTail(x: v128): v128 {
  return log1pv(expv(f32x4.neg(f32x4.abs(x))));
}

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)): 1.7 ulp. */
// @ts-ignore: decorator
@inline export function softplusv(x: v128): v128 {
  return f32x4.add(atLeast(x, 0), softplusTail(x));
}

/** tanh(x) = -e / (e + 2), e = exp(-2|x|) - 1: 2.5 ulp. */
// @ts-ignore: decorator
@inline export function tanhv(x: v128): v128 {
  const e = expm1v(f32x4.mul(f32x4.abs(x), at(MINUS_TWO)));
  return withSign(f32x4.div(f32x4.abs(e), f32x4.add(e, at(TWO))), x);
}

/** 1 / (1 + exp(-x)), by exp(-|x|) so that nothing overflows: 2.2 ulp. */
// @ts-ignore: decorator
@inline export function sigmoidv(x: v128): v128 {
  const e = expv(f32x4.neg(f32x4.abs(x)));
  const numerator = v128.bitselect(e, at(ONE), f32x4.lt(x, splat(0)));
  return f32x4.div(numerator, f32x4.add(e, at(ONE)));
}

const GAUSSIAN_BOTTOM: usize = memory.data<f32>([-88]);

/** exp(-x²/2): 1 ulp and what rounding x² costs; 0 from |x| = 13.3 on. */
// @ts-ignore: decorator
@inline export function gaussianv(x: v128): v128 {
  const clipped = f32x4.pmax(f32x4.mul(f32x4.mul(x, at(MINUS_HALF)), x), at(GAUSSIAN_BOTTOM));
  const t = exponent(clipped);
  const scale = powerOfTwo(i32x4.sub(t, at(MAGIC_BITS))); // 0 for k = -127
  return madd(scale, expm1OfRest(clipped, t), scale);
}

const TAIL_RATE: usize = memory.data<f32>([0.3]);
const TAIL: usize = memory.data<f32>([
  0.03700585663318634, -0.16263990104198456, 0.21551500260829926, -0.06190746650099754, 0.13279207050800323,
  0.09867079555988312, 0.1209464818239212, 0.11961717158555984,
]);

/**
 * Φ(-|x|) / exp(-x²/2), Φ being the normal distribution: u·P(u), u = 1 / (1 + 0.3|x|), minimax, 2^-24 up to
 * |x| = 1.5, 2^-22 from 5 to 13.2.
 */
// @ts-ignore: decorator
@inline export function tailRatio(x: v128): v128 {
  const u = f32x4.div(at(ONE), madd(f32x4.abs(x), at(TAIL_RATE), at(ONE)));
  let p = at(TAIL);
  p = horner(p, u, TAIL + 4);
  p = horner(p, u, TAIL + 8);
  p = horner(p, u, TAIL + 12);
  p = horner(p, u, TAIL + 16);
  p = horner(p, u, TAIL + 20);
  p = horner(p, u, TAIL + 24);
  p = horner(p, u, TAIL + 28);
  return f32x4.mul(p, u);
}

const TWO_OVER_PI: usize = memory.data<f32>([0.636619747]);
/** −π/2 in three parts, the first two of 11 bits. */
const MINUS_HALF_PI: usize = memory.data<f32>([-1.5703125, -0.0004837512969970703, -7.549789954891882e-8]);
const SINE: usize = memory.data<f32>([-0.00019510839774738997, 0.008332131430506706, -0.16666653752326965]);
const COSINE: usize = memory.data<f32>([2.4431205019936897e-5, -0.0013887305976822972, 0.04166664555668831]);

/** ±sin or ±cos of x - k·π/2 as quarter k + turn says. */
// @ts-ignore: decorator
@inline function quarterWave(x: v128, turn: i32): v128 {
  const t = madd(x, at(TWO_OVER_PI), at(MAGIC));
  const k = f32x4.sub(t, at(MAGIC));
  let r = madd(k, at(MINUS_HALF_PI), x);
  r = madd(k, at(MINUS_HALF_PI + 4), r);
  r = madd(k, at(MINUS_HALF_PI + 8), r);
  const z = f32x4.mul(r, r);
  const s = horner(horner(at(SINE), z, SINE + 4), z, SINE + 8);
  const c = horner(horner(at(COSINE), z, COSINE + 4), z, COSINE + 8);
  const sine = madd(f32x4.mul(r, z), s, r);
  const cosine = madd(f32x4.mul(z, z), c, madd(z, at(MINUS_HALF), at(ONE)));
  const quarter = i32x4.add(t, i32x4.splat(turn));
  const odd = i32x4.shr_s(i32x4.shl(quarter, 31), 31);
  const sign = v128.and(i32x4.shl(quarter, 30), at(SIGN));
  return v128.xor(v128.bitselect(cosine, sine, odd), sign);
}

/** sin(x) for |x| ≤ 10,000: 1.6 ulp where |sin x| > 1e-3, absolute error 2e-10 below. */
// @ts-ignore: decorator
@inline export function sinv(x: v128): v128 {
  return quarterWave(x, 0);
}

/** cos(x), as sinv. */
// @ts-ignore: decorator
@inline export function cosv(x: v128): v128 {
  return quarterWave(x, 1);
}
