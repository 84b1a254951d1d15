import { splat } from './math';
import { storeTile } from './moments';
import { firstLanes, rowSum, storeFirst, sumLanes } from './rows';
import { madd } from './simd';

// Layer normalisation over the last axis: x, y, dy, dx are (rows,n); mean and inverse, 1 / √(variance +
// epsilon), have one float a row; gamma and beta are (n), padded to slices of 16. Sums over a row have an
// order that depends on n only.

/** Σ (x - mean)² (n). */
function rowSquares(x: usize, mean: v128, n: i32): f32 {
  let u = splat(0);
  let v = u;
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32) {
    const d = f32x4.sub(v128.load(x), mean);
    const e = f32x4.sub(v128.load(x, 16), mean);
    u = madd(d, d, u);
    v = madd(e, e, v);
  }
  for (; j < n; j += 4, x += 16) {
    const d = v128.and(f32x4.sub(v128.load(x), mean), firstLanes(n - j));
    u = madd(d, d, u);
  }
  return sumLanes(f32x4.add(u, v));
}

/** Four floats of a vector, or `otherwise` where there is none; no branches, which V8 would not pack. */
// @ts-ignore: decorator
@inline function orElse(address: usize, given: v128, otherwise: v128): v128 {
  return v128.bitselect(v128.load(address), otherwise, given);
}

// @ts-ignore: decorator
@inline function isGiven(address: usize): v128 {
  return i32x4.splat(-(<i32>(address != 0)));
}

/** y = gamma·(x - mean)·inverse + beta; gamma, beta 0 for ones, zeros; begin, end in rows. */
export function layerNorm(
  begin: i32,
  end: i32,
  x: usize,
  y: usize,
  mean: usize,
  inverse: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
  n: i32,
): void {
  const stride = (<usize>n) << 2;
  const scaled = isGiven(gamma);
  const shifted = isGiven(beta);
  for (let r = begin; r < end; r++) {
    const from = x + <usize>r * stride;
    const to = y + <usize>r * stride;
    const a = gamma ? gamma : from;
    const b = beta ? beta : from;
    const average = rowSum(from, n) / <f32>n;
    const m = splat(average);
    const factor: f32 = 1 / sqrt<f32>(rowSquares(from, m, n) / <f32>n + epsilon);
    const f = splat(factor);
    store<f32>(mean + ((<usize>r) << 2), average);
    store<f32>(inverse + ((<usize>r) << 2), factor);
    let c: usize = 0;
    for (; c + 32 <= stride; c += 32) {
      const s = f32x4.mul(f32x4.sub(v128.load(from + c), m), f);
      const t = f32x4.mul(f32x4.sub(v128.load(from + c, 16), m), f);
      const u = madd(s, orElse(a + c, scaled, splat(1)), orElse(b + c, shifted, splat(0)));
      const v = madd(t, orElse(a + c + 16, scaled, splat(1)), orElse(b + c + 16, shifted, splat(0)));
      v128.store(to + c, u);
      v128.store(to + c, v, 16);
    }
    for (; c < stride; c += 16) {
      const s = f32x4.mul(f32x4.sub(v128.load(from + c), m), f);
      const u = madd(s, orElse(a + c, scaled, splat(1)), orElse(b + c, shifted, splat(0)));
      storeFirst(to + c, u, <i32>((stride - c) >> 2));
    }
  }
}

/**
 * dx = inverse·(g - Σ g / n - x̂·Σ g·x̂ / n), g = gamma·dy, x̂ = (x - mean)·inverse, sums over the row; gamma 0
 * for ones; begin, end in rows.
 */
