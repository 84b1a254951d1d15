/**
 * `valid`: only whole windows. `same`: zeros around the input so that every stride-th position is a window's
 * centre.
 */
export type Padding = 'valid' | 'same'

/**
 * Output positions of a sliding window along one axis, and the padding before the input; `same` pads the odd
 * one behind.
 */
export function windowOf(
  input: number,
  size: number,
  stride: number,
  padding: Padding,
): { out: number; before: number } {
  if (padding === 'valid') return { out: Math.floor((input - size) / stride) + 1, before: 0 }
  const out = Math.ceil(input / stride)
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + size - input) / 2) }
}
