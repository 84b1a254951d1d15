import { finiteNumber, type Interval, inRange, oneOf, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Interpolation } from '../ops/resize.ts'
import {
  type FillMode,
  fillModes,
  flip,
  type Range,
  randomBox,
  rotate,
  stretchWidth,
  translate,
  zoom,
} from '../ops/warp.ts'
import { type Builder, defineLayer } from './define.ts'
import { required } from './options.ts'
import { checkSize, fitted, sizeDefaults } from './preprocessing.ts'
import { checkImage } from './reshaping.ts'

// Layers that move the pixels of images (height, width, channels), in training only, each image otherwise: what is
// drawn follows from the seed of `fit`, the step and the number of the sample in its mini-batch.

/** A number, or the lowest and the highest one. */
export type Factor = number | Range

export const seedDefaults = {
  /** Kept in saved models; the draws follow from the seed of `fit`. */
  seed: null as number | null,
}

const samplingDefaults = {
  /** What lies beyond the edges: abcd|dcba, abcd|abcd, abcd|dddd, or `fillValue`. */
  fillMode: 'reflect' as FillMode,
  fillValue: 0,
  interpolation: 'bilinear' as Interpolation,
}

type SamplingOptions = typeof samplingDefaults

const isPair = (factor: unknown): factor is Range => Array.isArray(factor) && factor.length === 2

/** Checks a factor that is a number in `alone`, or two numbers in `both`, of which the first must not be larger. */
export function checkFactor(
  where: string,
  name: string,
  factor: unknown,
  alone: Interval,
  both: Interval,
  ordered = true,
): void {
  if (!Array.isArray(factor)) {
    inRange(where, name, factor, alone)
    return
  }
  if (!isPair(factor))
    throw new TypeError(`${where}: ${name} must be a number or two, got ${show(factor)}; write [low, high]`)
  for (const limit of factor) inRange(where, name, limit, both)
  if (ordered && factor[0] > factor[1])
    throw new RangeError(`${where}: ${name} must be lowest first, got ${show(factor)}; write [low, high]`)
}

/** The range that a factor stands for: ± of a single number. */
export const around = (factor: Factor): Range => (isPair(factor) ? factor : [-factor, factor])

const times = (factor: number, [low, high]: Range): Range => [factor * low, factor * high]
const plus = (shift: number, [low, high]: Range): Range => [shift + low, shift + high]

function checkSampling(where: string, { fillMode, fillValue, interpolation }: SamplingOptions): void {
  oneOf(where, 'fillMode', fillMode, fillModes)
  finiteNumber(where, 'fillValue', fillValue)
  oneOf(where, 'interpolation', interpolation, ['bilinear', 'nearest'])
}

/** Refuses an input that is no image with its channels last. */
export const checkPixels = (refuse: Builder['refuse'], x: Value): void =>
  checkImage(refuse, x, 'channelsLast')

const flipModes = ['horizontal', 'vertical', 'horizontalAndVertical'] as const

/** Mirrors an image, turns it upside down, or either, each with probability ½. Inactive outside training. */
export const randomFlip = defineLayer(
  'RandomFlip',
  { mode: 'horizontalAndVertical' as (typeof flipModes)[number], ...seedDefaults },
  (where, { mode }) => oneOf(where, 'mode', mode, flipModes),
  ({ g, refuse }, x, { mode }) => {
    checkPixels(refuse, x)
    return flip(g, x, mode !== 'horizontal', mode !== 'vertical')
  },
)

/** Turns an image about its middle. Inactive outside training. */
export const randomRotation = defineLayer(
  'RandomRotation',
  {
    /** Share of a full turn, counter-clockwise: between two numbers, or ± one. */
    factor: required<Factor>(),
    ...samplingDefaults,
    ...seedDefaults,
  },
  (where, { factor, ...sampling }) => {
    checkFactor(where, 'factor', factor, '[0, 1]', '[-1, 1]')
    checkSampling(where, sampling)
  },
  ({ g, refuse }, x, { factor, ...sampling }) => {
    checkPixels(refuse, x)
    return rotate(g, x, times(2 * Math.PI, around(factor)), sampling)
  },
)

