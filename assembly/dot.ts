import { packPanels, packTransposed, product } from './smallProducts';
import { splat } from './math';
import { rowDot, storeFirst } from './rows';
import { packColumns, strip } from './tile';

// Products of the rows of two matrices, sample by sample: a (samples,m,k), b (samples,n,k), y (samples,m,n).

// @ts-ignore: decorator
@inline function sampleOf(x: usize, s: usize, rows: i32, columns: i32): usize {
  return x + ((s * <usize>(rows * columns)) << 2);
}

/** y = a·bᵀ; scratch: 4·n16·k bytes, n16 being n rounded up to 16; begin, end in samples. */
export function rowProducts(
  begin: i32,
  end: i32,
  a: usize,
  b: usize,
  y: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
): void {
  const lda = (<usize>k) << 2;
  for (let s = <usize>begin; s < <usize>end; s++) {
    const p = sampleOf(a, s, m, k);
    const q = sampleOf(b, s, n, k);
    const to = sampleOf(y, s, m, n);
    if (m * n == 1) store<f32>(to, rowDot(p, q, k));
    else {
      packTransposed(q, lda, n, k, 1, scratch);
      product(m, p, lda, k, scratch, to, (<usize>n) << 2, n);
    }
  }
}

/** da = dy·b; scratch: 4·k16·n bytes; begin, end in samples. */
export function rowProductsLeft(
  begin: i32,
  end: i32,
  dy: usize,
  b: usize,
  da: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
): void {
  const lda = (<usize>k) << 2;
  for (let s = <usize>begin; s < <usize>end; s++) {
    packPanels(sampleOf(b, s, n, k), lda, n, k, scratch);
    product(m, sampleOf(dy, s, m, n), (<usize>n) << 2, n, scratch, sampleOf(da, s, m, k), lda, k);
  }
}

/** db = dyᵀ·a; scratch: 64·m bytes; begin, end in samples. */
export function rowProductsRight(
  begin: i32,
  end: i32,
  dy: usize,
  a: usize,
  db: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
): void {
  const lda = (<usize>k) << 2;
  const ldy = (<usize>n) << 2;
  for (let s = <usize>begin; s < <usize>end; s++) {
    const slopes = sampleOf(dy, s, m, n);
    for (let j = 0; j < k; j += 16) {
      const column = (<usize>j) << 2;
      const to = sampleOf(db, s, n, k) + column;
      packColumns(sampleOf(a, s, m, k) + column, lda, m, k - j, scratch);
      strip(n, slopes, 4, ldy, m, 0, 1, scratch, scratch, 0, 0, to, lda, k - j, -Infinity);
    }
  }
}

/** Below this Σ x², TensorFlow.js' epsilon, a row is divided by its root. */
const LEAST: f32 = 1e-7;

/** y (rows,n) = x / norm, norm (rows) = √max(Σ x², 1e-7), negative where it is the least; begin, end in rows. */
export function unitRows(begin: i32, end: i32, x: usize, y: usize, norm: usize, n: i32): void {
  for (let r = <usize>begin; r < <usize>end; r++) {
    const offset = (r * <usize>n) << 2;
    const square = rowDot(x + offset, x + offset, n);
    const length = sqrt<f32>(max(square, LEAST));
    store<f32>(norm + (r << 2), square > LEAST ? length : -length);
    const divisor = splat(length);
    let p = x + offset;
    let q = y + offset;
    for (let left = n; left > 0; left -= 4, p += 16, q += 16)
      storeFirst(q, f32x4.div(v128.load(p), divisor), left);
  }
}

/** dx = (dy - y·Σ y·dy) / norm, or dy / |norm| where the norm is the least; begin, end in rows. */
export function unitRowsGradient(
  begin: i32,
  end: i32,
  y: usize,
  norm: usize,
  dy: usize,
  dx: usize,
  n: i32,
): void {
  for (let r = <usize>begin; r < <usize>end; r++) {
    const offset = (r * <usize>n) << 2;
    const length = load<f32>(norm + (r << 2));
    const along = splat(length > 0 ? rowDot(y + offset, dy + offset, n) : 0);
    const divisor = splat(abs<f32>(length));
    let p = y + offset;
    let d = dy + offset;
    let q = dx + offset;
    for (let left = n; left > 0; left -= 4, p += 16, d += 16, q += 16) {
      const across = f32x4.sub(v128.load(d), f32x4.mul(v128.load(p), along));
      storeFirst(q, f32x4.div(across, divisor), left);
    }
  }
}
