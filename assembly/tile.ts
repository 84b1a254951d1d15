import { madd, storeLanes, WIDE } from './simd';
import { firstLanes } from './rows';

// The micro-kernel of every matrix product. A tile of c is MR = 6 rows by 16 columns: twelve accumulators of
// 256 bits once V8 has packed pairs (118 GFLOP/s against 107 for 5×16 and 104 for 4×16 on a Zen 5), or 6 by
// 8: twelve of 128 bits (58 against 41 for 6×16, which spills). Unrolling over k spills too (77). Each
// element of c is one chain of multiply-adds in the order of k, so neither the shape of a tile nor where it
// begins changes a bit: edges use lower tiles.

// prettier-ignore
// @ts-ignore: decorator
@inline function tile16(
  rows: i32, a0: usize, lda: usize, step: usize, steps: i32, jump: usize, runs: i32, b: usize,
  from: usize, ldf: usize, keep: i32, c: usize, ldc: usize, columns: i32, lower: f32,
): void {
  const mask = i32x4.splat(keep), low = f32x4.splat(lower);
  let u0 = v128.and(v128.load(from), mask), u1 = v128.and(v128.load(from, 16), mask);
  let u2 = v128.and(v128.load(from, 32), mask), u3 = v128.and(v128.load(from, 48), mask);
  if (rows > 1) from += ldf;
  let v0 = v128.and(v128.load(from), mask), v1 = v128.and(v128.load(from, 16), mask);
  let v2 = v128.and(v128.load(from, 32), mask), v3 = v128.and(v128.load(from, 48), mask);
  if (rows > 2) from += ldf;
  let w0 = v128.and(v128.load(from), mask), w1 = v128.and(v128.load(from, 16), mask);
  let w2 = v128.and(v128.load(from, 32), mask), w3 = v128.and(v128.load(from, 48), mask);
  if (rows > 3) from += ldf;
  let x0 = v128.and(v128.load(from), mask), x1 = v128.and(v128.load(from, 16), mask);
  let x2 = v128.and(v128.load(from, 32), mask), x3 = v128.and(v128.load(from, 48), mask);
  if (rows > 4) from += ldf;
  let y0 = v128.and(v128.load(from), mask), y1 = v128.and(v128.load(from, 16), mask);
  let y2 = v128.and(v128.load(from, 32), mask), y3 = v128.and(v128.load(from, 48), mask);
  if (rows > 5) from += ldf;
  let z0 = v128.and(v128.load(from), mask), z1 = v128.and(v128.load(from, 16), mask);
  let z2 = v128.and(v128.load(from, 32), mask), z3 = v128.and(v128.load(from, 48), mask);
  let a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
  do {
    let left = steps;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
      let s = v128.load32_splat(a0);
      u0 = madd(s, b0, u0); u1 = madd(s, b1, u1); u2 = madd(s, b2, u2); u3 = madd(s, b3, u3);
      a0 += step;
      if (rows > 1) {
        s = v128.load32_splat(a1);
        v0 = madd(s, b0, v0); v1 = madd(s, b1, v1); v2 = madd(s, b2, v2); v3 = madd(s, b3, v3);
        a1 += step;
      }
      if (rows > 2) {
        s = v128.load32_splat(a2);
        w0 = madd(s, b0, w0); w1 = madd(s, b1, w1); w2 = madd(s, b2, w2); w3 = madd(s, b3, w3);
        a2 += step;
      }
      if (rows > 3) {
        s = v128.load32_splat(a3);
        x0 = madd(s, b0, x0); x1 = madd(s, b1, x1); x2 = madd(s, b2, x2); x3 = madd(s, b3, x3);
        a3 += step;
      }
      if (rows > 4) {
        s = v128.load32_splat(a4);
        y0 = madd(s, b0, y0); y1 = madd(s, b1, y1); y2 = madd(s, b2, y2); y3 = madd(s, b3, y3);
        a4 += step;
      }
      if (rows > 5) {
        s = v128.load32_splat(a5);
        z0 = madd(s, b0, z0); z1 = madd(s, b1, z1); z2 = madd(s, b2, z2); z3 = madd(s, b3, z3);
        a5 += step;
      }
      b += 64;
    } while (--left);
    a0 += jump; a1 += jump; a2 += jump; a3 += jump; a4 += jump; a5 += jump;
  } while (--runs);
  store16(c, u0, u1, u2, u3, low, columns);
  if (rows > 1) store16(c + ldc, v0, v1, v2, v3, low, columns);
  if (rows > 2) store16(c + 2 * ldc, w0, w1, w2, w3, low, columns);
  if (rows > 3) store16(c + 3 * ldc, x0, x1, x2, x3, low, columns);
  if (rows > 4) store16(c + 4 * ldc, y0, y1, y2, y3, low, columns);
  if (rows > 5) store16(c + 5 * ldc, z0, z1, z2, z3, low, columns);
}

