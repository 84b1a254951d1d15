import { argmax } from './metrics';
import { splat } from './math';
import { firstLanes } from './rows';

// Metrics of ranks, scores and moments: p (rows,n) predictions, t (rows,n) targets. Those that end in totals
// are run by one worker, in the order of the rows; rows is the address of the number of samples, inner the
// rows a sample has; begin, end are not used there. A mask has one number for each of the `masked` rows (or
// elements) that follow each other, 0 where they do not count; its address is 0 where all do.

// @ts-ignore: decorator
@inline function counts(mask: usize, i: i32, masked: i32): bool {
  return mask == 0 || load<f32>(mask + ((<usize>(i / masked)) << 2)) != 0;
}

/** y (rows,n) = 1 at the first maximum of the row of x, else 0; begin, end in rows. */
export function markMaximum(begin: i32, end: i32, x: usize, y: usize, n: i32): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    memory.fill(y + at, 0, (<usize>n) << 2);
    const index = argmax(x + at, n);
    if (index < n) store<f32>(y + at + ((<usize>index) << 2), 1);
  }
}

/**
 * y (rows,n) = x where it is among the k largest of its row, the first of equal ones before the others, else
 * -Infinity; begin, end in rows.
 */
export function keepLargest(begin: i32, end: i32, x: usize, y: usize, n: i32, k: i32): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    for (let j = 0; j < n; j++) {
      const own = load<f32>(x + at + ((<usize>j) << 2));
      let before = 0;
      for (let i = 0; i < n && before < k; i++) {
        const other = load<f32>(x + at + ((<usize>i) << 2));
        before += i32(other > own || (other == own && i < j));
      }
      store<f32>(y + at + ((<usize>j) << 2), before < k ? own : -Infinity);
    }
  }
}

/** 1 where p[index] is finite and fewer than k elements of p (n) are larger, else 0. */
function isAmongLargest(p: usize, n: i32, index: i32, k: i32): f32 {
  if (<u32>index >= <u32>n) return 0;
  const chosen = load<f32>(p + ((<usize>index) << 2));
  if (!(abs<f32>(chosen) < Infinity)) return 0;
  const limit = splat(chosen);
  let larger = 0;
  for (let j = 0; j < n; j += 4, p += 16) {
    larger += popcnt(i32x4.bitmask(v128.and(f32x4.gt(v128.load(p), limit), firstLanes(n - j))));
  }
  return <f32>i32(larger < k);
}

/** value (rows) = 1 where the first maximum of t is among the k largest of p, ties included, else 0. */
export function topKCategoricalAccuracy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  value: usize,
  n: i32,
  k: i32,
): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    store<f32>(value + ((<usize>row) << 2), isAmongLargest(p + at, n, argmax(t + at, n), k));
  }
}

/** As topKCategoricalAccuracy, t (rows) a class index as a float. */
export function sparseTopKCategoricalAccuracy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  value: usize,
  n: i32,
  k: i32,
): void {
  for (let row = begin; row < end; row++) {
    const index = <i32>load<f32>(t + ((<usize>row) << 2));
    store<f32>(value + ((<usize>row) << 2), isAmongLargest(p + ((<usize>row * <usize>n) << 2), n, index, k));
  }
}

/**
 * totals (columns,2,buckets), f64: counts of p in ((b)/(buckets - 1), (b + 1)/(buckets - 1)], below 0 in the first
 * and above 1 in the last but one; the first row counts elements whose t > 0.5, the second the others. Element i
 * belongs to column i % columns.
 */
export function countScores(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  totals: usize,
  rows: usize,
  size: i32,
  columns: i32,
  buckets: i32,
  mask: usize,
  masked: i32,
): void {
  const count = load<i32>(rows) * size;
  const last = <f64>(buckets - 2);
  for (let i = 0; i < count; i++, p += 4, t += 4) {
    if (!counts(mask, i, masked)) continue;
    const x = ceil<f64>(<f64>load<f32>(p) * <f64>(buckets - 1)) - 1;
    const bucket = x > 0 ? <i32>min<f64>(x, last) : 0;
    const row = 2 * (i % columns) + i32(!(load<f32>(t) > 0.5));
    const at = totals + ((<usize>(row * buckets + bucket)) << 3);
    store<f64>(at, load<f64>(at) + 1);
  }
}

/** totals (n,3), f64, += Σ t, Σ t², Σ (t - p)² of each column of p, t (rows·inner,n). */
export function accumulateMoments(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  totals: usize,
  rows: usize,
  n: i32,
  inner: i32,
  mask: usize,
  masked: i32,
): void {
  const count = load<i32>(rows) * inner;
  for (let row = 0; row < count; row++) {
    if (!counts(mask, row, masked)) continue;
    for (let j = 0; j < n; j++) {
      const i = (<usize>row * <usize>n + <usize>j) << 2;
      const y = <f64>load<f32>(t + i);
      const distance = y - <f64>load<f32>(p + i);
      const at = totals + <usize>j * 24;
      store<f64>(at, load<f64>(at) + y);
      store<f64>(at, load<f64>(at, 8) + y * y, 8);
      store<f64>(at, load<f64>(at, 16) + distance * distance, 16);
    }
  }
}
