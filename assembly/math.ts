import { madd } from './simd';

// Elementary functions on four lanes. Errors in ulp are measured against float64 in
// test/kernels/math.test.ts. Exponents are read and made by adding 1.5·2^23 and shifting: V8 packs these into
// AVX2, unlike conversions and rounding.

const MAGIC: f32 = 12582912; // 1.5·2^23: the low bits of x + MAGIC hold nearest(x)
const MAGIC_BITS: i32 = 0x4b400000;
const LN2_HIGH: f32 = 0.693359375; // 9 bits, so that k·LN2_HIGH is exact without fused multiply-add
const LN2_LOW: f32 = -2.12194442e-4;

// @ts-ignore: decorator
@inline export function splat(value: f32): v128 {
  return f32x4.splat(value);
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
  return v128.or(x, v128.and(sign, i32x4.splat(0x80000000)));
}

// @ts-ignore: decorator
@inline function horner(p: v128, x: v128, c: f32): v128 {
  return madd(p, x, splat(c));
}

/** x / ln 2 + MAGIC: x = k·ln 2 + r with k = nearest(x / ln 2) in its low bits. */
// @ts-ignore: decorator
@inline function exponent(x: v128): v128 {
  return madd(x, splat(1.44269502), splat(MAGIC));
}

/** exp(r) - 1 for the rest r of x, |r| ≤ ln 2 / 2: r + r²·Q(r), minimax, 2^-26. */
// @ts-ignore: decorator
@inline function expm1OfRest(x: v128, t: v128): v128 {
  const k = f32x4.sub(t, splat(MAGIC));
  const r = madd(k, splat(-LN2_LOW), madd(k, splat(-LN2_HIGH), x));
  let q = splat(0.0013882395578548312);
  q = horner(q, r, 0.008367180824279785);
  q = horner(q, r, 0.04166722297668457);
  q = horner(q, r, 0.16666539013385773);
  q = horner(q, r, 0.4999999701976776);
  return madd(f32x4.mul(r, r), q, r);
}

// @ts-ignore: decorator
@inline function powerOfTwo(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
}

/**
 * exp(x): 1.1 ulp, 0 below -103.97, Infinity above 88.72. Two factors 2^k, so that denormal results round
 * once.
 */
// @ts-ignore: decorator
@inline export function expv(x: v128): v128 {
  const clipped = atLeast(atMost(x, 89), -104);
  const t = exponent(clipped);
  const k = i32x4.sub(t, i32x4.splat(MAGIC_BITS));
  const half = i32x4.shr_s(k, 1);
  const p = f32x4.add(expm1OfRest(clipped, t), splat(1));
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(k, half)));
}

/** exp(x) - 1 for x ≤ 0: 1 ulp; the sign of a zero is lost. */
// @ts-ignore: decorator
@inline export function expm1v(x: v128): v128 {
  const clipped = atLeast(x, -20);
  const t = exponent(clipped);
  const scale = powerOfTwo(i32x4.sub(t, i32x4.splat(MAGIC_BITS)));
  return madd(scale, expm1OfRest(clipped, t), f32x4.sub(scale, splat(1)));
}

/** k·ln 2 + log(1 + f), √½ ≤ 1 + f < √2: f - f²/2 + f³·P(f), minimax, 2^-27. */
// @ts-ignore: decorator
@inline function logOfParts(f: v128, k: v128): v128 {
  let p = splat(-0.07634497433900833);
  p = horner(p, f, 0.1276157796382904);
  p = horner(p, f, -0.13160182535648346);
  p = horner(p, f, 0.14201757311820984);
  p = horner(p, f, -0.16623356938362122);
  p = horner(p, f, 0.20001226663589478);
  p = horner(p, f, -0.2500081956386566);
  p = horner(p, f, 0.3333333134651184);
  const square = f32x4.mul(f, f);
  const tail = madd(f32x4.mul(square, f), p, f32x4.mul(k, splat(LN2_LOW)));
  return madd(k, splat(LN2_HIGH), f32x4.add(f, madd(square, splat(-0.5), tail)));
}

/** log(x) of finite normal x > 0: 1 ulp. Anything else, NaN too, gives a wrong number. */
// @ts-ignore: decorator
@inline export function logOfNormal(x: v128): v128 {
  const e = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23); // exponent of x / √½
  const mantissa = i32x4.sub(x, i32x4.shl(e, 23));
  const k = f32x4.sub(i32x4.add(e, i32x4.splat(MAGIC_BITS)), splat(MAGIC));
  return logOfParts(f32x4.sub(mantissa, splat(1)), k);
}

