import { exponentialsOfRow, scaleRow } from './softmax';
import { rowDot, rowMax, storeFirst } from './rows';
import { multiply, thresholdOf } from './dropout';
import { MASK, fill } from './random';
import { splat } from './math';
import {
  STEP,
  addTransposed,
  packPanels,
  packTransposed,
  product,
  productBelow,
  productOfLower,
} from './smallProducts';

// Attention of each sample and head apart. Only the largest score and one over the sum of each row are kept for
// the backward pass; the weights are computed again there, BLOCK rows at a time.

/** Queries at once: their scores and the gradients of these stay in the second-level cache. */
const BLOCK: i32 = 64;

/**
 * y (·,tq,heads·dv) = softmax(scale·q·kᵀ)·v for each head; begin, end in samples·heads. q (·,tq,heads·dk),
 * k (·,tk,heads·dk), v (·,tk,heads·dv), stats (·,heads,tq,2). With `causal` query i sees the keys up to i; where
 * queryMask (·,tq), keyMask (·,tk) or mask (·,tq,tk) is 0 (each may be missing: address 0), it does not see the
 * key either; a query that sees none makes zeros. With a rate above 0 weights are dropped with that probability,
 * the others scaled by 1/(1 - rate), drawn for (key, site, sample, (head·tq + query)·t16 + key).
 * scratch: 4·(t16·(dk + BLOCK + 1) + tk·d16) bytes, t16 and d16 being tk and dv, rounded up to 16.
 */
export function attention(
  begin: i32,
  end: i32,
  q: usize,
  k: usize,
  v: usize,
  y: usize,
  stats: usize,
  heads: i32,
  tq: i32,
  tk: i32,
  dk: i32,
  dv: i32,
  causal: i32,
  scale: f32,
  queryMask: usize,
  keyMask: usize,
  mask: usize,
  key: usize,
  site: i32,
  rate: f32,
  scratch: usize,
): void {
  const t16 = (tk + 15) & ~15;
  const keys = scratch;
  const values = keys + ((<usize>(t16 * dk)) << 2);
  const scores = values + ((<usize>(tk * ((dv + 15) & ~15))) << 2);
  const drawn = scores + ((<usize>(t16 * BLOCK)) << 2);
  const lds = (<usize>t16) << 2;
  const ldk = (<usize>(heads * dk)) << 2;
  const ldv = (<usize>(heads * dv)) << 2;
  for (let u = begin; u < end; u++) {
    const sample = u / heads;
    const head = u - sample * heads;
    const q0 = headOf(q, sample, head, heads, tq, dk);
    const v0 = headOf(v, sample, head, heads, tk, dv);
    const y0 = headOf(y, sample, head, heads, tq, dv);
    packTransposed(headOf(k, sample, head, heads, tk, dk), ldk, tk, dk, scale, keys);
    packPanels(v0, ldv, tk, dv, values);
    const own = stats + ((<usize>(u * tq)) << 3);
    for (let i = 0; i < tq; i += BLOCK) {
      const m = min(BLOCK, tq - i);
      const seen = causal ? min(tk, i + m) : tk;
      const diagonal = causal ? i : tk;
      const qi = q0 + <usize>i * ldk;
      productBelow(m, qi, ldk, dk, keys, scores, lds, seen, diagonal);
      for (let r = 0; r < m; r++) {
        const row = scores + <usize>r * lds;
        const n = causal ? min(tk, i + r + 1) : tk;
        hide(row, n, sample * tq + i + r, sample, tk, queryMask, keyMask, mask);
        let top = rowMax(row, n);
        // A query that sees no key has no largest score: its weights become 0, here and in the backward pass.
        const blind = top == -Infinity;
        if (blind) top = 0;
        const sum = exponentialsOfRow(row, row, n, top);
        const share: f32 = blind ? 0 : 1 / sum;
        scaleRow(row, row, n, share, 0);
        if (rate > 0) {
          drawRow(drawn, n, (head * tq + i + r) * t16, sample, key, site, rate);
          multiply(0, n, row, drawn, row);
        }
        clear(row, n, seen);
        store<f32>(own + ((<usize>(i + r)) << 3), top);
        store<f32>(own + ((<usize>(i + r)) << 3), share, 4);
      }
      productOfLower(m, scores, lds, seen, values, y0 + <usize>i * ldv, ldv, dv, tk, diagonal);
    }
  }
}

