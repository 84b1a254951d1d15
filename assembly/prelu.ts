import { splat } from './math';
import { firstLanes, storeFirst, sumLanes } from './rows';

// x (samples, n0, n1, n2, n3, n). alpha is a parameter in panels of 16 columns and k rows: element (i, j) of a
// sample has the slope of row Σ i·a and column j, or with `shared` 1 of column 0. A stride a of 0 shares an axis.

const FORWARD: i32 = 0;
const INPUT: i32 = 1;
const SLOPES: i32 = 2;

/** Four slopes from column j of a row on. */
// @ts-ignore: decorator
@inline function slopes(row: usize, j: i32, panel: usize, shared: i32): v128 {
  if (shared) return v128.load32_splat(row);
  return v128.load(row + <usize>(j >> 4) * panel + ((<usize>(j & 15)) << 2));
}

/** What `kind` makes of four elements: y, dx, or a part of d alpha. */
// @ts-ignore: decorator
@inline function act(kind: i32, x: v128, dy: v128, alpha: v128): v128 {
  const positive = f32x4.gt(x, splat(0));
  if (kind == FORWARD) return v128.bitselect(x, f32x4.mul(x, alpha), positive);
  if (kind == INPUT) return v128.bitselect(dy, f32x4.mul(dy, alpha), positive);
  return v128.andnot(f32x4.mul(dy, x), positive);
}

/** y or dx (n) of one row. */
// @ts-ignore: decorator
@inline function mapRow(
  kind: i32,
  x: usize,
  dy: usize,
  y: usize,
  n: i32,
  alpha: usize,
  panel: usize,
  shared: i32,
): void {
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32, dy += 32, y += 32) {
    const u = act(kind, v128.load(x), v128.load(dy), slopes(alpha, j, panel, shared));
    const v = act(kind, v128.load(x, 16), v128.load(dy, 16), slopes(alpha, j + 4, panel, shared));
    v128.store(y, u);
    v128.store(y, v, 16);
  }
  for (; j < n; j += 4, x += 16, dy += 16, y += 16) {
    storeFirst(y, act(kind, v128.load(x), v128.load(dy), slopes(alpha, j, panel, shared)), n - j);
  }
}

/** Adds what one row (n) has for the slopes at `sums`, a row of panels. */
function addSlopes(x: usize, dy: usize, n: i32, sums: usize, panel: usize, shared: i32): void {
  let total = splat(0);
  for (let j = 0; j < n; j += 4, x += 16, dy += 16) {
    const part = act(SLOPES, v128.load(x), v128.load(dy), splat(0));
    if (shared) total = f32x4.add(total, v128.and(part, firstLanes(n - j)));
    else {
      const at = sums + <usize>(j >> 4) * panel + ((<usize>(j & 15)) << 2);
      storeFirst(at, f32x4.add(v128.load(at), part), n - j);
    }
  }
  if (shared) store<f32>(sums, load<f32>(sums) + sumLanes(total));
}

/** All rows of all samples; z is y, dx, or the panels of each sample. */
// @ts-ignore: decorator
@inline function eachRow(
  kind: i32,
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  alpha: usize,
  z: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  k: i32,
  shared: i32,
): void {
  const panel = (<usize>k) << 6;
  const bytes = panel * <usize>(shared ? 1 : (n + 15) >> 4);
  const row = (<usize>n) << 2;
  let at = row * <usize>(n0 * n1 * n2 * n3) * <usize>begin;
  for (let s = <usize>begin; s < <usize>end; s++) {
    if (kind == SLOPES) memory.fill(z + s * bytes, 0, bytes);
    for (let i0 = 0; i0 < n0; i0++) {
      for (let i1 = 0; i1 < n1; i1++) {
        for (let i2 = 0; i2 < n2; i2++) {
          for (let i3 = 0; i3 < n3; i3++, at += row) {
            const offset = (<usize>(i0 * a0 + i1 * a1 + i2 * a2 + i3 * a3)) << 6;
            if (kind == SLOPES) addSlopes(x + at, dy + at, n, z + s * bytes + offset, panel, shared);
            else mapRow(kind, x + at, dy + at, z + at, n, alpha + offset, panel, shared);
          }
        }
      }
    }
  }
}

/** y = x > 0 ? x : alpha·x; begin, end in samples. */
export function prelu(
  begin: i32,
  end: i32,
  x: usize,
  alpha: usize,
  y: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  k: i32,
  shared: i32,
): void {
  eachRow(FORWARD, begin, end, x, x, alpha, y, n0, n1, n2, n3, n, a0, a1, a2, a3, k, shared);
}

/** dx = x > 0 ? dy : alpha·dy; begin, end in samples. */
export function preluGradient(
  begin: i32,
  end: i32,
  x: usize,
  alpha: usize,
  dy: usize,
  dx: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  k: i32,
  shared: i32,
): void {
  eachRow(INPUT, begin, end, x, dy, alpha, dx, n0, n1, n2, n3, n, a0, a1, a2, a3, k, shared);
}

/**
 * sums (samples, panels of alpha) = Σ min(x, 0)·dy over the elements that share a slope, in order; zero past
 * the columns; begin, end in samples.
 */
export function preluSlopes(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  sums: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  k: i32,
  shared: i32,
): void {
  eachRow(SLOPES, begin, end, x, dy, 0, sums, n0, n1, n2, n3, n, a0, a1, a2, a3, k, shared);
}
