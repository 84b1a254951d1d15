import type { Array64, Context } from './arrays.ts'
import type { Reference } from './layers.ts'
import { preprocessingReferences } from './preprocessing.ts'
import { Draws } from './random.ts'
import { made } from './reshaping.ts'

type Factor = number | readonly [number, number]

/** Options of the layers in src/layers/augmentation.ts and appearance.ts. */
export interface AugmentationOptions {
  factor: Factor
  heightFactor: Factor
  widthFactor: Factor | null
  fillMode: string
  fillValue: number | null
  mode: string
  valueRange: readonly [number, number]
}

/** The first step of `measure`; the layer under test is the first to draw. */
const [draws, later] = [new Draws([7, 8], 1, 0), new Draws([7, 8], 1, 1)]

/** The element's draw for a sample, even between two numbers, or ± one. */
function even(element: number, sample: number, factor: Factor): number {
  const [low, high] = typeof factor === 'number' ? [-factor, factor] : factor
  return low + (high - low) * draws.uniform(element, sample)
}

type Place = readonly [row: number, column: number]

/** The pixel that stands for pixel i of an axis of n, or undefined outside. */
function standIn(mode: string, i: number, n: number): number | undefined {
  if (i >= 0 && i < n) return i
  if (mode === 'constant') return undefined
  if (mode === 'nearest') return i < 0 ? 0 : n - 1
  if (mode === 'wrap') return standIn(mode, i < 0 ? i + n : i - n, n)
  return standIn(mode, i < 0 ? -1 - i : 2 * n - 1 - i, n)
}

interface Sampling {
  fillMode: string
  fillValue: number | null
  interpolation: string
}

/** The image whose pixels are those of x at the given places, seen from the middle of both, in each sample. */
function seen(
  x: Array64,
  { fillMode, fillValue, interpolation }: Sampling,
  placeOf: (sample: number, place: Place) => Place,
): Array64 {
  const [, height, width, channels] = x.shape as [number, number, number, number]
  const pixel = (s: number, row: number, column: number, channel: number): number => {
    const [i, j] = [standIn(fillMode, row, height), standIn(fillMode, column, width)]
    if (i === undefined || j === undefined) return fillValue!
    return x.values[((s * height + i) * width + j) * channels + channel]!
  }
  const [middle, centre] = [(height - 1) / 2, (width - 1) / 2]
  return made(x.shape, ([s, r, c, channel]) => {
    const [down, across] = placeOf(s!, [r! - middle, c! - centre])
    const [v, u] = [down + middle, across + centre]
    if (interpolation === 'nearest') return pixel(s!, Math.floor(v + 0.5), Math.floor(u + 0.5), channel!)
    const [top, left] = [Math.floor(v), Math.floor(u)]
    let sum = 0
    for (const [i, j] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      const weight = (i ? v - top : 1 - v + top) * (j ? u - left : 1 - u + left)
      sum += weight * pixel(s!, top + i, left + j, channel!)
    }
    return sum
  })
}

/** A reference of a layer that moves pixels in training. */
const moved =
  (place: (options: AugmentationOptions & Sampling, x: Array64, sample: number, from: Place) => Place) =>
  (
    x: Array64,
    _: unknown,
    options: AugmentationOptions & Sampling,
    { training }: Pick<Context, 'training'>,
  ): Array64 =>
    training ? seen(x, options, (sample, from) => place(options, x, sample, from)) : x

const randomFlip: Reference = (x, _, { mode }, { training }) => {
  const turns = (element: number, sample: number, able: boolean) =>
    able && draws.uniform(element, sample) < 0.5 ? -1 : 1
  const plain = { fillMode: 'nearest', fillValue: 0, interpolation: 'nearest' }
  if (!training) return x
  return seen(x, plain, (s, [r, c]) => [
    r * turns(0, s, mode !== 'horizontal'),
    c * turns(1, s, mode !== 'vertical'),
  ])
}

const randomRotation = moved(({ factor }, _, sample, [r, c]) => {
  const angle = 2 * Math.PI * even(0, sample, factor)
  // Counter-clockwise, with rows counted downwards: what was at (−1, 0), the top, comes to (0, −1), the left.
  return [r * Math.cos(angle) + c * Math.sin(angle), c * Math.cos(angle) - r * Math.sin(angle)]
})

