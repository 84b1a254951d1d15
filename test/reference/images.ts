import { type Array64, type Context, zeros } from './arrays.ts'

/** Where the windows of one axis begin: TensorFlow's "Padding" rules, written out position by position. */
export function starts(input: number, size: number, stride: number, padding: string): number[] {
  const begins: number[] = []
  if (padding === 'valid') {
    for (let at = 0; at + size <= input; at += stride) begins.push(at)
    return begins
  }
  const count = Math.ceil(input / stride)
  if (padding === 'causal') return Array.from({ length: count }, (_, i) => i * stride - size + 1)
  const total = Math.max((count - 1) * stride + size - input, 0)
  for (let i = 0; i < count; i++) begins.push(i * stride - Math.floor(total / 2))
  return begins
}

export interface Geometry {
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly padding: string
  /** Distances between neighbouring taps. */
  readonly rates?: readonly [number, number]
}

/** The tops and lefts of all windows over x (batch, height, width, channels). */
export const windows = (
  { shape }: Array64,
  { size, strides, padding, rates: [down, right] = [1, 1] }: Geometry,
) => ({
  tops: starts(shape[1]!, (size[0] - 1) * down + 1, strides[0], padding),
  lefts: starts(shape[2]!, (size[1] - 1) * right + 1, strides[1], padding),
})

/** Cross-correlation of x (batch, height, width, channels) with w (…size, channels, filters), plus b. */
export function convolve(
  x: Array64,
  w: Float64Array,
  b: Float64Array | undefined,
  filters: number,
  g: Geometry,
) {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const { tops, lefts } = windows(x, g)
  const [down, right] = g.rates ?? [1, 1]
  const y = zeros([batch, tops.length, lefts.length, filters])
  let out = 0
  for (let s = 0; s < batch; s++) {
    for (const top of tops) {
      for (const left of lefts) {
        for (let f = 0; f < filters; f++) {
          let sum = b ? b[f]! : 0
          for (let i = 0; i < g.size[0]; i++) {
            for (let j = 0; j < g.size[1]; j++) {
              const [row, column] = [top + i * down, left + j * right]
              if (row < 0 || row >= height || column < 0 || column >= width) continue
              const from = ((s * height + row) * width + column) * channels
              const tap = (i * g.size[1] + j) * channels * filters + f
              for (let c = 0; c < channels; c++) sum += x.values[from + c]! * w[tap + c * filters]!
            }
          }
          y.values[out++] = sum
        }
      }
    }
  }
  return y
}

/** Each element of x times w (…size, filters, channels), added up where the strides put its taps; plus b. */
export function convolveTransposed(
  x: Array64,
  w: Float64Array,
  b: Float64Array | undefined,
  filters: number,
  { size, strides, padding }: Geometry,
): Array64 {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const beyond = [0, 1].map(axis => Math.max(size[axis]! - strides[axis]!, 0)) as [number, number]
  const [top, left] = padding === 'same' ? beyond.map(n => Math.floor(n / 2)) : [0, 0]
  const more = padding === 'same' ? [0, 0] : beyond
  const [outHeight, outWidth] = [height * strides[0] + more[0]!, width * strides[1] + more[1]!]
  const y = zeros([batch, outHeight, outWidth, filters])
  y.values.forEach((_, i) => (y.values[i] = b ? b[i % filters]! : 0))
  x.values.forEach((value, at) => {
    const c = at % channels
    const column = Math.floor(at / channels) % width
    const row = Math.floor(at / channels / width) % height
    const s = Math.floor(at / channels / width / height)
    for (let tap = 0; tap < size[0] * size[1]; tap++) {
      const oh = row * strides[0] + Math.floor(tap / size[1]) - top!
      const ow = column * strides[1] + (tap % size[1]) - left!
      if (oh < 0 || oh >= outHeight || ow < 0 || ow >= outWidth) continue
      const out = ((s * outHeight + oh) * outWidth + ow) * filters
      for (let f = 0; f < filters; f++) y.values[out + f]! += value * w[(tap * filters + f) * channels + c]!
    }
  })
  return y
}

/** `combine` of the elements inside each window, channel by channel. */
export function pool(x: Array64, g: Geometry, combine: (elements: number[]) => number): Array64 {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const { tops, lefts } = windows(x, g)
  const y = zeros([batch, tops.length, lefts.length, channels])
  let out = 0
  for (let s = 0; s < batch; s++) {
    for (const top of tops) {
      for (const left of lefts) {
        for (let c = 0; c < channels; c++) {
          const elements: number[] = []
          for (let i = Math.max(0, top); i < Math.min(height, top + g.size[0]); i++) {
            for (let j = Math.max(0, left); j < Math.min(width, left + g.size[1]); j++)
              elements.push(x.values[((s * height + i) * width + j) * channels + c]!)
          }
          y.values[out++] = combine(elements)
        }
      }
    }
  }
  return y
}

export const mean = (elements: number[]): number => elements.reduce((a, b) => a + b, 0) / elements.length

/** The largest element; tells how far the second lies behind. */
export const largest =
  ({ near }: Context) =>
  (elements: number[]): number => {
    const sorted = elements.toSorted((a, b) => b - a)
    if (sorted.length > 1) near(sorted[0]! - sorted[1]!)
    return sorted[0]!
  }
