import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import type { Triple } from './scratch.ts'
import { type Padding, windowOf } from './window.ts'

type Pair = readonly [number, number]

export interface Pooling {
  readonly poolSize: Triple
  readonly strides: Triple
  readonly padding: Padding
}

type Kind = 'max' | 'average'

/** Records the pooling of each image of x (…, height, width, channels), two sizes an axis. */
function poolImages(g: Graph, x: Value, kind: Kind, poolSize: Pair, strides: Pair, padding: Padding): Value {
  const [height, width, channels] = x.shape.slice(-3) as [number, number, number]
  const outer = x.shape.slice(0, -3)
  const rows = windowOf(height, poolSize[0], strides[0], padding)
  const columns = windowOf(width, poolSize[1], strides[1], padding)
  const places = [rows.before, columns.before, rows.out, columns.out] as const
  const sizes = [height, width, channels, ...poolSize, ...strides, ...places] as const
  const cut = samples(sizeOf(outer))
  const y = g.batch(`${kind}Pool`, [...outer, rows.out, columns.out, channels], x)
  if (kind === 'max') {
    g.call('maxPool', cut, x, write(y), ...sizes)
    g.onBackward(y, dy => g.contribute(x, dx => g.call('maxPoolGradient', cut, x, y, dy, dx, ...sizes)))
  } else {
    g.call('averagePool', cut, x, write(y), ...sizes)
    g.onBackward(y, dy => g.contribute(x, dx => g.call('averagePoolGradient', cut, dy, dx, ...sizes)))
  }
  return y
}

/**
 * Pools x (depth, height, width, channels): first each plane, then the planes of each window, whose windows hold
 * equally many elements. So a maximum's gradient goes to its first element as if there were one pass.
 */
function pool(g: Graph, x: Value, kind: Kind, { poolSize, strides, padding }: Pooling): Value {
  const planes = poolImages(g, x, kind, [poolSize[1], poolSize[2]], [strides[1], strides[2]], padding)
  if (poolSize[0] === 1 && strides[0] === 1) return planes
  const [depth, ...plane] = planes.shape as [number, ...number[]]
  const columns = g.view(planes, [depth, 1, sizeOf(plane)])
  const y = poolImages(g, columns, kind, [poolSize[0], 1], [strides[0], 1], padding)
  return g.view(y, [y.shape[0]!, ...plane])
}

/**
 * Largest element of each window and channel; x (depth, height, width, channels), along fewer axes the first
 * sizes are 1. The gradient goes to the first maximum.
 */
export const maxPool = (g: Graph, x: Value, pooling: Pooling): Value => pool(g, x, 'max', pooling)

/** Mean of each window and channel over the elements that lie inside the input; shapes as for maxPool. */
export const averagePool = (g: Graph, x: Value, pooling: Pooling): Value => pool(g, x, 'average', pooling)

/** Mean of each channel over all positions: (…, channels) → (channels). */
export function globalAverage(g: Graph, x: Value): Value {
  const channels = x.shape.at(-1)!
  const positions = x.shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const y = g.batch('globalAverage', [channels], x)
  g.call('globalAverage', samples(), x, write(y), positions, channels)
  g.onBackward(y, dy =>
    g.contribute(x, dx => g.call('globalAverageGradient', samples(), dy, dx, positions, channels)),
  )
  return y
}

/** Largest element of each channel over all positions: (…, channels) → (channels). */
export function globalMax(g: Graph, x: Value): Value {
  const channels = x.shape.at(-1)!
  const positions = sizeOf(x.shape) / channels
  const row = g.view(x, [1, positions, channels])
  const y = poolImages(g, row, 'max', [1, positions], [1, positions], 'valid')
  return g.view(y, [channels])
}
