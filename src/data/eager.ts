// The few functions on tensors that training scripts use around a model, with TensorFlow.js' names and arguments. Each works
// at once, on the calling thread.
import * as arranging from './arranging.ts'
import type { Axes } from './reductions.ts'
import { type DType, Tensor, type TensorLike, tensorOf } from './tensor.ts'

/** a + b; shapes are stretched to each other from the last axis on. @throws RangeError for shapes that do not fit */
export const add = (a: TensorLike, b: TensorLike): Tensor => tensorOf(a).add(b)
/** a − b, as `add`. */
export const sub = (a: TensorLike, b: TensorLike): Tensor => tensorOf(a).sub(b)
/** a · b, as `add`. */
export const mul = (a: TensorLike, b: TensorLike): Tensor => tensorOf(a).mul(b)
/** a / b, as `add`; integers are divided downwards. */
export const div = (a: TensorLike, b: TensorLike): Tensor => tensorOf(a).div(b)
/** x². */
export const square = (x: TensorLike): Tensor => tensorOf(x).square()
/** √x of any dtype, as float32; NaN below 0. */
export const sqrt = (x: TensorLike): Tensor => tensorOf(x).sqrt()

/** Σ x along axes, or of all. @throws RangeError for an axis that x does not have */
export const sum = (x: TensorLike, axis?: Axes, keepDims = false): Tensor => tensorOf(x).sum(axis, keepDims)
/** Mean along axes, or of all; float32. */
export const mean = (x: TensorLike, axis?: Axes, keepDims = false): Tensor => tensorOf(x).mean(axis, keepDims)
/** Smallest element along axes, or of all. */
export const min = (x: TensorLike, axis?: Axes, keepDims = false): Tensor => tensorOf(x).min(axis, keepDims)
/** Largest element along axes, or of all. */
export const max = (x: TensorLike, axis?: Axes, keepDims = false): Tensor => tensorOf(x).max(axis, keepDims)
/** Place of the largest element along an axis; int32. */
export const argMax = (x: TensorLike, axis = 0): Tensor => tensorOf(x).argMax(axis)

/** The same elements in another shape, one size of which may be −1. @throws RangeError unless it holds them all */
export const reshape = (x: TensorLike, shape: readonly number[]): Tensor => tensorOf(x).reshape(shape)
/** The same elements with an axis of length 1 more. */
export const expandDims = (x: TensorLike, axis = 0): Tensor => tensorOf(x).expandDims(axis)
/** The same elements without axes of length 1. */
export const squeeze = (x: TensorLike, axis?: readonly number[]): Tensor => tensorOf(x).squeeze(axis)
/** The elements as another dtype: truncated to integers, what is not 0 true. */
export const cast = (x: TensorLike, dtype: DType): Tensor => tensorOf(x).cast(dtype)
/** `size` elements of each axis from `begin` on, −1 for all that follow. @throws RangeError for more than there are */
export const slice = (
  x: TensorLike,
  begin: number | readonly number[],
  size?: number | readonly number[],
): Tensor => tensorOf(x).slice(begin, size)

/** Tensors one after the other along an axis. @throws RangeError for other shapes or dtypes */
export const concat = (tensors: readonly TensorLike[], axis = 0): Tensor =>
  Tensor.of(
    arranging.concat(
      tensors.map(part => tensorOf(part).dense),
      axis,
    ),
  )
/** Tensors of one shape along a new axis. @throws RangeError for another shape */
export const stack = (tensors: readonly TensorLike[], axis = 0): Tensor =>
  Tensor.of(
    arranging.stack(
      tensors.map(part => tensorOf(part).dense),
      axis,
    ),
  )
