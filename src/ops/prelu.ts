import type { Graph } from '../graph/graph.ts'
import { unitsOf } from '../graph/parameter.ts'
import { samples, slices, type Value, write } from '../graph/value.ts'
import { stridesOf } from './moves.ts'

type Four = [number, number, number, number]
const four = (list: readonly number[], filler: number): Four =>
  [...Array(4 - list.length).fill(filler), ...list] as Four

/**
 * y = x where x > 0, else alpha·x, over samples of at most five axes; alpha has the sample's shape, with 1
 * for an axis whose elements share it. d alpha = Σ min(x, 0)·dy, first over each sample, then the samples.
 * Source: He et al., "Delving Deep into Rectifiers" (2015), equations 1 and 8.
 */
export function prelu(g: Graph, x: Value, alpha: Value): Value {
  const leading = alpha.shape.slice(0, -1)
  const strides = stridesOf(leading).map((stride, axis) => (leading[axis] === 1 ? 0 : stride))
  const [n, columns] = [x.shape.at(-1)!, alpha.shape.at(-1)!]
  const units = unitsOf(alpha.shape)
  const rows = units / Math.ceil(columns / 16)
  const shared = n > 1 && columns === 1 ? 1 : 0
  const sizes = [...four(x.shape.slice(0, -1), 1), n, ...four(strides, 0), rows, shared] as const
  const y = g.batch('prelu', x.shape, x, alpha)
  g.call('prelu', samples(), x, alpha, write(y), ...sizes)
  g.onBackward(y, dy => {
    g.checkFinite(dy, `the gradient of ${alpha.storage.label}`)
    g.contribute(x, dx => g.call('preluGradient', samples(), x, alpha, dy, dx, ...sizes))
    if (!alpha.differentiable) return
    const sums = g.batch(`partial d ${alpha.storage.label}`, [16 * units])
    g.call('preluSlopes', samples(), x, dy, write(sums), ...sizes)
    g.contributeParameter(alpha, (d, span) => g.call('sumRows', slices(units), sums, d, span, 1, 16 * units))
  })
  return y
}
