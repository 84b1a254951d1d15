import type { Graph } from '../graph/graph.ts'
import { matrixOf, unitsOf } from '../graph/parameter.ts'
import { type Access, samples, sizeOf, slices, type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import { type ConvolutionSizes, convolveGradientScratch, convolveScratch, type Triple } from './scratch.ts'
import { type Padding, spread, windowOf } from './window.ts'

/** Weights of the input gradient: taps reversed, channels and filters exchanged. */
export function flipped(g: Graph, w: Value, taps: number, channels: number, filters: number): Value {
  const bytes = 64 * unitsOf([taps * filters, channels])
  const record = (wt: Access) =>
    g.call('flipPanels', slices(unitsOf(w.shape)), w, wt, taps, channels, filters)
  return g.derive(w, 'flipped', [bytes], wt => record(wt!))[0]!
}

export interface Convolution {
  readonly strides: Triple
  readonly padding: Padding
  /** Distances between neighbouring taps. */
  readonly rates?: Triple
  readonly relu?: boolean
}

export const ones: Triple = [1, 1, 1]
export const eachAxis = (f: (axis: number) => number): Triple => [f(0), f(1), f(2)]

/** What the kernels need to know of the convolution of one volume with a kernel to another. */
export interface Passage {
  readonly x: Value
  readonly y: Value
  /** Of (…kernel, channels, filters). */
  readonly kernel: Triple
  readonly strides: Triple
  readonly rates: Triple
  /** Zeros before x along each axis. */
  readonly before: Triple
}

const placesOf = ({ shape }: Value) => shape.slice(0, 3) as unknown as Triple

/** Sizes of the convolution from x to y. */
function sizesOf({ x, y, kernel, strides, rates, before }: Passage): ConvolutionSizes {
  const [channels, filters] = [x.shape[3]!, y.shape[3]!]
  return [...placesOf(x), channels, ...kernel, filters, ...strides, ...before, ...placesOf(y), ...rates]
}

/** Writes y = max(x ⋆ w + b, lower) to `into`. */
export function convolveForth(
  g: Graph,
  passage: Passage,
  w: Value,
  b: Value | undefined,
  into: Access,
  lower: number,
): void {
  const sizes = sizesOf(passage)
  const scratch = write(g.scratch(convolveScratch(...sizes, ...ones)))
  g.call('convolve', samples(), passage.x, w, b ?? 0, into, scratch, lower, ...sizes, ...ones)
}

/** Writes the input gradient for y, the convolution of y, spread out by the strides, with w flipped. */
export function convolveBack(
  g: Graph,
  { x, y, kernel, strides, rates, before }: Passage,
  w: Value,
  b: Value | undefined,
  into: Access,
  lower: number,
): void {
  const [channels, filters] = [x.shape[3]!, y.shape[3]!]
  const wt = flipped(g, w, sizeOf(kernel), channels, filters)
  const pads = eachAxis(axis => (kernel[axis]! - 1) * rates[axis]! - before[axis]!)
  const back = sizesOf({ x: y, y: x, kernel, strides: ones, rates, before: pads })
  const scratch = write(g.scratch(convolveScratch(...back, ...strides)))
  g.call('convolve', samples(), y, wt, b ?? 0, into, scratch, lower, ...back, ...strides)
}

/** Contributes the gradient of w from x and y's gradient, or the other way round. */
export function weightGradient(g: Graph, passage: Passage, w: Value): void {
  g.contributeParameter(w, (dw, span) => {
    const sizes = sizesOf(passage)
    const scratch = write(g.scratch(convolveGradientScratch(...sizes)))
    const cut = slices(unitsOf(w.shape))
    g.call('convolveGradient', cut, passage.x, passage.y, dw, span, scratch, ...sizes)
  })
}

/**
 * 3-D convolution (cross-correlation) y = x ⋆ w + b, channels last, its taps `rates` apart, max(·, 0) with
 * `relu`. x (depth, height, width, channels), w (…kernel, channels, filters), b (filters) or none, y (outDepth,
 * outHeight, outWidth, filters); along fewer axes the first sizes are 1. dx is the convolution of dy, spread
 * out by the strides, with the flipped weights.
 */
export function convolution(
  g: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { strides, padding, rates = ones, relu = false }: Convolution,
): Value {
  const kernel = placesOf(w)
  const windows = ones.map((_, axis) =>
    windowOf(x.shape[axis]!, spread(kernel[axis]!, rates[axis]!), strides[axis]!, padding),
  )
  const shape = [...windows.map(({ out }) => out), w.shape[4]!]
  const y = g.batch(w.storage.label, shape, x, w, ...(b ? [b] : []))
  const before = eachAxis(axis => windows[axis]!.before)
  const passage = { x, y, kernel, strides, rates, before }
  convolveForth(g, passage, w, b, write(y), relu ? 0 : Number.NEGATIVE_INFINITY)
  g.onBackward(y, gradient => {
    const dy = relu ? reluBackward(g, y, gradient) : gradient
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    const back = { ...passage, y: dy }
    g.contribute(x, dx => convolveBack(g, back, w, undefined, dx, Number.NEGATIVE_INFINITY))
    if (b) biasGradient(g, b, dy)
    weightGradient(g, back, w)
  })
  return y
}

/** db = Σ dy over samples and positions: first each sample's own sum, while it is near, then the samples'. */
export function biasGradient(g: Graph, b: Value, dy: Value): void {
  const { n } = matrixOf(b.shape)
  const positions = dy.shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const partial = g.batch(`partial d ${b.storage.label}`, [n])
  g.call('sumSample', samples(), dy, write(partial), positions, n)
  g.contributeParameter(b, (db, span) => g.call('sumRows', slices(unitsOf(b.shape)), partial, db, span, 1, n))
}
