import { show } from '../errors.ts'
import { axesOf, axisOf, type Dense, stridesOf, walk } from './dense.ts'
import { sizeOf } from './nested.ts'
import type { TensorValues } from './tensor.ts'

const emptyLike = (x: Dense, size: number): TensorValues =>
  new (x.values.constructor as new (size: number) => TensorValues)(size)

/** The same elements in another shape; −1 stands for the size that is left over. */
export function reshape(x: Dense, shape: readonly number[]): Dense {
  const known = shape.filter(length => length !== -1)
  const rest = x.values.length / sizeOf(known)
  const filled = shape.map(length => (length === -1 ? rest : length))
  const sound = shape.length - known.length <= 1 && filled.every(n => Number.isInteger(n) && n >= 0)
  if (!sound || sizeOf(filled) !== x.values.length) {
    const wanted = `the ${x.values.length} elements of shape ${show([...x.shape])}`
    throw new RangeError(`reshape: shape must hold ${wanted}, got ${show([...shape])}; correct it`)
  }
  return { ...x, shape: filled }
}

/** The same elements with an axis of length 1 more. */
export function expandDims(x: Dense, axis = 0): Dense {
  const at = axisOf('expandDims', axis, x.shape.length + 1)
  return { ...x, shape: x.shape.toSpliced(at, 0, 1) }
}

/** The same elements without axes of length 1: all of them, or those given. */
export function squeeze(x: Dense, axes?: readonly number[] | null): Dense {
  if (axes === undefined || axes === null) return { ...x, shape: x.shape.filter(length => length !== 1) }
  const left = axesOf('squeeze', axes, x.shape.length)
  const long = left.find(axis => x.shape[axis] !== 1)
  if (long === undefined) return { ...x, shape: x.shape.filter((_, axis) => !left.includes(axis)) }
  throw new RangeError(`squeeze: axis ${long} must have length 1, got shape ${show([...x.shape])}; keep it`)
}

/** `size` elements of each axis from `begin` on; all that follow where it is −1 or missing. */
export function slice(x: Dense, begin: number | readonly number[], size?: number | readonly number[]): Dense {
  const [begins, sizes] = [[begin].flat(), size === undefined ? [] : [size].flat()]
  const starts = x.shape.map((_, axis) => begins[axis] ?? 0)
  const shape = x.shape.map((length, axis) => {
    const count = sizes[axis] ?? -1
    return count === -1 ? length - starts[axis]! : count
  })
  const inside = x.shape.every((length, axis) => {
    const [start, count] = [starts[axis]!, shape[axis]!]
    return (
      Number.isInteger(start) &&
      Number.isInteger(count) &&
      start >= 0 &&
      count >= 0 &&
      start + count <= length
    )
  })
  if (!inside || begins.length > x.shape.length || sizes.length > x.shape.length) {
    const got = `begin ${show(begin)}${size === undefined ? '' : ` and size ${show(size)}`}`
    throw new RangeError(
      `slice: begin and size must lie in shape ${show([...x.shape])}, got ${got}; correct them`,
    )
  }
  const strides = stridesOf(x.shape)
  const first = starts.reduce((offset, start, axis) => offset + start * strides[axis]!, 0)
  const values = emptyLike(x, sizeOf(shape))
  let i = 0
  walk(shape, strides, offset => {
    values[i++] = x.values[first + offset]!
  })
  return { values, shape, dtype: x.dtype }
}

/** Arrays one after the other along an axis; they have one dtype, and one shape but for that axis. */
export function concat(parts: readonly Dense[], axis = 0): Dense {
  const [first] = parts
  if (!first) throw new RangeError('concat: tensors must be one or more, got none; give an array of them')
  const along = axisOf('concat', axis, first.shape.length)
  for (const { shape, dtype } of parts) {
    const alike =
      shape.length === first.shape.length && shape.every((n, i) => i === along || n === first.shape[i])
    if (alike && dtype === first.dtype) continue
    const wanted = `shape ${show(first.shape.with(along, -1)).replace('-1', '*')} and dtype "${first.dtype}"`
    throw new RangeError(
      `concat: tensors must have ${wanted}, got ${show([...shape])} and "${dtype}"; correct them`,
    )
  }
  const length = parts.reduce((sum, part) => sum + part.shape[along]!, 0)
  const shape = first.shape.with(along, length)
  const values = emptyLike(first, sizeOf(shape))
  const outer = sizeOf(shape.slice(0, along))
  const row = sizeOf(shape.slice(along))
  let start = 0
  for (const part of parts) {
    const width = sizeOf(part.shape.slice(along))
    for (let i = 0; i < outer; i++)
      values.set(part.values.subarray(i * width, (i + 1) * width), i * row + start)
    start += width
  }
  return { values, shape, dtype: first.dtype }
}

/** Arrays of one shape along a new axis. */
export function stack(parts: readonly Dense[], axis = 0): Dense {
  const [first] = parts
  if (!first) throw new RangeError('stack: tensors must be one or more, got none; give an array of them')
  const other = parts.find(part => String(part.shape) !== String(first.shape))
  if (other) {
    const shapes = `${show([...first.shape])}, got ${show([...other.shape])}`
    throw new RangeError(`stack: tensors must all have shape ${shapes}; correct them`)
  }
  return concat(
    parts.map(part => expandDims(part, axis)),
    axisOf('stack', axis, first.shape.length + 1),
  )
}
