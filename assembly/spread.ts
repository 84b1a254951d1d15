import { splat } from './math';
import { firstLanes, storeFirst } from './rows';

// Numbers and parameters as arrays that elementwise kernels can take. Parameters (k,n) lie in panels of 16 columns.

/** y = value; begin, end in elements. */
export function fillWith(begin: i32, end: i32, y: usize, value: f32): void {
  const stop = (<usize>end) << 2;
  for (let i = (<usize>begin) << 2; i < stop; i += 16)
    storeFirst(y + i, splat(value), (<i32>(stop - i)) >> 2);
}

/** y = x[0]; begin, end in elements. */
export function fill(begin: i32, end: i32, x: usize, y: usize): void {
  fillWith(begin, end, y, load<f32>(x));
}

/** y (·,k,n) = p for each sample, row-major; begin, end in samples. */
export function repeatPanels(begin: i32, end: i32, p: usize, y: usize, k: i32, n: i32): void {
  let to = y + ((<usize>(begin * k * n)) << 2);
  for (let i = begin; i < end; i++) {
    for (let r = 0; r < k; r++, to += (<usize>n) << 2) {
      for (let j = 0; j < n; j += 4) {
        const from = p + ((<usize>((j >> 4) * k + r)) << 6) + ((<usize>(j & 15)) << 2);
        storeFirst(to + ((<usize>j) << 2), v128.load(from), n - j);
      }
    }
  }
}

/** to = from, the padding past the n columns 0; begin, end in slices of 16 floats. */
export function keepColumns(begin: i32, end: i32, from: usize, to: usize, k: i32, n: i32): void {
  for (let u = <usize>begin; u < <usize>end; u++) {
    const columns = n - ((<i32>u / k) << 4);
    for (let j = 0; j < 16; j += 4) {
      const at = (u << 6) + ((<usize>j) << 2);
      v128.store(to + at, v128.and(v128.load(from + at), firstLanes(columns - j)));
    }
  }
}

/** y[at … at + 3] = a, b, c, d; one worker writes them. */
export function setFour(begin: i32, end: i32, y: usize, at: i32, a: f32, b: f32, c: f32, d: f32): void {
  v128.store(
    y + ((<usize>at) << 2),
    f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(splat(a), 1, b), 2, c), 3, d),
  );
}

/** y[0] = step[0], an i32, as a float. */
export function stepNumber(begin: i32, end: i32, step: usize, y: usize): void {
  store<f32>(y, <f32>load<i32>(step));
}
