import { finiteNumber, nonNegativeInteger, oneOf, show } from '../errors.ts'
import * as arranging from './arranging.ts'
import type { Dense } from './dense.ts'
import * as elementwise from './elementwise.ts'
import {
  firstOf,
  flatten,
  isTypedArray,
  type Nested,
  nest,
  shapeOf,
  sizeOf,
  type TypedArray,
} from './nested.ts'
import { formatTensor } from './printing.ts'
import type { Axes } from './reductions.ts'
import * as reductions from './reductions.ts'

export type DType = 'float32' | 'int32' | 'uint8' | 'bool'
export type TensorValues = Float32Array | Int32Array | Uint8Array

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const
const dtypes = Object.keys(arrays) as DType[]

/**
 * An array of numbers with a shape, row-major, in ordinary memory. It holds no resource: dropping it is
 * enough. With `scale`, a uint8 tensor stands for float32 numbers byte · scale, at a quarter of their memory.
 */
export class Tensor {
  readonly shape: number[]
  readonly dtype: DType
  /** The elements as they are stored: bytes where there is a scale. */
  readonly values: TensorValues
  readonly scale: number

  /**
   * Takes `values` without copying.
   * @throws TypeError for values that are not of the dtype's array type, RangeError when their number does
   * not fit the shape
   */
  constructor(values: TensorValues, shape: readonly number[], dtype: DType, scale = 1) {
    oneOf('tensor', 'dtype', dtype, dtypes)
    for (const [axis, length] of shape.entries()) nonNegativeInteger('tensor', `shape[${axis}]`, length)
    finiteNumber('tensor', 'scale', scale)
    if (scale !== 1 && dtype !== 'uint8') {
      throw new TypeError(`tensor: scale must come with dtype "uint8", got ${show(dtype)}`)
    }
    if (!(values instanceof arrays[dtype])) {
      throw new TypeError(
        `tensor: values of dtype "${dtype}" must be a ${arrays[dtype].name}, got ${show(values)}`,
      )
    }
    if (values.length !== sizeOf(shape)) {
      const needed = `${sizeOf(shape)} elements for shape ${show(shape)}`
      throw new RangeError(`tensor: values must have ${needed}, got ${values.length}`)
    }
    this.values = values
    this.shape = [...shape]
    this.dtype = dtype
    this.scale = Math.fround(scale)
  }

  get size(): number {
    return this.values.length
  }

  get rank(): number {
    return this.shape.length
  }

  /**
   * The elements, row-major: the array itself, not a copy. With a scale a new Float32Array of byte · scale.
   */
  dataSync(): TensorValues {
    if (this.scale === 1) return this.values
    return Float32Array.from(this.values, byte => byte * this.scale)
  }

  async data(): Promise<TensorValues> {
    return this.dataSync()
  }

  /** The elements in nested arrays, a number for a scalar. Booleans are 0 and 1, as in TF.js. */
  arraySync(): unknown {
    return nest(this.dataSync(), this.shape)
  }

  async array(): Promise<unknown> {
    return this.arraySync()
  }

  toString(verbose = false): string {
    return formatTensor(this.dataSync(), this.shape, this.dtype, verbose)
  }

  /** Writes the elements to the console. */
  print(verbose = false): void {
    console.log(this.toString(verbose))
  }

  /** Does nothing: here so that TF.js programs run. */
  dispose(): void {}

  /** What eager operations work on: the numbers that the elements stand for. */
  get dense(): Dense {
    return { values: this.dataSync(), shape: this.shape, dtype: this.scale === 1 ? this.dtype : 'float32' }
  }

  static of({ values, shape, dtype }: Dense): Tensor {
    return new Tensor(values, shape, dtype)
  }

  // As the functions of these names in eager.ts, which describe them.
  add(b: TensorLike): Tensor {
    return Tensor.of(elementwise.add(this.dense, tensorOf(b).dense))
  }
  sub(b: TensorLike): Tensor {
    return Tensor.of(elementwise.sub(this.dense, tensorOf(b).dense))
  }
  mul(b: TensorLike): Tensor {
    return Tensor.of(elementwise.mul(this.dense, tensorOf(b).dense))
  }
  div(b: TensorLike): Tensor {
    return Tensor.of(elementwise.div(this.dense, tensorOf(b).dense))
  }
  square(): Tensor {
    return Tensor.of(elementwise.square(this.dense))
  }
  sqrt(): Tensor {
    return Tensor.of(elementwise.sqrt(this.dense))
  }
  cast(dtype: DType): Tensor {
    oneOf('cast', 'dtype', dtype, dtypes)
    return Tensor.of(elementwise.cast(this.dense, dtype))
  }
  sum(axis?: Axes, keepDims = false): Tensor {
    return Tensor.of(reductions.sum(this.dense, axis, keepDims))
  }
  mean(axis?: Axes, keepDims = false): Tensor {
    return Tensor.of(reductions.mean(this.dense, axis, keepDims))
  }
  min(axis?: Axes, keepDims = false): Tensor {
    return Tensor.of(reductions.min(this.dense, axis, keepDims))
  }
  max(axis?: Axes, keepDims = false): Tensor {
    return Tensor.of(reductions.max(this.dense, axis, keepDims))
  }
  argMax(axis = 0): Tensor {
    return Tensor.of(reductions.argMax(this.dense, axis))
  }
  reshape(shape: readonly number[]): Tensor {
    return Tensor.of(arranging.reshape(this.dense, shape))
  }
  expandDims(axis = 0): Tensor {
    return Tensor.of(arranging.expandDims(this.dense, axis))
  }
  squeeze(axis?: readonly number[]): Tensor {
    return Tensor.of(arranging.squeeze(this.dense, axis))
  }
  slice(begin: number | readonly number[], size?: number | readonly number[]): Tensor {
    return Tensor.of(arranging.slice(this.dense, begin, size))
  }
}

