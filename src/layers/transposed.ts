import { positiveInteger } from '../errors.ts'
import { activate } from '../ops/activation.ts'
import { transposedConvolution } from '../ops/transposed.ts'
import { convolutionDefaults, onesAlong } from './convolution.ts'
import { checkActivation } from './core.ts'
import { defineLayer } from './define.ts'
import { weightOptions } from './options.ts'
import { type Axes, asVolume, checkFormat, checkPadding, checkRank, checkSizes, tripleOf } from './windows.ts'

const { dilationRate: _, ...defaults } = convolutionDefaults

const transposed = (className: string, axes: Axes) =>
  defineLayer(
    className,
    { ...defaults, strides: onesAlong(axes) },
    (where, { filters, kernelSize, strides, padding, activation, dataFormat }) => {
      positiveInteger(where, 'filters', filters)
      checkSizes(where, 'kernelSize', kernelSize, axes)
      checkSizes(where, 'strides', strides, axes)
      checkPadding(where, padding)
      checkFormat(where, dataFormat)
      checkActivation(where, activation)
    },
    ({ g, weight, refuse }, x, { filters, padding, activation, dataFormat, ...config }) => {
      checkRank(refuse, x, axes, dataFormat)
      const size = tripleOf(config.kernelSize, axes)
      const strides = tripleOf(config.strides, axes)
      const kernel = weightOptions('kernel', config)
      const bias = weightOptions('bias', config)
      const y = asVolume(g, x, dataFormat, volume => {
        const channels = volume.shape[3]!
        const w = weight('kernel', [...size.slice(3 - axes), filters, channels], kernel)
        const b = config.useBias ? weight('bias', [filters], bias) : undefined
        const taps = g.view(w, [...size, filters, channels])
        return transposedConvolution(g, volume, taps, b, { strides, padding, relu: activation === 'relu' })
      })
      return activation === null || activation === 'relu' ? y : activate(g, y, activation)
    },
  )

/**
 * Transposed convolution (deconvolution): (height, width, channels) → (outHeight, outWidth, filters), outHeight =
 * height·stride for `same`, and max(size − stride, 0) more for `valid`. The kernel is (…size, filters, channels).
 * Source: Zeiler et al. (2010), "Deconvolutional networks".
 */
export const conv2dTranspose = transposed('Conv2DTranspose', 2)

/** As conv2dTranspose: (depth, height, width, channels) → (outDepth, outHeight, outWidth, filters). */
export const conv3dTranspose = transposed('Conv3DTranspose', 3)
