import { madd } from './simd';
import {
  atLeast,
  atMost,
  log1pv,
  logOfNormal,
  logv,
  sigmoidv,
  softplusTail,
  splat,
  tanhv,
  withSign,
} from './math';

// The elementwise losses of losses.ts on four lanes; `kind` is a literal, so every chain of ifs folds at
// compile time.

export const SQUARED: i32 = 0;
export const ABSOLUTE: i32 = 1;
export const BINARY: i32 = 2;
export const SIGMOID: i32 = 3;
export const HINGE: i32 = 4;
export const LOGCOSH: i32 = 5;
export const HUBER: i32 = 6;
export const PERCENTAGE: i32 = 7;
export const LOGARITHMIC: i32 = 8;
export const SQUARED_HINGE: i32 = 9;
export const POISSON: i32 = 10;

const LN2: f32 = 0.6931471805599453;
const EPSILON: f32 = 1e-7;
const ONE_MINUS_EPSILON: f32 = 0.9999999;

/** p clipped to [1e-7, 1 - 1e-7]. */
// @ts-ignore: decorator
@inline export function clip(p: v128): v128 {
  return atMost(atLeast(p, EPSILON), ONE_MINUS_EPSILON);
}

/** All ones where clip leaves p alone. */
// @ts-ignore: decorator
@inline export function unclipped(p: v128): v128 {
  return f32x4.eq(p, clip(p));
}

/** log(1 + x) with x clipped to at least 1e-7. */
// @ts-ignore: decorator
@inline function logOfNext(x: v128): v128 {
  const y = atLeast(x, EPSILON);
  const far = logv(f32x4.add(y, splat(1)));
  return v128.bitselect(far, log1pv(y), f32x4.gt(y, splat(1)));
}

/**
 * -t·log q - (1 - t)·log(1 - q). What rounding 1 - q loses is put back, so that a small q keeps its digits;
 * q - q makes a NaN stay.
 */
// @ts-ignore: decorator
@inline export function binaryValue(p: v128, t: v128): v128 {
  const one = splat(1);
  const q = clip(p);
  const rest = f32x4.sub(one, q);
  const lost = f32x4.sub(f32x4.sub(one, rest), q);
  const logRest = f32x4.add(logOfNormal(rest), f32x4.div(lost, rest));
  const sum = madd(t, logOfNormal(q), f32x4.mul(f32x4.sub(one, t), logRest));
  return f32x4.sub(f32x4.sub(q, q), sum);
}

/** (q - t) / (q·(1 - q)) where p is not clipped. */
// @ts-ignore: decorator
@inline export function binarySlope(p: v128, t: v128): v128 {
  const q = clip(p);
  const slope = f32x4.div(f32x4.sub(q, t), f32x4.mul(q, f32x4.sub(splat(1), q)));
  return v128.and(slope, unclipped(p));
}

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

/** |t|, at least 1e-7. */
// @ts-ignore: decorator
@inline function size(t: v128): v128 {
  return atLeast(f32x4.abs(t), EPSILON);
}

/** Loss of one element. */
// @ts-ignore: decorator
@inline export function value(kind: i32, p: v128, t: v128, delta: f32): v128 {
  if (kind == BINARY) return binaryValue(p, t);
  if (kind == SIGMOID) return f32x4.add(f32x4.sub(atLeast(p, 0), f32x4.mul(p, t)), softplusTail(p));
  if (kind == HINGE) return atLeast(f32x4.sub(splat(1), f32x4.mul(t, p)), 0);
  if (kind == SQUARED_HINGE) {
    const short = atLeast(f32x4.sub(splat(1), f32x4.mul(t, p)), 0);
    return f32x4.mul(short, short);
  }
  if (kind == POISSON) return f32x4.sub(p, f32x4.mul(t, logv(f32x4.add(p, splat(EPSILON)))));
  if (kind == LOGARITHMIC) {
    const ratio = f32x4.sub(logOfNext(p), logOfNext(t));
    return f32x4.mul(ratio, ratio);
  }
  const x = f32x4.sub(p, t);
  if (kind == PERCENTAGE) return f32x4.mul(f32x4.div(f32x4.abs(x), size(t)), splat(100));
  if (kind == SQUARED) return f32x4.mul(x, x);
  if (kind == ABSOLUTE) return f32x4.abs(x);
  if (kind == LOGCOSH) return logcoshv(x);
  const near = atMost(f32x4.abs(x), delta); // HUBER: a²/2 + delta·(|x| - a), a = min(|x|, delta)
  const linear = f32x4.mul(f32x4.sub(f32x4.abs(x), near), splat(delta));
  return madd(f32x4.mul(near, near), splat(0.5), linear);
}

/** Its derivative by p. */
// @ts-ignore: decorator
@inline export function slope(kind: i32, p: v128, t: v128, delta: f32): v128 {
  if (kind == BINARY) return binarySlope(p, t);
  if (kind == SIGMOID) return f32x4.sub(sigmoidv(p), t);
  if (kind == HINGE) return v128.and(f32x4.neg(t), f32x4.gt(f32x4.sub(splat(1), f32x4.mul(t, p)), splat(0)));
  if (kind == SQUARED_HINGE) {
    const short = atLeast(f32x4.sub(splat(1), f32x4.mul(t, p)), 0);
    return f32x4.mul(f32x4.mul(short, splat(-2)), t);
  }
  if (kind == POISSON) return f32x4.sub(splat(1), f32x4.div(t, f32x4.add(p, splat(EPSILON))));
  if (kind == LOGARITHMIC) {
    const twice = f32x4.mul(f32x4.sub(logOfNext(p), logOfNext(t)), splat(2));
    return v128.and(f32x4.div(twice, f32x4.add(p, splat(1))), f32x4.ge(p, splat(EPSILON)));
  }
  const x = f32x4.sub(p, t);
  if (kind == SQUARED) return f32x4.add(x, x);
  const sign = v128.and(withSign(splat(1), x), f32x4.ne(x, splat(0)));
  if (kind == ABSOLUTE) return sign;
  if (kind == PERCENTAGE) return f32x4.div(f32x4.mul(sign, splat(100)), size(t));
  if (kind == LOGCOSH) return tanhv(x);
  return atLeast(atMost(x, delta), -delta);
}
