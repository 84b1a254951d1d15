/**
 * `valid`: only whole windows. `same`: zeros around the input so that every stride-th position is a window's
 * centre. `causal`: zeros before the input only, so that no output sees later elements.
 */
export type Padding = 'valid' | 'same' | 'causal'

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
  if (padding === 'causal') return { out, before: size - 1 }
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + size - input) / 2) }
}

/** Elements from a window's first tap to its last, both counted, where taps lie `rate` apart. */
export const spread = (size: number, rate: number): number => (size - 1) * rate + 1
