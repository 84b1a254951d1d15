import { storeLanes } from './simd';
/** y = max(x, 0). */
export function relu(begin: i32, end: i32, x: usize, y: usize): void {
  const zero = f32x4.splat(0);
  let i = begin << 2, stop = end << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = f32x4.max(v128.load(x + i), zero);
    const v = f32x4.max(v128.load(x + i, 16), zero);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = f32x4.max(v128.load(x + i), zero);
    if (i + 16 <= stop) v128.store(y + i, u); else storeLanes(y + i, u, (stop - i) >> 2);
  }
}
export function reluGradient(begin: i32, end: i32, rate: f32, x: usize, y: usize): void { store<i32>(y, 1); }
