import { splat } from './math';
import { firstLanes, rowMax } from './rows';

// Metrics, one value a row (no gradient): p (rows,n) predictions, t (rows,n) targets, begin, end in rows; and
// what sums the rows of a mini-batch into totals, and what watches that numbers stay finite.

/** Index of the first maximum of x (n), NaNs passed over; n or more if all are NaN. */
export function argmax(x: usize, n: i32): i32 {
  const top = splat(rowMax(x, n));
  let j = 0;
  for (; j < n; j += 4, x += 16) {
    const found = i32x4.bitmask(f32x4.eq(v128.load(x), top));
    if (found) return j + ctz(found);
  }
  return n;
}

/** value (rows) = mean over n of [(p > threshold) = t]. */
export function binaryAccuracy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  value: usize,
  n: i32,
  threshold: f32,
): void {
  const limit = splat(threshold);
  const one = splat(1);
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    let hits = 0;
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const above = v128.and(f32x4.gt(v128.load(p + i), limit), one);
      hits += popcnt(i32x4.bitmask(v128.and(f32x4.eq(above, v128.load(t + i)), firstLanes(n - j))));
    }
    store<f32>(value + ((<usize>row) << 2), <f32>hits / <f32>n);
  }
}

/** value (rows) = 1 where p and t have their first maximum in the same place, else 0. */
export function categoricalAccuracy(begin: i32, end: i32, p: usize, t: usize, value: usize, n: i32): void {
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const index = argmax(p + at, n);
    store<f32>(value + ((<usize>row) << 2), <f32>(i32(index < n) & i32(index == argmax(t + at, n))));
  }
}

/** value (rows) = 1 where the first maximum of p is at t (rows), a class index as a float, else 0. */
export function sparseCategoricalAccuracy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  value: usize,
  n: i32,
): void {
  for (let row = begin; row < end; row++) {
    const index = argmax(p + ((<usize>row * <usize>n) << 2), n);
    const hit = i32(index < n) & i32(<f32>index == load<f32>(t + ((<usize>row) << 2)));
    store<f32>(value + ((<usize>row) << 2), <f32>hit);
  }
}

/**
 * value (rows,4) = true positives, predicted positives (p > threshold), actual positives (t > 0.5) and all
 * elements of the row.
 */
export function binaryCounts(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  value: usize,
  n: i32,
  threshold: f32,
): void {
  const limit = splat(threshold);
  const half = splat(0.5);
  for (let row = begin; row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    let hits = 0;
    let predicted = 0;
    let actual = 0;
    for (let j = 0; j < n; j += 4) {
      const i = at + ((<usize>j) << 2);
      const lanes = i32x4.bitmask(firstLanes(n - j));
      const above = lanes & i32x4.bitmask(f32x4.gt(v128.load(p + i), limit));
      const positive = lanes & i32x4.bitmask(f32x4.gt(v128.load(t + i), half));
      hits += popcnt(above & positive);
      predicted += popcnt(above);
      actual += popcnt(positive);
    }
    const out = value + ((<usize>row) << 4);
    store<f32>(out, <f32>hits);
    store<f32>(out, <f32>predicted, 4);
    store<f32>(out, <f32>actual, 8);
    store<f32>(out, <f32>n, 12);
  }
}

/**
 * totals (width), f64, += Σ values (rows·inner,width) · weight[row / inner]; rows is the address of the
 * number of samples, a weight address of 0 stands for ones. begin, end are not used: one worker sums all
 * rows, in order.
 */
export function accumulate(
  begin: i32,
  end: i32,
  values: usize,
  weight: usize,
  totals: usize,
  rows: usize,
  width: i32,
  inner: i32,
): void {
  const count = load<i32>(rows) * inner;
  if (width == 1 && weight == 0) {
    store<f64>(totals, load<f64>(totals) + plainSum(values, count));
    return;
  }
  for (let row = 0; row < count; row++) {
    const w: f64 = weight ? <f64>load<f32>(weight + ((<usize>(row / inner)) << 2)) : 1;
    for (let j = 0; j < width; j++, values += 4) {
      const at = totals + ((<usize>j) << 3);
      store<f64>(at, load<f64>(at) + w * <f64>load<f32>(values));
    }
  }
}

/** Σ values (count) in f64: four sums, of the rows with the same remainder by 4. */
function plainSum(values: usize, count: i32): f64 {
  let u = f64x2.splat(0);
  let v = u;
  for (let row = 0; row < count; row += 4, values += 16) {
    const four = v128.and(v128.load(values), firstLanes(count - row));
    u = f64x2.add(u, f64x2.promote_low_f32x4(four));
    v = f64x2.add(v, f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3)));
  }
  const sum = f64x2.add(u, v);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/**
 * fault[0] (i32) = id if an element of x is not finite and fault[0] is 0 or larger than id; begin, end in
 * elements.
 */
export function checkFinite(begin: i32, end: i32, x: usize, fault: usize, id: i32): void {
  const stop = x + ((<usize>end) << 2);
  let at = x + ((<usize>begin) << 2);
  let u = i32x4.splat(0); // x - x is +0 for finite x, else NaN: some bit is set
  let v = u;
  for (; at + 32 <= stop; at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    u = v128.or(u, f32x4.sub(a, a));
    v = v128.or(v, f32x4.sub(b, b));
  }
  for (; at < stop; at += 16) {
    const a = v128.load(at);
    u = v128.or(u, v128.and(f32x4.sub(a, a), firstLanes((<i32>(stop - at)) >> 2)));
  }
  const before = load<i32>(fault);
  if (v128.any_true(v128.or(u, v)) && (before == 0 || before > id)) store<i32>(fault, id);
}
