import { strip } from './tile';

/** Summands in one pass over c, so that a block of a panel (32 KiB) stays in the first-level cache. */
const KC: i32 = 512;
/** Rows of a (192 KiB with KC) that stay in the second-level cache while panels pass; a multiple of six. */
const MC: i32 = 96;

/**
 * c (·,n) = max(a (·,k) · b (k,n) + bias, lower); begin, end in rows. b in panels (n/16, k, 16); bias padded
 * to 16 floats, or 0 for none; lower is −Infinity or 0 (relu). Each element is summed in the order of k, from
 * its bias; a NaN stays.
 */
export function product(
  begin: i32,
  end: i32,
  a: usize,
  panels: usize,
  bias: usize,
  c: usize,
  n: i32,
  k: i32,
  lower: f32,
): void {
  const lda = (<usize>k) << 2;
  const ldc = (<usize>n) << 2;
  for (let i = begin; i < end; i += MC) {
    const m = min(MC, end - i);
    for (let p = 0; p < k; p += KC) {
      const steps = min(KC, k - p);
      const limit = p + steps < k ? <f32>-Infinity : lower;
      const block = a + <usize>i * lda + ((<usize>p) << 2);
      for (let j = 0; j < n; j += 16) {
        const b = panels + <usize>j * lda + ((<usize>p) << 6);
        const to = c + <usize>i * ldc + ((<usize>j) << 2);
        if (p) strip(m, block, lda, 4, steps, 0, 1, b, to, ldc, -1, to, ldc, n - j, limit);
        else if (bias)
          strip(m, block, lda, 4, steps, 0, 1, b, bias + ((<usize>j) << 2), 0, -1, to, ldc, n - j, limit);
        else strip(m, block, lda, 4, steps, 0, 1, b, b, 0, 0, to, ldc, n - j, limit);
      }
    }
  }
}
