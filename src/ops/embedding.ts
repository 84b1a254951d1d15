import type { Graph } from '../graph/graph.ts'
import { matrixOf, unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, update, type Value, write } from '../graph/value.ts'

/**
 * y = the rows of w that the integers x name: x (…), w (k, n), y (…, n). dw = Σ dy over the places that name
 * each row. `owner` is whom the fault names that an integer out of range raises.
 */
export function embed(g: Graph, x: Value, w: Value, owner: string): Value {
  const { k, n } = matrixOf(w.shape)
  const tokens = sizeOf(x.shape)
  const fault = g.fault(
    `the input of ${owner} must hold integers from 0 to ${k - 1}, got another value`,
    'correct the input or raise inputDim',
  )
  const y = g.batch(w.storage.label, [...x.shape, n], w)
  g.call('embed', samples(tokens), x, w, write(y), update(g.cells.fault), fault, k, n)
  g.onBackward(y, dy => {
    g.checkFinite(dy, `the gradient of ${w.storage.label}`)
    g.contributeParameter(w, (dw, span) =>
      g.call('embedGradient', slices(unitsOf(w.shape)), x, dy, dw, span, tokens, k, n),
    )
  })
  return y
}
