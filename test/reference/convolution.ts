import type { ActivationName } from '../../src/ops/activation.ts'
import { activate } from './activations.ts'
import type { Array64 } from './arrays.ts'
import type { Reference } from './layers.ts'
import { permuted } from './reshaping.ts'
import {
  convolve,
  convolveDepthwise,
  convolveTransposed,
  type Geometry,
  largest,
  mean,
  pool,
} from './windows.ts'

type Sizes = number | readonly number[]

/** The options of the layers in src/layers/convolution.ts, depthwise.ts, transposed.ts and pooling.ts. */
export interface ConvolutionOptions {
  filters: number
  kernelSize: Sizes
  poolSize: Sizes
  strides: Sizes | null
  dilationRate: Sizes
  padding: string
  activation: ActivationName | null
  dataFormat: string
  depthMultiplier: number
}

/** A size for each axis that the window moves along. */
const each = (sizes: Sizes, { shape }: Array64): readonly number[] =>
  typeof sizes === 'number' ? Array<number>(shape.length - 2).fill(sizes) : sizes

export const geometryOf = (
  x: Array64,
  { kernelSize, strides, dilationRate = 1, padding }: ConvolutionOptions,
): Geometry => ({
  size: each(kernelSize, x),
  strides: each(strides!, x),
  rates: each(dilationRate, x),
  padding,
})

/** f of x (batch, …, channels); the result has its channels where x has them. */
function channelsLast(x: Array64, dataFormat: string, f: (x: Array64) => Array64): Array64 {
  if (dataFormat !== 'channelsFirst') return f(x)
  const axes = x.shape.map((_, axis) => axis)
  return permuted(f(permuted(x, [0, ...axes.slice(2), 1])), [0, axes.at(-1)!, ...axes.slice(1, -1)])
}

const convolution: Reference = (x, { kernel, bias }, options, context) => {
  const { filters, activation, dataFormat } = options
  const g = geometryOf(x, options)
  return activate(
    channelsLast(x, dataFormat, x => convolve(x, kernel!, bias, filters, g)),
    activation,
    context,
  )
}

const transposed: Reference = (x, { kernel, bias }, options, context) => {
  const { filters, activation, dataFormat } = options
  const g = geometryOf(x, options)
  const y = channelsLast(x, dataFormat, x => convolveTransposed(x, kernel!, bias, filters, g))
  return activate(y, activation, context)
}

const depthwiseConv2d: Reference = (x, { depthwise_kernel: w, bias }, options, context) => {
  const { depthMultiplier, dataFormat, activation } = options
  const g = geometryOf(x, options)
  const y = channelsLast(x, dataFormat, x => convolveDepthwise(x, w!, bias, depthMultiplier, g))
  return activate(y, activation, context)
}

const separableConv2d: Reference = (x, weights, options, context) => {
  const { depthMultiplier, dataFormat, activation, filters } = options
  const { depthwise_kernel, pointwise_kernel, bias } = weights
  const y = channelsLast(x, dataFormat, x => {
    const g = geometryOf(x, options)
    const filtered = convolveDepthwise(x, depthwise_kernel!, undefined, depthMultiplier, g)
    return convolve(filtered, pointwise_kernel!, bias, filters, {
      size: [1, 1],
      strides: [1, 1],
      padding: 'valid',
    })
  })
  return activate(y, activation, context)
}

type Combine = (context: Parameters<Reference>[3]) => (elements: number[]) => number

const pooling =
  (combine: Combine): Reference =>
  (x, _, { poolSize, strides, padding, dataFormat }, context) => {
    const g = { size: each(poolSize, x), strides: each(strides ?? poolSize, x), padding }
    return channelsLast(x, dataFormat, x => pool(x, g, combine(context)))
  }

const globalPooling =
  (combine: Combine): Reference =>
  (x, _, { dataFormat }, context) => {
    const y = channelsLast(x, dataFormat, x => {
      const size = x.shape.slice(1, -1)
      return pool(x, { size, strides: size, padding: 'valid' }, combine(context))
    })
    return { values: y.values, shape: [x.shape[0]!, y.values.length / x.shape[0]!] }
  }

export const convolutionReferences = {
  averagePooling1d: pooling(() => mean),
  averagePooling2d: pooling(() => mean),
  averagePooling3d: pooling(() => mean),
  conv1d: convolution,
  conv2d: convolution,
  conv2dTranspose: transposed,
  conv3d: convolution,
  conv3dTranspose: transposed,
  depthwiseConv2d,
  globalAveragePooling2d: globalPooling(() => mean),
  globalMaxPooling1d: globalPooling(largest),
  globalMaxPooling2d: globalPooling(largest),
  maxPooling1d: pooling(largest),
  maxPooling2d: pooling(largest),
  maxPooling3d: pooling(largest),
  separableConv2d,
} satisfies Record<string, Reference>
