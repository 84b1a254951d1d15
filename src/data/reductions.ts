import { show } from '../errors.ts'
import { axesOf, axisOf, type Dense, stridesOf, walk } from './dense.ts'
import { stored } from './elementwise.ts'
import { sizeOf } from './nested.ts'
import type { DType } from './tensor.ts'

export type Axes = number | readonly number[] | null

/** Strides that bring each element of `shape` to its place in the result, the reduced axes of which are 1. */
function reducedStrides(shape: readonly number[], kept: readonly number[]): number[] {
  const strides = stridesOf(kept)
  return strides.map((stride, axis) => (kept[axis] === 1 && shape[axis] !== 1 ? 0 : stride))
}

function reduce(
  where: string,
  x: Dense,
  axes: Axes | undefined,
  keepDims: boolean,
  first: number,
  operation: (sum: number, value: number) => number,
): { sums: Float64Array; shape: number[]; count: number } {
  const along = axesOf(where, axes, x.shape.length)
  const kept = x.shape.map((length, axis) => (along.includes(axis) ? 1 : length))
  const sums = new Float64Array(sizeOf(kept)).fill(first)
  let i = 0
  walk(x.shape, reducedStrides(x.shape, kept), place => {
    sums[place] = operation(sums[place]!, x.values[i++]!)
  })
  const shape = keepDims ? kept : kept.filter((_, axis) => !along.includes(axis))
  return { sums, shape, count: along.reduce((product, axis) => product * x.shape[axis]!, 1) }
}

const integral = ({ dtype }: Dense): DType => (dtype === 'float32' ? 'float32' : 'int32')

/** Sums are formed in double precision. */
export function sum(x: Dense, axes?: Axes, keepDims = false): Dense {
  const { sums, shape } = reduce('sum', x, axes, keepDims, 0, (a, b) => a + b)
  const dtype = integral(x)
  return { values: stored(sums, dtype), shape, dtype }
}

export function mean(x: Dense, axes?: Axes, keepDims = false): Dense {
  const { sums, shape, count } = reduce('mean', x, axes, keepDims, 0, (a, b) => a + b)
  return { values: Float32Array.from(sums, value => value / count), shape, dtype: 'float32' }
}

/** NaN where an element is NaN. */
export function min(x: Dense, axes?: Axes, keepDims = false): Dense {
  const { sums, shape } = reduce('min', x, axes, keepDims, Number.POSITIVE_INFINITY, Math.min)
  const dtype = integral(x)
  return { values: stored(sums, dtype), shape, dtype }
}

/** NaN where an element is NaN. */
export function max(x: Dense, axes?: Axes, keepDims = false): Dense {
  const { sums, shape } = reduce('max', x, axes, keepDims, Number.NEGATIVE_INFINITY, Math.max)
  const dtype = integral(x)
  return { values: stored(sums, dtype), shape, dtype }
}

/** Place of the largest element along an axis, the first of equal ones. */
export function argMax(x: Dense, axis = 0): Dense {
  const along = axisOf('argMax', axis, x.shape.length)
  const length = x.shape[along]!
  if (length === 0)
    throw new RangeError(
      `argMax: axis ${axis} must have elements, got shape ${show([...x.shape])}; leave it out`,
    )
  const shape = x.shape.filter((_, other) => other !== along)
  const strides = stridesOf(x.shape)
  const stride = strides[along]!
  const values = new Int32Array(sizeOf(shape))
  let count = 0
  walk(shape, strides.toSpliced(along, 1), offset => {
    let best = 0
    for (let i = 1; i < length; i++) {
      if (x.values[offset + i * stride]! > x.values[offset + best * stride]!) best = i
    }
    values[count++] = best
  })
  return { values, shape, dtype: 'int32' }
}
