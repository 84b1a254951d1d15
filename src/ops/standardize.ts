import type { Graph } from '../graph/graph.ts'
import { matrixOf } from '../graph/parameter.ts'
import { once, samples, sizeOf, type Value, write } from '../graph/value.ts'
import { mostAxes, stridesOf } from './moves.ts'

/** Rows that the kernel goes through have at least so many elements, where a sample has them. */
const leastRow = 64

type Five = [number, number, number, number, number]
const five = (list: readonly number[], filler: number): Five =>
  [...Array<number>(mostAxes - list.length).fill(filler), ...list] as Five

export interface Statistics {
  /** Of the sizes of `axes`, in their order. */
  readonly mean: Value
  readonly variance: Value
  /** Axes of a sample of which each place has statistics of its own, rising. */
  readonly axes: readonly number[]
}

/** The first axis from which on one row of centres and scales serves a sample of this shape. */
function rowBegin(shape: readonly number[], axes: readonly number[]): number {
  let begin = axes[0] ?? shape.length
  while (begin > 0 && sizeOf(shape.slice(begin)) < leastRow) begin--
  return begin
}

/** y = (x − mean) / max(√variance, 1e-7), or with `invert` the way back, over samples of at most five axes. */
export function standardize(
  g: Graph,
  x: Value,
  { mean, variance, axes }: Statistics,
  invert: boolean,
): Value {
  const { k, n: columns } = matrixOf(mean.shape)
  const begin = rowBegin(x.shape, axes)
  const row = x.shape.slice(begin)
  const own = stridesOf(mean.shape)
  const strides = row.map((_, axis) => own[axes.indexOf(begin + axis)] ?? 0)
  const size = sizeOf(row)
  const purpose = `standard ${row} of ${strides} ${invert}`
  const [centre, scale, zeros] = g.derive(variance, purpose, Array(3).fill(4 * size), (...results) => {
    const [to, factors, nothing] = results as [(typeof results)[0], (typeof results)[0], (typeof results)[0]]
    const sizes = [invert ? 1 : 0, k, columns, ...five(row, 1), ...five(strides, 0)] as const
    g.call('standardScale', once, mean, variance, to, factors, nothing, ...sizes)
  }) as [Value, Value, Value]
  const rows = samples(sizeOf(x.shape) / size)
  const y = g.batch('standardize', x.shape, x)
  if (invert) g.call('normalize', rows, x, scale, centre, write(y), size)
  else g.call('standardize', rows, x, centre, scale, write(y), size)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('standardize', rows, dy, zeros, scale, dx, size)))
  return y
}
