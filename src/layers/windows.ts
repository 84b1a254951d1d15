import { oneOf, positiveInteger, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { permute } from '../ops/moves.ts'
import type { Triple } from '../ops/scratch.ts'
import { type Padding, spread, windowOf } from '../ops/window.ts'
import type { Builder } from './define.ts'
import { type DataFormat, formats } from './reshaping.ts'

/** A number for each axis that a window moves along, or one for all. */
export type Sizes = number | readonly number[]

/** How many axes a window moves along: (steps, channels) to (depth, height, width, channels). */
export type Axes = 1 | 2 | 3

type Shaped = Pick<Value, 'shape'>

const axesOf = (shape: readonly number[]): Axes => (shape.length - 1) as Axes

/** Depth, height and width of a window; along fewer axes the first ones are 1. */
export function tripleOf(sizes: Sizes, axes: Axes): Triple {
  const own = typeof sizes === 'number' ? Array<number>(axes).fill(sizes) : sizes
  return [1, 1, ...own].slice(-3) as unknown as Triple
}

const forms = {
  1: ['a number or an array of one', '3'],
  2: ['a number or two', '[height, width]'],
  3: ['a number or three', '[depth, height, width]'],
} as const

export function checkSizes(where: string, name: string, sizes: Sizes, axes: Axes): void {
  if (Array.isArray(sizes) && sizes.length !== axes) {
    const [form, example] = forms[axes]
    throw new RangeError(`${where}: ${name} must be ${form}, got ${show(sizes)}; write ${example}`)
  }
  for (const size of [sizes].flat()) positiveInteger(where, name, size as number)
}

export const checkPadding = (where: string, padding: Padding, causal = false) =>
  oneOf(where, 'padding', padding, causal ? ['valid', 'same', 'causal'] : ['valid', 'same'])
export const checkFormat = (where: string, format: DataFormat) => oneOf(where, 'dataFormat', format, formats)

/** Refuses a sample of other axes than channels and those of the window. */
export function checkRank(
  refuse: Builder['refuse'],
  { shape }: Value,
  axes: Axes,
  dataFormat: DataFormat,
): void {
  if (shape.length === axes + 1) return
  const places = { 1: 'steps', 2: 'height, width', 3: 'depth, height, width' }[axes]
  const form = dataFormat === 'channelsLast' ? `${places}, channels` : `channels, ${places}`
  refuse(`the input must have shape [${form}], got [${shape}]; add layers.reshape() before it`)
}

export interface Window {
  readonly size: Triple
  readonly strides: Triple
  readonly rates?: Triple
  readonly padding: Padding
}

/** Refuses a volume that is too small for one window; named as the layer's user sees both. */
export function checkFit(
  refuse: Builder['refuse'],
  volume: Shaped,
  { size, strides, rates = [1, 1, 1], padding }: Window,
  x: Shaped,
): void {
  const reach = size.map((n, axis) => spread(n, rates[axis]!))
  const outs = reach.map((n, axis) => windowOf(volume.shape[axis]!, n, strides[axis]!, padding).out)
  if (outs.every(out => out >= 1)) return
  const own = reach.slice(-axesOf(x.shape))
  refuse(
    `a window of [${own}] must fit into the input, got [${x.shape}]; use padding: 'same' or a smaller window`,
  )
}

/** x with its channels last. */
export function lastOf(g: Graph, x: Value, dataFormat: DataFormat): Value {
  if (dataFormat === 'channelsLast') return x
  const axes = x.shape.map((_, axis) => axis)
  return permute(g, x, [...axes.slice(1), 0])
}

/**
 * f of x as a volume (depth, height, width, channels), the first sizes 1 where x has fewer axes. What f returns
 * gets x's form again.
 */
export function asVolume(g: Graph, x: Value, dataFormat: DataFormat, f: (volume: Value) => Value): Value {
  const axes = axesOf(x.shape)
  const last = lastOf(g, x, dataFormat)
  const y = f(g.view(last, [1, 1, ...last.shape].slice(-4)))
  const seen = g.view(y, y.shape.slice(-axes - 1))
  if (dataFormat === 'channelsLast') return seen
  return permute(g, seen, [axes, ...seen.shape.keys()].slice(0, -1))
}
