import { positiveInteger, show } from '../errors.ts'
import { type ActivationName, activate } from '../ops/activation.ts'
import { convolution as convolutionOp } from '../ops/convolution.ts'
import type { Padding } from '../ops/window.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { checkActivation } from './core.ts'
import { defineLayer } from './define.ts'
import { required, weightOptions } from './options.ts'
import type { DataFormat } from './reshaping.ts'
import {
  type Axes,
  asVolume,
  checkFit,
  checkFormat,
  checkPadding,
  checkRank,
  checkSizes,
  type Sizes,
  tripleOf,
} from './windows.ts'

/** Options of every convolution. */
export const convolutionDefaults = {
  /** Number of output channels. */
  filters: required<number>(),
  /** Size of the window along each axis, or one number for all. */
  kernelSize: required<Sizes>(),
  strides: 1 as Sizes,
  /** `causal` (one axis only): zeros before the input, so that no output sees later steps. */
  padding: 'valid' as Padding,
  dataFormat: 'channelsLast' as DataFormat,
  /** Distance between neighbouring taps; strides must be 1 where it is not. */
  dilationRate: 1 as Sizes,
  activation: null as ActivationName | null,
  useBias: true,
  kernelInitializer: 'glorotNormal' as InitializerIdentifier,
  biasInitializer: 'zeros' as InitializerIdentifier,
  kernelRegularizer: null as RegularizerIdentifier | null,
  biasRegularizer: null as RegularizerIdentifier | null,
  kernelConstraint: null as ConstraintIdentifier | null,
  biasConstraint: null as ConstraintIdentifier | null,
}

/** The default strides of two axes and more, as TensorFlow.js saves them. */
export const onesAlong = (axes: Axes): Sizes => Array<number>(axes).fill(1)

export function checkRates(where: string, strides: Sizes, dilationRate: Sizes, axes: Axes): void {
  checkSizes(where, 'dilationRate', dilationRate, axes)
  if (Math.max(...tripleOf(strides, axes)) > 1 && Math.max(...tripleOf(dilationRate, axes)) > 1) {
    throw new RangeError(
      `${where}: strides or dilationRate must be 1, got ${show(strides)} and ${show(dilationRate)}; drop one`,
    )
  }
}

const convolution = (className: string, axes: Axes) =>
  defineLayer(
    className,
    axes === 1
      ? convolutionDefaults
      : { ...convolutionDefaults, strides: onesAlong(axes), dilationRate: onesAlong(axes) },
    (where, { filters, kernelSize, strides, dilationRate, padding, activation, dataFormat }) => {
      positiveInteger(where, 'filters', filters)
      checkSizes(where, 'kernelSize', kernelSize, axes)
      checkSizes(where, 'strides', strides, axes)
      checkRates(where, strides, dilationRate, axes)
      checkPadding(where, padding, axes === 1)
      checkFormat(where, dataFormat)
      checkActivation(where, activation)
    },
    ({ g, weight, refuse }, x, { filters, padding, activation, dataFormat, ...config }) => {
      checkRank(refuse, x, axes, dataFormat)
      const size = tripleOf(config.kernelSize, axes)
      const strides = tripleOf(config.strides, axes)
      const rates = tripleOf(config.dilationRate, axes)
      const channels = x.shape.at(dataFormat === 'channelsLast' ? -1 : 0)!
      const kernel = weightOptions('kernel', config)
      const bias = weightOptions('bias', config)
      const y = asVolume(g, x, dataFormat, volume => {
        checkFit(refuse, volume, { size, strides, rates, padding }, x)
        const w = weight('kernel', [...size.slice(3 - axes), channels, filters], kernel)
        const b = config.useBias ? weight('bias', [filters], bias) : undefined
        const taps = g.view(w, [...size, channels, filters])
        return convolutionOp(g, volume, taps, b, { strides, padding, rates, relu: activation === 'relu' })
      })
      return activation === null || activation === 'relu' ? y : activate(g, y, activation)
    },
  )

/** One-dimensional convolution: (steps, channels) → (outSteps, filters). */
export const conv1d = convolution('Conv1D', 1)

/** Two-dimensional convolution: (height, width, channels) → (outHeight, outWidth, filters). */
export const conv2d = convolution('Conv2D', 2)

/** Three-dimensional convolution: (depth, height, width, channels) → (outDepth, outHeight, outWidth, filters). */
export const conv3d = convolution('Conv3D', 3)
