import { splat } from './math';
import { firstLanes, storeFirst, sumLanes } from './rows';
import { pull } from './gradients';
import { madd } from './simd';

/** l1·|y| + l2·y² */
// @ts-ignore: decorator
@inline function penaltyOf(y: v128, l1: f32, l2: f32): v128 {
  return madd(f32x4.abs(y), splat(l1), f32x4.mul(f32x4.mul(y, y), splat(l2)));
}

/**
 * values (rows) = Σ l1·|y| + l2·y² of each row of y (rows,n); where dy is not 0, dy (rows,n) = (l1·sign(y) +
 * 2·l2·y)·scale[0]. begin, end in rows; dy does not overlap y.
 */
export function activityPenalty(
  begin: i32,
  end: i32,
  y: usize,
  values: usize,
  dy: usize,
  scale: usize,
  n: i32,
  l1: f32,
  l2: f32,
): void {
  const factor = splat(load<f32>(scale));
  for (let row = begin; row < end; row++) {
    const first = (<usize>row * n) << 2;
    store<f32>(values + ((<usize>row) << 2), rowPenalty(y + first, n, l1, l2));
    if (dy) rowPull(y + first, dy + first, n, l1, l2, factor);
  }
}

// @ts-ignore: decorator
@inline function rowPenalty(y: usize, n: i32, l1: f32, l2: f32): f32 {
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, y += 32) {
    u = f32x4.add(u, penaltyOf(v128.load(y), l1, l2));
    v = f32x4.add(v, penaltyOf(v128.load(y, 16), l1, l2));
  }
  for (; j < n; j += 4, y += 16) {
    u = f32x4.add(u, v128.and(penaltyOf(v128.load(y), l1, l2), firstLanes(n - j)));
  }
  return sumLanes(f32x4.add(u, v));
}

// @ts-ignore: decorator
@inline function rowPull(y: usize, dy: usize, n: i32, l1: f32, l2: f32, factor: v128): void {
  let j = 0;
  for (; j + 8 <= n; j += 8, y += 32, dy += 32) {
    const u = f32x4.mul(pull(v128.load(y), l1, l2), factor);
    const v = f32x4.mul(pull(v128.load(y, 16), l1, l2), factor);
    v128.store(dy, u);
    v128.store(dy, v, 16);
  }
  for (; j < n; j += 4, y += 16, dy += 16) {
    storeFirst(dy, f32x4.mul(pull(v128.load(y), l1, l2), factor), n - j);
  }
}
