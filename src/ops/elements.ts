import type { Graph } from '../graph/graph.ts'
import { type Cut, each, samples, sizeOf, slices, type Value, write } from '../graph/value.ts'

// Elementwise ops work on three kinds of values: rows of samples, panels of a parameter (in optimizers), and single
// numbers that each worker has for itself.

export const isNumber = ({ storage }: Value): boolean => storage.placement === 'worker'

/** How a call is cut that goes through the elements of x. */
export function elementsOf(x: Value): Cut {
  if (isNumber(x)) return each
  return x.panels ? slices(x.storage.bytes / 64, 16) : samples(sizeOf(x.shape))
}

/** A new value like x; differentiable if x or one of the other inputs is. */
export function alike(g: Graph, label: string, x: Value, ...others: Value[]): Value {
  if (isNumber(x)) return g.allocate('worker', label, x.shape, 4)
  if (x.panels) return { ...g.allocate('shared', label, x.shape, x.storage.bytes), panels: true }
  return g.batch(label, x.shape, x, ...others)
}

/** As `alike`, all elements being one number: a constant, or a number of each worker. */
export function filled(g: Graph, x: Value, number: number | Value): Value {
  const y = { ...alike(g, 'number', x), differentiable: false }
  const elements = elementsOf(x)
  if (typeof number === 'number') g.call('fillWith', elements, write(y), number)
  else g.call('fill', elements, number, write(y))
  return y
}
