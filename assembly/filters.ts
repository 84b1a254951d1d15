import { madd } from './simd';
import { store16 } from './tile';

// Sixteen channels of a depthwise convolution: each lane has a filter of its own.

/**
 * y (rows,16) = max(from + Σ x·w, lower): the taps of row i lie at x + i·ldx in `runs` runs of `steps`, `step`
 * bytes apart, `jump` bytes more between two runs; so do their weights at w, with wStep and wJump. Six
 * accumulators of 256 bits (twelve of 128, the most that stay in registers) and eight loads a tap.
 */
// prettier-ignore
// @ts-ignore: decorator
@inline function filterTile(
  rows: i32, x: usize, ldx: usize, steps: i32, step: usize, runs: i32, jump: usize,
  w: usize, wStep: usize, wJump: usize, from: usize, keep: i32, y: usize, ldy: usize, columns: i32, lower: f32,
): void {
  const mask = i32x4.splat(keep), low = f32x4.splat(lower);
  let a0 = v128.and(v128.load(from), mask), a1 = v128.and(v128.load(from, 16), mask);
  let a2 = v128.and(v128.load(from, 32), mask), a3 = v128.and(v128.load(from, 48), mask);
  let b0 = v128.and(v128.load(from), mask), b1 = v128.and(v128.load(from, 16), mask);
  let b2 = v128.and(v128.load(from, 32), mask), b3 = v128.and(v128.load(from, 48), mask);
  let c0 = v128.and(v128.load(from), mask), c1 = v128.and(v128.load(from, 16), mask);
  let c2 = v128.and(v128.load(from, 32), mask), c3 = v128.and(v128.load(from, 48), mask);
  let x1 = x + ldx, x2 = x1 + ldx;
  do {
    let left = steps;
    do {
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      a0 = madd(v128.load(x), w0, a0); a1 = madd(v128.load(x, 16), w1, a1);
      a2 = madd(v128.load(x, 32), w2, a2); a3 = madd(v128.load(x, 48), w3, a3);
      x += step;
      if (rows > 1) {
        b0 = madd(v128.load(x1), w0, b0); b1 = madd(v128.load(x1, 16), w1, b1);
        b2 = madd(v128.load(x1, 32), w2, b2); b3 = madd(v128.load(x1, 48), w3, b3);
        x1 += step;
      }
      if (rows > 2) {
        c0 = madd(v128.load(x2), w0, c0); c1 = madd(v128.load(x2, 16), w1, c1);
        c2 = madd(v128.load(x2, 32), w2, c2); c3 = madd(v128.load(x2, 48), w3, c3);
        x2 += step;
      }
      w += wStep;
    } while (--left);
    x += jump; x1 += jump; x2 += jump; w += wJump;
  } while (--runs);
  store16(y, a0, a1, a2, a3, low, columns);
  if (rows > 1) store16(y + ldy, b0, b1, b2, b3, low, columns);
  if (rows > 2) store16(y + 2 * ldy, c0, c1, c2, c3, low, columns);
}

/** As filterTile for any number of rows; without taps y = max(from, lower). */
// prettier-ignore
export function filterRows(
  rows: i32, x: usize, ldx: usize, steps: i32, step: usize, runs: i32, jump: usize,
  w: usize, wStep: usize, wJump: usize, from: usize, keep: i32, y: usize, ldy: usize, columns: i32, lower: f32,
): void {
  if (steps <= 0 || runs <= 0) return fillRows(rows, from, keep, y, ldy, columns, lower);
  for (; rows >= 3; rows -= 3, x += 3 * ldx, y += 3 * ldy) {
    filterTile(3, x, ldx, steps, step, runs, jump, w, wStep, wJump, from, keep, y, ldy, columns, lower);
  }
  if (rows == 2) {
    filterTile(2, x, ldx, steps, step, runs, jump, w, wStep, wJump, from, keep, y, ldy, columns, lower);
  } else if (rows == 1) {
    filterTile(1, x, ldx, steps, step, runs, jump, w, wStep, wJump, from, keep, y, ldy, columns, lower);
  }
}

