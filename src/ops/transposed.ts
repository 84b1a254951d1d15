import type { Graph } from '../graph/graph.ts'
import { type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import {
  biasGradient,
  type Convolution,
  convolveBack,
  convolveForth,
  eachAxis,
  ones,
  weightGradient,
} from './convolution.ts'
import type { Triple } from './scratch.ts'
import { type Padding, windowOf } from './window.ts'

/** Output size along one axis of a transposed convolution, as Keras has it. */
const sizeAfter = (input: number, size: number, stride: number, padding: Padding): number =>
  input * stride + (padding === 'valid' ? Math.max(size - stride, 0) : 0)

/**
 * Transposed 3-D convolution, channels last: the input gradient of the convolution with w that takes y to x,
 * plus b, max(·, 0) with `relu`. x (depth, height, width, channels), w (…kernel, filters, channels), b (filters)
 * or none, y (outDepth, outHeight, outWidth, filters); along fewer axes the first sizes are 1. So y is the
 * convolution of x, spread out by the strides, with the flipped weights; dx is the convolution of dy with w.
 */
export function transposedConvolution(
  g: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { strides, padding, relu = false }: Omit<Convolution, 'rates'>,
): Value {
  const kernel = w.shape.slice(0, 3) as unknown as Triple
  const out = eachAxis(axis => sizeAfter(x.shape[axis]!, kernel[axis]!, strides[axis]!, padding))
  const before = eachAxis(axis => windowOf(out[axis]!, kernel[axis]!, strides[axis]!, padding).before)
  const y = g.batch(w.storage.label, [...out, w.shape[3]!], x, w, ...(b ? [b] : []))
  const passage = { x: y, y: x, kernel, strides, rates: ones, before }
  convolveBack(g, passage, w, b, write(y), relu ? 0 : Number.NEGATIVE_INFINITY)
  g.onBackward(y, gradient => {
    const dy = relu ? reluBackward(g, y, gradient) : gradient
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    const forth = { ...passage, x: dy }
    g.contribute(x, dx => convolveForth(g, forth, w, undefined, dx, Number.NEGATIVE_INFINITY))
    if (b) biasGradient(g, b, dy)
    weightGradient(g, forth, w)
  })
  return y
}
