import { inRange, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import {
  alphaDropout as alphaDropoutOp,
  dropout as dropoutOp,
  gaussianDropout as gaussianDropoutOp,
  gaussianNoise as gaussianNoiseOp,
  type NoiseShape,
} from '../ops/dropout.ts'
import { type Builder, defineLayer } from './define.ts'
import { required } from './options.ts'
import { checkAxes } from './reshaping.ts'

type Sizes = readonly (number | null)[]

const droppingDefaults = {
  /** Probability of being dropped. */
  rate: required<number>(),
  /**
   * Shape of the draws, batch first: null for the input's size, 1 where elements share their fate, so [null,
   * 1, null] drops whole columns; null for a draw an element.
   */
  noiseShape: null as Sizes | null,
}

function checkDropping(
  where: string,
  { rate, noiseShape }: { rate: number; noiseShape: Sizes | null },
): void {
  inRange(where, 'rate', rate, '[0, 1)')
  if (noiseShape !== null && !Array.isArray(noiseShape))
    throw new TypeError(
      `${where}: noiseShape must be an array, got ${show(noiseShape)}; write [null, 1, null]`,
    )
}

/** What is drawn for one sample of x. */
function noiseOf(refuse: Builder['refuse'], x: Value, noiseShape: Sizes | null): NoiseShape | undefined {
  if (noiseShape === null) return undefined
  checkAxes(refuse, x)
  const [batch, ...sizes] = noiseShape
  const fits = sizes.every((size, axis) => size === null || size === 1 || size === x.shape[axis])
  if (!fits || sizes.length !== x.shape.length || (batch !== null && batch !== 1)) {
    const form = ['null', ...x.shape].join(', ')
    refuse(`noiseShape must be [${form}] with 1 or null for some, got ${show(noiseShape)}; correct it`)
  }
  return { shape: sizes.map((size, axis) => size ?? x.shape[axis]!), together: batch === 1 }
}

/**
 * In training sets elements to zero with probability `rate` and scales the others by 1 / (1 − rate). Source:
 * Srivastava et al. (2014).
 */
export const dropout = defineLayer(
  'Dropout',
  {
    ...droppingDefaults,
    /** Kept in saved models; the draws follow from the seed of `fit`. */
    seed: null as number | null,
  },
  checkDropping,
  ({ g, refuse }, x, { rate, noiseShape }) => dropoutOp(g, x, rate, noiseOf(refuse, x, noiseShape)),
  'passes',
)

/** Dropout of whole feature maps: (steps, channels), a channel is dropped at all steps. Source: Tompson et al. (2014). */
export const spatialDropout1d = defineLayer(
  'SpatialDropout1D',
  {
    rate: required<number>(),
    /** Kept in saved models; the draws follow from the seed of `fit`. */
    seed: null as number | null,
  },
  (where, { rate }) => inRange(where, 'rate', rate, '[0, 1)'),
  ({ g, refuse }, x, { rate }) => {
    if (x.shape.length !== 2)
      refuse(`the input must have shape [steps, channels], got [${x.shape}]; add layers.reshape() before it`)
    return dropoutOp(g, x, rate, { shape: [1, x.shape[1]!], together: false })
  },
  'passes',
)

/** In training adds normal noise of mean 0. */
export const gaussianNoise = defineLayer(
  'GaussianNoise',
  {
    /** Standard deviation of the noise. */
    stddev: required<number>(),
  },
  (where, { stddev }) => inRange(where, 'stddev', stddev, '[0, Infinity)'),
  ({ g }, x, { stddev }) => gaussianNoiseOp(g, x, stddev),
  'passes',
)

/**
 * In training multiplies by normal noise of mean 1 and the standard deviation √(rate / (1 − rate)) of dropout.
 * Source: Srivastava et al. (2014).
 */
export const gaussianDropout = defineLayer(
  'GaussianDropout',
  { rate: required<number>() },
  (where, { rate }) => inRange(where, 'rate', rate, '[0, 1)'),
  ({ g }, x, { rate }) => gaussianDropoutOp(g, x, rate),
  'passes',
)

/**
 * Dropout behind `selu`: in training, elements become its limit at −∞ with probability `rate`, and all are
 * scaled and shifted so that mean and variance stay. Source: Klambauer et al. (2017).
 */
export const alphaDropout = defineLayer(
  'AlphaDropout',
  droppingDefaults,
  checkDropping,
  ({ g, refuse }, x, { rate, noiseShape }) => alphaDropoutOp(g, x, rate, noiseOf(refuse, x, noiseShape)),
  'passes',
)
