import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { permute } from './moves.ts'

const up16 = (n: number): number => Math.ceil(n / 16) * 16

/** x with one of its axes behind the others. */
function withLast(g: Graph, x: Value, axis: number): Value {
  const order = x.shape.map((_, i) => i)
  if (axis === order.length - 1) return x
  return permute(g, x, [...order.toSpliced(axis, 1), axis])
}

/** y = x / √max(Σ x², 1e-7) over the last axis. */
function unit(g: Graph, x: Value): Value {
  const n = x.shape.at(-1)!
  const rows = sizeOf(x.shape) / n
  const y = g.batch('unit', x.shape, x)
  const norm = g.batch('norm', [rows])
  g.call('unitRows', samples(rows), x, write(y), write(norm), n)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('unitRowsGradient', samples(rows), y, norm, dy, dx, n)))
  return y
}

/**
 * y = Σ a·b over one axis of each, counted from 0 in the sample: the other axes of a, then those of b. With
 * `normalize` vectors along these axes have length 1 first, so that y holds cosines.
 */
export function dot(
  g: Graph,
  a: Value,
  b: Value,
  [axisA, axisB]: readonly [number, number],
  normalize: boolean,
): Value {
  const [left, right] = [withLast(g, a, axisA), withLast(g, b, axisB)]
  const k = left.shape.at(-1)!
  const shape = [...left.shape.slice(0, -1), ...right.shape.slice(0, -1)]
  const [p, q] = normalize ? [unit(g, left), unit(g, right)] : [left, right]
  const y = rowProducts(g, p, q, [sizeOf(p.shape) / k, sizeOf(q.shape) / k, k])
  return g.view(y, shape.length === 0 ? [1] : shape)
}

/**
 * y = p·qᵀ for each of `count` pairs of matrices a sample: p (count, m, k), q (count, n, k), y (count, m, n), sizes
 * being [m, n, k].
 */
export function rowProducts(
  g: Graph,
  p: Value,
  q: Value,
  sizes: readonly [number, number, number],
  count = 1,
): Value {
  const [m, n, k] = sizes
  const y = g.batch('dot', [count, m, n], p, q)
  const cut = samples(count)
  g.call('rowProducts', cut, p, q, write(y), ...sizes, write(g.scratch(4 * up16(n) * k)))
  g.onBackward(y, dy => {
    const [forP, forQ] = [write(g.scratch(4 * up16(k) * n)), write(g.scratch(64 * m))]
    g.contribute(p, dp => g.call('rowProductsLeft', cut, dy, q, dp, ...sizes, forP))
    g.contribute(q, dq => g.call('rowProductsRight', cut, dy, p, dq, ...sizes, forQ))
  })
  return y
}
