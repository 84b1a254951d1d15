import { madd } from './simd';
import { cosv, logv, sinv, splat } from './math';

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a
// bijection of a counter of four words, [block, row or attempt, step, site], under a key of two words makes
// four random words. `key` is the address of the u32 cells [seed low, seed high, step]. Element e takes
// word e % 4 of block e / 4 whatever the cuts.

const M0: i32 = 0xd2511f53;
const M1: i32 = 0xcd9e8d57;
const W0: i32 = 0x9e3779b9;
const W1: i32 = 0xbb67ae85;

// What becomes of the words. Two uniforms make two normals: words 0 and 1, and words 2 and 3, of a block.
export const MASK: i32 = 0;
export const UNIFORM: i32 = 1;
export const NORMAL: i32 = 2;
const TRUNCATED: i32 = 3;

/** Upper words of the four products in two vectors. */
// @ts-ignore: decorator
@inline function upper(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline function lower(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** The upper 24 bits of a word, in [0, 1). */
// @ts-ignore: decorator
@inline function uniform(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), splat(5.9604644775390625e-8));
}

/** The radius sqrt(-2 log(1 - u)) ≤ 5.77 of Box and Muller. */
// @ts-ignore: decorator
@inline function radius(word: v128): v128 {
  return f32x4.sqrt(f32x4.mul(splat(-2), logv(f32x4.sub(splat(1), uniform(word)))));
}

/** What the word at `place` 0 or 1 of the pair u, v becomes, before a and b are applied. */
// @ts-ignore: decorator
@inline function draw(kind: i32, place: i32, u: v128, v: v128, a: v128): v128 {
  const word = place ? v : u;
  if (kind == MASK) return i32x4.ge_s(i32x4.shr_u(word, 8), a);
  if (kind == UNIFORM) return uniform(word);
  const angle = f32x4.mul(uniform(v), splat(6.2831853));
  return f32x4.mul(radius(u), place ? sinv(angle) : cosv(angle));
}

// @ts-ignore: decorator
@inline function outside(z: v128): v128 {
  return f32x4.gt(f32x4.abs(z), splat(2));
}

/** A truncated normal keeps what lies in [-2, 2]. */
// @ts-ignore: decorator
@inline function redraw(kind: i32, z: v128, old: v128): v128 {
  return kind == TRUNCATED ? v128.bitselect(z, old, outside(old)) : z;
}

/** Whether one of sixteen has to be drawn again. */
// @ts-ignore: decorator
@inline function pending(kind: i32, z0: v128, z1: v128, z2: v128, z3: v128): bool {
  if (kind != TRUNCATED) return false;
  return v128.any_true(v128.or(v128.or(outside(z0), outside(z1)), v128.or(outside(z2), outside(z3))));
}

// @ts-ignore: decorator
@inline function finish(kind: i32, z: v128, a: v128, b: v128): v128 {
  return kind == MASK ? v128.and(z, b) : madd(z, b, a);
}

/** Stores lanes first ≤ lane < last, which may lie outside the vector. */
function storeWithin(address: usize, v: v128, first: i32, last: i32): void {
  if (first <= 0 && last >= 4) v128.store(address, v);
  else {
    if (first <= 0 && last > 0) v128.store32_lane(address, v, 0);
    if (first <= 1 && last > 1) v128.store32_lane(address, v, 1, 4);
    if (first <= 2 && last > 2) v128.store32_lane(address, v, 2, 8);
    if (first <= 3 && last > 3) v128.store32_lane(address, v, 3, 12);
  }
}

/** y[e] for first ≤ e < last, 16 elements at a time: four blocks, word j of each in c_j. */
// @ts-ignore: decorator
@inline export function fill(
  kind: i32,
  first: i32,
  last: i32,
  y: usize,
  row: i32,
  key: usize,
  site: i32,
  a: v128,
  b: v128,
): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  for (let e = first & ~15; e < last; e += 16) {
    let z0 = splat(Infinity);
    let z1 = z0;
    let z2 = z0;
    let z3 = z0;
    let attempt = row;
    do {
      let k0 = i32x4.splat(load<i32>(key));
      let k1 = i32x4.splat(load<i32>(key, 4));
      let c0 = i32x4.add(i32x4.splat(e >> 2), i32x4(0, 1, 2, 3));
      let c1 = i32x4.splat(attempt++);
      let c2 = i32x4.splat(load<i32>(key, 8));
      let c3 = i32x4.splat(site);
      for (let round = 0; round < 10; round++) {
        const p = i64x2.extmul_low_i32x4_u(c0, m0);
        const q = i64x2.extmul_high_i32x4_u(c0, m0);
        const s = i64x2.extmul_low_i32x4_u(c2, m1);
        const t = i64x2.extmul_high_i32x4_u(c2, m1);
        c0 = v128.xor(v128.xor(upper(s, t), c1), k0);
        c2 = v128.xor(v128.xor(upper(p, q), c3), k1);
        c1 = lower(s, t);
        c3 = lower(p, q);
        k0 = i32x4.add(k0, i32x4.splat(W0));
        k1 = i32x4.add(k1, i32x4.splat(W1));
      }
      z0 = redraw(kind, draw(kind, 0, c0, c1, a), z0);
      z1 = redraw(kind, draw(kind, 1, c0, c1, a), z1);
      z2 = redraw(kind, draw(kind, 0, c2, c3, a), z2);
      z3 = redraw(kind, draw(kind, 1, c2, c3, a), z3);
    } while (pending(kind, z0, z1, z2, z3));
    const low01 = v128.shuffle<i32>(z0, z1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(z2, z3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(z0, z1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(z2, z3, 2, 6, 3, 7);
    const p = y + ((<usize>e) << 2);
    const from = first - e;
    const to = last - e;
    storeWithin(p, finish(kind, v128.shuffle<i64>(low01, low23, 0, 2), a, b), from, to);
    storeWithin(p + 16, finish(kind, v128.shuffle<i64>(low01, low23, 1, 3), a, b), from - 4, to - 4);
    storeWithin(p + 32, finish(kind, v128.shuffle<i64>(high01, high23, 0, 2), a, b), from - 8, to - 8);
    storeWithin(p + 48, finish(kind, v128.shuffle<i64>(high01, high23, 1, 3), a, b), from - 12, to - 12);
  }
}

/** y = low + (high - low)·u, u uniform in [0, 1); begin, end in elements. */
export function randomUniform(
  begin: i32,
  end: i32,
  y: usize,
  key: usize,
  site: i32,
  low: f32,
  high: f32,
): void {
  fill(UNIFORM, begin, end, y, 0, key, site, splat(low), splat(high - low));
}

/** y = mean + deviation·z, z normal by Box and Muller, |z| ≤ 5.77; begin, end in elements. */
export function randomNormal(
  begin: i32,
  end: i32,
  y: usize,
  key: usize,
  site: i32,
  mean: f32,
  deviation: f32,
): void {
  fill(NORMAL, begin, end, y, 0, key, site, splat(mean), splat(deviation));
}

/** y = mean + deviation·z, z normal, drawn again (next attempt) until |z| ≤ 2; begin, end in elements. */
export function truncatedNormal(
  begin: i32,
  end: i32,
  y: usize,
  key: usize,
  site: i32,
  mean: f32,
  deviation: f32,
): void {
  fill(TRUNCATED, begin, end, y, 0, key, site, splat(mean), splat(deviation));
}
