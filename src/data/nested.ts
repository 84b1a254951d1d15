import { show } from '../errors.ts'

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array

/** Numbers or booleans in arrays in arrays …; the innermost may be typed arrays. */
export type Nested = number | boolean | TypedArray | readonly Nested[]

export function isTypedArray(value: unknown): value is TypedArray {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return false
  return !(value instanceof BigInt64Array || value instanceof BigUint64Array)
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** The shape that the first elements of each level tell. */
export function shapeOf(values: Nested): number[] {
  const shape: number[] = []
  let level: Nested | undefined = values
  while (Array.isArray(level) || isTypedArray(level)) {
    shape.push(level.length)
    level = level[0]
  }
  return shape
}

/** The first number or boolean, or undefined where there is none. */
export function firstOf(values: Nested): number | boolean | undefined {
  let level: Nested | undefined = values
  while (Array.isArray(level) || isTypedArray(level)) level = level[0]
  return level as number | boolean | undefined
}

/**
 * The elements in row-major order; `label` names the whole in messages (`x[3][1] must have …`).
 * @throws TypeError for an element that is no number or boolean, RangeError for a ragged array
 */
export function flatten(
  where: string,
  label: string,
  values: Nested,
  shape: readonly number[],
): Float64Array {
  const flat = new Float64Array(sizeOf(shape))
  const path: number[] = []
  const what = () => `${where}: ${label}${path.map(i => `[${i}]`).join('')}`
  let count = 0
  const visit = (item: Nested, depth: number): void => {
    if (depth === shape.length) {
      if (typeof item !== 'number' && typeof item !== 'boolean') {
        throw new TypeError(`${what()} must be a number or boolean, got ${show(item)}`)
      }
      flat[count++] = Number(item)
      return
    }
    const list = Array.isArray(item) || isTypedArray(item) ? (item as ArrayLike<Nested>) : undefined
    if (list?.length !== shape[depth]) {
      throw new RangeError(
        `${what()} must have ${shape[depth]} elements, got ${list ? list.length : show(item)}`,
      )
    }
    const isLast = depth === shape.length - 1
    for (let i = 0; i < list!.length; i++) {
      const inner = list![i]!
      if (isLast && typeof inner === 'number') {
        flat[count++] = inner
        continue
      }
      path[depth] = i
      visit(inner, depth + 1)
    }
    path.length = depth
  }
  visit(values, 0)
  return flat
}

/** Nested arrays of a flat one. */
export function nest<T>(flat: ArrayLike<T>, shape: readonly number[]): unknown {
  if (shape.length === 0) return flat[0]
  let level: unknown[] = Array.from(flat)
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const length = shape[axis]!
    const count = sizeOf(shape.slice(0, axis))
    const rows = level
    level = Array.from({ length: count }, (_, i) => rows.slice(i * length, (i + 1) * length))
  }
  return level
}

/** `[3, 17]`: where element `index` of an array of this shape lies. */
export function positionOf(index: number, shape: readonly number[]): number[] {
  let rest = index
  return shape.map((_, axis) => {
    const stride = sizeOf(shape.slice(axis + 1))
    const position = Math.floor(rest / stride)
    rest -= position * stride
    return position
  })
}