// prettier-ignore
// @ts-ignore: decorator
@inline function tile8(
  rows: i32, a0: usize, lda: usize, step: usize, steps: i32, jump: usize, runs: i32, b: usize,
  from: usize, ldf: usize, keep: i32, c: usize, ldc: usize, columns: i32, lower: f32,
): void {
  const mask = i32x4.splat(keep), low = f32x4.splat(lower);
  let u0 = v128.and(v128.load(from), mask), u1 = v128.and(v128.load(from, 16), mask);
  if (rows > 1) from += ldf;
  let v0 = v128.and(v128.load(from), mask), v1 = v128.and(v128.load(from, 16), mask);
  if (rows > 2) from += ldf;
  let w0 = v128.and(v128.load(from), mask), w1 = v128.and(v128.load(from, 16), mask);
  if (rows > 3) from += ldf;
  let x0 = v128.and(v128.load(from), mask), x1 = v128.and(v128.load(from, 16), mask);
  if (rows > 4) from += ldf;
  let y0 = v128.and(v128.load(from), mask), y1 = v128.and(v128.load(from, 16), mask);
  if (rows > 5) from += ldf;
  let z0 = v128.and(v128.load(from), mask), z1 = v128.and(v128.load(from, 16), mask);
  let a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
  do {
    let left = steps;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a0);
      u0 = madd(s, b0, u0); u1 = madd(s, b1, u1);
      a0 += step;
      if (rows > 1) { s = v128.load32_splat(a1); v0 = madd(s, b0, v0); v1 = madd(s, b1, v1); a1 += step; }
      if (rows > 2) { s = v128.load32_splat(a2); w0 = madd(s, b0, w0); w1 = madd(s, b1, w1); a2 += step; }
      if (rows > 3) { s = v128.load32_splat(a3); x0 = madd(s, b0, x0); x1 = madd(s, b1, x1); a3 += step; }
      if (rows > 4) { s = v128.load32_splat(a4); y0 = madd(s, b0, y0); y1 = madd(s, b1, y1); a4 += step; }
      if (rows > 5) { s = v128.load32_splat(a5); z0 = madd(s, b0, z0); z1 = madd(s, b1, z1); a5 += step; }
      b += 64;
    } while (--left);
    a0 += jump; a1 += jump; a2 += jump; a3 += jump; a4 += jump; a5 += jump;
  } while (--runs);
  store8(c, u0, u1, low, columns);
  if (rows > 1) store8(c + ldc, v0, v1, low, columns);
  if (rows > 2) store8(c + 2 * ldc, w0, w1, low, columns);
  if (rows > 3) store8(c + 3 * ldc, x0, x1, low, columns);
  if (rows > 4) store8(c + 4 * ldc, y0, y1, low, columns);
  if (rows > 5) store8(c + 5 * ldc, z0, z1, low, columns);
}

// pmax(v, low) is `v < low ? low : v`: a NaN stays, and it is one instruction where max is eight.
// @ts-ignore: decorator
@inline export function store16(c: usize, u: v128, v: v128, w: v128, x: v128, low: v128, columns: i32): void {
  const s = f32x4.pmax(u, low);
  const t = f32x4.pmax(v, low);
  const y = f32x4.pmax(w, low);
  const z = f32x4.pmax(x, low);
  if (columns >= 16) {
    v128.store(c, s);
    v128.store(c, t, 16);
    v128.store(c, y, 32);
    v128.store(c, z, 48);
  } else {
    storePair(c, s, t, columns);
    storePair(c + 32, y, z, columns - 8);
  }
}

