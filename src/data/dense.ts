import { show } from '../errors.ts'
import { sizeOf } from './nested.ts'
import type { DType, TensorValues } from './tensor.ts'

/** What eager operations work on and give: elements in row-major order. */
export interface Dense {
  readonly values: TensorValues
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** Elements between one place of an axis and the next. */
export const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))

/**
 * The axis counted from the front. @throws RangeError for one that the rank does not have
 */
export function axisOf(where: string, axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis
  if (Number.isInteger(axis) && counted >= 0 && counted < rank) return counted
  throw new RangeError(
    `${where}: axis must be an integer from ${-rank} to ${rank - 1}, got ${show(axis)}; correct it`,
  )
}

/** The axes counted from the front, each once; all of them where none are given. */
export function axesOf(
  where: string,
  axes: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, axis) => axis)
  return [...new Set([axes].flat().map(axis => axisOf(where, axis, rank)))].sort((a, b) => a - b)
}

/**
 * Calls `visit` with the offset of each element of `shape` in an array with these strides, in row-major order.
 */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  visit: (offset: number) => void,
): void {
  const rank = shape.length
  const place = new Array<number>(rank).fill(0)
  let offset = 0
  for (let left = sizeOf(shape); left > 0; left--) {
    visit(offset)
    for (let axis = rank - 1; axis >= 0; axis--) {
      offset += strides[axis]!
      if (++place[axis]! < shape[axis]!) break
      offset -= strides[axis]! * shape[axis]!
      place[axis] = 0
    }
  }
}
