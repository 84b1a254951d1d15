/**
 * wt = panels of (taps·filters, channels) with the taps reversed: the weights of a convolution's input
 * gradient. w is panels of (taps·channels, filters); begin, end in slices of w. Writes only its own elements:
 * the caller zeroes wt's padding once.
 */
export function flipPanels(
  begin: i32,
  end: i32,
  w: usize,
  wt: usize,
  taps: i32,
  channels: i32,
  filters: i32,
): void {
  const k = taps * channels;
  for (let u = begin; u < end;) {
    const panel = u / k;
    const tap = (u - panel * k) / channels;
    const channel = u - panel * k - tap * channels;
    const columns = min(16, filters - (panel << 4));
    const row = ((channel >> 4) * taps + taps - 1 - tap) * filters + (panel << 4);
    const source = w + ((<usize>u) << 6);
    const target = wt + ((<usize>row) << 6) + ((<usize>(channel & 15)) << 2);
    if (!(channel & 3) && channel + 4 <= channels && u + 4 <= end) {
      for (let j = 0; j < columns; j += 4) {
        const from = source + ((<usize>j) << 2);
        const a = v128.load(from);
        const b = v128.load(from, 64);
        const c = v128.load(from, 128);
        const d = v128.load(from, 192);
        transpose4(a, b, c, d, target + ((<usize>j) << 6), columns - j);
      }
      u += 4;
    } else {
      for (let j = 0; j < columns; j++) {
        store<f32>(target + ((<usize>j) << 6), load<f32>(source + ((<usize>j) << 2)));
      }
      u++;
    }
  }
}

/**
 * wt = panels (k/16, n, 16) of the transpose of w, panels (n/16, k, 16); begin, end in slices of w; see
 * above.
 */
export function transposePanels(begin: i32, end: i32, w: usize, wt: usize, k: i32, n: i32): void {
  flipPanels(begin, end, w, wt, 1, k, n);
}

/** Lane r of a, b, c and d becomes slice r of the target, 64 bytes apart; the first `count` slices, four at most. */
// @ts-ignore: decorator
@inline export function transpose4(a: v128, b: v128, c: v128, d: v128, target: usize, count: i32): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  v128.store(target, i64x2.shuffle(ab, cd, 0, 2));
  if (count > 1) v128.store(target, i64x2.shuffle(ab, cd, 1, 3), 64);
  const ef = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const gh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  if (count > 2) v128.store(target, i64x2.shuffle(ef, gh, 0, 2), 128);
  if (count > 3) v128.store(target, i64x2.shuffle(ef, gh, 1, 3), 192);
}
