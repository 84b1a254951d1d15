import { madd } from './simd';
import { expv, logv, splat } from './math';
import { firstLanes, rowDot, rowMax, rowSum, storeFirst, sumLanes } from './rows';

/** log(x) of one number. */
export function logOf(x: f32): f32 {
  return f32x4.extract_lane(logv(splat(x)), 0);
}

/** Σ exp(x - shift) over a row; the terms go to y if `keep` (a literal) is 1. */
// @ts-ignore: decorator
@inline function sumOfExponentials(keep: i32, x: usize, y: usize, n: i32, shift: f32): f32 {
  const s = splat(shift);
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32, y += 32) {
    const a = expv(f32x4.sub(v128.load(x), s));
    const b = expv(f32x4.sub(v128.load(x, 16), s));
    if (keep) {
      v128.store(y, a);
      v128.store(y, b, 16);
    }
    u = f32x4.add(u, a);
    v = f32x4.add(v, b);
  }
  for (; j < n; j += 4, x += 16, y += 16) {
    const a = expv(f32x4.sub(v128.load(x), s));
    if (keep) storeFirst(y, a, n - j);
    u = f32x4.add(u, v128.and(a, firstLanes(n - j)));
  }
  return sumLanes(f32x4.add(u, v));
}

/** y (n) = exp(x - shift); returns Σ y. */
export function exponentialsOfRow(x: usize, y: usize, n: i32, shift: f32): f32 {
  return sumOfExponentials(1, x, y, n, shift);
}

/** Σ exp(x - shift) (n), the bits of `exponentialsOfRow`. */
export function exponentialSum(x: usize, n: i32, shift: f32): f32 {
  return sumOfExponentials(0, x, x, n, shift);
}

/** y (n) = x·scale + shift; y may be x. */
export function scaleRow(x: usize, y: usize, n: i32, scale: f32, shift: f32): void {
  const a = splat(scale);
  const b = splat(shift);
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32, y += 32) {
    const u = madd(v128.load(x), a, b);
    const v = madd(v128.load(x, 16), a, b);
    v128.store(y, u);
    v128.store(y, v, 16);
  }
  for (; j < n; j += 4, x += 16, y += 16) storeFirst(y, madd(v128.load(x), a, b), n - j);
}

/** y (rows,n) = softmax(x) row by row, the row's maximum subtracted first; begin, end in rows; y may be x. */
export function softmax(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  const size = (<usize>n) << 2;
  for (let i = <usize>begin * size; i < <usize>end * size; i += size) {
    const sum = exponentialsOfRow(x + i, y + i, n, rowMax(x + i, n));
    scaleRow(y + i, y + i, n, 1 / sum, 0);
  }
}

/** y (rows,n) = x - log(Σ exp(x)) row by row; begin, end in rows; y may be x. */
export function logSoftmax(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  const size = (<usize>n) << 2;
  for (let i = <usize>begin * size; i < <usize>end * size; i += size) {
    const top = rowMax(x + i, n);
    const log = logOf(exponentialSum(x + i, n, top));
    shiftRow(x + i, y + i, n, top, log);
  }
}

/** y (n) = (x - top) - log: two steps, since top may dwarf log. */
function shiftRow(x: usize, y: usize, n: i32, top: f32, log: f32): void {
  const a = splat(top);
  const b = splat(log);
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32, y += 32) {
    const u = f32x4.sub(f32x4.sub(v128.load(x), a), b);
    const v = f32x4.sub(f32x4.sub(v128.load(x, 16), a), b);
    v128.store(y, u);
    v128.store(y, v, 16);
  }
  for (; j < n; j += 4, x += 16, y += 16) storeFirst(y, f32x4.sub(f32x4.sub(v128.load(x), a), b), n - j);
}

/** dx (rows,n) = y·(dy - Σ y·dy), y = softmax(x); begin, end in rows; dx may be dy or y. */
export function softmaxGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize, n: i32): void {
  const size = (<usize>n) << 2;
  for (let i = <usize>begin * size; i < <usize>end * size; i += size) {
    const mean = splat(rowDot(y + i, dy + i, n));
    let j: usize = 0;
    for (; j + 32 <= size; j += 32) {
      const at = i + j;
      const u = f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), mean));
      const v = f32x4.mul(v128.load(y + at, 16), f32x4.sub(v128.load(dy + at, 16), mean));
      v128.store(dx + at, u);
      v128.store(dx + at, v, 16);
    }
    for (; j < size; j += 16) {
      const at = i + j;
      const u = f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), mean));
      storeFirst(dx + at, u, (<i32>(size - j)) >> 2);
    }
  }
}

/** dx (rows,n) = dy - exp(y)·Σ dy, y = logSoftmax(x); begin, end in rows; dx may be dy or y. */
export function logSoftmaxGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize, n: i32): void {
  const size = (<usize>n) << 2;
  for (let i = <usize>begin * size; i < <usize>end * size; i += size) {
    const minusSum = splat(-rowSum(dy + i, n));
    let j: usize = 0;
    for (; j + 32 <= size; j += 32) {
      const at = i + j;
      const u = madd(expv(v128.load(y + at)), minusSum, v128.load(dy + at));
      const v = madd(expv(v128.load(y + at, 16)), minusSum, v128.load(dy + at, 16));
      v128.store(dx + at, u);
      v128.store(dx + at, v, 16);
    }
    for (; j < size; j += 16) {
      const at = i + j;
      const u = madd(expv(v128.load(y + at)), minusSum, v128.load(dy + at));
      storeFirst(dx + at, u, (<i32>(size - j)) >> 2);
    }
  }
}
