import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/** y = x·scale + offset. */
export function rescale(g: Graph, x: Value, scale: number, offset: number): Value {
  const elements = samples(sizeOf(x.shape))
  const y = g.batch('rescale', x.shape, x)
  g.call('rescale', elements, x, write(y), scale, offset)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('rescale', elements, dy, dx, scale, 0)))
  return y
}

/**
 * y (…, n) = 1 at the tokens of each row of x (…, tokens), or with `count` how often each occurs; a row with
 * a token outside 0 … n − 1 is NaN. dx = 0.
 */
export function encode(g: Graph, x: Value, tokens: number, n: number, count: boolean): Value {
  const size = sizeOf(x.shape)
  const rows = size / tokens
  const y = g.batch('encode', [rows, n], x)
  g.call('encode', samples(rows), x, write(y), tokens, n, count ? 1 : 0)
  g.onBackward(y, () => g.contribute(x, dx => g.call('clear', samples(size), dx)))
  return y
}
