import { madd } from './simd';

/** Rows whose dy panel is packed at once: 16 KiB, so that it stays in the first-level cache. */
const CHUNK: i32 = 256;

/**
 * dw = Σ x[r,·]ᵀ·dy[r,·] over the rows of samples span[0] … span[1] − 1, in row order; begin, end in slices of dw, panels
 * (n/16, k, 16), whose padding becomes 0. x (·,k), dy (·,n), perSample rows a sample; scratch holds 256·64 bytes.
 */
export function productGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dw: usize,
  span: usize,
  perSample: i32,
  k: i32,
  n: i32,
  scratch: usize,
): void {
  memory.fill(dw + ((<usize>begin) << 6), 0, (<usize>(end - begin)) << 6);
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  for (let u = begin; u < end;) {
    const panel = u / k;
    const stop = min(end, (panel + 1) * k);
    for (let r = first; r < last; r += CHUNK) {
      const rows = min(CHUNK, last - r);
      packPanel(
        dy + <usize>r * ((<usize>n) << 2) + ((<usize>panel) << 6),
        (<usize>n) << 2,
        rows,
        n - (panel << 4),
        scratch,
      );
      const start = x + <usize>r * ((<usize>k) << 2);
      for (let v = u; v < stop; v += 4) {
        tile(
          rows,
          start + ((<usize>(v - panel * k)) << 2),
          (<usize>k) << 2,
          scratch,
          dw + ((<usize>v) << 6),
          min(4, stop - v),
        );
      }
    }
    u = stop;
  }
}

/** 16 columns of `rows` rows, side by side; columns past `columns` are zero. */
function packPanel(source: usize, stride: usize, rows: i32, columns: i32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    if (columns >= 16) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 16);
      v128.store(target, v128.load(source, 32), 32);
      v128.store(target, v128.load(source, 48), 48);
    } else {
      for (let j = 0; j < 16; j++) {
        store<f32>(target + ((<usize>j) << 2), j < columns ? load<f32>(source + ((<usize>j) << 2)) : 0);
      }
    }
    source += stride;
    target += 64;
  }
}

/** At most 4 adjacent rows of dw (16 floats each) gain the products of `rows` rows; a missing row repeats the first. */
function tile(rows: i32, x0: usize, stride: usize, dy: usize, c: usize, count: i32): void {
  const x1 = count > 1 ? <usize>4 : 0,
    x2 = count > 2 ? <usize>8 : 0,
    x3 = count > 3 ? <usize>12 : 0;
  let w0 = v128.load(c),
    w1 = v128.load(c, 16),
    w2 = v128.load(c, 32),
    w3 = v128.load(c, 48);
  const d = c + (x1 << 4),
    e = c + (x2 << 4),
    f = c + (x3 << 4);
  let p0 = v128.load(d),
    p1 = v128.load(d, 16),
    p2 = v128.load(d, 32),
    p3 = v128.load(d, 48);
  let q0 = v128.load(e),
    q1 = v128.load(e, 16),
    q2 = v128.load(e, 32),
    q3 = v128.load(e, 48);
  let r0 = v128.load(f),
    r1 = v128.load(f, 16),
    r2 = v128.load(f, 32),
    r3 = v128.load(f, 48);
  const stop = dy + ((<usize>rows) << 6);
  while (dy < stop) {
    const b0 = v128.load(dy),
      b1 = v128.load(dy, 16),
      b2 = v128.load(dy, 32),
      b3 = v128.load(dy, 48);
    let s = v128.load32_splat(x0);
    w0 = madd(s, b0, w0);
    w1 = madd(s, b1, w1);
    w2 = madd(s, b2, w2);
    w3 = madd(s, b3, w3);
    s = v128.load32_splat(x0 + x1);
    p0 = madd(s, b0, p0);
    p1 = madd(s, b1, p1);
    p2 = madd(s, b2, p2);
    p3 = madd(s, b3, p3);
    s = v128.load32_splat(x0 + x2);
    q0 = madd(s, b0, q0);
    q1 = madd(s, b1, q1);
    q2 = madd(s, b2, q2);
    q3 = madd(s, b3, q3);
    s = v128.load32_splat(x0 + x3);
    r0 = madd(s, b0, r0);
    r1 = madd(s, b1, r1);
    r2 = madd(s, b2, r2);
    r3 = madd(s, b3, r3);
    x0 += stride;
    dy += 64;
  }
  storeUnit(f, r0, r1, r2, r3);
  storeUnit(e, q0, q1, q2, q3);
  storeUnit(d, p0, p1, p2, p3);
  storeUnit(c, w0, w1, w2, w3);
}

// @ts-ignore: decorator
@inline function storeUnit(c: usize, u: v128, v: v128, w: v128, x: v128): void {
  v128.store(c, u);
  v128.store(c, v, 16);
  v128.store(c, w, 32);
  v128.store(c, x, 48);
}

/** y (n, padded with zeros to 16) = Σ rows of samples span[0] … span[1] − 1 of x (·,n), in order; begin, end in 16 columns. */
export function sumRows(begin: i32, end: i32, x: usize, y: usize, span: usize, perSample: i32, n: i32): void {
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  for (let u = begin; u < end; u++) {
    for (let j = u << 4; j < (u << 4) + 16; j++) {
      let sum: f32 = 0;
      if (j < n) for (let r = first; r < last; r++) sum += load<f32>(x + ((<usize>(r * n + j)) << 2));
      store<f32>(y + ((<usize>j) << 2), sum);
    }
  }
}
