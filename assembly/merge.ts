import { storeFirst } from './rows';

const SUBTRACT = 0;
const MAXIMUM = 1;
const MINIMUM = 2;

/** y = a − b; begin, end in elements; y may be a or b. */
export function subtract(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  combine(SUBTRACT, begin, end, a, b, y);
}

/** y = a where a ≥ b, else b; begin, end in elements. */
export function maximum(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  combine(MAXIMUM, begin, end, a, b, y);
}

/** y = a where a ≤ b, else b; begin, end in elements. */
export function minimum(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  combine(MINIMUM, begin, end, a, b, y);
}

/** dx = dy where a ≥ b, else 0; begin, end in elements. */
export function whereNotLess(begin: i32, end: i32, a: usize, b: usize, dy: usize, dx: usize): void {
  select(0, begin, end, a, b, dy, dx);
}

/** dx = dy where a < b, else 0; begin, end in elements. */
export function whereLess(begin: i32, end: i32, a: usize, b: usize, dy: usize, dx: usize): void {
  select(1, begin, end, a, b, dy, dx);
}

/** `kind` is a literal. */
// @ts-ignore: decorator
@inline function combined(kind: i32, a: v128, b: v128): v128 {
  if (kind == SUBTRACT) return f32x4.sub(a, b);
  return v128.bitselect(a, b, kind == MAXIMUM ? f32x4.ge(a, b) : f32x4.le(a, b));
}

// @ts-ignore: decorator
@inline function combine(kind: i32, begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = combined(kind, v128.load(a + i), v128.load(b + i));
    const v = combined(kind, v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeFirst(y + i, combined(kind, v128.load(a + i), v128.load(b + i)), (<i32>(stop - i)) >> 2);
  }
}

/** dy where a < b if `less` (a literal) is 1, else where a ≥ b. */
// @ts-ignore: decorator
@inline function selected(less: i32, a: v128, b: v128, dy: v128): v128 {
  return v128.and(dy, less ? f32x4.lt(a, b) : f32x4.ge(a, b));
}

// @ts-ignore: decorator
@inline function select(less: i32, begin: i32, end: i32, a: usize, b: usize, dy: usize, dx: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = selected(less, v128.load(a + i), v128.load(b + i), v128.load(dy + i));
    const v = selected(less, v128.load(a + i, 16), v128.load(b + i, 16), v128.load(dy + i, 16));
    v128.store(dx + i, u);
    v128.store(dx + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = selected(less, v128.load(a + i), v128.load(b + i), v128.load(dy + i));
    storeFirst(dx + i, u, (<i32>(stop - i)) >> 2);
  }
}