/**
 * The gradients of q, k and v from dy, as `attention` has them; begin, end in samples·heads. Weights and what was
 * dropped of them are computed again. scratch: 4·(t16·(dk + dv + 2·BLOCK + 1) + tk·k16 + BLOCK·max(k16, d16))
 * bytes, k16 being dk rounded up to 16.
 */
export function attentionGradient(
  begin: i32,
  end: i32,
  q: usize,
  k: usize,
  v: usize,
  y: usize,
  stats: usize,
  dy: usize,
  dq: usize,
  dk0: usize,
  dv0: usize,
  heads: i32,
  tq: i32,
  tk: i32,
  dk: i32,
  dv: i32,
  causal: i32,
  scale: f32,
  queryMask: usize,
  keyMask: usize,
  mask: usize,
  key: usize,
  site: i32,
  rate: f32,
  scratch: usize,
): void {
  const t16 = (tk + 15) & ~15;
  const lds = (<usize>t16) << 2;
  const ldk = (<usize>(heads * dk)) << 2;
  const ldv = (<usize>(heads * dv)) << 2;
  const keysT = scratch;
  const valuesT = keysT + <usize>dk * lds;
  const keys = valuesT + <usize>dv * lds;
  const weights = keys + ((<usize>(tk * ((dk + 15) & ~15))) << 2);
  const slopes = weights + <usize>BLOCK * lds;
  const drawn = slopes + <usize>BLOCK * lds;
  const panels = drawn + lds;
  for (let u = begin; u < end; u++) {
    const sample = u / heads;
    const head = u - sample * heads;
    const qh = headOf(q, sample, head, heads, tq, dk);
    const kh = headOf(k, sample, head, heads, tk, dk);
    const yh = headOf(y, sample, head, heads, tq, dv);
    const dyh = headOf(dy, sample, head, heads, tq, dv);
    const dqh = headOf(dq, sample, head, heads, tq, dk);
    const dkh = headOf(dk0, sample, head, heads, tk, dk);
    const dvh = headOf(dv0, sample, head, heads, tk, dv);
    packTransposed(kh, ldk, tk, dk, scale, keysT);
    packTransposed(headOf(v, sample, head, heads, tk, dv), ldv, tk, dv, 1, valuesT);
    packPanels(kh, ldk, tk, dk, keys);
    // The first queries overwrite the gradients of the keys they see.
    for (let j = causal ? min(BLOCK, tq) : tk; j < tk; j++) {
      memory.fill(dkh + <usize>j * ldk, 0, (<usize>dk) << 2);
      memory.fill(dvh + <usize>j * ldv, 0, (<usize>dv) << 2);
    }
    for (let i = 0; i < tq; i += BLOCK) {
      const m = min(BLOCK, tq - i);
      const seen = causal ? min(tk, i + m) : tk;
      const dyi = dyh + <usize>i * ldv;
      const diagonal = causal ? i : tk;
      const keep = i ? -1 : 0;
      productBelow(m, qh + <usize>i * ldk, ldk, dk, keysT, weights, lds, seen, diagonal);
      productBelow(m, dyi, ldv, dv, valuesT, slopes, lds, seen, diagonal);
      for (let r = 0; r < m; r++) {
        const own = stats + ((<usize>(u * tq + i + r)) << 3);
        const weight = weights + <usize>r * lds;
        const slope = slopes + <usize>r * lds;
        const n = causal ? min(tk, i + r + 1) : tk;
        hide(weight, n, sample * tq + i + r, sample, tk, queryMask, keyMask, mask);
        exponentialsOfRow(weight, weight, n, load<f32>(own));
        scaleRow(weight, weight, n, load<f32>(own, 4), 0);
        const mean = rowDot(dyi + <usize>r * ldv, yh + <usize>(i + r) * ldv, dv);
        if (rate > 0) {
          drawRow(drawn, n, (head * tq + i + r) * t16, sample, key, site, rate);
          multiply(0, n, slope, drawn, slope);
        }
        slopeRow(weight, slope, n, mean, scale);
        if (rate > 0) multiply(0, n, weight, drawn, weight);
        clear(weight, n, seen);
        clear(slope, n, seen);
      }
      productOfLower(m, slopes, lds, seen, keys, dqh + <usize>i * ldk, ldk, dk, tk, diagonal);
      addTransposed(seen, m, weights, lds, dyi, ldv, dvh, dv, keep, diagonal, panels);
      addTransposed(seen, m, slopes, lds, qh + <usize>i * ldk, ldk, dkh, dk, keep, diagonal, panels);
    }
  }
}

