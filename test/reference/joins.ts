import { branches } from '../cases/merge.ts'
import { activate } from './activations.ts'
import type { Array64, Context } from './arrays.ts'
import type { Reference } from './layers.ts'

/** A join of the first `count` branches of x, element by element from the first on. */
function joined(
  count: number,
  combine: (a: number, b: number, near: Context['near']) => number,
  after: (y: number) => number = y => y,
): Reference {
  return (x, _weights, _options, context): Array64 => {
    const inputs = branches.slice(0, count).map(branch => activate(x, branch, context).values)
    const values = x.values.map((_, i) => {
      const [first, ...others] = inputs.map(input => input[i]!)
      return after(others.reduce((a, b) => combine(a, b, context.near), first!))
    })
    return { shape: x.shape, values }
  }
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
  add: joined(3, (a, b) => a + b),
  average: joined(
    3,
    (a, b) => a + b,
    y => y / 3,
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
