import { positiveInteger } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { activate } from '../ops/activation.ts'
import { dense } from '../ops/dense.ts'
import { depthwise } from '../ops/depthwise.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import { checkRates, convolutionDefaults, onesAlong } from './convolution.ts'
import { checkActivation } from './core.ts'
import { type Builder, defineLayer } from './define.ts'
import { type FullConfig, weightOptions } from './options.ts'
import { asVolume, checkFit, checkFormat, checkPadding, checkRank, checkSizes, tripleOf } from './windows.ts'

const { filters, kernelInitializer, kernelRegularizer, kernelConstraint, ...shared } = convolutionDefaults

const defaults = {
  ...shared,
  strides: onesAlong(2),
  dilationRate: onesAlong(2),
  /** Channels that the depthwise convolution makes of each input channel. */
  depthMultiplier: 1,
  depthwiseInitializer: kernelInitializer,
  depthwiseRegularizer: kernelRegularizer,
  depthwiseConstraint: kernelConstraint,
}

type Config = FullConfig<typeof defaults>

function check(where: string, config: Config): void {
  const { kernelSize, strides, dilationRate, depthMultiplier, padding, activation, dataFormat } = config
  checkSizes(where, 'kernelSize', kernelSize, 2)
  checkSizes(where, 'strides', strides, 2)
  checkRates(where, strides, dilationRate, 2)
  positiveInteger(where, 'depthMultiplier', depthMultiplier)
  checkPadding(where, padding)
  checkFormat(where, dataFormat)
  checkActivation(where, activation)
}

/** The depthwise part of a layer on a volume of depth 1; with bias and activation if it is the last part. */
function filter(
  { g, weight, refuse }: Builder,
  volume: Value,
  x: Value,
  config: Config,
  last: boolean,
): Value {
  const { padding, depthMultiplier, useBias, activation } = config
  const size = tripleOf(config.kernelSize, 2)
  const strides = tripleOf(config.strides, 2)
  const rates = tripleOf(config.dilationRate, 2)
  checkFit(refuse, volume, { size, strides, rates, padding }, x)
  const image = g.view(volume, volume.shape.slice(1))
  const channels = image.shape[2]!
  const options = { ...weightOptions('depthwise', config), columnAxes: 2 }
  const w = weight('depthwise_kernel', [...size.slice(1), channels, depthMultiplier], options)
  const bias = weightOptions('bias', config)
  const b = last && useBias ? weight('bias', [channels * depthMultiplier], bias) : undefined
  return depthwise(g, image, w, b, { strides, padding, rates, relu: last && activation === 'relu' })
}

/**
 * Two-dimensional convolution of each channel with filters of its own: (height, width, channels) → (outHeight,
 * outWidth, channels·depthMultiplier). The kernel is (…size, channels, depthMultiplier).
 */
export const depthwiseConv2d = defineLayer('DepthwiseConv2D', defaults, check, (builder, x, config) => {
  const { activation, dataFormat } = config
  checkRank(builder.refuse, x, 2, dataFormat)
  const y = asVolume(builder.g, x, dataFormat, volume => filter(builder, volume, x, config, true))
  return activation === null || activation === 'relu' ? y : activate(builder.g, y, activation)
})

/**
 * A depthwise convolution, then a convolution of size 1 over all channels: (height, width, channels) →
 * (outHeight, outWidth, filters). Source: Chollet (2016), "Xception", https://arxiv.org/abs/1610.02357.
 */
export const separableConv2d = defineLayer(
  'SeparableConv2D',
  {
    filters,
    ...defaults,
    depthwiseInitializer: 'glorotUniform' as InitializerIdentifier,
    pointwiseInitializer: 'glorotUniform' as InitializerIdentifier,
    pointwiseRegularizer: kernelRegularizer,
    pointwiseConstraint: kernelConstraint,
  },
  (where, config) => {
    positiveInteger(where, 'filters', config.filters)
    check(where, config)
  },
  (builder, x, config) => {
    const { g, weight } = builder
    const { filters, activation, dataFormat, useBias } = config
    checkRank(builder.refuse, x, 2, dataFormat)
    const y = asVolume(g, x, dataFormat, volume => {
      const filtered = filter(builder, volume, x, config, false)
      const channels = filtered.shape[2]!
      const w = weight('pointwise_kernel', [1, 1, channels, filters], weightOptions('pointwise', config))
      const b = useBias ? weight('bias', [filters], weightOptions('bias', config)) : undefined
      return dense(g, filtered, w, b, activation === 'relu')
    })
    return activation === null || activation === 'relu' ? y : activate(g, y, activation)
  },
)
