import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/**
 * Inverted dropout: y = x·mask, mask = 0 with probability `rate`, else 1 / (1 − rate); y = x outside
 * training. The mask is drawn for (seed, lifetime step, call site, row of the mini-batch, element): it does
 * not depend on workers. Source: Srivastava et al., "Dropout", JMLR 15 (2014).
 */
export function dropout(g: Graph, x: Value, rate: number): Value {
  const site = g.site()
  if (!g.training || rate === 0) return x
  const size = sizeOf(x.shape)
  const y = g.batch('dropout', x.shape, x)
  const mask = g.batch('dropout mask', x.shape)
  g.call('dropout', samples(), x, write(y), write(mask), g.cells.key, site, size, rate)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiply', samples(size), dy, mask, dx)))
  return y
}