/** Shows more (factors above 0) or less (below) of an image about its middle. Inactive outside training. */
export const randomZoom = defineLayer(
  'RandomZoom',
  {
    /** 0.2 for 20 % more: between two numbers, or ± one. */
    heightFactor: required<Factor>(),
    /** null: the same factor as the height's, so that nothing is distorted. */
    widthFactor: null as Factor | null,
    ...samplingDefaults,
    ...seedDefaults,
  },
  (where, { heightFactor, widthFactor, ...sampling }) => {
    checkFactor(where, 'heightFactor', heightFactor, '[0, 1)', '(-1, Infinity)')
    if (widthFactor !== null) checkFactor(where, 'widthFactor', widthFactor, '[0, 1)', '(-1, Infinity)')
    checkSampling(where, sampling)
  },
  ({ g, refuse }, x, { heightFactor, widthFactor, ...sampling }) => {
    checkPixels(refuse, x)
    const width = widthFactor === null ? null : plus(1, around(widthFactor))
    return zoom(g, x, plus(1, around(heightFactor)), width, sampling)
  },
)

/** Moves an image down (up below 0) and to the right (left). Inactive outside training. */
export const randomTranslation = defineLayer(
  'RandomTranslation',
  {
    /** Share of the height: between two numbers, or ± one. */
    heightFactor: required<Factor>(),
    /** Share of the width. */
    widthFactor: required<Factor>(),
    ...samplingDefaults,
    ...seedDefaults,
  },
  (where, { heightFactor, widthFactor, ...sampling }) => {
    checkFactor(where, 'heightFactor', heightFactor, '[0, 1]', '[-1, 1]')
    checkFactor(where, 'widthFactor', widthFactor, '[0, 1]', '[-1, 1]')
    checkSampling(where, sampling)
  },
  ({ g, refuse }, x, { heightFactor, widthFactor, ...sampling }) => {
    checkPixels(refuse, x)
    const [height, width] = x.shape as [number, number, number]
    const [rows, columns] = [times(height, around(heightFactor)), times(width, around(widthFactor))]
    return translate(g, x, rows, columns, sampling)
  },
)

/**
 * A box anywhere in the image: (…, …, channels) → (height, width, channels), another place for each sample.
 * Outside training, and where the image is smaller, the largest box of that aspect ratio in its middle, resized
 * (as `resizing` with cropToAspectRatio).
 */
export const randomCrop = defineLayer(
  'RandomCrop',
  { ...sizeDefaults, ...seedDefaults },
  checkSize,
  ({ g, refuse }, x, { height, width }) => {
    checkPixels(refuse, x)
    const fits = x.shape[0]! >= height && x.shape[1]! >= width
    return g.training && fits ? randomBox(g, x, [height, width]) : fitted(g, x, [height, width], 'bilinear')
  },
)

/**
 * Stretches or squeezes the width of an image about its middle. Since shapes are fixed here, the image keeps its
 * width: what is too much is cut at both sides, what is missing is 0. TensorFlow.js makes batches of another width
 * instead, outside training too. Inactive outside training.
 */
export const randomWidth = defineLayer(
  'RandomWidth',
  {
    /** 0.2 for a width 20 % larger: between two numbers, or ± one. */
    factor: required<Factor>(),
    interpolation: 'bilinear' as Interpolation,
    ...seedDefaults,
  },
  (where, { factor, interpolation }) => {
    checkFactor(where, 'factor', factor, '[0, 1)', '(-1, Infinity)')
    oneOf(where, 'interpolation', interpolation, ['bilinear', 'nearest'])
  },
  ({ g, refuse }, x, { factor, interpolation }) => {
    checkPixels(refuse, x)
    return stretchWidth(g, x, plus(1, around(factor)), { fillMode: 'constant', fillValue: 0, interpolation })
  },
)
