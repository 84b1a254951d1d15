import { inRange } from '../errors.ts'
import { batchNorm } from '../ops/normalization.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { defineLayer } from './define.ts'

/**
 * y = gamma·(x − mean) / √(variance + epsilon) + beta for each feature of the last axis; statistics of the
 * whole mini-batch in training, moving ones elsewhere. Source: Ioffe & Szegedy (2015).
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
    const gammaOptions = {
      initializer: config.gammaInitializer,
      regularizer: config.gammaRegularizer,
      constraint: config.gammaConstraint,
    }
    const betaOptions = {
      initializer: config.betaInitializer,
      regularizer: config.betaRegularizer,
      constraint: config.betaConstraint,
    }
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
)
