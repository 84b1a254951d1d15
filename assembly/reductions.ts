import { argmax } from './metrics';
import { rowMax, rowSum } from './rows';

// One number for each row of x (rows,n); begin, end in rows.

// @ts-ignore: decorator
@inline function rowAt(x: usize, row: i32, n: i32): usize {
  return x + ((<usize>row * <usize>n) << 2);
}

/** y (rows) = Σ x. */
export function rowSums(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  for (let row = begin; row < end; row++) store<f32>(rowAt(y, row, 1), rowSum(rowAt(x, row, n), n));
}

/** y (rows) = the largest of x; NaNs are passed over. */
export function rowMaximum(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  for (let row = begin; row < end; row++) store<f32>(rowAt(y, row, 1), rowMax(rowAt(x, row, n), n));
}

/** dx (rows,n) = dy at the first maximum of x, else 0. */
export function rowMaximumGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize, n: i32): void {
  for (let row = begin; row < end; row++) {
    const to = rowAt(dx, row, n);
    memory.fill(to, 0, (<usize>n) << 2);
    const index = argmax(rowAt(x, row, n), n);
    if (index < n) store<f32>(rowAt(to, index, 1), load<f32>(rowAt(dy, row, 1)));
  }
}

/** y (rows) = the index of the first maximum of x; NaN where all are NaN. */
export function rowArgMax(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  for (let row = begin; row < end; row++) {
    const index = argmax(rowAt(x, row, n), n);
    store<f32>(rowAt(y, row, 1), index < n ? <f32>index : NaN);
  }
}
