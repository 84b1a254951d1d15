import { branches } from '../cases/merge.ts'
import { activate } from './activations.ts'
import { type Array64, type Context, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'
import { made } from './reshaping.ts'
import { indexIn } from './shapes.ts'

/** Of an example: what its inputs are cut to. */
export interface JoinOptions {
  shapes?: readonly (readonly number[])[]
  axes: number | readonly [number, number]
  normalize: boolean
}

/** The first `count` branches of x, or as many as there are shapes, each cut to its shape. */
function inputsOf(x: Array64, count: number, { shapes }: JoinOptions, context: Context): Array64[] {
  return branches.slice(0, shapes?.length ?? count).map((branch, i) => {
    const whole = activate(x, branch, context)
    const shape = shapes?.[i]
    if (!shape) return whole
    const leading = Array<number>(x.shape.length - 1 - shape.length).fill(0)
    const place = ([s, ...rest]: readonly number[]) =>
      [s!, ...leading, ...rest].reduce((index, at, axis) => index * x.shape[axis]! + at, 0)
    return made([x.shape[0]!, ...shape], at => whole.values[place(at)]!)
  })
}

/** A join of the first `count` branches of x, broadcast to one shape, element by element from the first on. */
function joined(
  count: number,
  combine: (a: number, b: number, near: Context['near']) => number,
  after: (y: number, count: number) => number = y => y,
): Reference {
  return (x, _weights, options, context): Array64 => {
    const inputs = inputsOf(x, count, options, context)
    const rank = Math.max(...inputs.map(({ shape }) => shape.length))
    const padded = inputs.map(({ values, shape: [batch, ...sizes] }) => ({
      values,
      shape: [batch!, ...Array<number>(rank - 1 - sizes.length).fill(1), ...sizes],
    }))
    const shape = padded[0]!.shape.map((_, axis) => Math.max(...padded.map(input => input.shape[axis]!)))
    const y = zeros(shape)
    for (const i of y.values.keys()) {
      const [first, ...others] = padded.map(input => input.values[indexIn(shape, i, input.shape)]!)
      y.values[i] = after(
        others.reduce((a, b) => combine(a, b, context.near), first!),
        inputs.length,
      )
    }
    return y
  }
}

/** Vectors of length 1 along an axis. */
function unit(x: Array64, axis: number): Array64 {
  const norm = (place: number[]) =>
    Math.hypot(...Array.from({ length: x.shape[axis]! }, (_, i) => valueAt(x, place.with(axis, i))))
  return made(x.shape, place => valueAt(x, place) / norm(place))
}

const valueAt = ({ shape, values }: Array64, place: readonly number[]): number =>
  values[place.reduce((index, at, axis) => index * shape[axis]! + at, 0)]!

const dot: Reference = (x, _, options, context) => {
  const { axes, normalize } = options
  const inputs = inputsOf(x, 2, options, context)
  const own = inputs.map(({ shape }, i) => {
    const axis = typeof axes === 'number' ? axes : axes[i]!
    return axis < 0 ? shape.length + axis : axis
  })
  const [a, b] = inputs.map((input, i) => (normalize ? unit(input, own[i]!) : input)) as [Array64, Array64]
  const restA = a.shape.toSpliced(own[0]!, 1)
  const restB = b.shape.toSpliced(own[1]!, 1).slice(1)
  const y = made([...restA, ...restB], place => {
    const [left, right] = [place.slice(0, restA.length), [place[0]!, ...place.slice(restA.length)]]
    let sum = 0
    for (let i = 0; i < a.shape[own[0]!]!; i++)
      sum += valueAt(a, left.toSpliced(own[0]!, 0, i)) * valueAt(b, right.toSpliced(own[1]!, 0, i))
    return sum
  })
  return y.shape.length === 1 ? { ...y, shape: [...y.shape, 1] } : y
}

/** The three branches of x one behind the other along an axis: in row-major order a matter of pieces. */
const concatenate: Reference = (x, _weights, { axis }, context) => {
  const own = (axis as number) < 0 ? x.shape.length + (axis as number) : (axis as number)
  const piece = x.shape.slice(own).reduce((a, b) => a * b, 1)
  const inputs = branches.map(branch => activate(x, branch, context).values)
  const values = new Float64Array(3 * x.values.length)
  for (let at = 0; at < x.values.length; at += piece)
    inputs.forEach((input, i) => values.set(input.subarray(at, at + piece), 3 * at + i * piece))
  return { shape: x.shape.with(own, 3 * x.shape[own]!), values }
}

/** Joins in float64, of as many branches as their examples have. */
export const joins = {
  dot,
  add: joined(3, (a, b) => a + b),
  average: joined(
    3,
    (a, b) => a + b,
    (y, count) => y / count,
  ),
  concatenate,
  maximum: joined(2, (a, b, near) => {
    near(Math.abs(a - b))
    return Math.max(a, b)
  }),
  minimum: joined(2, (a, b, near) => {
    near(Math.abs(a - b))
    return Math.min(a, b)
  }),
  multiply: joined(3, (a, b) => a * b),
  subtract: joined(2, (a, b) => a - b),
}
