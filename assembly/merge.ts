import { storeLanes } from './simd';

/** y = a − b; begin, end in elements; y may be a or b. */
export function subtract(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = f32x4.sub(v128.load(a + i), v128.load(b + i));
    const v = f32x4.sub(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) storeUpTo(y + i, f32x4.sub(v128.load(a + i), v128.load(b + i)), stop - i);
}

/** y = a where a ≥ b, else b; begin, end in elements. */
export function maximum(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = largerOf(v128.load(a + i), v128.load(b + i));
    const v = largerOf(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) storeUpTo(y + i, largerOf(v128.load(a + i), v128.load(b + i)), stop - i);
}

/** y = a where a ≤ b, else b; begin, end in elements. */
export function minimum(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = smallerOf(v128.load(a + i), v128.load(b + i));
    const v = smallerOf(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) storeUpTo(y + i, smallerOf(v128.load(a + i), v128.load(b + i)), stop - i);
}

/** dx = dy where a ≥ b, else 0; begin, end in elements. */
export function whereNotLess(begin: i32, end: i32, a: usize, b: usize, dy: usize, dx: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = v128.and(v128.load(dy + i), f32x4.ge(v128.load(a + i), v128.load(b + i)));
    const v = v128.and(v128.load(dy + i, 16), f32x4.ge(v128.load(a + i, 16), v128.load(b + i, 16)));
    v128.store(dx + i, u);
    v128.store(dx + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeUpTo(dx + i, v128.and(v128.load(dy + i), f32x4.ge(v128.load(a + i), v128.load(b + i))), stop - i);
  }
}

/** dx = dy where a < b, else 0; begin, end in elements. */
export function whereLess(begin: i32, end: i32, a: usize, b: usize, dy: usize, dx: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = v128.and(v128.load(dy + i), f32x4.lt(v128.load(a + i), v128.load(b + i)));
    const v = v128.and(v128.load(dy + i, 16), f32x4.lt(v128.load(a + i, 16), v128.load(b + i, 16)));
    v128.store(dx + i, u);
    v128.store(dx + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeUpTo(dx + i, v128.and(v128.load(dy + i), f32x4.lt(v128.load(a + i), v128.load(b + i))), stop - i);
  }
}

// @ts-ignore: decorator
@inline function largerOf(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f32x4.ge(a, b));
}

// @ts-ignore: decorator
@inline function smallerOf(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f32x4.le(a, b));
}

/** Stores the first bytes of four floats, at most all. */
// @ts-ignore: decorator
@inline function storeUpTo(y: usize, x: v128, bytes: usize): void {
  if (bytes >= 16) v128.store(y, x);
  else storeLanes(y, x, (<i32>bytes) >> 2);
}
