import { chain, map } from './activations';
import {
  ABSOLUTE,
  COSINE,
  EXPONENTIAL,
  LOGARITHM,
  RECIPROCAL,
  SIGN,
  SINE,
  SQUARE,
  SQUARE_ROOT,
} from './curves';
import { atLeast, atMost, expv, logv, splat } from './math';
import { storeFirst } from './rows';

// Elementary functions, as the activations of activations.ts: y = f(x), dx = dy · f'(s) with s the output y or the
// input x; begin, end in elements; y may be x, dx may be dy or s.

/** y = exp(x). */
export function exponential(begin: i32, end: i32, x: usize, y: usize): void {
  map(EXPONENTIAL, begin, end, x, y, 0);
}

export function exponentialGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(EXPONENTIAL, begin, end, y, dy, dx, 0);
}

/** y = log(x). */
export function logarithm(begin: i32, end: i32, x: usize, y: usize): void {
  map(LOGARITHM, begin, end, x, y, 0);
}

export function logarithmGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(LOGARITHM, begin, end, x, dy, dx, 0);
}

/** y = cos(x) for |x| ≤ 10,000. */
export function cosine(begin: i32, end: i32, x: usize, y: usize): void {
  map(COSINE, begin, end, x, y, 0);
}

export function cosineGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(COSINE, begin, end, x, dy, dx, 0);
}

/** y = sin(x) for |x| ≤ 10,000. */
export function sine(begin: i32, end: i32, x: usize, y: usize): void {
  map(SINE, begin, end, x, y, 0);
}

export function sineGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(SINE, begin, end, x, dy, dx, 0);
}

/** y = x². */
export function square(begin: i32, end: i32, x: usize, y: usize): void {
  map(SQUARE, begin, end, x, y, 0);
}

export function squareGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(SQUARE, begin, end, x, dy, dx, 0);
}

/** y = √x. */
export function squareRoot(begin: i32, end: i32, x: usize, y: usize): void {
  map(SQUARE_ROOT, begin, end, x, y, 0);
}

export function squareRootGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(SQUARE_ROOT, begin, end, y, dy, dx, 0);
}

/** y = |x|; the gradient at 0 is 0. */
export function absolute(begin: i32, end: i32, x: usize, y: usize): void {
  map(ABSOLUTE, begin, end, x, y, 0);
}

export function absoluteGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(ABSOLUTE, begin, end, x, dy, dx, 0);
}

/** y = 1 / x. */
export function reciprocal(begin: i32, end: i32, x: usize, y: usize): void {
  map(RECIPROCAL, begin, end, x, y, 0);
}

export function reciprocalGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(RECIPROCAL, begin, end, y, dy, dx, 0);
}

/** y = -1, 0 or 1. */
export function signs(begin: i32, end: i32, x: usize, y: usize): void {
  map(SIGN, begin, end, x, y, 0);
}

/** y = min(max(x, low), high); its gradient is `clipGradient`. */
export function clip(begin: i32, end: i32, x: usize, y: usize, low: f32, high: f32): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = atMost(atLeast(v128.load(x + i), low), high);
    const v = atMost(atLeast(v128.load(x + i, 16), low), high);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeFirst(y + i, atMost(atLeast(v128.load(x + i), low), high), (<i32>(stop - i)) >> 2);
  }
}

/**
 * x^exponent: for integers up to 64 by repeated squaring, else exp(exponent·log x), NaN for x < 0; its relative
 * error is about 1e-7·(1 + |exponent·log x|).
 */
// @ts-ignore: decorator
@inline function raised(x: v128, exponent: f32): v128 {
  const size = abs<f32>(exponent);
  if (size > 64 || size != floor<f32>(size)) return expv(f32x4.mul(logv(x), splat(exponent)));
  let result = splat(1);
  let factor = x;
  for (let rest = <i32>size; rest > 0; rest >>= 1) {
    if (rest & 1) result = f32x4.mul(result, factor);
    factor = f32x4.mul(factor, factor);
  }
  return exponent < 0 ? f32x4.div(splat(1), result) : result;
}

/** y = x^exponent. */
export function power(begin: i32, end: i32, x: usize, y: usize, exponent: f32): void {
  const stop = (<usize>end) << 2;
  for (let i = (<usize>begin) << 2; i < stop; i += 16) {
    storeFirst(y + i, raised(v128.load(x + i), exponent), (<i32>(stop - i)) >> 2);
  }
}

/** dx = dy · exponent·x^(exponent - 1). */
export function powerGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize, exponent: f32): void {
  const stop = (<usize>end) << 2;
  const factor = splat(exponent);
  for (let i = (<usize>begin) << 2; i < stop; i += 16) {
    const slope = f32x4.mul(raised(v128.load(x + i), exponent - 1), factor);
    storeFirst(dx + i, f32x4.mul(v128.load(dy + i), slope), (<i32>(stop - i)) >> 2);
  }
}
