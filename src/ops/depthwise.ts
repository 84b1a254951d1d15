import type { Graph } from '../graph/graph.ts'
import { unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import { biasGradient } from './convolution.ts'
import type { Triple } from './scratch.ts'
import { type Padding, spread, windowOf } from './window.ts'

/** Strides and rates are those of height and width: the last two. */
export interface Depthwise {
  readonly strides: Triple
  readonly padding: Padding
  /** Distances between neighbouring taps; strides or rates must be 1. */
  readonly rates: Triple
  readonly relu: boolean
}

/**
 * Depthwise 2-D convolution, channels last: y[…, c·multiplier + j] = x[…, c] ⋆ w[…, c, j] + b, max(·, 0) with
 * `relu`. x (height, width, channels), w (kernelHeight, kernelWidth, channels, multiplier) in panels of its two
 * last axes, b (channels·multiplier) or none, y (outHeight, outWidth, channels·multiplier). Each sample's dw is
 * summed by itself, while x and dy are near: it is small beside them.
 */
export function depthwise(
  g: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { strides, padding, rates, relu }: Depthwise,
): Value {
  const [height, width] = x.shape as [number, number, number]
  const [kernelHeight, kernelWidth, channels, multiplier] = w.shape as [number, number, number, number]
  const [, down, right] = strides
  const [, rateHeight, rateWidth] = rates
  const rows = windowOf(height, spread(kernelHeight, rateHeight), down, padding)
  const columns = windowOf(width, spread(kernelWidth, rateWidth), right, padding)
  const n = channels * multiplier
  const moves = [kernelHeight, kernelWidth, down, right] as const
  const places = [rows.before, columns.before, rows.out, columns.out, rateHeight, rateWidth] as const
  const sizes = [height, width, channels, multiplier, ...moves, ...places] as const
  const y = g.batch(w.storage.label, [rows.out, columns.out, n], x, w, ...(b ? [b] : []))
  // A sample with its channels repeated.
  const scratch = () => write(g.scratch(multiplier > 1 ? 4 * height * width * n : 0))
  const lower = relu ? 0 : Number.NEGATIVE_INFINITY
  g.call('depthwise', samples(), x, w, b ?? 0, write(y), scratch(), lower, ...sizes)
  g.onBackward(y, gradient => {
    const dy = relu ? reluBackward(g, y, gradient) : gradient
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    g.contribute(x, dx => g.call('depthwiseGradient', samples(), dy, w, dx, scratch(), ...sizes))
    if (b) biasGradient(g, b, dy)
    if (!w.differentiable) return
    const units = unitsOf(w.shape, 2)
    const partial = g.batch(`partial d ${w.storage.label}`, [16 * units])
    g.call('depthwiseWeightGradient', samples(), x, dy, write(partial), scratch(), ...sizes)
    g.contributeParameter(w, (dw, span) =>
      g.call('sumRows', slices(units), partial, dw, span, 1, sizeOf(partial.shape)),
    )
  })
  return y
}
