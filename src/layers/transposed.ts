import { positiveInteger } from '../errors.ts'
import { activate } from '../ops/activation.ts'
import { conv2dTranspose as conv2dTransposeOp } from '../ops/transposed.ts'
import { convolutionDefaults } from './convolution.ts'
import { checkActivation } from './core.ts'
import { defineLayer, weightOptions } from './define.ts'
import { asImage, checkFormat, checkPadding, checkRank, checkSizes, pairOf, type Sizes } from './windows.ts'

const { dilationRate: _, ...defaults } = convolutionDefaults

/**
 * Transposed convolution (deconvolution): (height, width, channels) → (outHeight, outWidth, filters), outHeight =
 * height·stride for `same`, and max(size − stride, 0) more for `valid`. The kernel is (…size, filters, channels).
 * Source: Zeiler et al. (2010), "Deconvolutional networks".
 */
export const conv2dTranspose = defineLayer(
  'Conv2DTranspose',
  { ...defaults, strides: [1, 1] as Sizes },
  (where, { filters, kernelSize, strides, padding, activation, dataFormat }) => {
    positiveInteger(where, 'filters', filters)
    checkSizes(where, 'kernelSize', kernelSize, 2)
    checkSizes(where, 'strides', strides, 2)
    checkPadding(where, padding)
    checkFormat(where, dataFormat)
    checkActivation(where, activation)
  },
  ({ g, weight, refuse }, x, { filters, padding, activation, dataFormat, ...config }) => {
    checkRank(refuse, x, 2, dataFormat)
    const strides = pairOf(config.strides, 2)
    const kernel = weightOptions('kernel', config)
    const bias = weightOptions('bias', config)
    const y = asImage(g, x, dataFormat, image => {
      const w = weight('kernel', [...pairOf(config.kernelSize, 2), filters, image.shape[2]!], kernel)
      const b = config.useBias ? weight('bias', [filters], bias) : undefined
      return conv2dTransposeOp(g, image, w, b, { strides, padding, relu: activation === 'relu' })
    })
    return activation === null || activation === 'relu' ? y : activate(g, y, activation)
  },
)
