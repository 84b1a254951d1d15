import { nonNegativeInteger, oneOf, positiveInteger, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { crop, mostAxes, pad, permute as permuteOp, repeat } from '../ops/moves.ts'
import { type Interpolation, resize } from '../ops/resize.ts'
import { type Builder, defineLayer } from './define.ts'
import { required } from './options.ts'

export type DataFormat = 'channelsLast' | 'channelsFirst'
export const formats = ['channelsLast', 'channelsFirst'] as const

/** Refuses a sample of more axes than a move can run along. */
export function checkAxes(refuse: Builder['refuse'], { shape }: Value): void {
  if (shape.length > mostAxes)
    refuse(`the input must have at most ${mostAxes} axes, got [${shape}]; add layers.reshape() before it`)
}

/**
 * The axes of a sample in another order: axis i of the output is axis dims[i] of the input; (a, b, c) → (b,
 * c, a) with dims [2, 3, 1].
 */
export const permute = defineLayer(
  'Permute',
  {
    /** Numbers of the sample's axes, counted from 1. */
    dims: required<readonly number[]>(),
  },
  (where, { dims }) => {
    if (!Array.isArray(dims) || dims.toSorted((a, b) => a - b).some((axis, i) => axis !== i + 1)) {
      const message = `${where}: dims must hold each of 1, 2, … once, got ${show(dims)}; write [2, 1]`
      throw Array.isArray(dims) ? new RangeError(message) : new TypeError(message)
    }
  },
  ({ g, refuse }, x, { dims }) => {
    if (x.shape.length !== dims.length)
      refuse(`the input must have ${dims.length} axes, one for each of dims, got [${x.shape}]; correct dims`)
    checkAxes(refuse, x)
    return permuteOp(
      g,
      x,
      dims.map(axis => axis - 1),
    )
  },
)

/** The same vector n times: (k) → (n, k). */
export const repeatVector = defineLayer(
  'RepeatVector',
  { n: required<number>() },
  (where, { n }) => positiveInteger(where, 'n', n),
  ({ g, refuse }, x, { n }) => {
    if (x.shape.length !== 1)
      refuse(`the input must have shape [features], got [${x.shape}]; add layers.flatten() before it`)
    return repeat(g, x, 0, n)
  },
)

type Two = readonly [number, number]
/** Rows and columns at the edges: one number, [height, width], or [[top, bottom], [left, right]]. */
export type Edges = number | Two | readonly [Two, Two]

const isTwo = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length === 2

/** [top, bottom], [left, right]. */
function sidesOf(edges: Edges): [Two, Two] {
  const [height, width] = typeof edges === 'number' ? [edges, edges] : edges
  const both = (side: number | Two): Two => (typeof side === 'number' ? [side, side] : side)
  return [both(height), both(width)]
}

function checkEdges(where: string, name: string, edges: Edges): void {
  const whole = typeof edges === 'number' || (isTwo(edges) && edges.every(n => !Array.isArray(n) || isTwo(n)))
  if (!whole) {
    const form = `${where}: ${name} must be a number, two, or two pairs`
    throw new TypeError(`${form}, got ${show(edges)}; write [[top, bottom], [left, right]]`)
  }
  for (const size of [edges].flat(2)) nonNegativeInteger(where, name, size)
}

/** Refuses what is no image. */
export function checkImage(refuse: Builder['refuse'], x: Value, dataFormat: DataFormat): void {
  if (x.shape.length === 3) return
  const form = dataFormat === 'channelsLast' ? 'height, width, channels' : 'channels, height, width'
  refuse(`the input must have shape [${form}], got [${x.shape}]; add layers.reshape() before it`)
}

/** One number for each axis of an image. */
const perAxis = (dataFormat: DataFormat, height: number, width: number): number[] =>
  dataFormat === 'channelsLast' ? [height, width, 0] : [0, height, width]

/** Drops rows and columns at the edges: (height, width, channels) → (height − top − bottom, …, channels). */
export const cropping2D = defineLayer(
  'Cropping2D',
  {
    /** How many: one number, [height, width], or [[top, bottom], [left, right]]. */
    cropping: required<Edges>(),
    dataFormat: 'channelsLast' as DataFormat,
  },
  (where, { cropping, dataFormat }) => {
    checkEdges(where, 'cropping', cropping)
    oneOf(where, 'dataFormat', dataFormat, formats)
  },
  ({ g, refuse }, x, { cropping, dataFormat }) => {
    checkImage(refuse, x, dataFormat)
    const [rows, columns] = sidesOf(cropping)
    const at = perAxis(dataFormat, rows[0], columns[0])
    const dropped = perAxis(dataFormat, rows[0] + rows[1], columns[0] + columns[1])
    const shape = x.shape.map((n, axis) => n - dropped[axis]!)
    if (shape.some(n => n < 1))
      refuse(`cropping must leave a row and a column of [${x.shape}], got ${show(cropping)}; crop less`)
    return crop(g, x, at, shape)
  },
)

/** Puts zeros around: (height, width, channels) → (top + height + bottom, left + width + right, channels). */
export const zeroPadding2d = defineLayer(
  'ZeroPadding2D',
  {
    /** How many: one number, [height, width], or [[top, bottom], [left, right]]. */
    padding: [
      [1, 1],
      [1, 1],
    ] as Edges,
    dataFormat: 'channelsLast' as DataFormat,
  },
  (where, { padding, dataFormat }) => {
    checkEdges(where, 'padding', padding)
    oneOf(where, 'dataFormat', dataFormat, formats)
  },
  ({ g, refuse }, x, { padding, dataFormat }) => {
    checkImage(refuse, x, dataFormat)
    const [rows, columns] = sidesOf(padding)
    return pad(g, x, perAxis(dataFormat, rows[0], columns[0]), perAxis(dataFormat, rows[1], columns[1]))
  },
)

/** f of an image with its channels last; the result has them where x had. */
function channelsLast(g: Graph, x: Value, dataFormat: DataFormat, f: (image: Value) => Value): Value {
  if (dataFormat === 'channelsLast') return f(x)
  return permuteOp(g, f(permuteOp(g, x, [1, 2, 0])), [2, 0, 1])
}

/**
 * Each pixel becomes size[0] × size[1]: (height, width, channels) → (size[0]·height, size[1]·width,
 * channels). `bilinear` takes output i from place i / size, as TensorFlow.js does; Keras 3 from (i + ½) /
 * size − ½.
 */
export const upSampling2d = defineLayer(
  'UpSampling2D',
  {
    /** Factors of height and width. */
    size: [2, 2] as Two,
    dataFormat: 'channelsLast' as DataFormat,
    interpolation: 'nearest' as Interpolation,
  },
  (where, { size, dataFormat, interpolation }) => {
    if (!isTwo(size))
      throw new TypeError(`${where}: size must be two numbers, got ${show(size)}; write [height, width]`)
    for (const factor of size) positiveInteger(where, 'size', factor)
    oneOf(where, 'dataFormat', dataFormat, formats)
    oneOf(where, 'interpolation', interpolation, ['nearest', 'bilinear'])
  },
  ({ g, refuse }, x, { size, dataFormat, interpolation }) => {
    checkImage(refuse, x, dataFormat)
    return channelsLast(g, x, dataFormat, image => {
      const [height, width] = image.shape as [number, number, number]
      return resize(g, image, [size[0] * height, size[1] * width], interpolation)
    })
  },
)