// prettier-ignore
function fillRows(
  rows: i32, from: usize, keep: i32, y: usize, ldy: usize, columns: i32, lower: f32,
): void {
  const mask = i32x4.splat(keep), low = f32x4.splat(lower);
  const a = v128.and(v128.load(from), mask), b = v128.and(v128.load(from, 16), mask);
  const c = v128.and(v128.load(from, 32), mask), d = v128.and(v128.load(from, 48), mask);
  for (; rows > 0; rows--, y += ldy) store16(y, a, b, c, d, low, columns);
}

/**
 * dw (taps,16) += Σ x·dy over `lines` lines of `pixels`: x moves by xStep and xJump as dy by yStep and yJump
 * (see filterTile), the taps' inputs lie `apart` bytes apart, their sums wStep; taps ≤ 3.
 */
// prettier-ignore
// @ts-ignore: decorator
@inline function sumTile(
  taps: i32, x: usize, apart: usize, xStep: usize, xJump: usize, dy: usize, yStep: usize, yJump: usize,
  pixels: i32, lines: i32, dw: usize,
): void {
  let a0 = v128.load(dw), a1 = v128.load(dw, 16), a2 = v128.load(dw, 32), a3 = v128.load(dw, 48);
  const e = taps > 1 ? dw + 64 : dw, f = taps > 2 ? dw + 128 : dw;
  let b0 = v128.load(e), b1 = v128.load(e, 16), b2 = v128.load(e, 32), b3 = v128.load(e, 48);
  let c0 = v128.load(f), c1 = v128.load(f, 16), c2 = v128.load(f, 32), c3 = v128.load(f, 48);
  let x1 = x + apart, x2 = x1 + apart;
  do {
    let left = pixels;
    do {
      const g0 = v128.load(dy), g1 = v128.load(dy, 16), g2 = v128.load(dy, 32), g3 = v128.load(dy, 48);
      a0 = madd(v128.load(x), g0, a0); a1 = madd(v128.load(x, 16), g1, a1);
      a2 = madd(v128.load(x, 32), g2, a2); a3 = madd(v128.load(x, 48), g3, a3);
      x += xStep;
      if (taps > 1) {
        b0 = madd(v128.load(x1), g0, b0); b1 = madd(v128.load(x1, 16), g1, b1);
        b2 = madd(v128.load(x1, 32), g2, b2); b3 = madd(v128.load(x1, 48), g3, b3);
        x1 += xStep;
      }
      if (taps > 2) {
        c0 = madd(v128.load(x2), g0, c0); c1 = madd(v128.load(x2, 16), g1, c1);
        c2 = madd(v128.load(x2, 32), g2, c2); c3 = madd(v128.load(x2, 48), g3, c3);
        x2 += xStep;
      }
      dy += yStep;
    } while (--left);
    x += xJump; x1 += xJump; x2 += xJump; dy += yJump;
  } while (--lines);
  v128.store(dw, a0); v128.store(dw, a1, 16); v128.store(dw, a2, 32); v128.store(dw, a3, 48);
  if (taps > 1) { v128.store(e, b0); v128.store(e, b1, 16); v128.store(e, b2, 32); v128.store(e, b3, 48); }
  if (taps > 2) { v128.store(f, c0); v128.store(f, c1, 16); v128.store(f, c2, 32); v128.store(f, c3, 48); }
}

/** As sumTile for 1 to 3 taps; nothing to add where there are no pixels. */
// prettier-ignore
export function sumTaps(
  taps: i32, x: usize, apart: usize, xStep: usize, xJump: usize, dy: usize, yStep: usize, yJump: usize,
  pixels: i32, lines: i32, dw: usize,
): void {
  if (pixels <= 0 || lines <= 0) return;
  if (taps == 3) sumTile(3, x, apart, xStep, xJump, dy, yStep, yJump, pixels, lines, dw);
  else if (taps == 2) sumTile(2, x, apart, xStep, xJump, dy, yStep, yJump, pixels, lines, dw);
  else sumTile(1, x, apart, xStep, xJump, dy, yStep, yJump, pixels, lines, dw);
}
