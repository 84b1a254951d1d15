import { oneOf, positiveInteger, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { type ActivationName, activate } from '../ops/activation.ts'
import { conv2d as conv2dOp } from '../ops/convolution.ts'
import { averagePool, globalAverage, maxPool, type Pooling } from '../ops/pooling.ts'
import { type Padding, windowOf } from '../ops/window.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { checkActivation } from './core.ts'
import { type Builder, defineLayer, required } from './define.ts'

type Pair = number | readonly [number, number] | readonly number[]

const pairOf = (pair: Pair): [number, number] =>
  typeof pair === 'number' ? [pair, pair] : [pair[0]!, pair[1]!]

function checkPair(where: string, name: string, pair: Pair): void {
  if (Array.isArray(pair) && pair.length !== 2) {
    throw new RangeError(
      `${where}: ${name} must be a number or two, got ${show(pair)}; write [height, width]`,
    )
  }
  for (const size of Array.isArray(pair) ? pair : [pair]) positiveInteger(where, name, size)
}

const checkPadding = (where: string, padding: Padding) => oneOf(where, 'padding', padding, ['valid', 'same'])
const checkFormat = (where: string, format: string) => oneOf(where, 'dataFormat', format, ['channelsLast'])

/** Refuses an input that is no image, or too small for one window. */
function checkImage(
  refuse: Builder['refuse'],
  x: Value,
  size: [number, number],
  strides: [number, number],
  padding: Padding,
): void {
  if (x.shape.length !== 3) {
    refuse(
      `the input must have shape [height, width, channels], got [${x.shape}]; add layers.reshape() before it`,
    )
  }
  const [height, width] = x.shape as [number, number, number]
  if (
    windowOf(height, size[0], strides[0], padding).out < 1 ||
    windowOf(width, size[1], strides[1], padding).out < 1
  ) {
    refuse(
      `a window of [${size}] must fit into the input, got [${x.shape}]; use padding: 'same' or a smaller window`,
    )
  }
}

/** Two-dimensional convolution: (height, width, channels) → (outHeight, outWidth, filters). */
export const conv2d = defineLayer(
  'Conv2D',
  {
    /** Number of output channels. */
    filters: required<number>(),
    /** Height and width of the window, or one number for both. */
    kernelSize: required<Pair>(),
    strides: [1, 1] as Pair,
    padding: 'valid' as Padding,
    dataFormat: 'channelsLast' as 'channelsLast',
    activation: null as ActivationName | null,
    useBias: true,
    kernelInitializer: 'glorotNormal' as InitializerIdentifier,
    biasInitializer: 'zeros' as InitializerIdentifier,
    kernelRegularizer: null as RegularizerIdentifier | null,
    biasRegularizer: null as RegularizerIdentifier | null,
    kernelConstraint: null as ConstraintIdentifier | null,
    biasConstraint: null as ConstraintIdentifier | null,
  },
  (where, { filters, kernelSize, strides, padding, activation, dataFormat }) => {
    positiveInteger(where, 'filters', filters)
    checkPair(where, 'kernelSize', kernelSize)
    checkPair(where, 'strides', strides)
    checkPadding(where, padding)
    checkFormat(where, dataFormat)
    checkActivation(where, activation)
  },
  ({ g, weight, refuse }, x, { filters, padding, activation, ...config }) => {
    const size = pairOf(config.kernelSize)
    const strides = pairOf(config.strides)
    checkImage(refuse, x, size, strides, padding)
    const kernel = {
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer,
      constraint: config.kernelConstraint,
    }
    const bias = {
      initializer: config.biasInitializer,
      regularizer: config.biasRegularizer,
      constraint: config.biasConstraint,
    }
    const w = weight('kernel', [...size, x.shape[2]!, filters], kernel)
    const b = config.useBias ? weight('bias', [filters], bias) : undefined
    const y = conv2dOp(g, x, w, b, { strides, padding, relu: activation === 'relu' })
    return activation === null || activation === 'relu' ? y : activate(g, y, activation)
  },
)

const poolingDefaults = {
  /** Height and width of the window, or one number for both. */
  poolSize: [2, 2] as Pair,
  /** Steps between windows; the window's size by default. */
  strides: null as Pair | null,
  padding: 'valid' as Padding,
  dataFormat: 'channelsLast' as 'channelsLast',
}

function pooling2d(className: string, op: (g: Builder['g'], x: Value, pooling: Pooling) => Value) {
  return defineLayer(
    className,
    poolingDefaults,
    (where, { poolSize, strides, padding, dataFormat }) => {
      checkPair(where, 'poolSize', poolSize)
      if (strides !== null) checkPair(where, 'strides', strides)
      checkPadding(where, padding)
      checkFormat(where, dataFormat)
    },
    ({ g, refuse }, x, config) => {
      const poolSize = pairOf(config.poolSize)
      const strides = pairOf(config.strides ?? config.poolSize)
      checkImage(refuse, x, poolSize, strides, config.padding)
      return op(g, x, { poolSize, strides, padding: config.padding })
    },
  )
}

/** Largest element of each window and channel. */
export const maxPooling2d = pooling2d('MaxPooling2D', maxPool)

/** Mean of each window and channel; padding does not count. */
export const averagePooling2d = pooling2d('AveragePooling2D', averagePool)

/** Mean of each channel over all positions: (height, width, channels) → (channels). */
export const globalAveragePooling2d = defineLayer(
  'GlobalAveragePooling2D',
  { dataFormat: 'channelsLast' as 'channelsLast' },
  (where, { dataFormat }) => checkFormat(where, dataFormat),
  ({ g, refuse }, x) => {
    checkImage(refuse, x, [1, 1], [1, 1], 'valid')
    return globalAverage(g, x)
  },
)
