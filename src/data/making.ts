import { finiteNumber, nonNegativeInteger, positiveInteger, show } from '../errors.ts'
import { stored } from './elementwise.ts'
import { sizeOf } from './nested.ts'
import { normalNumbers, randomNumbers, seedOf } from './random.ts'
import { type DType, Tensor, type TensorLike, tensorOf } from './tensor.ts'

type Seed = number | string | null

/** A tensor of what `next` gives, element after element. */
function made(where: string, shape: readonly number[], dtype: DType, next: (i: number) => number): Tensor {
  if (!Array.isArray(shape))
    throw new TypeError(`${where}: shape must be an array of sizes, got ${show(shape)}`)
  for (const [axis, length] of shape.entries()) nonNegativeInteger(where, `shape[${axis}]`, length)
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => next(i))
  return new Tensor(stored(values, dtype), shape, dtype)
}

/** `value` everywhere. @throws TypeError or RangeError for what is no shape or no number */
export function fill(shape: readonly number[], value: number, dtype: DType = 'float32'): Tensor {
  finiteNumber('fill', 'value', value)
  return made('fill', shape, dtype, () => value)
}

/** 0 everywhere. */
export const zeros = (shape: readonly number[], dtype: DType = 'float32'): Tensor =>
  made('zeros', shape, dtype, () => 0)

/** 1 everywhere. */
export const ones = (shape: readonly number[], dtype: DType = 'float32'): Tensor =>
  made('ones', shape, dtype, () => 1)

/** `num` numbers at equal distances, from `start` to `stop`, both of them included. */
export function linspace(start: number, stop: number, num: number): Tensor {
  finiteNumber('linspace', 'start', start)
  finiteNumber('linspace', 'stop', stop)
  positiveInteger('linspace', 'num', num)
  const step = num === 1 ? 0 : (stop - start) / (num - 1)
  return made('linspace', [num], 'float32', i => start + i * step)
}

/** The numbers start, start + step, … before `stop`. The default of step is −1 where stop lies below start. */
export function range(
  start: number,
  stop: number,
  step = stop < start ? -1 : 1,
  dtype: DType = 'float32',
): Tensor {
  for (const [name, value] of Object.entries({ start, stop, step })) finiteNumber('range', name, value)
  if (step === 0) throw new RangeError('range: step must not be 0, got 0; leave it out')
  const length = Math.max(0, Math.ceil((stop - start) / step))
  return made('range', [length], dtype, i => start + i * step)
}

/** Numbers evenly distributed in [minval, maxval); the same for the same seed. */
export function randomUniform(
  shape: readonly number[],
  minval = 0,
  maxval = 1,
  dtype: DType = 'float32',
  seed?: Seed,
): Tensor {
  const draw = randomNumbers(seedOf('randomUniform', seed))
  return made('randomUniform', shape, dtype, () => minval + (maxval - minval) * draw())
}

/** Normally distributed numbers; the same for the same seed. */
export function randomNormal(
  shape: readonly number[],
  mean = 0,
  stdDev = 1,
  dtype: DType = 'float32',
  seed?: Seed,
): Tensor {
  const draw = normalNumbers(seedOf('randomNormal', seed))
  return made('randomNormal', shape, dtype, () => mean + stdDev * draw())
}

/**
 * (…) class numbers → (…, depth): onValue at the class, offValue elsewhere, and everywhere for a number that is
 * no class, as in TensorFlow.js.
 */
export function oneHot(
  indices: TensorLike,
  depth: number,
  onValue = 1,
  offValue = 0,
  dtype: DType = 'int32',
): Tensor {
  positiveInteger('oneHot', 'depth', depth)
  const { values, shape } = tensorOf(indices)
  return made('oneHot', [...shape, depth], dtype, i =>
    values[Math.floor(i / depth)] === i % depth ? onValue : offValue,
  )
}

/** Brings the elements of an array into another order, in place; the same for the same seed (Fisher & Yates). */
function shuffle(array: unknown[] | Tensor['values'], seed?: Seed): void {
  const draw = randomNumbers(seedOf('util.shuffle', seed))
  for (let left = array.length; left > 1; left--) {
    const chosen = Math.floor(draw() * left)
    const last = array[left - 1]!
    array[left - 1] = array[chosen]!
    array[chosen] = last
  }
}

/** The numbers below `count` in another order; the same for the same seed. */
function createShuffledIndices(count: number, seed?: Seed): Uint32Array {
  nonNegativeInteger('util.createShuffledIndices', 'count', count)
  const indices = Array.from({ length: count }, (_, i) => i)
  shuffle(indices, seed)
  return Uint32Array.from(indices)
}

/** Functions of TensorFlow.js' tf.util. */
export const util = { shuffle, createShuffledIndices }
