import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/** A layer's state (see `Builder.state`) as a value of the samples: ops take what lies in the model's state for weights. */
export function read(g: Graph, state: Value): Value {
  const y = g.batch('state', state.shape)
  g.call('copy', samples(sizeOf(state.shape)), state, write(y))
  return y
}

/** Lets a layer's state (see `Builder.state`) be x in the next mini-batch, once this one is known to be finite. */
export function keep(g: Graph, state: Value, x: Value): void {
  g.update('copy', samples(sizeOf(x.shape)), x, write(state))
}
