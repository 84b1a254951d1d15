import { splat } from './math';
import { storeFirst } from './rows';
import { madd, storeLanes } from './simd';

/** y = a + b; begin, end in elements; y may be a or b. */
export function add(begin: i32, end: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = f32x4.add(v128.load(a + i), v128.load(b + i));
    const v = f32x4.add(v128.load(a + i, 16), v128.load(b + i, 16));
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = f32x4.add(v128.load(a + i), v128.load(b + i));
    if (i + 16 <= stop) v128.store(y + i, u);
    else storeLanes(y + i, u, (<i32>(stop - i)) >> 2);
  }
}

/** y += x; begin, end in slices of 16 floats. */
export function addInto(begin: i32, end: i32, y: usize, x: usize): void {
  add(begin << 4, end << 4, y, x, y);
}

/** y = x; begin, end in elements. */
export function copy(begin: i32, end: i32, x: usize, y: usize): void {
  memory.copy(y + ((<usize>begin) << 2), x + ((<usize>begin) << 2), (<usize>(end - begin)) << 2);
}

/** y = x·scale + shift; begin, end in elements. */
export function scaleShift(begin: i32, end: i32, x: usize, y: usize, scale: f32, shift: f32): void {
  const stop = (<usize>end) << 2;
  const a = splat(scale);
  const b = splat(shift);
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = madd(v128.load(x + i), a, b);
    const v = madd(v128.load(x + i, 16), a, b);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) storeFirst(y + i, madd(v128.load(x + i), a, b), (<i32>(stop - i)) >> 2);
}

/** y[index] = value; begin, end are not used. */
export function putNumber(begin: i32, end: i32, y: usize, index: i32, value: f32): void {
  store<f32>(y + ((<usize>index) << 2), value);
}
