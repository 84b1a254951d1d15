import { logv, splat } from './math';
import { addTo, classOf } from './crossentropy';
import { clip, unclipped } from './pointwise';
import { firstLanes, rowFactor, rowSum, storeFirst, sumLanes } from './rows';
import { logOf } from './softmax';

// Cross-entropies of class probabilities, arguments as in losses.ts. As in TensorFlow.js, a row is divided by
// its sum S and clipped to [1e-7, 1 - 1e-7]; clipped elements have no gradient.

/** -Σ t·log(clip(q)), q = p / S; dp = (g - Σ g·q) / S with g = -t/q, 0 where q is clipped. */
export function categoricalCrossentropy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  loss: usize,
  dp: usize,
  weight: usize,
  scale: usize,
  n: i32,
  inner: i32,
): void {
  const size = (<usize>n) << 2;
  for (let row = begin; row < end; row++) {
    const at = <usize>row * size;
    const share: f32 = 1 / rowSum(p + at, n);
    store<f32>(loss + ((<usize>row) << 2), -rowLogs(p + at, t + at, n, share));
    if (dp) rowGradient(p + at, t + at, dp + at, n, share, share * rowFactor(row, weight, scale, inner));
  }
}

/** Σ t·log(clip(p·share)) (n). */
function rowLogs(p: usize, t: usize, n: i32, share: f32): f32 {
  const s = splat(share);
  let u = splat(0);
  for (let j = 0; j < n; j += 4, p += 16, t += 16) {
    const q = clip(f32x4.mul(v128.load(p), s));
    u = f32x4.add(u, v128.and(f32x4.mul(v128.load(t), logv(q)), firstLanes(n - j)));
  }
  return sumLanes(u);
}

/** dp (n) = (g + Σ t)·factor, g = -t / q and the sum over the elements whose q = p·share is not clipped. */
function rowGradient(p: usize, t: usize, dp: usize, n: i32, share: f32, factor: f32): void {
  const s = splat(share);
  const f = splat(factor);
  let u = splat(0);
  for (let j = 0; j < n; j += 4) {
    const at = (<usize>j) << 2;
    const lanes = v128.and(firstLanes(n - j), unclipped(f32x4.mul(v128.load(p + at), s)));
    u = f32x4.add(u, v128.and(v128.load(t + at), lanes));
  }
  const total = splat(sumLanes(u));
  for (let j = 0; j < n; j += 4, p += 16, t += 16, dp += 16) {
    const q = f32x4.mul(v128.load(p), s);
    const g = v128.and(f32x4.div(v128.load(t), q), unclipped(q));
    storeFirst(dp, f32x4.mul(f32x4.sub(total, g), f), n - j);
  }
}

/** -log(clip(q[t])), q = clip(p) / Σ clip(p): p is clipped before it is divided as well. */
export function sparseCategoricalCrossentropy(
  begin: i32,
  end: i32,
  p: usize,
  t: usize,
  loss: usize,
  dp: usize,
  weight: usize,
  scale: usize,
  n: i32,
  inner: i32,
): void {
  const size = (<usize>n) << 2;
  for (let row = begin; row < end; row++) {
    const at = <usize>row * size;
    const index = classOf(t, row, n);
    const share: f32 = 1 / clippedSum(p + at, n);
    const chosen = index < 0 ? <f32>NaN : load<f32>(p + at + ((<usize>index) << 2));
    const c = f32x4.extract_lane(clip(splat(chosen)), 0);
    const q = f32x4.extract_lane(clip(splat(c * share)), 0);
    store<f32>(loss + ((<usize>row) << 2), -logOf(q));
    if (!dp) continue;
    const factor: f32 = q == c * share ? rowFactor(row, weight, scale, inner) : 0;
    fillUnclipped(p + at, dp + at, n, factor * share);
    if (c == chosen) addTo(dp + at, index, -factor / c);
  }
}

/** Σ clip(p) (n). */
function clippedSum(p: usize, n: i32): f32 {
  let u = splat(0);
  for (let j = 0; j < n; j += 4, p += 16) u = f32x4.add(u, v128.and(clip(v128.load(p)), firstLanes(n - j)));
  return sumLanes(u);
}

/** dp (n) = x where p is not clipped, else 0. */
function fillUnclipped(p: usize, dp: usize, n: i32, x: f32): void {
  const v = splat(x);
  for (let j = 0; j < n; j += 4, p += 16, dp += 16) {
    storeFirst(dp, v128.and(unclipped(v128.load(p)), v), n - j);
  }
}
