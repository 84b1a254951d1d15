import { inRange, nonNegativeInteger, show } from '../../errors.ts'
import { sizeOf, type Value } from '../../graph/value.ts'
import { dropout } from '../dropout.ts'
import { filled } from '../elements.ts'
import { broadcast, commonShape, concat, crop, pad, permute } from '../moves.ts'
import { constant } from '../spread.ts'
import { axesOf, checkRank, checkSize, listed, ofSamples, taken } from './operands.ts'

/** Numbers, or lists of numbers, or lists of these. */
export type Numbers = number | readonly Numbers[]

const mostConstants = 4096

function shapeOfNumbers(numbers: Numbers): number[] {
  if (typeof numbers === 'number') return []
  const [first] = numbers
  return [numbers.length, ...(first === undefined ? [] : shapeOfNumbers(first))]
}

/** One size may be −1: it follows from the others. */
function completed(shape: readonly number[], wanted: readonly number[]): readonly number[] {
  const known = sizeOf(wanted.filter(n => n !== -1))
  return wanted.map(n => (n === -1 ? sizeOf(shape) / known : n))
}

function checkSides(where: string, values: readonly unknown[], shape: readonly number[]): void {
  if (Array.isArray(values) && values.length === shape.length) return
  throw new RangeError(
    `ops.${where}: there must be an entry for each axis of a sample [${shape}], got ${show(values)}; add some`,
  )
}

const joined = (where: string, given: readonly Value[], axis: number): Value => {
  const { g, xs } = listed(where, given)
  const [own] = axesOf(where, axis, xs[0]!.shape)
  const others = xs.map(({ shape }) => String(shape.with(own!, 0)))
  const other = xs.find(({ shape }, i) => shape.length !== xs[0]!.shape.length || others[i] !== others[0])
  if (other)
    throw new RangeError(
      `ops.${where}: shapes must be alike but for axis ${axis}, got [${xs[0]!.shape}] and [${other.shape}]; reshape one`,
    )
  checkRank(where, xs[0]!.shape)
  return concat(g, xs, own!)
}

function reshape(given: Value, shape: readonly number[]): Value {
  const { g, x } = ofSamples('reshape', given)
  const whole = completed(x.shape, shape)
  checkSize('reshape', x.shape, whole)
  return g.view(x, whole)
}

function expandDims(given: Value, axis = -1): Value {
  const { x } = ofSamples('expandDims', given)
  const [own] = axesOf('expandDims', axis, [...x.shape, 1])
  return reshape(x, x.shape.toSpliced(own!, 0, 1))
}

const number = (where: string, given: Value, value: number): Value => {
  const { g, x } = taken(where, given)
  return filled(g, x, value)
}

/** Ops that move elements, and that make new ones. */
export const shapes = {
  /** The same elements in another shape; one size may be −1. */
  reshape,
  /** Axes in another order: axis i of the result is axis order[i]; reversed by default. */
  transpose(given: Value, order?: readonly number[]): Value {
    const { g, x } = ofSamples('transpose', given)
    const axes = axesOf('transpose', order ?? x.shape.map((_, i) => x.shape.length - 1 - i), x.shape)
    checkSides('transpose', axes, x.shape)
    checkRank('transpose', x.shape)
    return permute(g, x, axes)
  },
  /** A new axis of size 1 before `axis` of the result. */
  expandDims,
  /** Without the given axes, or all, of size 1. */
  squeeze(given: Value, axis?: number | readonly number[]): Value {
    const { x } = ofSamples('squeeze', given)
    const axes = axis === undefined ? undefined : axesOf('squeeze', axis, x.shape)
    return reshape(
      x,
      x.shape.filter((n, i) => (axes ? !axes.includes(i) : n !== 1)),
    )
  },
  /** Repeated along axes that are missing or have size 1, to fill a shape. */
  broadcastTo(given: Value, shape: readonly number[]): Value {
    const { g, x } = ofSamples('broadcastTo', given)
    if (String(commonShape([x.shape, shape])) !== String(shape))
      throw new RangeError(
        `ops.broadcastTo: [${x.shape}] must have the sizes of the shape, or 1, from the last axis on, got [${shape}]; ` +
          'correct it',
      )
    checkRank('broadcastTo', shape)
    return broadcast(g, x, shape)
  },
  /** The box that begins at `begin` and has `size`, an entry for each axis; a size of −1 reaches to the end. */
  slice(given: Value, begin: readonly number[], size: readonly number[]): Value {
    const { g, x } = ofSamples('slice', given)
    for (const list of [begin, size]) checkSides('slice', list, x.shape)
    const shape = size.map((n, i) => (n === -1 ? x.shape[i]! - begin[i]! : n))
    for (const [i, n] of shape.entries()) {
      nonNegativeInteger('ops.slice', 'an entry of begin', begin[i])
      inRange('ops.slice', `begin + size of axis ${i}`, begin[i]! + n, `[0, ${x.shape[i]!}]`)
    }
    checkRank('slice', x.shape)
    return crop(g, x, begin, shape)
  },
  /** Values side by side along an axis. */
  concat: (xs: readonly Value[], axis = -1): Value => joined('concat', xs, axis),
  /** Values of one shape side by side along a new axis. */
  stack(given: readonly Value[], axis = 0): Value {
    const { xs } = listed('stack', given)
    return joined(
      'stack',
      xs.map(x => expandDims(x, axis)),
      axis,
    )
  },
  /** Zeros around x: [before, after] for each axis. */
  pad(given: Value, paddings: readonly (readonly [number, number])[]): Value {
    const { g, x } = ofSamples('pad', given)
    checkSides('pad', paddings, x.shape)
    for (const n of paddings.flat()) nonNegativeInteger('ops.pad', 'a padding', n)
    checkRank('pad', x.shape)
    return pad(
      g,
      x,
      paddings.map(([before]) => before),
      paddings.map(([, after]) => after),
    )
  },
  /** In training x with elements set to 0 with probability `rate`, the others times 1 / (1 − rate); elsewhere x. */
  dropout(given: Value, rate: number): Value {
    const { g, x } = ofSamples('dropout', given)
    inRange('ops.dropout', 'rate', rate, '[0, 1)')
    return dropout(g, x, rate)
  },
  /** x, but no gradient flows into it. */
  stopGradient(given: Value): Value {
    return { ...taken('stopGradient', given).x, differentiable: false }
  },
  /** 0 in the shape of x. */
  zerosLike: (x: Value): Value => number('zerosLike', x, 0),
  /** 1 in the shape of x. */
  onesLike: (x: Value): Value => number('onesLike', x, 1),
  /** The same numbers for every sample, on the graph of x: a number, or nested lists; 4096 at most. */
  constant(given: Value, numbers: Numbers): Value {
    const { g } = ofSamples('constant', given)
    const shape = shapeOfNumbers(numbers)
    const values = ([numbers] as unknown[]).flat(Infinity) as number[]
    if (values.length !== sizeOf(shape) || !values.every(Number.isFinite))
      throw new TypeError(
        `ops.constant: numbers must be finite, in even lists, got ${show(numbers)}; correct them`,
      )
    if (values.length > mostConstants)
      throw new RangeError(
        `ops.constant: there must be at most ${mostConstants} numbers, got ${values.length}; use a weight that is not trainable`,
      )
    return constant(g, values, shape)
  },
}
