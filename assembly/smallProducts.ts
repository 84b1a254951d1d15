import { packColumns, strip } from './tile';
import { transpose4 } from './panels';
import { splat } from './math';

// Products of matrices so small that they are packed on the spot.

/**
 * Rows or columns at once of a matrix that is zero above a diagonal: two tiles, of whose depth what is zero is
 * left out.
 */
export const STEP: i32 = 12;

/** c (m,n) = a (m,k)·b, b in panels of `depth` rows, of which the first k count. */
export function product(
  m: i32,
  a: usize,
  lda: usize,
  k: i32,
  b: usize,
  c: usize,
  ldc: usize,
  n: i32,
  depth: i32 = k,
): void {
  for (let j = 0; j < n; j += 16) {
    const panel = b + ((<usize>(j * depth)) << 2);
    const to = c + ((<usize>j) << 2);
    strip(m, a, lda, 4, k, 0, 1, panel, panel, 0, 0, to, ldc, n - j, -Infinity);
  }
}

/** As `product`, but of row r only the columns up to r + diagonal count; others may keep what they were. */
export function productBelow(
  m: i32,
  a: usize,
  lda: usize,
  k: i32,
  b: usize,
  c: usize,
  ldc: usize,
  n: i32,
  diagonal: i32,
): void {
  for (let j = 0; j < n; j += 16) {
    const panel = b + ((<usize>(j * k)) << 2);
    const r = max(0, j - diagonal);
    const to = c + <usize>r * ldc + ((<usize>j) << 2);
    strip(m - r, a + <usize>r * lda, lda, 4, k, 0, 1, panel, panel, 0, 0, to, ldc, n - j, -Infinity);
  }
}

/** As `product`, where row r of a is zero past column r + diagonal. */
export function productOfLower(
  m: i32,
  a: usize,
  lda: usize,
  k: i32,
  b: usize,
  c: usize,
  ldc: usize,
  n: i32,
  depth: i32,
  diagonal: i32,
): void {
  for (let r = 0; r < m; r += STEP) {
    const rows = min(STEP, m - r);
    const seen = min(k, r + rows + diagonal);
    product(rows, a + <usize>r * lda, lda, seen, b, c + <usize>r * ldc, ldc, n, depth);
  }
}

/**
 * c (n,d) += aᵀ·b for a (m,n) and b (m,d), whose rows have the pitch of c's; where keep is 0 and not -1 c is
 * overwritten. Row r of a is zero past column r + diagonal. panel: 64·m bytes of scratch.
 */
export function addTransposed(
  n: i32,
  m: i32,
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  d: i32,
  keep: i32,
  diagonal: i32,
  panel: usize,
): void {
  for (let j = 0; j < d; j += 16) {
    packColumns(b + ((<usize>j) << 2), ldb, m, d - j, panel);
    for (let i = 0; i < n; i += STEP) {
      const to = c + <usize>i * ldb + ((<usize>j) << 2);
      const r = <usize>max(0, i - diagonal);
      const from = a + r * lda + ((<usize>i) << 2);
      const width = min(STEP, n - i);
      const depth = m - <i32>r;
      strip(width, from, 4, lda, depth, 0, 1, panel + (r << 6), to, ldb, keep, to, ldb, d - j, -Infinity);
    }
  }
}

/** Panels (d/16, rows, 16) of x (rows,d), zeros past d. */
export function packPanels(x: usize, ldx: usize, rows: i32, d: i32, panels: usize): void {
  for (let j = 0; j < d; j += 16)
    packColumns(x + ((<usize>j) << 2), ldx, rows, d - j, panels + ((<usize>(j * rows)) << 2));
}

/** Panels (rows/16, d, 16) of factor·xᵀ, zeros past the rows. */
export function packTransposed(x: usize, ldx: usize, rows: i32, d: i32, factor: f32, panels: usize): void {
  const f = splat(factor);
  for (let j = 0; j < rows; j += 4, x += 4 * ldx) {
    const target = panels + ((<usize>((j >> 4) * d)) << 6) + ((<usize>(j & 15)) << 2);
    const last = rows - 1 - j;
    // Rows past the last one: its own numbers, cleared below.
    const x1 = x + <usize>min(1, last) * ldx;
    const x2 = x + <usize>min(2, last) * ldx;
    const x3 = x + <usize>min(3, last) * ldx;
    for (let p = 0; p < d; p += 4) {
      const at = (<usize>p) << 2;
      const a = f32x4.mul(v128.load(x + at), f);
      const b = f32x4.mul(v128.load(x1 + at), f);
      const c = f32x4.mul(v128.load(x2 + at), f);
      const e = f32x4.mul(v128.load(x3 + at), f);
      transpose4(a, b, c, e, target + (at << 4), d - p);
    }
  }
  const over = (16 - (rows & 15)) & 15;
  if (over) {
    let end = panels + ((<usize>((rows >> 4) * d)) << 6) + ((<usize>(rows & 15)) << 2);
    for (let p = 0; p < d; p++, end += 64) {
      for (let c = 0; c < over; c++) store<f32>(end + ((<usize>c) << 2), 0);
    }
  }
}
