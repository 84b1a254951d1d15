import { finiteNumber, show } from '../errors.ts'
import { brighten, contrast, eraseBox } from '../ops/appearance.ts'
import type { Range } from '../ops/warp.ts'
import { around, checkFactor, checkPixels, type Factor, seedDefaults } from './augmentation.ts'
import { defineLayer } from './define.ts'
import { required } from './options.ts'

// Layers that change the values of images, in training only, each image otherwise; see augmentation.ts.

const valueDefaults = {
  /** The smallest and the largest value that pixels have. */
  valueRange: [0, 255] as Range,
}

function checkValues(where: string, { valueRange }: typeof valueDefaults): void {
  if (!Array.isArray(valueRange) || valueRange.length !== 2)
    throw new TypeError(`${where}: valueRange must be two numbers, got ${show(valueRange)}; write [0, 1]`)
  for (const value of valueRange) finiteNumber(where, 'valueRange', value)
  if (valueRange[0] >= valueRange[1])
    throw new RangeError(`${where}: valueRange must rise, got ${show(valueRange)}; write [0, 1]`)
}

/**
 * y = mean + f·(x − mean) for the mean of each channel of an image, clipped to valueRange. Inactive outside
 * training.
 */
export const randomContrast = defineLayer(
  'RandomContrast',
  {
    /** f lies in [1 − lower, 1 + upper]: two numbers, or one for both. Keras 3 takes a single one as [0, one]. */
    factor: required<Factor>(),
    ...valueDefaults,
    ...seedDefaults,
  },
  (where, { factor, ...config }) => {
    checkFactor(where, 'factor', factor, '[0, 1]', '[0, 1]', false)
    checkValues(where, config)
  },
  ({ g, refuse }, x, { factor, valueRange }) => {
    checkPixels(refuse, x)
    const [lower, upper] = typeof factor === 'number' ? [factor, factor] : factor
    return contrast(g, x, [1 - lower, 1 + upper], valueRange)
  },
)

/** y = x + d·(high − low), clipped to valueRange [low, high]. Inactive outside training. */
export const randomBrightness = defineLayer(
  'RandomBrightness',
  {
    /** d: between two numbers, or ± one. */
    factor: required<Factor>(),
    ...valueDefaults,
    ...seedDefaults,
  },
  (where, { factor, ...config }) => {
    checkFactor(where, 'factor', factor, '[0, 1]', '[-1, 1]')
    checkValues(where, config)
  },
  ({ g, refuse }, x, { factor, valueRange }) => {
    checkPixels(refuse, x)
    const [low, high] = valueRange
    const [least, most] = around(factor)
    return brighten(g, x, [least * (high - low), most * (high - low)], valueRange)
  },
)

/** Fills a box of an image. Inactive outside training. Source: Zhong et al. (2020). */
export const randomErasing = defineLayer(
  'RandomErasing',
  {
    /**
     * Probability of losing a box; of two numbers, one between them is drawn for each image. Keras 3 says the same
     * of a single number, and draws one between 0 and it.
     */
    factor: 1 as Factor,
    /** The box's height is √s of the image's, s between these; so is its width. */
    scale: [0.02, 0.33] as Range,
    /** null for normal noise of deviation valueRange[1]; clipped to valueRange, as the noise. */
    fillValue: null as number | null,
    ...valueDefaults,
    ...seedDefaults,
  },
  (where, { factor, scale, fillValue, ...config }) => {
    checkFactor(where, 'factor', factor, '[0, 1]', '[0, 1]')
    checkFactor(where, 'scale', scale, '[0, 1]', '[0, 1]')
    if (fillValue !== null) finiteNumber(where, 'fillValue', fillValue)
    checkValues(where, config)
  },
  ({ g, refuse }, x, { factor, scale, fillValue, valueRange }) => {
    checkPixels(refuse, x)
    const chance = typeof factor === 'number' ? ([factor, factor] as const) : factor
    return eraseBox(g, x, { chance, scale, fillValue, values: valueRange })
  },
)
