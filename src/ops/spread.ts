import type { Graph } from '../graph/graph.ts'
import { bytesOf, matrixOf, pack, unitsOf } from '../graph/parameter.ts'
import { once, samples, slices, type Value, write } from '../graph/value.ts'

/** y = p for every sample, p a parameter or a constant in panels. dp = Σ dy over the samples. */
export function spread(g: Graph, p: Value): Value {
  const { k, n } = matrixOf(p.shape)
  const y = g.batch(p.storage.label, p.shape, p)
  g.call('repeatPanels', samples(), p, write(y), k, n)
  g.onBackward(y, dy => {
    g.checkFinite(dy, `the gradient of ${p.storage.label}`)
    g.contributeParameter(p, (dp, span) =>
      g.call('sumPositions', slices(unitsOf(p.shape)), dy, dp, span, k, n),
    )
  })
  return y
}

/** The same numbers, row-major, for every sample; written into memory once a run. */
export function constant(g: Graph, values: readonly number[], shape: readonly number[]): Value {
  const bytes = bytesOf(shape)
  const panels = new Float32Array(bytes / 4)
  pack(values, shape, panels)
  const held = g.constant(`numbers [${shape}] ${values}`, shape, bytes, to => {
    for (let at = 0; at < panels.length; at += 4) {
      const [a, b, c, d] = panels.subarray(at, at + 4) as unknown as [number, number, number, number]
      g.call('setFour', once, to, at, a, b, c, d)
    }
  })
  return spread(g, held)
}
