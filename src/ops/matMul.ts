import type { Graph } from '../graph/graph.ts'
import { sizeOf, type Value } from '../graph/value.ts'
import { rowProducts } from './dot.ts'
import { permute } from './moves.ts'

/** x with its two last axes exchanged. */
export function transposed(g: Graph, x: Value): Value {
  const rank = x.shape.length
  const order = x.shape.map((_, axis) => axis)
  return permute(g, x, [...order.slice(0, -2), rank - 1, rank - 2])
}

/**
 * y = a·bᵀ, sample by sample: a (…, m, k), b (…, n, k) with the same leading axes, y (…, m, n); or b (n, k) for all
 * rows of a.
 */
export function products(g: Graph, a: Value, b: Value): Value {
  const k = a.shape.at(-1)!
  const n = b.shape.at(-2)!
  const count = sizeOf(b.shape) / (n * k)
  const y = rowProducts(g, a, b, [sizeOf(a.shape) / (k * count), n, k], count)
  return g.view(y, [...a.shape.slice(0, -1), n])
}
