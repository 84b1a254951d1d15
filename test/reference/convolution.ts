import type { ActivationName } from '../../src/ops/activation.ts'
import { activate } from './activations.ts'
import type { Array64 } from './arrays.ts'
import { convolve, convolveTransposed, type Geometry, largest, mean, pool } from './images.ts'
import type { Reference } from './layers.ts'
import { permuted } from './reshaping.ts'

type Sizes = number | readonly number[]

/** The options of the layers in src/layers/convolution.ts and pooling.ts. */
export interface ConvolutionOptions {
  filters: number
  kernelSize: Sizes
  poolSize: Sizes
  strides: Sizes | null
  dilationRate: Sizes
  padding: string
  activation: ActivationName | null
  dataFormat: string
}

/** Two sizes for a window over an image; the first is 1 for one over steps. */
const pair = (sizes: Sizes, axes: number): [number, number] => {
  const all = typeof sizes === 'number' ? Array<number>(axes).fill(sizes) : sizes
  return axes === 1 ? [1, all[0]!] : [all[0]!, all[1]!]
}

/** f of x (batch, height, width, channels), a height of 1 given to steps, in x's own form. */
function onImage(x: Array64, dataFormat: string, f: (image: Array64) => Array64): Array64 {
  const axes = x.shape.length - 2
  const first = dataFormat === 'channelsFirst'
  const last = first ? permuted(x, axes === 1 ? [0, 2, 1] : [0, 2, 3, 1]) : x
  const { values, shape } = f(axes === 1 ? { ...last, shape: last.shape.toSpliced(1, 0, 1) } : last)
  const y = { values, shape: axes === 1 ? shape.toSpliced(1, 1) : shape }
  return first ? permuted(y, axes === 1 ? [0, 2, 1] : [0, 3, 1, 2]) : y
}

const convolution: Reference = (x, { kernel, bias }, { filters, activation, ...options }, context) => {
  const axes = x.shape.length - 2
  const g: Geometry = {
    size: pair(options.kernelSize, axes),
    strides: pair(options.strides!, axes),
    rates: pair(options.dilationRate, axes),
    padding: options.padding,
  }
  const y = onImage(x, options.dataFormat, image => convolve(image, kernel!, bias, filters, g))
  return activate(y, activation, context)
}

const transposed: Reference = (x, { kernel, bias }, { filters, activation, ...options }, context) => {
  const { kernelSize, strides, padding, dataFormat } = options
  const g = { size: pair(kernelSize, 2), strides: pair(strides!, 2), padding }
  const y = onImage(x, dataFormat, image => convolveTransposed(image, kernel!, bias, filters, g))
  return activate(y, activation, context)
}

type Combine = (context: Parameters<Reference>[3]) => (elements: number[]) => number

const pooling =
  (combine: Combine): Reference =>
  (x, _, { poolSize, strides, padding, dataFormat }, context) => {
    const axes = x.shape.length - 2
    const g = { size: pair(poolSize, axes), strides: pair(strides ?? poolSize, axes), padding }
    return onImage(x, dataFormat, image => pool(image, g, combine(context)))
  }

const globalPooling =
  (combine: Combine): Reference =>
  (x, _, { dataFormat }, context) => {
    const y = onImage(x, dataFormat, image => {
      const size = image.shape.slice(1, 3) as [number, number]
      return pool(image, { size, strides: size, padding: 'valid' }, combine(context))
    })
    return { values: y.values, shape: [x.shape[0]!, y.values.length / x.shape[0]!] }
  }

export const convolutionReferences = {
  averagePooling1d: pooling(() => mean),
  averagePooling2d: pooling(() => mean),
  conv1d: convolution,
  conv2d: convolution,
  conv2dTranspose: transposed,
  globalAveragePooling2d: globalPooling(() => mean),
  globalMaxPooling1d: globalPooling(largest),
  globalMaxPooling2d: globalPooling(largest),
  maxPooling1d: pooling(largest),
  maxPooling2d: pooling(largest),
} satisfies Record<string, Reference>
