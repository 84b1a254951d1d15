import { finiteNumber, inRange, positiveInteger, show } from '../errors.ts'
import { activate, parametric, softmaxOver } from '../ops/activation.ts'
import { prelu as preluOp } from '../ops/prelu.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { defineLayer } from './define.ts'
import { weightOptions } from './options.ts'
import { checkAxes } from './reshaping.ts'

/** y = max(x, 0), or min(max(x, 0), maxValue). */
export const reLU = defineLayer(
  'ReLU',
  {
    /** Largest output; null for none. */
    maxValue: null as number | null,
  },
  (where, { maxValue }) => {
    if (maxValue !== null) inRange(where, 'maxValue', maxValue, '[0, Infinity)')
  },
  ({ g }, x, { maxValue }) =>
    maxValue === null ? activate(g, x, 'relu') : parametric(g, x, 'clippedRelu', maxValue),
  'passes',
)

/** y = x where x > 0, else alpha·x. */
export const leakyReLU = defineLayer(
  'LeakyReLU',
  {
    /** Slope left of zero. */
    alpha: 0.3,
  },
  (where, { alpha }) => inRange(where, 'alpha', alpha, '[0, Infinity)'),
  ({ g }, x, { alpha }) => parametric(g, x, 'leakyRelu', alpha),
  'passes',
)

/** y = x where x > 0, else alpha·(exp(x) − 1). Source: Clevert et al. (2015). */
export const elu = defineLayer(
  'ELU',
  {
    /** −alpha is the limit at −∞. TensorFlow.js knows only 1. */
    alpha: 1,
  },
  (where, { alpha }) => inRange(where, 'alpha', alpha, '[0, Infinity)'),
  // The gradient is a function of y's sign, which alpha = 0 would hide.
  ({ g }, x, { alpha }) => (alpha === 0 ? activate(g, x, 'relu') : parametric(g, x, 'elu', alpha)),
  'passes',
)

/** y = x where x > theta, else 0. Source: Konda et al. (2014). */
export const thresholdedReLU = defineLayer(
  'ThresholdedReLU',
  { theta: 1 },
  (where, { theta }) => finiteNumber(where, 'theta', theta),
  ({ g }, x, { theta }) => parametric(g, x, 'thresholdedRelu', theta),
  'passes',
)

/** y = x where x > 0, else alpha·x with alpha learnt, one for each element of a sample. Source: He et al. (2015). */
export const prelu = defineLayer(
  'PReLU',
  {
    alphaInitializer: 'zeros' as InitializerIdentifier,
    alphaRegularizer: null as RegularizerIdentifier | null,
    alphaConstraint: null as ConstraintIdentifier | null,
    /** Axes whose elements share their alpha, counted from 1 in the sample; [1, 2] for one alpha a channel. */
    sharedAxes: null as number | readonly number[] | null,
  },
  (where, { sharedAxes }) => {
    for (const axis of [sharedAxes ?? []].flat()) positiveInteger(where, 'an axis of sharedAxes', axis)
  },
  ({ g, weight, refuse }, x, { sharedAxes, ...config }) => {
    const shared = [sharedAxes ?? []].flat()
    checkAxes(refuse, x)
    if (shared.some(axis => axis > x.shape.length))
      refuse(
        `sharedAxes must be among the ${x.shape.length} of [${x.shape}], got ${show(shared)}; count from 1`,
      )
    const shape = x.shape.map((n, axis) => (shared.includes(axis + 1) ? 1 : n))
    const options = weightOptions('alpha', config)
    return preluOp(g, x, weight('alpha', shape, options))
  },
  'passes',
)

/** y = exp(x) / Σ exp(x), the sum over one axis or several. */
export const softmax = defineLayer(
  'Softmax',
  {
    /**
     * Counted with the batch as axis 0, or from the end; the last one by default. TensorFlow.js takes 1, which it
     * can only do where that is the last.
     */
    axis: -1 as number | readonly number[],
  },
  (where, { axis }) => {
    for (const each of [axis].flat()) finiteNumber(where, 'axis', each)
  },
  ({ g, refuse }, x, { axis }) => {
    const rank = x.shape.length
    const axes = [axis].flat().map(each => (each < 0 ? rank + each : each - 1))
    const known = axes.every(
      (each, i) => Number.isInteger(each) && each >= 0 && each < rank && axes.indexOf(each) === i,
    )
    if (!known || axes.length === 0)
      refuse(
        `axis must be 1 to ${rank}, or -1 to -${rank}, or some of them, got ${show(axis)}; 0 is the batch`,
      )
    checkAxes(refuse, x)
    return softmaxOver(g, x, axes)
  },
  'passes',
)
