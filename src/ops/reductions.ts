import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { expand, permute, sumAlong } from './moves.ts'

/** y = Σ x over the given axes, which stay with size 1. */
export function sumOver(g: Graph, x: Value, axes: readonly number[]): Value {
  const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  if (sizeOf(shape) === sizeOf(x.shape)) return g.view(x, shape)
  const y = g.batch('sum', shape, x)
  sumAlong(g, x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => expand(g, dy, dx)))
  return y
}

/** x with the given axes behind the others, seen as rows of them. */
function rowsAlong(g: Graph, x: Value, axes: readonly number[]): Value {
  const all = x.shape.map((_, axis) => axis)
  const kept = all.filter(axis => !axes.includes(axis))
  const order = [...kept, ...all.filter(axis => axes.includes(axis))]
  const moved = order.every((axis, i) => axis === i) ? x : permute(g, x, order)
  const rows = sizeOf(kept.map(axis => x.shape[axis]!))
  return g.view(moved, [rows, sizeOf(x.shape) / rows])
}

/** y = the largest of x over the given axes, which stay with size 1; dy goes to the first of equal ones. */
export function maximumOver(g: Graph, x: Value, axes: readonly number[]): Value {
  const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  const z = rowsAlong(g, x, axes)
  const [rows, n] = z.shape as [number, number]
  const y = g.batch('largest', shape, x)
  g.call('rowMaximum', samples(rows), z, write(y), n)
  g.onBackward(y, dy => g.contribute(z, dz => g.call('rowMaximumGradient', samples(rows), z, dy, dz, n)))
  return y
}

/** y = the index of the first largest of x along an axis, which stays with size 1; without gradient. */
export function argMaximum(g: Graph, x: Value, axis: number): Value {
  const z = rowsAlong(g, x, [axis])
  const [rows, n] = z.shape as [number, number]
  const y = g.batch('index', x.shape.with(axis, 1))
  g.call('rowArgMax', samples(rows), z, write(y), n)
  return y
}
