import { show } from '../errors.ts'
import { flatten, isTypedArray, type Nested, positionOf, shapeOf, sizeOf, type TypedArray } from './nested.ts'
import { Tensor } from './tensor.ts'

/**
 * What `fit`, `evaluate` and `predict` take: also a TF.js tensor (any object with `shape` and `dataSync`).
 */
export type Input =
  | Tensor
  | TypedArray
  | readonly Nested[]
  | { shape: readonly number[]; dataSync(): ArrayLike<number> }

/** Samples in memory: `count` rows of `shape`, row-major; an element is values[i] · scale. */
export interface Rows {
  readonly values: Float32Array | Int32Array | Uint8Array
  readonly scale: number
  readonly count: number
  /** The shape of one sample, with the sizes that `sampleShape` left open. */
  readonly shape: readonly number[]
}

/** The shape of a sample; null for a size that may vary. */
export type SampleShape = readonly (number | null)[]

const showShape = (sampleShape: SampleShape) => `[${['*', ...sampleShape.map(n => n ?? '*')].join(', ')}]`

/** Bytes and int32 stay; everything else becomes float32 or int32, whichever holds it. */
function narrow(values: ArrayLike<number>): Rows['values'] {
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array)
    return values
  if (values instanceof Uint8ClampedArray)
    return new Uint8Array(values.buffer, values.byteOffset, values.length)
  const small = values instanceof Int8Array || values instanceof Int16Array || values instanceof Uint16Array
  return small ? new Int32Array(values) : new Float32Array(values)
}

interface Read {
  values: ArrayLike<number>
  shape: readonly number[]
  scale: number
}

/** The whole shape of a typed array, whose rows only the model knows. */
function shapeOfTyped(where: string, name: string, values: TypedArray, sampleShape: SampleShape): number[] {
  if (sampleShape.includes(null)) {
    const fix = `give a tensor of shape ${showShape(sampleShape)}`
    throw new TypeError(`${where}: ${name} must have a shape, got ${show(values)}; ${fix}`)
  }
  const size = sizeOf(sampleShape as readonly number[])
  if (values.length % size !== 0) {
    const wanted = `a multiple of ${size} elements for shape ${showShape(sampleShape)}`
    throw new RangeError(`${where}: ${name} must have ${wanted}, got ${values.length}`)
  }
  return [values.length / size, ...(sampleShape as readonly number[])]
}

function readInput(where: string, name: string, input: unknown, sampleShape: SampleShape): Read {
  if (input instanceof Tensor) return input
  if (isTypedArray(input))
    return { values: input, shape: shapeOfTyped(where, name, input, sampleShape), scale: 1 }
  if (Array.isArray(input)) {
    const shape = shapeOf(input)
    return { values: flatten(where, name, input, shape), shape, scale: 1 }
  }
  const tensor = input as { shape: readonly number[]; dataSync(): ArrayLike<number> } | null | undefined
  if (Array.isArray(tensor?.shape) && typeof tensor.dataSync === 'function') {
    const values = tensor.dataSync()
    if (isTypedArray(values) && values.length === sizeOf(tensor.shape))
      return { values, shape: tensor.shape, scale: 1 }
  }
  const kinds = 'a tensor, typed array or nested arrays of numbers'
  throw new TypeError(`${where}: ${name} must be ${kinds}, got ${show(input)}`)
}

/** One number a sample may come as [n] or [n, 1], whatever the model says (as in TF.js). */
function isOneNumber(shape: SampleShape): boolean {
  return shape.length === 0 || (shape.length === 1 && shape[0] === 1)
}

function checkShape(
  where: string,
  name: string,
  shape: readonly number[],
  sampleShape: SampleShape,
): readonly number[] {
  const given = shape.slice(1)
  const same = given.length === sampleShape.length && given.every((n, i) => n === (sampleShape[i] ?? n))
  if (shape.length > 0 && same) return given
  if (shape.length > 0 && isOneNumber(given) && isOneNumber(sampleShape))
    return sampleShape as readonly number[]
  const layer = sampleShape.length === 1 ? 'flatten()' : `reshape({ targetShape: ${show(sampleShape)} })`
  const sameSize = shape.length > 0 && sizeOf(given) === sizeOf(sampleShape.map(n => n ?? Number.NaN))
  const hint = sameSize ? `; add layers.${layer} first` : ''
  throw new RangeError(
    `${where}: ${name} must have shape ${showShape(sampleShape)}, got ${show([...shape])}${hint}`,
  )
}

/** Index of the first element that is NaN or infinite, or −1. A number minus itself is 0, those give NaN. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value - value !== 0) return i
  }
  return -1
}

function checkFinite(where: string, name: string, values: Float32Array, shape: readonly number[]): void {
  const index = firstNotFinite(values)
  if (index < 0) return
  const fix = 'remove or replace what is missing or too large for float32'
  const position = show(positionOf(index, shape))
  throw new RangeError(`${where}: ${name} must be finite, got ${values[index]} at ${position}; ${fix}`)
}

/**
 * Checks data against the shape of one sample and gives its rows, without copying where the input already is
 * what kernels read (Float32Array, Int32Array, Uint8Array). `name` is what messages call it ('x').
 * @throws TypeError for something else than data, RangeError for a wrong shape, no samples, and numbers that
 * are not finite
 */
export function toRows(where: string, name: string, input: unknown, sampleShape: SampleShape): Rows {
  const read = readInput(where, name, input, sampleShape)
  const shape = checkShape(where, name, read.shape, sampleShape)
  if (read.values.length === 0) {
    throw new RangeError(
      `${where}: ${name} must have at least one sample, got shape ${show([...read.shape])}`,
    )
  }
  const values = narrow(read.values)
  if (values instanceof Float32Array) checkFinite(where, name, values, read.shape)
  return { values, scale: read.scale, count: read.shape[0]!, shape }
}
