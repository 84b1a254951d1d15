import type { Graph } from '../graph/graph.ts'
import { matrixOf, unitsOf } from '../graph/parameter.ts'
import { type Access, samples, slices, type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import { convolveGradientScratch, convolveScratch } from './scratch.ts'
import { type Padding, spread, windowOf } from './window.ts'

/** Weights of the input gradient: taps reversed, channels and filters exchanged. */
export function flipped(g: Graph, w: Value, taps: number, channels: number, filters: number): Value {
  const bytes = 64 * unitsOf([taps * filters, channels])
  const record = (wt: Access) =>
    g.call('flipPanels', slices(unitsOf(w.shape)), w, wt, taps, channels, filters)
  return g.derive(w, 'flipped', [bytes], wt => record(wt!))[0]!
}

export interface Convolution {
  readonly strides: readonly [number, number]
  readonly padding: Padding
  /** Distances between neighbouring taps. */
  readonly rates?: readonly [number, number]
  readonly relu?: boolean
}

/**
 * 2-D convolution (cross-correlation) y = x ⋆ w + b, channels last, its taps `rates` apart, max(·, 0) with
 * `relu`. x (height, width, channels), w (kernelHeight, kernelWidth, channels, filters), b (filters) or none,
 * y (outHeight, outWidth, filters). dx is the convolution of dy, spread out by the strides, with the flipped
 * weights.
 */
export function conv2d(
  g: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { strides, padding, rates = [1, 1], relu = false }: Convolution,
): Value {
  const [height, width, channels] = x.shape as [number, number, number]
  const [kernelHeight, kernelWidth, , filters] = w.shape as [number, number, number, number]
  const [strideHeight, strideWidth] = strides
  const [reachHeight, reachWidth] = [spread(kernelHeight, rates[0]), spread(kernelWidth, rates[1])]
  const rows = windowOf(height, reachHeight, strideHeight, padding)
  const columns = windowOf(width, reachWidth, strideWidth, padding)
  const y = g.batch(w.storage.label, [rows.out, columns.out, filters], x, w, ...(b ? [b] : []))
  const lower = relu ? 0 : Number.NEGATIVE_INFINITY
  const forward = [
    height,
    width,
    channels,
    kernelHeight,
    kernelWidth,
    filters,
    strideHeight,
    strideWidth,
    rows.before,
    columns.before,
    rows.out,
    columns.out,
    ...rates,
    1,
    1,
  ] as const
  g.call(
    'convolve',
    samples(),
    x,
    w,
    b ?? 0,
    write(y),
    write(g.scratch(convolveScratch(...forward))),
    lower,
    ...forward,
  )
  g.onBackward(y, gradient => {
    const dy = relu ? reluBackward(g, y, gradient) : gradient
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    g.contribute(x, dx => {
      const wt = flipped(g, w, kernelHeight * kernelWidth, channels, filters)
      const backward = [
        rows.out,
        columns.out,
        filters,
        kernelHeight,
        kernelWidth,
        channels,
        1,
        1,
        reachHeight - 1 - rows.before,
        reachWidth - 1 - columns.before,
        height,
        width,
        ...rates,
        strideHeight,
        strideWidth,
      ] as const
      const scratch = g.scratch(convolveScratch(...backward))
      g.call('convolve', samples(), dy, wt, 0, dx, write(scratch), Number.NEGATIVE_INFINITY, ...backward)
    })
    if (b) biasGradient(g, b, dy)
    g.contributeParameter(w, (dw, span) => {
      const sizes = forward.slice(0, -2) as unknown as Parameters<typeof convolveGradientScratch>
      const scratch = g.scratch(convolveGradientScratch(...sizes))
      g.call('convolveGradient', slices(unitsOf(w.shape)), x, dy, dw, span, write(scratch), ...sizes)
    })
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
