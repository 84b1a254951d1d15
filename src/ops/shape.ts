import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'

/** x with another shape of the same size; nothing is copied, forward or backward. */
export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  return g.view(x, shape)
}
