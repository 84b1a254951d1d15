import type { Graph } from '../graph/graph.ts'
import { bytesOf, unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, type Value, write } from '../graph/value.ts'

/** y = x + p for every sample: x (t, n), p (t, n) in panels, a parameter or a constant. dp = Σ dy over the samples. */
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

/**
 * Sines and cosines of falling frequency, (t, n) in panels: sin(i·f) in column j of row i, cos(i·f) in column j
 * + 1, with f = ratio^(j/2); computed once a run. Source: Vaswani et al., "Attention Is All You Need" (2017),
 * section 3.5.
 */
export function sinePositions(g: Graph, [t, n]: readonly [number, number], ratio: number): Value {
  const shape = [t, n]
  return g.constant(`sines ${t} ${n} ${ratio}`, shape, bytesOf(shape), p =>
    g.call('sinePositions', slices(unitsOf(shape)), p, t, n, ratio),
  )
}
