import { copyFloats } from './gather';

// Copies between two arrays that see the same elements with different strides: permutations, crops, paddings,
// repetitions, concatenations.

/** y = 0; begin, end in elements. */
export function clear(begin: i32, end: i32, y: usize): void {
  memory.fill(y + ((<usize>begin) << 2), 0, (<usize>(end - begin)) << 2);
}

/** Row `row` of the transpose of the 4×4 matrix with columns a, b, c, d. */
// @ts-ignore: decorator
@inline function transposed(row: i32, a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = row < 2 ? v128.shuffle<i32>(a, b, 0, 4, 1, 5) : v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd = row < 2 ? v128.shuffle<i32>(c, d, 0, 4, 1, 5) : v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  return row & 1 ? v128.shuffle<i64>(ab, cd, 1, 3) : v128.shuffle<i64>(ab, cd, 0, 2);
}

/** y[i·yStride + j] = x[i + j·xStride], i < rows, j < columns; strides in bytes. Tiles of 4 rows × 8 columns. */
function transpose(x: usize, y: usize, rows: i32, columns: i32, xStride: usize, yStride: usize): void {
  for (let i = 0; i < rows; i += 4, x += 16, y += yStride << 2) {
    const left = rows - i;
    let p = x;
    let j = 0;
    for (; j + 8 <= columns; j += 8, p += xStride << 3) {
      const far = p + (xStride << 2);
      const a = v128.load(p);
      const b = v128.load(p + xStride);
      const c = v128.load(p + (xStride << 1));
      const d = v128.load(p + 3 * xStride);
      const e = v128.load(far);
      const f = v128.load(far + xStride);
      const g = v128.load(far + (xStride << 1));
      const h = v128.load(far + 3 * xStride);
      let q = y + ((<usize>j) << 2);
      v128.store(q, transposed(0, a, b, c, d));
      v128.store(q, transposed(0, e, f, g, h), 16);
      if (left == 1) continue;
      q += yStride;
      v128.store(q, transposed(1, a, b, c, d));
      v128.store(q, transposed(1, e, f, g, h), 16);
      if (left == 2) continue;
      q += yStride;
      v128.store(q, transposed(2, a, b, c, d));
      v128.store(q, transposed(2, e, f, g, h), 16);
      if (left == 3) continue;
      q += yStride;
      v128.store(q, transposed(3, a, b, c, d));
      v128.store(q, transposed(3, e, f, g, h), 16);
    }
    for (; j < columns; j++, p += xStride) {
      let q = y + ((<usize>j) << 2);
      for (let r = 0; r < min(left, 4); r++, q += yStride) store<f32>(q, load<f32>(p + ((<usize>r) << 2)));
    }
  }
}

/** The two inner axes of `move`; strides in bytes. */
function moveMatrix(x: usize, y: usize, n3: i32, n4: i32, x3: usize, x4: usize, y3: usize, y4: usize): void {
  if (x3 == 4 && y4 == 4 && x4 != 4) return transpose(x, y, n3, n4, x4, y3);
  for (let i = 0; i < n3; i++, x += x3, y += y3) {
    if (x4 == 4 && y4 == 4) copyFloats(x, y, n4);
    else {
      for (let j = 0, p = x, q = y; j < n4; j++, p += x4, q += y4) store<f32>(q, load<f32>(p));
    }
  }
}

/**
 * y[yStart + Σ i·yStride] = x[xStart + Σ i·xStride] for all i < (n0, n1, n2, n3, n4) of each sample, which has
 * xSize floats in x and ySize in y; strides (x0 …, y0 …) in floats, 0 to repeat; begin, end in samples. Fast
 * where the last axis is contiguous in both (x4 = y4 = 1), or in y while the last but one is so in x (x3 = y4
 * = 1).
 */
export function move(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  xSize: i32,
  ySize: i32,
  xStart: i32,
  yStart: i32,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n4: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  x4: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
): void {
  for (let s = <usize>begin; s < <usize>end; s++) {
    const from = x + ((s * <usize>xSize + <usize>xStart) << 2);
    const to = y + ((s * <usize>ySize + <usize>yStart) << 2);
    for (let i = 0; i < n0; i++) {
      for (let j = 0; j < n1; j++) {
        for (let k = 0; k < n2; k++) {
          const p = from + ((<usize>(i * x0 + j * x1 + k * x2)) << 2);
          const q = to + ((<usize>(i * y0 + j * y1 + k * y2)) << 2);
          moveMatrix(p, q, n3, n4, (<usize>x3) << 2, (<usize>x4) << 2, (<usize>y3) << 2, (<usize>y4) << 2);
        }
      }
    }
  }
}
