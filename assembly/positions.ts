import { firstLanes, storeFirst } from './rows';

/** y (·,t,n) = x + p for each sample; begin, end in samples. p (t,n) in panels. */
export function addPositions(begin: i32, end: i32, x: usize, p: usize, y: usize, t: i32, n: i32): void {
  const row = (<usize>n) << 2;
  let at = <usize>(begin * t) * row;
  for (let i = begin; i < end; i++) {
    for (let r = 0; r < t; r++, at += row) {
      for (let j = 0; j < n; j += 16) {
        const from = p + ((<usize>((j >> 4) * t + r)) << 6);
        const to = at + ((<usize>j) << 2);
        addColumns(x + to, from, y + to, n - j);
      }
    }
  }
}

/** y = x + p, the first `columns` of 16. */
// @ts-ignore: decorator
@inline function addColumns(x: usize, p: usize, y: usize, columns: i32): void {
  const a = f32x4.add(v128.load(x), v128.load(p));
  const b = f32x4.add(v128.load(x, 16), v128.load(p, 16));
  const c = f32x4.add(v128.load(x, 32), v128.load(p, 32));
  const d = f32x4.add(v128.load(x, 48), v128.load(p, 48));
  if (columns >= 16) {
    v128.store(y, a);
    v128.store(y, b, 16);
    v128.store(y, c, 32);
    v128.store(y, d, 48);
  } else {
    storeFirst(y, a, columns);
    if (columns > 4) storeFirst(y + 16, b, columns - 4);
    if (columns > 8) storeFirst(y + 32, c, columns - 8);
    if (columns > 12) storeFirst(y + 48, d, columns - 12);
  }
}

/**
 * dp (t,n) = Σ dy (·,t,n) over samples span[0] … span[1] − 1, in order; begin, end in slices of dp, panels
 * whose padding becomes 0.
 */
export function sumPositions(begin: i32, end: i32, dy: usize, dp: usize, span: usize, t: i32, n: i32): void {
  const first = load<i32>(span);
  const last = load<i32>(span, 4);
  const sample = (<usize>(t * n)) << 2;
  for (let u = begin; u < end; u++) {
    const panel = u / t;
    const columns = n - (panel << 4);
    let from = dy + <usize>first * sample + ((<usize>((u - panel * t) * n)) << 2) + ((<usize>panel) << 6);
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (let s = first; s < last; s++, from += sample) {
      a = f32x4.add(a, v128.load(from));
      b = f32x4.add(b, v128.load(from, 16));
      c = f32x4.add(c, v128.load(from, 32));
      d = f32x4.add(d, v128.load(from, 48));
    }
    const to = dp + ((<usize>u) << 6);
    v128.store(to, v128.and(a, firstLanes(columns)));
    v128.store(to, v128.and(b, firstLanes(columns - 4)), 16);
    v128.store(to, v128.and(c, firstLanes(columns - 8)), 32);
    v128.store(to, v128.and(d, firstLanes(columns - 12)), 48);
  }
}

/** sin(x), |x| ≤ π/2 + 1e-9: its series in f64, 1e-16. */
function sine(x: f64): f64 {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let k = 3; k < 25; k += 2) {
    term *= -square / <f64>((k - 1) * k);
    sum += term;
  }
  return sum;
}

const PI: f64 = 3.141592653589793;

/** sin(x + quarter·π/2) for the x of positions: 1e-11 at the millionth. */
function waveAt(x: f64, quarter: i32): f64 {
  const turns = nearest(x / PI);
  const rest = x - turns * PI;
  const sign: f64 = (<i64>turns) & 1 ? -1 : 1;
  // cos(r) = sin(π/2 − |r|) for |r| ≤ π/2.
  return sign * sine(quarter ? PI / 2 - abs(rest) : rest);
}

/**
 * p (t,n) in panels: sin(i·ratio^(j/2)) in even columns j of row i, cos(i·ratio^((j - 1)/2)) in odd ones;
 * begin, end in slices of p, whose padding becomes 0.
 */
export function sinePositions(begin: i32, end: i32, p: usize, t: i32, n: i32, ratio: f64): void {
  for (let u = begin; u < end; u++) {
    const panel = u / t;
    const position = <f64>(u - panel * t);
    const first = panel << 4;
    let frequency: f64 = 1;
    for (let j = 0; j < first; j += 2) frequency *= ratio;
    for (let j = 0; j < 16; j++) {
      const value = first + j < n ? waveAt(position * frequency, j & 1) : 0;
      store<f32>(p + ((<usize>u) << 6) + ((<usize>j) << 2), <f32>value);
      if (j & 1) frequency *= ratio;
    }
  }
}