/** log(x): 1 ulp, denormals too; -Infinity at ±0, NaN below. */
// @ts-ignore: decorator
@inline export function logv(x: v128): v128 {
  const denormal = f32x4.lt(x, splat(1.17549435e-38));
  const y = v128.bitselect(f32x4.mul(x, splat(8388608)), x, denormal);
  const e = i32x4.shr_s(i32x4.sub(y, i32x4.splat(0x3f3504f3)), 23); // exponent of y / √½
  const mantissa = i32x4.sub(y, i32x4.shl(e, 23));
  const k = f32x4.sub(i32x4.add(e, i32x4.splat(MAGIC_BITS)), splat(MAGIC));
  const scaled = f32x4.sub(k, v128.and(denormal, splat(23)));
  const value = logOfParts(f32x4.sub(mantissa, splat(1)), scaled);
  const zero = f32x4.eq(x, splat(0));
  const special = v128.bitselect(splat(-Infinity), v128.or(x, f32x4.lt(x, splat(0))), zero);
  return v128.bitselect(value, special, v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(Infinity))));
}

/** log(1 + x) for 0 ≤ x ≤ 1: 1.5 ulp. */
// @ts-ignore: decorator
@inline export function log1pv(x: v128): v128 {
  const large = f32x4.gt(x, splat(0.414213568));
  const halved = f32x4.mul(f32x4.sub(x, splat(1)), splat(0.5)); // (1 + x) / 2 - 1
  return logOfParts(v128.bitselect(halved, x, large), v128.and(large, splat(1)));
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
  const e = expm1v(f32x4.mul(f32x4.abs(x), splat(-2)));
  return withSign(f32x4.div(f32x4.abs(e), f32x4.add(e, splat(2))), x);
}

/** 1 / (1 + exp(-x)), by exp(-|x|) so that nothing overflows: 2.2 ulp. */
// @ts-ignore: decorator
@inline export function sigmoidv(x: v128): v128 {
  const e = expv(f32x4.neg(f32x4.abs(x)));
  const numerator = v128.bitselect(e, splat(1), f32x4.lt(x, splat(0)));
  return f32x4.div(numerator, f32x4.add(e, splat(1)));
}

/** erf(x) = 1 - exp(-a·(1 + Q(a))), a = min(|x|, 4), 1 + Q minimax for -log(erfc(a)) / a, 2^-28: 2 ulp. */
// @ts-ignore: decorator
@inline export function erfv(x: v128): v128 {
  const a = atMost(f32x4.abs(x), 4);
  let q = splat(-9.25626591197215e-6);
  q = horner(q, a, 0.00011764127702917904);
  q = horner(q, a, -0.0006328368908725679);
  q = horner(q, a, 0.00166702747810632);
  q = horner(q, a, -0.0001603961136424914);
  q = horner(q, a, -0.019153064116835594);
  q = horner(q, a, 0.10277783125638962);
  q = horner(q, a, 0.6366193890571594);
  q = horner(q, a, 0.12837916709551256);
  return withSign(f32x4.abs(expm1v(f32x4.neg(madd(a, q, a)))), x);
}

/** ±sin or ±cos of x - k·π/2 as quarter k + turn says; π/2 in three parts, the first two of 11 bits. */
// @ts-ignore: decorator
@inline function quarterWave(x: v128, turn: i32): v128 {
  const t = madd(x, splat(0.636619747), splat(MAGIC));
  const k = f32x4.sub(t, splat(MAGIC));
  let r = madd(k, splat(-1.5703125), x);
  r = madd(k, splat(-0.0004837512969970703), r);
  r = madd(k, splat(-7.549789954891882e-8), r);
  const z = f32x4.mul(r, r);
  const s = horner(horner(splat(-0.00019510839774738997), z, 0.008332131430506706), z, -0.16666653752326965);
  const c = horner(horner(splat(2.4431205019936897e-5), z, -0.0013887305976822972), z, 0.04166664555668831);
  const sine = madd(f32x4.mul(r, z), s, r);
  const cosine = madd(f32x4.mul(z, z), c, madd(z, splat(-0.5), splat(1)));
  const quarter = i32x4.add(t, i32x4.splat(turn));
  const odd = i32x4.shr_s(i32x4.shl(quarter, 31), 31);
  const sign = v128.and(i32x4.shl(quarter, 30), i32x4.splat(0x80000000));
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
