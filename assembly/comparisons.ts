import { splat } from './math';
import { storeFirst } from './rows';

// Quotients, comparisons and choices, element by element; begin, end in elements; an output may be an input.

const DIVIDE = 0;
const GREATER = 1;
const GREATER_OR_EQUAL = 2;
const EQUAL = 3;

/** y = a / b. */
export function divide(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  compute(DIVIDE, begin, end, a, b, y);
}

/** y = 1 where a > b, else 0. */
export function greater(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  compute(GREATER, begin, end, a, b, y);
}

/** y = 1 where a ≥ b, else 0. */
export function greaterOrEqual(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  compute(GREATER_OR_EQUAL, begin, end, a, b, y);
}

/** y = 1 where a = b, else 0. */
export function equal(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  compute(EQUAL, begin, end, a, b, y);
}

/** `kind` is a literal. */
// @ts-ignore: decorator
@inline function computed(kind: i32, a: v128, b: v128): v128 {
  if (kind == DIVIDE) return f32x4.div(a, b);
  if (kind == EQUAL) return v128.and(f32x4.eq(a, b), splat(1));
  return v128.and(kind == GREATER ? f32x4.gt(a, b) : f32x4.ge(a, b), splat(1));
}

// @ts-ignore: decorator
@inline function compute(kind: i32, begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = computed(kind, v128.load(a + i), v128.load(b + i));
    const v = computed(kind, v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    storeFirst(y + i, computed(kind, v128.load(a + i), v128.load(b + i)), (<i32>(stop - i)) >> 2);
  }
}

/** db = -dy·y / b for y = a / b. */
export function divideGradient(begin: i32, end: i32, y: usize, b: usize, dy: usize, db: usize): void {
  const stop = (<usize>end) << 2;
  for (let i = (<usize>begin) << 2; i < stop; i += 16) {
    const product = f32x4.mul(v128.load(dy + i), v128.load(y + i));
    storeFirst(db + i, f32x4.div(f32x4.neg(product), v128.load(b + i)), (<i32>(stop - i)) >> 2);
  }
}

/** y = a where condition is not 0, else b; an address 0 of a or b stands for zeros. */
export function choose(begin: i32, end: i32, condition: usize, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  for (let i = (<usize>begin) << 2; i < stop; i += 16) {
    const u = a ? v128.load(a + i) : splat(0);
    const v = b ? v128.load(b + i) : splat(0);
    const chosen = v128.bitselect(u, v, f32x4.ne(v128.load(condition + i), splat(0)));
    storeFirst(y + i, chosen, (<i32>(stop - i)) >> 2);
  }
}