const randomZoom = moved(({ heightFactor, widthFactor }, _, sample, [r, c]) => {
  const down = 1 + even(0, sample, heightFactor)
  return [r * down, c * (widthFactor === null ? down : 1 + even(1, sample, widthFactor))]
})

const randomTranslation = moved(({ heightFactor, widthFactor }, { shape }, sample, [r, c]) => [
  r - shape[1]! * even(0, sample, heightFactor),
  c - shape[2]! * even(1, sample, widthFactor!),
])

const randomWidth: Reference = (x, weights, options, context) =>
  moved(({ factor }, _, sample, [r, c]) => [r, c / (1 + even(0, sample, factor))])(
    x,
    weights,
    { ...options, fillMode: 'constant', fillValue: 0 },
    context,
  )

const randomCrop: Reference = (x, weights, options, context) => {
  const { height, width } = options
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number]
  if (!context.training || rows < height || columns < width)
    return preprocessingReferences.resizing(
      x,
      weights,
      { ...options, interpolation: 'bilinear', cropToAspectRatio: true },
      context,
    )
  return made([batch, height, width, channels], ([s, r, c, channel]) => {
    const top = Math.floor(even(0, s!, [0, rows - height + 1]))
    const left = Math.floor(even(1, s!, [0, columns - width + 1]))
    return x.values[((s! * rows + top + r!) * columns + left + c!) * channels + channel!]!
  })
}

/** f of each element and the number of its sample, clipped to the values' range, in training. */
function clipped(
  x: Array64,
  [low, high]: readonly [number, number],
  { training, near }: Context,
  f: (x: number, i: number, sample: number) => number,
): Array64 {
  if (!training) return x
  const size = x.values.length / x.shape[0]!
  const values = x.values.map((value, i) => {
    const y = f(value, i, Math.floor(i / size))
    near(Math.min(Math.abs(y - low), Math.abs(y - high)))
    return Math.min(high, Math.max(low, y))
  })
  return { shape: x.shape, values }
}

const randomBrightness: Reference = (x, _, { factor, valueRange }, context) =>
  clipped(x, valueRange, context, (value, _i, sample) => {
    return value + (valueRange[1] - valueRange[0]) * even(0, sample, factor)
  })

const randomContrast: Reference = (x, _, { factor, valueRange }, context) => {
  const channels = x.shape[3]!
  const size = x.values.length / x.shape[0]!
  const [lower, upper] = typeof factor === 'number' ? [factor, factor] : factor
  return clipped(x, valueRange, context, (value, i, sample) => {
    const image = x.values.subarray(sample * size, (sample + 1) * size)
    const mean =
      (image.filter((_, j) => j % channels === i % channels).reduce((a, b) => a + b) * channels) / size
    return mean + (value - mean) * even(0, sample, [1 - lower, 1 + upper])
  })
}

const randomErasing: Reference = (x, _, { factor, fillValue, valueRange, ...options }, { training }) => {
  if (!training) return x
  const scale = options.scale as unknown as Factor
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const chance = typeof factor === 'number' ? ([factor, factor] as const) : factor
  const boxes = Array.from({ length: batch }, (_, s) => {
    const side = (element: number, n: number): readonly [number, number] => {
      const length = Math.sqrt(even(element, s, scale)) * n
      const start = draws.uniform(element + 2, s) * (n - length)
      return [start, start + length]
    }
    const loses = draws.uniform(5, s) < even(4, s, chance)
    return loses ? { rows: side(0, height), columns: side(1, width) } : undefined
  })
  const within = (at: number, [from, to]: readonly [number, number]) => at >= from && at < to
  return made(x.shape, ([s, r, c, channel]) => {
    const place = (r! * width + c!) * channels + channel!
    const box = boxes[s!]
    if (!box || !within(r!, box.rows) || !within(c!, box.columns))
      return x.values[s! * height * width * channels + place]!
    const filling = fillValue ?? valueRange[1] * later.normal(place, s!)
    return Math.min(valueRange[1], Math.max(valueRange[0], filling))
  })
}

export const augmentationReferences = {
  randomBrightness,
  randomContrast,
  randomCrop,
  randomErasing,
  randomFlip,
  randomRotation: randomRotation as Reference,
  randomTranslation: randomTranslation as Reference,
  randomWidth,
  randomZoom: randomZoom as Reference,
} satisfies Record<string, Reference>
