// Philox4x32-10 as in random.ts, one block at a time: swaps are sequential, so there is nothing to do in
// lanes.

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** The four words of one block. */
function philox(block: i32, attempt: i32, key: usize, site: i32): v128 {
  let c0: u64 = <u32>block;
  let c1: u32 = attempt;
  let c2: u64 = load<u32>(key, 8);
  let c3: u32 = site;
  let k0 = load<u32>(key);
  let k1 = load<u32>(key, 4);
  for (let round = 0; round < 10; round++) {
    const p = c0 * M0;
    const q = c2 * M1;
    c0 = (<u32>(q >> 32)) ^ c1 ^ k0;
    c2 = (<u32>(p >> 32)) ^ c3 ^ k1;
    c1 = <u32>q;
    c3 = <u32>p;
    k0 += W0;
    k1 += W1;
  }
  const pair = i32x4.replace_lane(i32x4.splat(<i32>c0), 1, c1);
  return i32x4.replace_lane(i32x4.replace_lane(pair, 2, <i32>c2), 3, c3);
}

/**
 * Swaps order[i] with order[j], j uniform in [0, i]: the upper half of word·(i + 1), drawn again (next
 * attempt) in the few cases that would favour some j (Lemire, "Fast random integer generation in an
 * interval", 2019).
 */
// @ts-ignore: decorator
@inline function exchange(order: usize, i: i32, word: u32, key: usize, site: i32): void {
  const bound = <u32>(i + 1);
  let product = <u64>word * <u64>bound;
  if (<u32>product < bound) {
    const threshold: u32 = (0 - bound) % bound;
    for (let attempt = 1; <u32>product < threshold; attempt++) {
      product = <u64>(<u32>i32x4.extract_lane(philox(i, attempt, key, site), 0)) * <u64>bound;
    }
  }
  const p = order + ((<usize>i) << 2);
  const q = order + ((<usize>(product >> 32)) << 2);
  const value = load<i32>(p);
  store<i32>(p, load<i32>(q));
  store<i32>(q, value);
}

/**
 * order (count of i32) = 0 … count - 1, shuffled (Fisher and Yates): 60,000 in 0.3 ms. One worker's work:
 * begin and end are not used.
 */
export function shuffle(begin: i32, end: i32, order: usize, count: i32, key: usize, site: i32): void {
  for (let i = 0; i < count; i++) store<i32>(order + ((<usize>i) << 2), i);
  for (let block = (count - 1) >> 2; block >= 0; block--) {
    const words = philox(block, 0, key, site);
    const i = block << 2;
    if (i + 3 < count) exchange(order, i + 3, i32x4.extract_lane(words, 3), key, site);
    if (i + 2 < count) exchange(order, i + 2, i32x4.extract_lane(words, 2), key, site);
    if (i + 1 < count) exchange(order, i + 1, i32x4.extract_lane(words, 1), key, site);
    exchange(order, i, i32x4.extract_lane(words, 0), key, site);
  }
}
