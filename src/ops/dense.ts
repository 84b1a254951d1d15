import type { Graph } from '../graph/graph.ts'
import { matrixOf, unitsOf } from '../graph/parameter.ts'
import { type Access, samples, sizeOf, slices, type Value, write } from '../graph/value.ts'
import { reluBackward } from './activation.ts'
import { productGradientScratch } from './scratch.ts'

/**
 * The transpose of a parameter in panels, refreshed after each update: what the input gradient is multiplied
 * by.
 */
export function transposed(g: Graph, w: Value): Value {
  const { k, n } = matrixOf(w.shape)
  const bytes = 64 * unitsOf([n, k])
  const record = (wt: Access) => g.call('transposePanels', slices(unitsOf(w.shape)), w, wt, k, n)
  return g.derive(w, 'transposed', [bytes], wt => record(wt!))[0]!
}

/**
 * y = x·w + b, or max(x·w + b, 0) with `relu`, over the last axis of x.
 * x (…, k), w (k, n), b (n) or none, y (…, n). dx = dy·wᵀ, dw = xᵀ·dy, db = Σ dy.
 */
export function dense(g: Graph, x: Value, w: Value, b: Value | undefined, relu = false): Value {
  const { k, n } = matrixOf(w.shape)
  const rows = sizeOf(x.shape) / k
  const y = g.batch(w.storage.label, [...x.shape.slice(0, -1), n], x, w, ...(b ? [b] : []))
  const lower = relu ? 0 : Number.NEGATIVE_INFINITY
  g.call('product', samples(rows), x, w, b ?? 0, write(y), n, k, lower)
  g.onBackward(y, gradient => denseBackward(g, x, w, b, relu ? reluBackward(g, y, gradient) : gradient))
  return y
}

/** Records the gradients of y = x·w + b from dy. */
export function denseBackward(g: Graph, x: Value, w: Value, b: Value | undefined, dy: Value): void {
  const { k, n } = matrixOf(w.shape)
  const rows = sizeOf(x.shape) / k
  g.checkFinite(dy, `the gradient of ${w.storage.label}`)
  g.contribute(x, dx =>
    g.call('product', samples(rows), dy, transposed(g, w), 0, dx, k, n, Number.NEGATIVE_INFINITY),
  )
  if (b)
    g.contributeParameter(b, (db, span) => g.call('sumRows', slices(unitsOf(b.shape)), dy, db, span, rows, n))
  productBackward(g, x, w, dy)
}

/** Records dw = xᵀ·dy. */
export function productBackward(g: Graph, x: Value, w: Value, dy: Value): void {
  const { k, n } = matrixOf(w.shape)
  const rows = sizeOf(x.shape) / k
  g.contributeParameter(w, (dw, span) => {
    const scratch = g.scratch(productGradientScratch())
    g.call('productGradient', slices(unitsOf(w.shape)), x, dy, dw, span, rows, k, n, write(scratch))
  })
}
