import { firstLanes, storeFirst } from './rows';

// A table of k rows in panels (n/16, k, 16), of which rows are picked by tokens: integers held as floats.

/** The row that a token names, or -1 where it is no integer from 0 to k - 1. */
// @ts-ignore: decorator
@inline function rowOf(token: usize, k: i32): i32 {
  const value = load<f32>(token);
  if (!(value >= 0 && value < <f32>k)) return -1;
  const row = <i32>value;
  return <f32>row == value ? row : -1;
}

/**
 * y (·,n) = the rows of the table that tokens (·) name. A token that names none makes zeros and fault[0] (i32)
 * = id, if fault[0] is 0 or larger than id; begin, end in tokens.
 */
export function embed(
  begin: i32,
  end: i32,
  tokens: usize,
  table: usize,
  y: usize,
  fault: usize,
  id: i32,
  k: i32,
  n: i32,
): void {
  const stride = (<usize>n) << 2;
  const pitch = (<usize>k) << 6;
  for (let r = begin; r < end; r++) {
    const row = rowOf(tokens + ((<usize>r) << 2), k);
    const to = y + <usize>r * stride;
    if (row < 0) {
      memory.fill(to, 0, stride);
      const before = load<i32>(fault);
      if (before == 0 || before > id) store<i32>(fault, id);
      continue;
    }
    let from = table + ((<usize>row) << 6);
    let c: usize = 0;
    for (; c + 64 <= stride; c += 64, from += pitch) {
      const s = v128.load(from);
      const t = v128.load(from, 16);
      const u = v128.load(from, 32);
      const v = v128.load(from, 48);
      v128.store(to + c, s);
      v128.store(to + c, t, 16);
      v128.store(to + c, u, 32);
      v128.store(to + c, v, 48);
    }
    for (; c < stride; c += 16, from += 16) {
      storeFirst(to + c, v128.load(from), <i32>((stride - c) >> 2));
    }
  }
}

/** target (16) += the first `columns` of 16 columns of source. */
// @ts-ignore: decorator
@inline function addColumns(target: usize, source: usize, columns: i32): void {
  const s = v128.and(v128.load(source), firstLanes(columns));
  const t = v128.and(v128.load(source, 16), firstLanes(columns - 4));
  const u = v128.and(v128.load(source, 32), firstLanes(columns - 8));
  const v = v128.and(v128.load(source, 48), firstLanes(columns - 12));
  const a = f32x4.add(v128.load(target), s);
  const b = f32x4.add(v128.load(target, 16), t);
  const c = f32x4.add(v128.load(target, 32), u);
  const d = f32x4.add(v128.load(target, 48), v);
  v128.store(target, a);
  v128.store(target, b, 16);
  v128.store(target, c, 32);
  v128.store(target, d, 48);
}

/**
 * dtable = 0, then each row of dy (·,n) added to the row that its token names, for the tokens of samples
 * span[0] … span[1] - 1, in order, perSample tokens a sample; begin, end in slices of dtable. The tokens are
 * read once, whatever the number of panels.
 */
export function embedGradient(
  begin: i32,
  end: i32,
  tokens: usize,
  dy: usize,
  dtable: usize,
  span: usize,
  perSample: i32,
  k: i32,
  n: i32,
): void {
  memory.fill(dtable + ((<usize>begin) << 6), 0, (<usize>(end - begin)) << 6);
  if (begin >= end) return;
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  const firstPanel = begin / k;
  const lastPanel = (end - 1) / k;
  const firstRow = begin - firstPanel * k;
  const lastRow = end - 1 - lastPanel * k;
  for (let r = first; r < last; r++) {
    const row = rowOf(tokens + ((<usize>r) << 2), k);
    if (row < 0) continue;
    const stop = row <= lastRow ? lastPanel : lastPanel - 1;
    for (let panel = row >= firstRow ? firstPanel : firstPanel + 1; panel <= stop; panel++) {
      const j = panel << 4;
      addColumns(dtable + ((<usize>(panel * k + row)) << 6), dy + ((<usize>(r * n + j)) << 2), n - j);
    }
  }
}