/** x = 0 from n on, as far as products read that stop behind the diagonal, and not past `seen`. */
// @ts-ignore: decorator
@inline function clear(x: usize, n: i32, seen: i32): void {
  for (let j = n; j < min(seen, n + STEP); j++) store<f32>(x + ((<usize>j) << 2), 0);
}

/** scores (n) = -Infinity where a mask says that query `row` of all samples does not see the key. */
function hide(
  scores: usize,
  n: i32,
  row: i32,
  sample: i32,
  tk: i32,
  queryMask: usize,
  keyMask: usize,
  mask: usize,
): void {
  if (queryMask && load<f32>(queryMask + ((<usize>row) << 2)) == 0) {
    for (let j = 0; j < n; j++) store<f32>(scores + ((<usize>j) << 2), -Infinity);
  }
  if (keyMask) hideWhereZero(scores, keyMask + ((<usize>(sample * tk)) << 2), n);
  if (mask) hideWhereZero(scores, mask + ((<usize>row * <usize>tk) << 2), n);
}

/** x (n) = -Infinity where the mask (n) is 0. */
function hideWhereZero(x: usize, mask: usize, n: i32): void {
  const hidden = splat(-Infinity);
  const zero = splat(0);
  let j = 0;
  for (; j + 8 <= n; j += 8, x += 32, mask += 32) {
    const u = v128.bitselect(hidden, v128.load(x), f32x4.eq(v128.load(mask), zero));
    const v = v128.bitselect(hidden, v128.load(x, 16), f32x4.eq(v128.load(mask, 16), zero));
    v128.store(x, u);
    v128.store(x, v, 16);
  }
  for (; j < n; j += 4, x += 16, mask += 16) {
    storeFirst(x, v128.bitselect(hidden, v128.load(x), f32x4.eq(v128.load(mask), zero)), n - j);
  }
}

/** drawn (n) = what weights from `element` on (a multiple of 16) are multiplied by: 0, or 1/(1 - rate). */
function drawRow(drawn: usize, n: i32, element: i32, sample: i32, key: usize, site: i32, rate: f32): void {
  // `fill` writes element e at 4·e bytes behind its address.
  const base = drawn - ((<usize>element) << 2);
  fill(MASK, element, element + n, base, sample, key, site, thresholdOf(rate), splat(1 / (1 - rate)));
}

/** Where a head of a sample begins in x (·,t,heads·d). */
// @ts-ignore: decorator
@inline function headOf(x: usize, sample: i32, head: i32, heads: i32, t: i32, d: i32): usize {
  return x + ((<usize>(sample * t * heads + head) * <usize>d) << 2);
}

/** slope = weight·(slope − mean)·scale (n). */
function slopeRow(weight: usize, slope: usize, n: i32, mean: f32, scale: f32): void {
  const a = splat(mean);
  const b = splat(scale);
  let j = 0;
  for (; j + 8 <= n; j += 8, weight += 32, slope += 32) {
    const s = f32x4.sub(v128.load(slope), a);
    const t = f32x4.sub(v128.load(slope, 16), a);
    v128.store(slope, f32x4.mul(f32x4.mul(v128.load(weight), s), b));
    v128.store(slope, f32x4.mul(f32x4.mul(v128.load(weight, 16), t), b), 16);
  }
  for (; j < n; j += 4, weight += 16, slope += 16) {
    const s = f32x4.sub(v128.load(slope), a);
    storeFirst(slope, f32x4.mul(f32x4.mul(v128.load(weight), s), b), n - j);
  }
}
