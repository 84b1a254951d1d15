import { show } from '../errors.ts'
import { type Dense, stridesOf, walk } from './dense.ts'
import { sizeOf } from './nested.ts'
import type { DType, TensorValues } from './tensor.ts'

/** Shape of the result of two: axes from the back must be equal, or 1 on one side. */
function broadcastShape(where: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [n, m] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
    if (n === m || n === 1 || m === 1) return n === 1 ? m : n
    throw new RangeError(
      `${where}: shapes must be equal, or 1, from the last axis on, got ${show([...a])} and ${show([...b])}; reshape one`,
    )
  })
}

/** Strides with which an array of a smaller shape is read as one of the whole: 0 along the axes that it lacks. */
function stretched(shape: readonly number[], whole: readonly number[]): number[] {
  const strides = stridesOf(shape)
  const missing = whole.length - shape.length
  return whole.map((_, axis) =>
    axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing]!,
  )
}

type Operation = (a: number, b: number) => number

/** float32 if one is, else int32: bytes and booleans are counted as integers. */
const commonType = (a: Dense, b: Dense): 'float32' | 'int32' =>
  a.dtype === 'float32' || b.dtype === 'float32' ? 'float32' : 'int32'

function combine(where: string, a: Dense, b: Dense, operation: Operation): Dense {
  const shape = broadcastShape(where, a.shape, b.shape)
  const dtype = commonType(a, b)
  const values = new (dtype === 'float32' ? Float32Array : Int32Array)(sizeOf(shape))
  const offsets = new Int32Array(values.length)
  let count = 0
  walk(shape, stretched(b.shape, shape), offset => void (offsets[count++] = offset))
  count = 0
  walk(shape, stretched(a.shape, shape), offset => {
    values[count] = operation(a.values[offset]!, b.values[offsets[count]!]!)
    count++
  })
  return { values, shape, dtype }
}

export const add = (a: Dense, b: Dense): Dense => combine('add', a, b, (x, y) => x + y)
export const sub = (a: Dense, b: Dense): Dense => combine('sub', a, b, (x, y) => x - y)
export const mul = (a: Dense, b: Dense): Dense =>
  combine('mul', a, b, commonType(a, b) === 'int32' ? Math.imul : (x, y) => x * y)

/** Integers are divided downwards, as in TensorFlow.js. */
export const div = (a: Dense, b: Dense): Dense =>
  combine('div', a, b, commonType(a, b) === 'int32' ? (x, y) => Math.floor(x / y) : (x, y) => x / y)

export const square = (x: Dense): Dense => mul(x, x)

/** float32 of any dtype. */
export const sqrt = ({ values, shape }: Dense): Dense => ({
  values: Float32Array.from(values, Math.sqrt),
  shape,
  dtype: 'float32',
})

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const

/** Numbers as a dtype stores them: truncated to integers; what is not 0 is true. */
export const stored = (values: ArrayLike<number>, dtype: DType): TensorValues =>
  dtype === 'bool' ? Uint8Array.from(values, value => (value === 0 ? 0 : 1)) : new arrays[dtype](values)

export const cast = ({ values, shape }: Dense, dtype: DType): Dense => ({
  values: stored(values, dtype),
  shape,
  dtype,
})
