import type { Graph } from '../graph/graph.ts'
import { unitsOf } from '../graph/parameter.ts'
import { samples, slices, type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import { biasGradient, type Convolution, flipped } from './convolution.ts'
import { convolveGradientScratch, convolveScratch } from './scratch.ts'
import { type Padding, windowOf } from './window.ts'

/** Output size along one axis of a transposed convolution, as Keras has it. */
const sizeAfter = (input: number, size: number, stride: number, padding: Padding): number =>
  input * stride + (padding === 'valid' ? Math.max(size - stride, 0) : 0)

/**
 * Transposed 2-D convolution, channels last: the input gradient of the convolution with w that takes y to x,
 * plus b, max(·, 0) with `relu`. x (height, width, channels), w (kernelHeight, kernelWidth, filters,
 * channels), b (filters) or none, y (outHeight, outWidth, filters). So y is the convolution of x, spread out
 * by the strides, with the flipped weights; dx is the convolution of dy with w.
 */
export function conv2dTranspose(
  g: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { strides, padding, relu = false }: Omit<Convolution, 'rates'>,
): Value {
  const [height, width, channels] = x.shape as [number, number, number]
  const [kernelHeight, kernelWidth, filters] = w.shape as [number, number, number, number]
  const outHeight = sizeAfter(height, kernelHeight, strides[0], padding)
  const outWidth = sizeAfter(width, kernelWidth, strides[1], padding)
  const top = windowOf(outHeight, kernelHeight, strides[0], padding).before
  const left = windowOf(outWidth, kernelWidth, strides[1], padding).before
  const kernel = [kernelHeight, kernelWidth] as const
  const whole = [outHeight, outWidth, filters, ...kernel, channels] as const
  const back = [...whole, ...strides, top, left, height, width, 1, 1] as const
  const pads = [kernelHeight - 1 - top, kernelWidth - 1 - left] as const
  const spread = [...pads, outHeight, outWidth, 1, 1, ...strides] as const
  const forward = [height, width, channels, ...kernel, filters, 1, 1, ...spread] as const
  const y = g.batch(w.storage.label, [outHeight, outWidth, filters], x, w, ...(b ? [b] : []))
  const wt = flipped(g, w, kernelHeight * kernelWidth, filters, channels)
  const lower = relu ? 0 : Number.NEGATIVE_INFINITY
  const scratch = g.scratch(convolveScratch(...forward))
  g.call('convolve', samples(), x, wt, b ?? 0, write(y), write(scratch), lower, ...forward)
  g.onBackward(y, gradient => {
    const dy = relu ? reluBackward(g, y, gradient) : gradient
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    g.contribute(x, dx => {
      const space = write(g.scratch(convolveScratch(...back, 1, 1)))
      g.call('convolve', samples(), dy, w, 0, dx, space, Number.NEGATIVE_INFINITY, ...back, 1, 1)
    })
    if (b) biasGradient(g, b, dy)
    g.contributeParameter(w, (dw, span) => {
      const space = write(g.scratch(convolveGradientScratch(...back)))
      g.call('convolveGradient', slices(unitsOf(w.shape)), dy, x, dw, span, space, ...back)
    })
  })
  return y
}
