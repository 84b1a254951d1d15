/**
 * 1 where V8 packs pairs of 128-bit operations into AVX2, 0 elsewhere; an import, so both tiers share one
 * binary.
 */
// @ts-ignore: decorator
@external('env', 'wide') export declare const WIDE: i32;

/**
 * a·b + c, the only multiply-add of the kernels. Fused (one rounding) in the `fused` build, two roundings in
 * `portable`; a self-test at load proves that the processor's relaxed_madd is the fused one.
 */
// @ts-ignore: decorator
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** Stores the first `count` (1 to 3) lanes of v. */
// @ts-ignore: decorator
@inline export function storeLanes(address: usize, v: v128, count: i32): void {
  if (count & 2) {
    v128.store64_lane(address, v, 0);
    if (count & 1) v128.store32_lane(address, v, 2, 8);
  } else {
    v128.store32_lane(address, v, 0);
  }
}
