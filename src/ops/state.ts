import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/** Lets a layer's state (see `Builder.state`) be x in the next mini-batch, once this one is known to be finite. */
export function keep(g: Graph, state: Value, x: Value): void {
  g.update('copy', samples(sizeOf(x.shape)), x, write(state))
}
