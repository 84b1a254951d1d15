import type { Graph } from '../graph/graph.ts'
import { unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, type Value, write } from '../graph/value.ts'

/** y = x + p for every sample: x (t, n), p (t, n) a parameter. dp = Σ dy over the samples. */
export function addPositions(g: Graph, x: Value, p: Value): Value {
  const [t, n] = x.shape as [number, number]
  const y = g.batch(p.storage.label, x.shape, x, p)
  g.call('addPositions', samples(), x, p, write(y), t, n)
  g.onBackward(y, dy => {
    g.contribute(x, dx => g.call('copy', samples(sizeOf(x.shape)), dy, dx))
    g.contributeParameter(p, (dp, span) =>
      g.call('sumPositions', slices(unitsOf(p.shape)), dy, dp, span, t, n),
    )
  })
  return y
}
