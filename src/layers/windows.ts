import { oneOf, positiveInteger, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { permute } from '../ops/moves.ts'
import { type Padding, spread, windowOf } from '../ops/window.ts'
import type { Builder } from './define.ts'
import { type DataFormat, formats } from './reshaping.ts'

/** A number for each axis that a window moves along, or one for all. */
export type Sizes = number | readonly [number, number] | readonly number[]

/** How many axes a window moves along: (steps, channels) or (height, width, channels). */
export type Axes = 1 | 2

/** Height and width of a window; along one axis the height is 1. */
export function pairOf(sizes: Sizes, axes: Axes): [number, number] {
  const last = typeof sizes === 'number' ? sizes : sizes.at(-1)!
  if (axes === 1) return [1, last]
  return [typeof sizes === 'number' ? sizes : sizes[0]!, last]
}

export function checkSizes(where: string, name: string, sizes: Sizes, axes: Axes): void {
  if (Array.isArray(sizes) && sizes.length !== axes) {
    const [form, example] =
      axes === 1 ? ['a number or an array of one', '3'] : ['a number or two', '[height, width]']
    throw new RangeError(`${where}: ${name} must be ${form}, got ${show(sizes)}; write ${example}`)
  }
  for (const size of Array.isArray(sizes) ? sizes : [sizes]) positiveInteger(where, name, size)
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
  const places = axes === 1 ? 'steps' : 'height, width'
  const form = dataFormat === 'channelsLast' ? `${places}, channels` : `channels, ${places}`
  refuse(`the input must have shape [${form}], got [${shape}]; add layers.reshape() before it`)
}

export interface Window {
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly rates?: readonly [number, number]
  readonly padding: Padding
}

/** Refuses an image that is too small for one window; named as the layer's user sees both. */
export function checkFit(
  refuse: Builder['refuse'],
  image: Value,
  { size, strides, rates = [1, 1], padding }: Window,
  x: Value,
): void {
  const outs = [0, 1].map(axis => {
    return windowOf(image.shape[axis]!, spread(size[axis]!, rates[axis]!), strides[axis]!, padding).out
  })
  if (outs.every(out => out >= 1)) return
  const reach = size.map((n, axis) => spread(n, rates[axis]!)).slice(3 - x.shape.length)
  refuse(
    `a window of [${reach}] must fit into the input, got [${x.shape}]; use padding: 'same' or a smaller window`,
  )
}

/** x with its channels last. */
export function lastOf(g: Graph, x: Value, dataFormat: DataFormat): Value {
  if (dataFormat === 'channelsLast') return x
  return permute(g, x, x.shape.length === 2 ? [1, 0] : [1, 2, 0])
}

/**
 * f of x as an image with its channels last: (1, steps, channels) where x has steps. What f returns gets x's
 * form again.
 */
export function asImage(g: Graph, x: Value, dataFormat: DataFormat, f: (image: Value) => Value): Value {
  const first = dataFormat === 'channelsFirst'
  const steps = x.shape.length === 2
  const last = lastOf(g, x, dataFormat)
  const y = f(steps ? g.view(last, [1, ...last.shape]) : last)
  const seen = steps ? g.view(y, y.shape.slice(1)) : y
  return first ? permute(g, seen, steps ? [1, 0] : [2, 0, 1]) : seen
}
