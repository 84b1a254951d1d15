import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { type Padding, windowOf } from './window.ts'

export interface Pooling {
  readonly poolSize: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly padding: Padding
}

/** Arguments that the pooling kernels share, and the output's shape. */
function geometry(x: Value, { poolSize, strides, padding }: Pooling) {
  const [height, width, channels] = x.shape as [number, number, number]
  const rows = windowOf(height, poolSize[0], strides[0], padding)
  const columns = windowOf(width, poolSize[1], strides[1], padding)
  const sizes = [
    height,
    width,
    channels,
    ...poolSize,
    ...strides,
    rows.before,
    columns.before,
    rows.out,
    columns.out,
  ] as const
  return { sizes, shape: [rows.out, columns.out, channels] }
}

/**
 * Largest element of each window and channel; x (height, width, channels). The gradient goes to the first
 * maximum.
 */
export function maxPool(g: Graph, x: Value, pooling: Pooling): Value {
  const { sizes, shape } = geometry(x, pooling)
  const y = g.batch('maxPool', shape, x)
  g.call('maxPool', samples(), x, write(y), ...sizes)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('maxPoolGradient', samples(), x, y, dy, dx, ...sizes)))
  return y
}

/** Mean of each window and channel over the elements that lie inside the input. */
export function averagePool(g: Graph, x: Value, pooling: Pooling): Value {
  const { sizes, shape } = geometry(x, pooling)
  const y = g.batch('averagePool', shape, x)
  g.call('averagePool', samples(), x, write(y), ...sizes)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('averagePoolGradient', samples(), dy, dx, ...sizes)))
  return y
}

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
  const y = maxPool(g, row, { poolSize: [1, positions], strides: [1, positions], padding: 'valid' })
  return g.view(y, [channels])
}
