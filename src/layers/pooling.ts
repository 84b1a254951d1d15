import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { maskedAverage } from '../ops/masks.ts'
import { averagePool, globalAverage, globalMax, maxPool, type Pooling } from '../ops/pooling.ts'
import type { Padding } from '../ops/window.ts'
import { defineLayer } from './define.ts'
import type { DataFormat } from './reshaping.ts'
import {
  type Axes,
  asImage,
  checkFit,
  checkFormat,
  checkPadding,
  checkRank,
  checkSizes,
  lastOf,
  pairOf,
  type Sizes,
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

const pooling1d = (className: string, op: Pool) =>
  defineLayer(className, defaults, checkPooling(1), ({ g, refuse }, x, { padding, ...config }) => {
    checkRank(refuse, x, 1, 'channelsLast')
    const size = pairOf(config.poolSize, 1)
    const strides = pairOf(config.strides ?? config.poolSize, 1)
    return asImage(g, x, 'channelsLast', image => {
      checkFit(refuse, image, { size, strides, padding }, x)
      return op(g, image, { poolSize: size, strides, padding })
    })
  })

const pooling2d = (className: string, op: Pool) =>
  defineLayer(
    className,
    { ...defaults, poolSize: [2, 2] as Sizes, dataFormat: 'channelsLast' as DataFormat },
    checkPooling(2),
    ({ g, refuse }, x, { padding, dataFormat, ...config }) => {
      checkRank(refuse, x, 2, dataFormat)
      const size = pairOf(config.poolSize, 2)
      const strides = pairOf(config.strides ?? config.poolSize, 2)
      return asImage(g, x, dataFormat, image => {
        checkFit(refuse, image, { size, strides, padding }, x)
        return op(g, image, { poolSize: size, strides, padding })
      })
    },
  )

/** Largest element of each window and channel: (steps, channels) → (outSteps, channels). */
export const maxPooling1d = pooling1d('MaxPooling1D', maxPool)

/** Mean of each window and channel, padding does not count: (steps, channels) → (outSteps, channels). */
export const averagePooling1d = pooling1d('AveragePooling1D', averagePool)

/** Largest element of each window and channel: (height, width, channels) → (outHeight, outWidth, channels). */
export const maxPooling2d = pooling2d('MaxPooling2D', maxPool)

/** Mean of each window and channel, padding does not count; shapes as for maxPooling2d. */
export const averagePooling2d = pooling2d('AveragePooling2D', averagePool)

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
