import { inRange, show } from '../errors.ts'
import { layerNorm } from '../ops/layerNorm.ts'
import { batchNorm } from '../ops/normalization.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { defineLayer } from './define.ts'
import { weightOptions } from './options.ts'

/**
 * y = gamma·(x − mean) / √(variance + epsilon) + beta for each feature of the last axis; statistics of the
 * whole mini-batch in training (masked steps count, as in TensorFlow.js), moving ones elsewhere. Source: Ioffe &
 * Szegedy (2015).
 */
export const batchNormalization = defineLayer(
  'BatchNormalization',
  {
    /** Only the last axis: −1, or its number. */
    axis: -1,
    /** Share of the moving statistics that stays at each step. */
    momentum: 0.99,
    epsilon: 1e-3,
    center: true,
    scale: true,
    betaInitializer: 'zeros' as InitializerIdentifier,
    gammaInitializer: 'ones' as InitializerIdentifier,
    movingMeanInitializer: 'zeros' as InitializerIdentifier,
    movingVarianceInitializer: 'ones' as InitializerIdentifier,
    betaRegularizer: null as RegularizerIdentifier | null,
    gammaRegularizer: null as RegularizerIdentifier | null,
    betaConstraint: null as ConstraintIdentifier | null,
    gammaConstraint: null as ConstraintIdentifier | null,
  },
  (where, { momentum, epsilon }) => {
    inRange(where, 'momentum', momentum, '[0, 1]')
    inRange(where, 'epsilon', epsilon, '(0, Infinity)')
  },
  ({ g, weight, refuse }, x, config) => {
    const { axis, momentum, epsilon } = config
    if (axis !== -1 && axis !== x.shape.length) {
      refuse(
        `axis must be the last one (-1 or ${x.shape.length}), got ${axis}; move the features to the last axis`,
      )
    }
    const shape = [x.shape.at(-1)!]
    const gammaOptions = weightOptions('gamma', config)
    const betaOptions = weightOptions('beta', config)
    const gamma = config.scale ? weight('gamma', shape, gammaOptions) : undefined
    const beta = config.center ? weight('beta', shape, betaOptions) : undefined
    const movingMean = weight('moving_mean', shape, {
      initializer: config.movingMeanInitializer,
      trainable: false,
    })
    const movingVariance = weight('moving_variance', shape, {
      initializer: config.movingVarianceInitializer,
      trainable: false,
    })
    return batchNorm(g, x, { gamma, beta, movingMean, movingVariance, momentum, epsilon })
  },
  'passes',
)

/**
 * y = gamma·(x − mean) / √(variance + epsilon) + beta over the last axis of each sample: (…, n) → (…, n).
 * Source: Ba, Kiros & Hinton (2016).
 */
export const layerNormalization = defineLayer(
  'LayerNormalization',
  {
    /** Only the last axis: −1, or its number; alone or in an array. */
    axis: -1 as number | readonly number[],
    epsilon: 1e-3,
    center: true,
    scale: true,
    betaInitializer: 'zeros' as InitializerIdentifier,
    gammaInitializer: 'ones' as InitializerIdentifier,
    betaRegularizer: null as RegularizerIdentifier | null,
    gammaRegularizer: null as RegularizerIdentifier | null,
    betaConstraint: null as ConstraintIdentifier | null,
    gammaConstraint: null as ConstraintIdentifier | null,
  },
  (where, { epsilon }) => inRange(where, 'epsilon', epsilon, '(0, Infinity)'),
  ({ g, weight, refuse }, x, config) => {
    const last = x.shape.length
    const [axis, ...others] = [config.axis].flat()
    if ((axis !== -1 && axis !== last) || others.length > 0 || last === 0) {
      refuse(
        `axis must be the last one (-1 or ${last}), got ${show(config.axis)}; move the features to the last axis`,
      )
    }
    const shape = [x.shape.at(-1)!]
    const [gammaOptions, betaOptions] = [weightOptions('gamma', config), weightOptions('beta', config)]
    const gamma = config.scale ? weight('gamma', shape, gammaOptions) : undefined
    const beta = config.center ? weight('beta', shape, betaOptions) : undefined
    return layerNorm(g, x, { gamma, beta, epsilon: config.epsilon })
  },
  'passes',
)
