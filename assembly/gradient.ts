import { packColumns, strip } from './tile';
import { firstLanes, storeFirst } from './rows';

/**
 * Rows summed in one pass over dw: a panel of dy (16 KiB) and a line of x a row stay in the first-level
 * cache.
 */
const CHUNK: i32 = 256;
/** Panels of dy packed at once. */
const GROUP: i32 = 32;
/** Columns of x copied at once. */
const BLOCK: i32 = 192;
/**
 * Bytes between two rows of the copy: an odd number of cache lines, so that the rows spread over all sets.
 */
const PITCH: usize = 13 * 64;
/** Bytes of scratch of productGradient. */
export const GRADIENT_SCRATCH: usize = <usize>CHUNK * (<usize>GROUP * 64 + PITCH);

/**
 * dw = Σ x[r,·]ᵀ·dy[r,·] over the rows of samples span[0] … span[1] − 1, in row order; begin, end in slices
 * of dw, panels (n/16, k, 16), whose padding becomes 0. x (·,k), dy (·,n), perSample rows a sample. scratch:
 * GRADIENT_SCRATCH bytes.
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
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  if (first >= last) memory.fill(dw + ((<usize>begin) << 6), 0, (<usize>(end - begin)) << 6);
  else {
    for (let u = begin; u < end;) {
      const panel = u / k;
      const row = u - panel * k;
      const whole = row ? 0 : min(GROUP, (end - u) / k);
      const rows = whole ? k : min(k - row, end - u);
      rectangle(panel, max(whole, 1), row, rows, x, dy, dw, first, last, k, n, scratch);
      u += whole ? whole * k : rows;
    }
  }
}

/** Rows row … row + m − 1 of `count` panels of dw. */
function rectangle(
  panel: i32,
  count: i32,
  row: i32,
  m: i32,
  x: usize,
  dy: usize,
  dw: usize,
  first: i32,
  last: i32,
  k: i32,
  n: i32,
  scratch: usize,
): void {
  const ldx = (<usize>k) << 2;
  const ldy = (<usize>n) << 2;
  const copy = scratch + GROUP * CHUNK * 64;
  // Rows that lie a multiple of 1024 bytes apart share a few sets of the first-level cache: copy them once,
  // read them often.
  const far = count > 1 && (k & 255) == 0 && last - first > 16;
  for (let r = first; r < last; r += CHUNK) {
    const rows = min(CHUNK, last - r);
    for (let p = 0; p < count; p++) {
      const j = (panel + p) << 4;
      packColumns(
        dy + <usize>r * ldy + ((<usize>j) << 2),
        ldy,
        rows,
        n - j,
        scratch + <usize>((p * CHUNK) << 6),
      );
    }
    for (let i = row; i < row + m; i += BLOCK) {
      const width = min(BLOCK, row + m - i);
      const source = x + <usize>r * ldx + ((<usize>i) << 2);
      if (far) copyRows(source, ldx, rows, width, copy);
      for (let p = 0; p < count; p++) {
        const target = dw + ((<usize>((panel + p) * k + i)) << 6);
        const columns = n - ((panel + p) << 4) > 8 ? 16 : 8;
        if (r == first && columns == 8) memory.fill(target, 0, (<usize>width) << 6);
        const a = far ? copy : source;
        const step = far ? PITCH : ldx;
        const b = scratch + <usize>((p * CHUNK) << 6);
        strip(
          width,
          a,
          4,
          step,
          rows,
          0,
          1,
          b,
          target,
          64,
          r == first ? 0 : -1,
          target,
          64,
          columns,
          -Infinity,
        );
      }
    }
  }
}

/** The first `width` floats of each row, PITCH bytes apart; up to seven more are copied. */
function copyRows(source: usize, stride: usize, rows: i32, width: i32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < width; j += 8) {
      const at = (<usize>j) << 2;
      v128.store(target + at, v128.load(source + at));
      v128.store(target + at, v128.load(source + at, 16), 16);
    }
    source += stride;
    target += PITCH;
  }
}

/**
 * y (n, zeros up to 16) = Σ rows of samples span[0] … span[1] − 1 of x (·,n), in order; begin, end in 16
 * columns.
 */
export function sumRows(begin: i32, end: i32, x: usize, y: usize, span: usize, perSample: i32, n: i32): void {
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  for (let u = begin; u < end; u++) {
    const columns = n - (u << 4);
    sumColumns(
      x + ((<usize>(first * n)) << 2) + ((<usize>u) << 6),
      last - first,
      n,
      columns,
      16,
      y + ((<usize>u) << 6),
    );
  }
}

/**
 * y (2,n), panels, = the sums of `sumRows` of two arrays x0 and x1 (·,n); begin, end in slices of y.
 */
export function sumRowPairs(
  begin: i32,
  end: i32,
  x0: usize,
  x1: usize,
  y: usize,
  span: usize,
  perSample: i32,
  n: i32,
): void {
  const first = load<i32>(span) * perSample;
  const rows = load<i32>(span, 4) * perSample - first;
  for (let u = begin; u < end; u++) {
    const j = (u >> 1) << 4;
    const from = (u & 1 ? x1 : x0) + ((<usize>(first * n + j)) << 2);
    sumColumns(from, rows, n, n - j, 16, y + ((<usize>u) << 6));
  }
}

/** y (·,n) = Σ of the perSample rows of each sample of x (·,n), in order; begin, end in samples. */
export function sumSample(begin: i32, end: i32, x: usize, y: usize, perSample: i32, n: i32): void {
  for (let i = begin; i < end; i++) {
    for (let j = 0; j < n; j += 16) {
      const from = x + <usize>(i * perSample) * ((<usize>n) << 2) + ((<usize>j) << 2);
      sumColumns(from, perSample, n, n - j, min(16, n - j), y + ((<usize>(i * n + j)) << 2));
    }
  }
}

/** Sums `rows` rows of 16 columns, zeros past the first `columns`, and stores `width` of the sums. */
function sumColumns(x: usize, rows: i32, n: i32, columns: i32, width: i32, y: usize): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let r = 0; r < rows; r++) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
    x += (<usize>n) << 2;
  }
  if (columns >= 16) {
    v128.store(y, a);
    v128.store(y, b, 16);
    v128.store(y, c, 32);
    v128.store(y, d, 48);
  } else {
    storeFirst(y, v128.and(a, firstLanes(columns)), width);
    if (width > 4) storeFirst(y + 16, v128.and(b, firstLanes(columns - 4)), width - 4);
    if (width > 8) storeFirst(y + 32, v128.and(c, firstLanes(columns - 8)), width - 8);
    if (width > 12) storeFirst(y + 48, v128.and(d, firstLanes(columns - 12)), width - 12);
  }
}
