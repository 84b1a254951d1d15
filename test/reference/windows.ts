import { type Array64, type Context, zeros } from './arrays.ts'

/** Where the windows of one axis begin: TensorFlow's "Padding" rules, written out position by position. */
function starts(input: number, size: number, stride: number, padding: string): number[] {
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

/** Windows that move along any number of axes; one number an axis. */
export interface Geometry {
  readonly size: readonly number[]
  readonly strides: readonly number[]
  readonly padding: string
  /** Distances between neighbouring taps. */
  readonly rates?: readonly number[]
}

/** Where a tap of a window lies inside the input: the numbers of the place, the tap and the window. */
type Meeting = readonly [place: number, tap: number, window: number]

/** All meetings over an input of some axes, window by window, and how many windows there are along each axis. */
function meetings(input: readonly number[], { size, strides, padding, rates }: Geometry) {
  let found: Meeting[] = [[0, 0, 0]]
  const counts = input.map((n, axis) => {
    const rate = rates?.[axis] ?? 1
    const begins = starts(n, (size[axis]! - 1) * rate + 1, strides[axis]!, padding)
    found = found.flatMap(([place, tap, window]) =>
      begins.flatMap((begin, i) =>
        Array.from({ length: size[axis]! }, (_, t): [number, Meeting] => {
          const at = begin + t * rate
          return [at, [place * n + at, tap * size[axis]! + t, window * begins.length + i]]
        })
          .filter(([at]) => at >= 0 && at < n)
          .map(([, meeting]) => meeting),
      ),
    )
    return begins.length
  })
  return { found, counts }
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1)

/** y (shape), every row b, or zeros. */
function filled(shape: readonly number[], b: Float64Array | undefined): Array64 {
  const y = zeros(shape)
  if (b) y.values.forEach((_, i) => (y.values[i] = b[i % b.length]!))
  return y
}

/** Cross-correlation of x (batch, …, channels) with w (…size, channels, filters), plus b. */
export function convolve(
  x: Array64,
  w: Float64Array,
  b: Float64Array | undefined,
  filters: number,
  g: Geometry,
): Array64 {
  const [batch, axes, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!]
  const { found, counts } = meetings(axes, g)
  const y = filled([batch, ...counts, filters], b)
  for (let s = 0; s < batch; s++) {
    for (const [place, tap, window] of found) {
      const from = (s * sizeOf(axes) + place) * channels
      const to = (s * sizeOf(counts) + window) * filters
      for (let c = 0; c < channels; c++) {
        const row = (tap * channels + c) * filters
        for (let f = 0; f < filters; f++) y.values[to + f]! += x.values[from + c]! * w[row + f]!
      }
    }
  }
  return y
}

/** Each channel of x times w (…size, channels, multiplier): channel c·multiplier + j of the result; plus b. */
export function convolveDepthwise(
  x: Array64,
  w: Float64Array,
  b: Float64Array | undefined,
  multiplier: number,
  g: Geometry,
): Array64 {
  const [batch, axes, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!]
  const n = channels * multiplier
  const { found, counts } = meetings(axes, g)
  const y = filled([batch, ...counts, n], b)
  for (let s = 0; s < batch; s++) {
    for (const [place, tap, window] of found) {
      const from = (s * sizeOf(axes) + place) * channels
      const to = (s * sizeOf(counts) + window) * n
      for (let o = 0; o < n; o++)
        y.values[to + o]! += x.values[from + Math.floor(o / multiplier)]! * w[tap * n + o]!
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
  g: Geometry,
): Array64 {
  const [batch, axes, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!]
  const out = axes.map((n, axis) => {
    const beyond = Math.max(g.size[axis]! - g.strides[axis]!, 0)
    return n * g.strides[axis]! + (g.padding === 'valid' ? beyond : 0)
  })
  const { found } = meetings(out, g)
  const y = filled([batch, ...out, filters], b)
  for (let s = 0; s < batch; s++) {
    for (const [place, tap, window] of found) {
      const from = (s * sizeOf(axes) + window) * channels
      const to = (s * sizeOf(out) + place) * filters
      for (let f = 0; f < filters; f++) {
        const row = (tap * filters + f) * channels
        for (let c = 0; c < channels; c++) y.values[to + f]! += x.values[from + c]! * w[row + c]!
      }
    }
  }
  return y
}

/** `combine` of the elements inside each window, channel by channel. */
export function pool(x: Array64, g: Geometry, combine: (elements: number[]) => number): Array64 {
  const [batch, axes, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!]
  const { found, counts } = meetings(axes, g)
  const y = zeros([batch, ...counts, channels])
  const elements: number[][] = Array.from(y.values, () => [])
  for (let s = 0; s < batch; s++) {
    for (const [place, , window] of found) {
      const from = (s * sizeOf(axes) + place) * channels
      const to = (s * sizeOf(counts) + window) * channels
      for (let c = 0; c < channels; c++) elements[to + c]!.push(x.values[from + c]!)
    }
  }
  y.values.set(elements.map(combine))
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