export function layerNormGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dx: usize,
  mean: usize,
  inverse: usize,
  gamma: usize,
  n: i32,
): void {
  const stride = (<usize>n) << 2;
  const scaled = isGiven(gamma);
  const one = splat(1);
  for (let r = begin; r < end; r++) {
    const from = x + <usize>r * stride;
    const dFrom = dy + <usize>r * stride;
    const to = dx + <usize>r * stride;
    const a = gamma ? gamma : from;
    const m = v128.load32_splat(mean + ((<usize>r) << 2));
    const f = v128.load32_splat(inverse + ((<usize>r) << 2));
    let s0 = splat(0);
    let s1 = s0;
    let t0 = s0;
    let t1 = s0;
    let c: usize = 0;
    for (; c + 32 <= stride; c += 32) {
      const g = f32x4.mul(v128.load(dFrom + c), orElse(a + c, scaled, one));
      const h = f32x4.mul(v128.load(dFrom + c, 16), orElse(a + c + 16, scaled, one));
      s0 = f32x4.add(s0, g);
      s1 = f32x4.add(s1, h);
      t0 = madd(f32x4.sub(v128.load(from + c), m), g, t0);
      t1 = madd(f32x4.sub(v128.load(from + c, 16), m), h, t1);
    }
    for (; c < stride; c += 16) {
      const lanes = firstLanes(<i32>((stride - c) >> 2));
      const g = v128.and(f32x4.mul(v128.load(dFrom + c), orElse(a + c, scaled, one)), lanes);
      s0 = f32x4.add(s0, g);
      t0 = madd(v128.and(f32x4.sub(v128.load(from + c), m), lanes), g, t0);
    }
    const meanOfG = splat(sumLanes(f32x4.add(s0, s1)) / <f32>n);
    const dot = splat(sumLanes(f32x4.add(t0, t1)) / <f32>n);
    const slope = f32x4.neg(f32x4.mul(f32x4.mul(dot, f), f));
    c = 0;
    for (; c + 32 <= stride; c += 32) {
      const g = f32x4.mul(v128.load(dFrom + c), orElse(a + c, scaled, one));
      const h = f32x4.mul(v128.load(dFrom + c, 16), orElse(a + c + 16, scaled, one));
      const u = madd(f32x4.sub(v128.load(from + c), m), slope, f32x4.sub(g, meanOfG));
      const v = madd(f32x4.sub(v128.load(from + c, 16), m), slope, f32x4.sub(h, meanOfG));
      v128.store(to + c, f32x4.mul(u, f));
      v128.store(to + c, f32x4.mul(v, f), 16);
    }
    for (; c < stride; c += 16) {
      const g = f32x4.mul(v128.load(dFrom + c), orElse(a + c, scaled, one));
      const u = madd(f32x4.sub(v128.load(from + c), m), slope, f32x4.sub(g, meanOfG));
      storeFirst(to + c, f32x4.mul(u, f), <i32>((stride - c) >> 2));
    }
  }
}

/**
 * dgamma (n, zeros up to 16) = Σ dy·(x - mean)·inverse over the rows of samples span[0] … span[1] - 1, in
 * order, perSample rows a sample; begin, end in slices.
 */
export function layerNormGammaGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  mean: usize,
  inverse: usize,
  dgamma: usize,
  span: usize,
  perSample: i32,
  n: i32,
): void {
  const first = load<i32>(span) * perSample;
  const last = load<i32>(span, 4) * perSample;
  const stride = (<usize>n) << 2;
  for (let slice = begin; slice < end; slice++) {
    const c = (<usize>slice) << 6;
    let s0 = splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let r = first; r < last; r++) {
      const p = x + <usize>r * stride + c;
      const d = dy + <usize>r * stride + c;
      const m = v128.load32_splat(mean + ((<usize>r) << 2));
      const f = v128.load32_splat(inverse + ((<usize>r) << 2));
      s0 = madd(f32x4.mul(f32x4.sub(v128.load(p), m), f), v128.load(d), s0);
      s1 = madd(f32x4.mul(f32x4.sub(v128.load(p, 16), m), f), v128.load(d, 16), s1);
      s2 = madd(f32x4.mul(f32x4.sub(v128.load(p, 32), m), f), v128.load(d, 32), s2);
      s3 = madd(f32x4.mul(f32x4.sub(v128.load(p, 48), m), f), v128.load(d, 48), s3);
    }
    storeTile(dgamma + c, s0, s1, s2, s3, n - (slice << 4));
  }
}
