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

/** The mask of `dropout`, one row of `size` a sample; undefined where nothing is dropped. */
export function dropoutMask(g: Graph, size: number, rate: number): Value | undefined {
  const site = g.site()
  if (!g.training || rate === 0) return undefined
  const mask = g.batch('dropout mask', [size])
  g.call('dropoutMask', samples(), write(mask), g.cells.key, site, size, rate)
  return mask
}

/** `dropout` of x (time, size) with one mask for all times. Source: Gal & Ghahramani (2016). */
export function dropoutSteps(g: Graph, x: Value, rate: number): Value {
  const [time, size] = x.shape as [number, number]
  const mask = dropoutMask(g, size, rate)
  if (!mask) return x
  const y = g.batch('dropout', x.shape, x)
  g.call('multiplySteps', samples(), x, mask, write(y), time, size)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiplySteps', samples(), dy, mask, dx, time, size)))
  return y
}
