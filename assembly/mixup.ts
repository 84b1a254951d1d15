import { copyFloats } from './gather';
import { logv, expv, splat } from './math';
import { UNIFORM, fill } from './random';
import { storeFirst } from './rows';
import { madd } from './simd';

// mixUp: each sample of a mini-batch is mixed with a partner of it. Source: Zhang et al., "mixup: Beyond Empirical
// Risk Minimization" (2018).

// @ts-ignore: decorator
@inline function log1(x: f32): f32 {
  return f32x4.extract_lane(logv(splat(x)), 0);
}

// @ts-ignore: decorator
@inline function exp1(x: f32): f32 {
  return f32x4.extract_lane(expv(splat(x)), 0);
}

/**
 * A number of Beta(alpha, alpha) from two of (0, 1], or -1 if they are refused. For alpha < 1 x / (x + y) of x =
 * u^(1/alpha), y = v^(1/alpha) unless x + y > 1 (Jöhnk, 1964), in logarithms lest they vanish; else u, with a
 * probability as its density, (4u(1 - u))^(alpha - 1).
 */
function beta(u: f32, v: f32, alpha: f32): f32 {
  if (alpha < 1) {
    const p = log1(u) / alpha;
    const q = log1(v) / alpha;
    return exp1(p) + exp1(q) <= 1 ? 1 / (1 + exp1(q - p)) : -1;
  }
  return log1(v) <= (alpha - 1) * log1(4 * u * (1 - u)) ? u : -1;
}

/**
 * For each row of the mini-batch the number in the source of its partner, an even row of the `rows` (an i32 cell),
 * and its own share in Beta(alpha, alpha). `order` and `position` as in `gather`; scratch: 64 bytes; begin, end in
 * rows.
 */
export function drawMixes(
  begin: i32,
  end: i32,
  partners: usize,
  shares: usize,
  key: usize,
  site: i32,
  order: usize,
  position: usize,
  rows: usize,
  alpha: f32,
  scratch: usize,
): void {
  const count = load<i32>(rows);
  for (let r = begin; r < end; r++) {
    let share: f32 = -1;
    for (let block = 0; share < 0; block += 16) {
      const words = scratch - ((<usize>block) << 2);
      fill(UNIFORM, block, block + 16, words, r, key, site, splat(0), splat(1));
      if (block == 0) {
        const row = load<i32>(position) + <i32>(load<f32>(scratch) * <f32>count);
        store<i32>(partners + ((<usize>r) << 2), order ? load<i32>(order + ((<usize>row) << 2)) : row);
      }
      for (let i: usize = 8; i < 64 && share < 0; i += 8)
        share = beta(1 - load<f32>(scratch + i), 1 - load<f32>(scratch + i, 4), alpha);
    }
    store<f32>(shares + ((<usize>r) << 2), share);
  }
}

/** y (rows,size) = x·share + other·(1 - share); begin, end in rows; y may be x. */
export function mixRows(
  begin: i32,
  end: i32,
  x: usize,
  other: usize,
  shares: usize,
  y: usize,
  size: i32,
): void {
  for (let r = <usize>begin; r < <usize>end; r++) {
    const share = splat(load<f32>(shares + (r << 2)));
    const offset = (r * <usize>size) << 2;
    let p = x + offset;
    let o = other + offset;
    let q = y + offset;
    for (let left = size; left > 0; left -= 8, p += 32, o += 32, q += 32) {
      const a = v128.load(o);
      const b = v128.load(o, 16);
      const u = madd(f32x4.sub(v128.load(p), a), share, a);
      const v = madd(f32x4.sub(v128.load(p, 16), b), share, b);
      storeFirst(q, u, left);
      if (left > 4) storeFirst(q + 16, v, left - 4);
    }
  }
}

/** y (rows,size) = x where its share is at least ½, else other; begin, end in rows. */
export function chooseRows(
  begin: i32,
  end: i32,
  x: usize,
  other: usize,
  shares: usize,
  y: usize,
  size: i32,
): void {
  for (let r = <usize>begin; r < <usize>end; r++) {
    const offset = (r * <usize>size) << 2;
    const own = load<f32>(shares + (r << 2)) >= 0.5;
    copyFloats((own ? x : other) + offset, y + offset, size);
  }
}
