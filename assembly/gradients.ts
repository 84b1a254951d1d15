import { madd } from './simd';
import { atLeast, atMost, splat, withSign } from './math';

// What happens to a gradient between its computation and the update. begin, end in slices of 16 floats, or in
// chunks of 64 slices where a sum is taken: chunks are fixed, so that the sum does not depend on who takes
// which.

const CHUNK: i32 = 64;

/** dw += l1·sign(w) + 2·l2·w; sign(0) = 0. */
export function regularize(begin: i32, end: i32, w: usize, dw: usize, l1: f32, l2: f32): void {
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = f32x4.add(v128.load(dw + i), pull(v128.load(w + i), l1, l2));
    const v = f32x4.add(v128.load(dw + i, 16), pull(v128.load(w + i, 16), l1, l2));
    v128.store(dw + i, u);
    v128.store(dw + i, v, 16);
  }
}

/** l1·sign(w) + 2·l2·w */
// @ts-ignore: decorator
@inline export function pull(w: v128, l1: f32, l2: f32): v128 {
  const sign = v128.and(withSign(splat(1), w), f32x4.ne(w, splat(0)));
  return madd(sign, splat(l1), f32x4.mul(w, splat(2 * l2)));
}

/** a·|x| + b·x² of two floats, in f64. */
// @ts-ignore: decorator
@inline function term(address: usize, a: f64, b: f64): v128 {
  const x = f64x2.promote_low_f32x4(v128.load64_zero(address));
  const square = f64x2.mul(f64x2.mul(x, x), f64x2.splat(b));
  return a == 0 ? square : f64x2.add(square, f64x2.mul(f64x2.abs(x), f64x2.splat(a)));
}

/** partial[chunk] (f64) = Σ a·|x| + b·x² over the chunk. */
function chunkSums(begin: i32, end: i32, x: usize, partial: usize, units: i32, a: f64, b: f64): void {
  for (let chunk = begin; chunk < end; chunk++) {
    const stop = (<usize>min((chunk + 1) * CHUNK, units)) << 6;
    let u = f64x2.splat(0);
    let v = u;
    for (let i = (<usize>(chunk * CHUNK)) << 6; i < stop; i += 16) {
      u = f64x2.add(u, term(x + i, a, b));
      v = f64x2.add(v, term(x + i + 8, a, b));
    }
    const sum = f64x2.add(u, v);
    store<f64>(partial + ((<usize>chunk) << 3), f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/** partial[chunk] (f64) = Σ l1·|w| + l2·w²; units is the number of slices of w; begin, end in chunks. */
export function penalty(begin: i32, end: i32, w: usize, partial: usize, units: i32, l1: f32, l2: f32): void {
  chunkSums(begin, end, w, partial, units, <f64>l1, <f64>l2);
}

/** partial[first + chunk] (f64) = Σ x²; units is the number of slices of x; begin, end in chunks of x. */
export function squaredNorm(begin: i32, end: i32, x: usize, partial: usize, units: i32, first: i32): void {
  chunkSums(begin, end, x, partial + ((<usize>first) << 3), units, 0, 1);
}

/** dw = dw clipped to [-limit, limit]. */
export function clipValue(begin: i32, end: i32, dw: usize, limit: f32): void {
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = atLeast(atMost(v128.load(dw + i), limit), -limit);
    const v = atLeast(atMost(v128.load(dw + i, 16), limit), -limit);
    v128.store(dw + i, u);
    v128.store(dw + i, v, 16);
  }
}

// @ts-ignore: decorator
@inline
function rootOf(partials: usize, chunks: i32): f64 {
  let sum: f64 = 0;
  for (let chunk = 0; chunk < chunks; chunk++) sum += load<f64>(partials + ((<usize>chunk) << 3));
  return sqrt<f64>(sum);
}

/** y (1) = √Σ partials (chunks), f64, summed in order by every caller. */
export function norm(begin: i32, end: i32, partials: usize, y: usize, chunks: i32): void {
  store<f32>(y, <f32>rootOf(partials, chunks));
}

/**
 * dw *= limit / norm if norm > limit, norm = √Σ partials (chunks), f64, summed in order by every caller. The
 * partials of one tensor clip by its norm, those of all tensors one after another by the global norm.
 */
export function clipNorm(begin: i32, end: i32, dw: usize, partials: usize, chunks: i32, limit: f32): void {
  const root = rootOf(partials, chunks);
  if (root <= <f64>limit) return;
  const scale = splat(<f32>(<f64>limit / root));
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = f32x4.mul(v128.load(dw + i), scale);
    const v = f32x4.mul(v128.load(dw + i, 16), scale);
    v128.store(dw + i, u);
    v128.store(dw + i, v, 16);
  }
}