// @ts-ignore: decorator
@inline function store8(c: usize, u: v128, v: v128, low: v128, columns: i32): void {
  const s = f32x4.pmax(u, low);
  const t = f32x4.pmax(v, low);
  if (columns >= 8) {
    v128.store(c, s);
    v128.store(c, t, 16);
  } else {
    storePair(c, s, t, columns);
  }
}

/** Stores the first `columns` of eight floats: any number, even below zero or above eight. */
function storePair(c: usize, u: v128, v: v128, columns: i32): void {
  if (columns >= 4) v128.store(c, u);
  else if (columns > 0) storeLanes(c, u, columns);
  if (columns >= 8) v128.store(c, v, 16);
  else if (columns > 4) storeLanes(c + 16, v, columns - 4);
}

// prettier-ignore
function rows16(
  rows: i32, a: usize, lda: usize, step: usize, steps: i32, jump: usize, runs: i32, b: usize,
  from: usize, ldf: usize, keep: i32, c: usize, ldc: usize, columns: i32, lower: f32,
): void {
  if (rows == 6) tile16(6, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 5) tile16(5, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 4) tile16(4, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 3) tile16(3, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 2) tile16(2, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else tile16(1, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
}

// prettier-ignore
function rows8(
  rows: i32, a: usize, lda: usize, step: usize, steps: i32, jump: usize, runs: i32, b: usize,
  from: usize, ldf: usize, keep: i32, c: usize, ldc: usize, columns: i32, lower: f32,
): void {
  if (rows == 6) tile8(6, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 5) tile8(5, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 4) tile8(4, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 3) tile8(3, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else if (rows == 2) tile8(2, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
  else tile8(1, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
}

/**
 * c (m, ≤ 16 columns) = max(from + Σ a·b, lower). Row i of a starts at a + i·lda and is `runs` runs of
 * `steps` floats that lie `step` bytes apart, with `jump` bytes more between two runs; b is a panel, 64 bytes
 * for each of these floats. `from` is c itself (a sum that goes on), one row for all (a bias, ldf = 0), or
 * anything where keep = 0 makes it zeros.
 */
// prettier-ignore
export function strip(
  m: i32, a: usize, lda: usize, step: usize, steps: i32, jump: usize, runs: i32, b: usize,
  from: usize, ldf: usize, keep: i32, c: usize, ldc: usize, columns: i32, lower: f32,
): void {
  for (let left = m; left > 0; ) {
    const rows = left < 7 ? left : left < 11 ? (left + 1) >> 1 : 6;
    if (WIDE && columns > 8) {
      rows16(rows, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
    } else {
      rows8(rows, a, lda, step, steps, jump, runs, b, from, ldf, keep, c, ldc, columns, lower);
      if (columns > 8) {
        const right = columns - 8;
        rows8(rows, a, lda, step, steps, jump, runs, b + 32, from + 32, ldf, keep, c + 32, ldc, right, lower);
      }
    }
    a += <usize>rows * lda;
    from += <usize>rows * ldf;
    c += <usize>rows * ldc;
    left -= rows;
  }
}

/** target (rows,16) = the first `columns` of 16 columns of `source`, zeros past them. */
export function packColumns(source: usize, stride: usize, rows: i32, columns: i32, target: usize): void {
  const m0 = firstLanes(columns);
  const m1 = firstLanes(columns - 4);
  const m2 = firstLanes(columns - 8);
  const m3 = firstLanes(columns - 12);
  for (let r = 0; r < rows; r++) {
    v128.store(target, v128.and(v128.load(source), m0));
    v128.store(target, v128.and(v128.load(source, 16), m1), 16);
    v128.store(target, v128.and(v128.load(source, 32), m2), 32);
    v128.store(target, v128.and(v128.load(source, 48), m3), 48);
    source += stride;
    target += 64;
  }
}
