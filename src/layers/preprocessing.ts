import { finiteNumber, oneOf, positiveInteger } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { crop } from '../ops/moves.ts'
import { encode, rescale } from '../ops/preprocessing.ts'
import { type Interpolation, resize } from '../ops/resize.ts'
import { defineLayer } from './define.ts'
import { required } from './options.ts'
import { checkImage } from './reshaping.ts'

/** y = scale·x + offset. */
export const rescaling = defineLayer(
  'Rescaling',
  { scale: required<number>(), offset: 0 },
  (where, { scale, offset }) => {
    finiteNumber(where, 'scale', scale)
    finiteNumber(where, 'offset', offset)
  },
  ({ g }, x, { scale, offset }) => rescale(g, x, scale, offset),
  'passes',
)

export const sizeDefaults = { height: required<number>(), width: required<number>() }

export function checkSize(where: string, { height, width }: { height: number; width: number }): void {
  positiveInteger(where, 'height', height)
  positiveInteger(where, 'width', width)
}

/** Where a box of `inner` begins in the middle of `outer`. */
const middle = (outer: number, inner: number): number => Math.floor((outer - inner) / 2)

/**
 * The middle of an image: (…, …, channels) → (height, width, channels), from row ⌊(rows − height) / 2⌋ on;
 * an image too small is stretched bilinearly. TensorFlow.js starts a column later where one too many is there;
 * this is Keras' place.
 */
export const centerCrop = defineLayer('CenterCrop', sizeDefaults, checkSize, ({ g, refuse }, x, config) => {
  const { height, width } = config
  checkImage(refuse, x, 'channelsLast')
  const [rows, columns, channels] = x.shape as [number, number, number]
  if (rows < height || columns < width) return resize(g, x, [height, width], 'bilinear')
  return crop(g, x, [middle(rows, height), middle(columns, width), 0], [height, width, channels])
})

/** The largest size of the target's aspect ratio that fits into one axis; the other axis gives the rest. */
const fitting = (size: number, other: number, target: number, otherTarget: number): number =>
  Math.max(1, Math.min(size, Math.floor((other * target) / otherTarget)))

/** The largest box of that aspect ratio in the middle of an image, resized to the size; not distorted. */
export function fitted(
  g: Graph,
  x: Value,
  size: readonly [number, number],
  interpolation: Interpolation,
): Value {
  const [rows, columns, channels] = x.shape as [number, number, number]
  const [height, width] = size
  const inner = [fitting(rows, columns, height, width), fitting(columns, rows, width, height)] as const
  const at = [middle(rows, inner[0]), middle(columns, inner[1]), 0]
  return resize(g, crop(g, x, at, [...inner, channels]), size, interpolation, true)
}

/**
 * An image in another size: (…, …, channels) → (height, width, channels). As in TensorFlow.js the corners of
 * both images lie upon each other. `cropToAspectRatio` cuts the middle out first, so that nothing is
 * distorted, as Keras does; TensorFlow.js does not.
 */
export const resizing = defineLayer(
  'Resizing',
  { ...sizeDefaults, interpolation: 'bilinear' as Interpolation, cropToAspectRatio: false },
  (where, config) => {
    checkSize(where, config)
    oneOf(where, 'interpolation', config.interpolation, ['bilinear', 'nearest'])
  },
  ({ g, refuse }, x, { height, width, interpolation, cropToAspectRatio }) => {
    checkImage(refuse, x, 'channelsLast')
    if (cropToAspectRatio) return fitted(g, x, [height, width], interpolation)
    return resize(g, x, [height, width], interpolation, true)
  },
)

const outputModes = ['multiHot', 'oneHot', 'count'] as const

/**
 * Tokens 0 … numTokens − 1 as vectors. `oneHot`: (…) or (…, 1) → (…, numTokens), one vector a token.
 * `multiHot`, `count`: (…, k) → (…, numTokens), 1 for each of the k tokens that occur, or how often they do.
 * Another token makes its vector NaN.
 */
export const categoryEncoding = defineLayer(
  'CategoryEncoding',
  { numTokens: required<number>(), outputMode: 'multiHot' as (typeof outputModes)[number] },
  (where, { numTokens, outputMode }) => {
    positiveInteger(where, 'numTokens', numTokens)
    oneOf(where, 'outputMode', outputMode, outputModes)
  },
  ({ g }, x, { numTokens, outputMode }) => {
    const last = x.shape.at(-1) ?? 1
    const apart = outputMode === 'oneHot' && last !== 1
    const y = encode(g, x, apart ? 1 : last, numTokens, outputMode === 'count')
    return g.view(y, [...(apart ? x.shape : x.shape.slice(0, -1)), numTokens])
  },
)
