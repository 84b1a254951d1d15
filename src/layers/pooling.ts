import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { maskedAverage } from '../ops/masks.ts'
import { averagePool, globalAverage, globalMax, maxPool, type Pooling } from '../ops/pooling.ts'
import type { Padding } from '../ops/window.ts'
import { defineLayer } from './define.ts'
import type { DataFormat } from './reshaping.ts'
import {
  type Axes,
  asVolume,
  checkFit,
  checkFormat,
  checkPadding,
  checkRank,
  checkSizes,
  lastOf,
  type Sizes,
  tripleOf,
} from './windows.ts'

const defaults = {
  /** Size of the window along each axis, or one number for all. */
  poolSize: 2 as Sizes,
  /** Steps between windows; the window's size by default. */
  strides: null as Sizes | null,
  padding: 'valid' as Padding,
}

interface PoolingConfig {
  readonly poolSize: Sizes
  readonly strides: Sizes | null
  readonly padding: Padding
  readonly dataFormat?: DataFormat
}

type Pool = (g: Graph, x: Value, pooling: Pooling) => Value

const checkPooling = (axes: Axes) => (where: string, config: PoolingConfig) => {
  const { poolSize, strides, padding, dataFormat = 'channelsLast' } = config
  checkSizes(where, 'poolSize', poolSize, axes)
  if (strides !== null) checkSizes(where, 'strides', strides, axes)
  checkPadding(where, padding)
  checkFormat(where, dataFormat)
}

/** Pooling along some axes; only that along steps has no dataFormat. */
const pooling = <D extends typeof defaults>(className: string, axes: Axes, own: D, op: Pool) =>
  defineLayer(className, own, checkPooling(axes), ({ g, refuse }, x, config) => {
    const { padding, poolSize, strides: given, dataFormat = 'channelsLast' } = config as PoolingConfig
    checkRank(refuse, x, axes, dataFormat)
    const size = tripleOf(poolSize, axes)
    const strides = tripleOf(given ?? poolSize, axes)
    return asVolume(g, x, dataFormat, volume => {
      checkFit(refuse, volume, { size, strides, padding }, x)
      return op(g, volume, { poolSize: size, strides, padding })
    })
  })

const format = { dataFormat: 'channelsLast' as DataFormat }
const defaults2d = { ...defaults, poolSize: [2, 2] as Sizes, ...format }
const defaults3d = { ...defaults, poolSize: [2, 2, 2] as Sizes, ...format }

/** Largest element of each window and channel: (steps, channels) → (outSteps, channels). */
export const maxPooling1d = pooling('MaxPooling1D', 1, defaults, maxPool)

/** Mean of each window and channel, padding does not count: (steps, channels) → (outSteps, channels). */
export const averagePooling1d = pooling('AveragePooling1D', 1, defaults, averagePool)

/** Largest element of each window and channel: (height, width, channels) → (outHeight, outWidth, channels). */
export const maxPooling2d = pooling('MaxPooling2D', 2, defaults2d, maxPool)

/** Mean of each window and channel, padding does not count; shapes as for maxPooling2d. */
export const averagePooling2d = pooling('AveragePooling2D', 2, defaults2d, averagePool)

/** Largest element of each window and channel: (depth, height, width, channels) → (outDepth, …, channels). */
export const maxPooling3d = pooling('MaxPooling3D', 3, defaults3d, maxPool)

/** Mean of each window and channel, padding does not count; shapes as for maxPooling3d. */
export const averagePooling3d = pooling('AveragePooling3D', 3, defaults3d, averagePool)

const global1d = (className: string, op: (g: Graph, x: Value) => Value) =>
  defineLayer(
    className,
    {},
    () => {},
    ({ g, refuse }, x) => {
      checkRank(refuse, x, 1, 'channelsLast')
      return op(g, x)
    },
  )

const global2d = (className: string, op: (g: Graph, x: Value) => Value) =>
  defineLayer(
    className,
    { dataFormat: 'channelsLast' as DataFormat },
    (where, { dataFormat }) => checkFormat(where, dataFormat),
    ({ g, refuse }, x, { dataFormat }) => {
      checkRank(refuse, x, 2, dataFormat)
      return op(g, lastOf(g, x, dataFormat))
    },
  )

/** Mean of each channel over all steps, or those that a mask counts: (steps, channels) → (channels). */
export const globalAveragePooling1d = global1d('GlobalAveragePooling1D', (g, x) => {
  const mask = g.masks.of(x)
  return mask ? maskedAverage(g, x, mask) : globalAverage(g, x)
})

/** Largest element of each channel: (steps, channels) → (channels). */
export const globalMaxPooling1d = global1d('GlobalMaxPooling1D', globalMax)

/** Mean of each channel over all positions: (height, width, channels) → (channels). */
export const globalAveragePooling2d = global2d('GlobalAveragePooling2D', globalAverage)

/** Largest element of each channel: (height, width, channels) → (channels). */
export const globalMaxPooling2d = global2d('GlobalMaxPooling2D', globalMax)