/** A tensor, or what `tensor` makes one of. */
export type TensorLike = Tensor | Nested

export const tensorOf = (x: TensorLike): Tensor => (x instanceof Tensor ? x : tensor(x))

/** Typed arrays keep their kind where there is a dtype for it; TF.js makes int32 of bytes. */
function inferDType(values: Nested): DType {
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return 'uint8'
  if (values instanceof Float32Array || values instanceof Float64Array) return 'float32'
  if (isTypedArray(values)) return 'int32'
  return typeof firstOf(values) === 'boolean' ? 'bool' : 'float32'
}

/**
 * Values in the dtype's array; numbers are truncated to integers and rounded to booleans, as in TF.js, but
 * never wrapped.
 */
function convert(where: string, values: ArrayLike<number>, dtype: DType): TensorValues {
  if (dtype !== 'bool' && values instanceof arrays[dtype]) return values as TensorValues
  if (dtype === 'float32') return new Float32Array(values)
  if (dtype === 'bool') return Uint8Array.from(values, value => (Math.round(value) === 0 ? 0 : 1))
  const converted = new arrays[dtype](values)
  for (let i = 0; i < converted.length; i++) {
    if (Math.trunc(values[i]!) === converted[i]) continue
    throw new RangeError(`${where}: values must fit ${dtype}, got ${values[i]} at element ${i}`)
  }
  return converted
}

/**
 * A shape that is given must agree with the nesting, but for a last axis that is still flat (as in TF.js).
 */
function checkShape(where: string, inferred: readonly number[], shape: readonly number[]): void {
  if (!Array.isArray(shape))
    throw new TypeError(`${where}: shape must be an array of sizes, got ${show(shape)}`)
  for (const [axis, length] of shape.entries()) nonNegativeInteger(where, `shape[${axis}]`, length)
  if (sizeOf(inferred) !== sizeOf(shape)) {
    const needed = `${sizeOf(shape)} elements for shape ${show(shape)}`
    throw new RangeError(`${where}: values must have ${needed}, got ${sizeOf(inferred)}`)
  }
  const outer = inferred.slice(0, -1)
  if (outer.every((length, axis) => length === shape[axis])) return
  throw new RangeError(`${where}: values must be nested as shape ${show(shape)}, got ${show(inferred)}`)
}

function make(
  where: string,
  values: Nested,
  shape: readonly number[] | null | undefined,
  dtype: DType = inferDType(values),
  scale?: number,
): Tensor {
  oneOf(where, 'dtype', dtype, dtypes)
  const inferred = shapeOf(values)
  if (shape) checkShape(where, inferred, shape)
  const flat = isTypedArray(values) ? values : flatten(where, 'values', values, inferred)
  return new Tensor(convert(where, flat, dtype), shape ?? inferred, dtype, scale)
}

/**
 * A tensor of nested arrays, or of a flat (or typed) array and a shape. A typed array of the right kind is
 * not copied. Without `dtype`: bool for booleans, uint8 for bytes, int32 for other integer arrays, else
 * float32.
 * @param scale for uint8: the elements stand for byte · scale
 * @throws TypeError for what is no number, RangeError for ragged arrays, wrong sizes, and numbers that do not
 * fit the dtype
 */
export function tensor(
  values: Nested,
  shape?: readonly number[] | null,
  dtype?: DType,
  scale?: number,
): Tensor {
  return make('tensor', values, shape, dtype, scale)
}

/**
 * A tensor of rank 0.
 * @throws TypeError unless `value` is a number or boolean
 */
export function scalar(value: number | boolean, dtype?: DType): Tensor {
  if (typeof value !== 'number' && typeof value !== 'boolean') {
    throw new TypeError(`scalar: value must be a number or boolean, got ${show(value)}`)
  }
  return make('scalar', value, [], dtype)
}

function makeOfRank(
  rank: number,
  values: Nested,
  shape: readonly number[] | null | undefined,
  dtype?: DType,
): Tensor {
  const where = `tensor${rank}d`
  if (shape && shape.length !== rank)
    throw new RangeError(`${where}: shape must have ${rank} axes, got ${show(shape)}`)
  const found = shapeOf(values).length
  if (found !== 1 && found !== rank) {
    const wanted = rank === 1 ? 'a flat array' : `flat or arrays nested ${rank} deep`
    throw new RangeError(
      `${where}: values must be ${wanted}, got ${found === 0 ? show(values) : `${found} deep`}`,
    )
  }
  if (found < rank && !shape)
    throw new TypeError(`${where}: shape must be given with flat values, got undefined`)
  return make(where, values, shape, dtype)
}

/**
 * A tensor of rank 1.
 * @throws as `tensor`, and RangeError for nested arrays
 */
export function tensor1d(values: readonly (number | boolean)[] | TypedArray, dtype?: DType): Tensor {
  return makeOfRank(1, values, null, dtype)
}

/**
 * A tensor of one rank: nested arrays, or flat values and a shape.
 * @throws as `tensor`, and RangeError for another rank
 */
type MakeOfRank = (values: Nested, shape?: readonly number[] | null, dtype?: DType) => Tensor

export const tensor2d: MakeOfRank = (values, shape, dtype) => makeOfRank(2, values, shape, dtype)
export const tensor3d: MakeOfRank = (values, shape, dtype) => makeOfRank(3, values, shape, dtype)
export const tensor4d: MakeOfRank = (values, shape, dtype) => makeOfRank(4, values, shape, dtype)
export const tensor5d: MakeOfRank = (values, shape, dtype) => makeOfRank(5, values, shape, dtype)
