import { show } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { graphOf } from '../../graph/owners.ts'
import { sizeOf, type Value } from '../../graph/value.ts'
import { filled, isNumber } from '../elements.ts'
import { broadcast, commonShape, mostAxes } from '../moves.ts'
import { spread } from '../spread.ts'

// What the ops that users call have in common: they find the graph in their values, take numbers for values, and
// check what they are given. Shapes are those of one sample.

/** What elementwise ops take. */
export type Operand = Value | number

const isValue = (x: unknown): x is Value => typeof x === 'object' && x !== null && 'storage' in x

const isParameter = ({ storage, panels }: Value): boolean =>
  !panels && (storage.placement === 'state' || storage.placement === 'run')

/** The value, and its graph; a weight as values of samples. @throws TypeError for anything else */
export function taken(where: string, x: Value): { g: Graph; x: Value } {
  if (!isValue(x)) {
    const hint =
      typeof x === 'number' ? 'compute with numbers outside ops' : 'give what a layer or an op made'
    throw new TypeError(`ops.${where}: x must be a value, got ${show(x)}; ${hint}`)
  }
  const g = graphOf(x)
  return { g, x: isParameter(x) ? spread(g, x) : x }
}

/** As `taken`, for ops that know samples: not the panels that optimizers work on. @throws TypeError for these */
export function ofSamples(where: string, given: Value): { g: Graph; x: Value } {
  const { g, x } = taken(where, given)
  if (!x.panels && !isNumber(x)) return { g, x }
  throw new TypeError(
    `ops.${where}: it must be given values of samples, got those of an optimizer; use elementwise ops there`,
  )
}

/** Values of samples, on one graph. @throws TypeError for anything else, and for an empty list */
export function listed(where: string, given: readonly Value[]): { g: Graph; xs: readonly Value[] } {
  if (!Array.isArray(given) || given.length === 0)
    throw new TypeError(`ops.${where}: it must be given a list of values, got ${show(given)}; write [a, b]`)
  const all = given.map(each => ofSamples(where, each))
  return { g: all[0]!.g, xs: all.map(({ x }) => x) }
}

/**
 * Operands as values of one shape: axes are counted from the last one, and what lacks an axis or has size 1 there is
 * repeated.
 * @throws TypeError for what is no operand, or numbers alone; RangeError for shapes that do not fit
 */
export function aligned(where: string, operands: readonly Operand[]): { g: Graph; xs: readonly Value[] } {
  const found = operands.map(each => (typeof each === 'number' ? each : taken(where, each).x))
  const values = found.filter(each => typeof each !== 'number')
  if (values.length === 0)
    throw new TypeError(
      `ops.${where}: one operand must be a value, got ${operands.map(show).join(' and ')}; compute it in JavaScript`,
    )
  const arrays = values.filter(x => !isNumber(x))
  const [like] = arrays.length > 0 ? arrays : values
  const g = graphOf(like!)
  const shape = commonShape((arrays.length > 0 ? arrays : values).map(x => x.shape))
  const mixed = arrays.some(x => x.panels !== like!.panels)
  if (!shape || mixed || (like!.panels && arrays.some(x => String(x.shape) !== String(shape)))) {
    const shapes = values.map(x => `[${x.shape}]`).join(' and ')
    throw new RangeError(
      `ops.${where}: shapes must have the same sizes, or 1, from the last axis on, got ${shapes}; reshape one`,
    )
  }
  const model = { ...like!, shape }
  const xs = found.map(x => {
    if (typeof x === 'number' || (isNumber(x) && arrays.length > 0)) return filled(g, model, x)
    if (String(x.shape) === String(shape)) return x
    checkRank(where, shape)
    return broadcast(g, x, shape)
  })
  return { g, xs }
}

/** @throws RangeError for more axes than a move can run along */
export function checkRank(where: string, shape: readonly number[]): void {
  if (shape.length > mostAxes)
    throw new RangeError(
      `ops.${where}: a sample must have at most ${mostAxes} axes, got [${shape}]; reshape it before`,
    )
}

/** Numbers of axes from 0 on. @throws RangeError for others than the sample has, or one twice */
export function axesOf(
  where: string,
  axis: number | readonly number[] | undefined,
  shape: readonly number[],
): readonly number[] {
  const rank = shape.length
  if (axis === undefined) return shape.map((_, i) => i)
  const axes = [axis].flat().map(each => (each < 0 ? each + rank : each))
  const known = axes.every(
    (each, i) => Number.isInteger(each) && each >= 0 && each < rank && axes.indexOf(each) === i,
  )
  if (known) return axes
  throw new RangeError(
    `ops.${where}: axis must be among those of a sample [${shape}], counted from 0 or from −1 back, got ${show(axis)}; ` +
      'the batch is no axis',
  )
}

/** @throws RangeError for another number of elements */
export function checkSize(where: string, shape: readonly number[], wanted: readonly number[]): void {
  if (sizeOf(shape) !== sizeOf(wanted) || !wanted.every(n => Number.isInteger(n) && n >= 0))
    throw new RangeError(
      `ops.${where}: the shape must have ${sizeOf(shape)} elements as [${shape}], got [${wanted}]; correct it`,
    )
}
