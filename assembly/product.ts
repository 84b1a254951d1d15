import { madd, storeLanes } from './simd';

/** Stores the first `columns` of 16 adjacent floats. */
// @ts-ignore: decorator
@inline function storeRow(c: usize, u: v128, v: v128, w: v128, x: v128, columns: i32): void {
  if (columns >= 16) {
    v128.store(c, u);
    v128.store(c, v, 16);
    v128.store(c, w, 32);
    v128.store(c, x, 48);
  } else {
    storePart(c, u, columns);
    if (columns > 4) storePart(c + 16, v, columns - 4);
    if (columns > 8) storePart(c + 32, w, columns - 8);
    if (columns > 12) storePart(c + 48, x, columns - 12);
  }
}

function storePart(c: usize, u: v128, columns: i32): void {
  if (columns >= 4) v128.store(c, u);
  else storeLanes(c, u, columns);
}

/**
 * c (·,n) = max(a (·,k) · b (k,n) + bias, lower); begin, end in rows. b in panels (n/16, k, 16); bias padded to 16, or 0.
 * Panels outside, rows inside: a panel (64·k bytes) stays in the first-level cache while rows of a stream past it.
 */
export function product(
  begin: i32,
  end: i32,
  a: usize,
  panels: usize,
  bias: usize,
  c: usize,
  n: i32,
  k: i32,
  lower: f32,
): void {
  const lda = (<usize>k) << 2;
  const ldc = (<usize>n) << 2;
  for (let j = 0; j < n; j += 16) {
    const panel = panels + <usize>j * lda;
    const start: usize = bias == 0 ? 0 : bias + ((<usize>j) << 2);
    for (let i = begin; i < end; i += 4) {
      const rows = end - i;
      const target = c + <usize>i * ldc + ((<usize>j) << 2);
      tile4x16(a + <usize>i * lda, lda, panel, start, target, ldc, rows < 4 ? rows : 4, n - j, lower);
    }
  }
}

/**
 * One tile of at most 4 rows and 16 columns. Rows past `rows` read row 0 again and are not stored, so that an edge gives the
 * bits of a full tile. 4×16 is eight accumulators of 256 bits once paired: 92–104 GFLOP/s against 69 for 6×8.
 */
function tile4x16(
  a0: usize,
  lda: usize,
  b: usize,
  bias: usize,
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  lower: f32,
): void {
  const zero = f32x4.splat(0);
  let w0 = zero,
    w1 = zero,
    w2 = zero,
    w3 = zero;
  if (bias != 0) {
    w0 = v128.load(bias);
    w1 = v128.load(bias, 16);
    w2 = v128.load(bias, 32);
    w3 = v128.load(bias, 48);
  }
  let x0 = w0,
    x1 = w1,
    x2 = w2,
    x3 = w3;
  let y0 = w0,
    y1 = w1,
    y2 = w2,
    y3 = w3;
  let z0 = w0,
    z1 = w1,
    z2 = w2,
    z3 = w3;
  let a1 = rows > 1 ? a0 + lda : a0;
  let a2 = rows > 2 ? a1 + lda : a0;
  let a3 = rows > 3 ? a2 + lda : a0;
  const stop = a0 + lda;
  while (a0 < stop) {
    const b0 = v128.load(b),
      b1 = v128.load(b, 16),
      b2 = v128.load(b, 32),
      b3 = v128.load(b, 48);
    let s = v128.load32_splat(a0);
    w0 = madd(s, b0, w0);
    w1 = madd(s, b1, w1);
    w2 = madd(s, b2, w2);
    w3 = madd(s, b3, w3);
    s = v128.load32_splat(a1);
    x0 = madd(s, b0, x0);
    x1 = madd(s, b1, x1);
    x2 = madd(s, b2, x2);
    x3 = madd(s, b3, x3);
    s = v128.load32_splat(a2);
    y0 = madd(s, b0, y0);
    y1 = madd(s, b1, y1);
    y2 = madd(s, b2, y2);
    y3 = madd(s, b3, y3);
    s = v128.load32_splat(a3);
    z0 = madd(s, b0, z0);
    z1 = madd(s, b1, z1);
    z2 = madd(s, b2, z2);
    z3 = madd(s, b3, z3);
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += 64;
  }
  const l = f32x4.splat(lower);
  storeRow(c, f32x4.max(w0, l), f32x4.max(w1, l), f32x4.max(w2, l), f32x4.max(w3, l), columns);
  if (rows > 1)
    storeRow(c + ldc, f32x4.max(x0, l), f32x4.max(x1, l), f32x4.max(x2, l), f32x4.max(x3, l), columns);
  if (rows > 2)
    storeRow(c + 2 * ldc, f32x4.max(y0, l), f32x4.max(y1, l), f32x4.max(y2, l), f32x4.max(y3, l), columns);
  if (rows > 3)
    storeRow(c + 3 * ldc, f32x4.max(z0, l), f32x4.max(z1, l), f32x4.max(z2, l), f32x4.max(z3, l), columns);
}

/**
 * wt = panels (k/16, n, 16) of the transpose of w, panels (n/16, k, 16); begin, end in slices of w (unit = panel·k + row).
 * Padding of wt is not touched: the caller zeroes it once.
 */
export function transposePanels(begin: i32, end: i32, w: usize, wt: usize, k: i32, n: i32): void {
  for (let u = begin; u < end; u++) {
    const row = u % k;
    const first = (u / k) << 4;
    const columns = n - first < 16 ? n - first : 16;
    const source = w + ((<usize>u) << 6);
    const target = wt + ((<usize>((row >> 4) * n + first)) << 6) + ((<usize>(row & 15)) << 2);
    for (let j = 0; j < columns; j++)
      store<f32>(target + ((<usize>j) << 6), load<f32>(source + ((<usize>j) << 2)));
  }
}
