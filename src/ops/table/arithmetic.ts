import { inRange } from '../../errors.ts'
import type { Value } from '../../graph/value.ts'
import { apply, choose, clip, compare, divide, power } from '../functions.ts'
import { combine, scaled } from '../merge.ts'
import { aligned, type Operand, taken } from './operands.ts'

/** a ∘ b of values of one shape. */
function both(where: string, a: Operand, b: Operand, record: Parameters<typeof combined>[2]): Value {
  return combined(where, [a, b], record)
}

function combined(
  where: string,
  operands: readonly Operand[],
  record: (g: ReturnType<typeof aligned>['g'], a: Value, b: Value) => Value,
): Value {
  const { g, xs } = aligned(where, operands)
  return record(g, xs[0]!, xs[1]!)
}

const isNumber = (x: Operand): x is number => typeof x === 'number'

/** factor·x + shift. */
function affine(where: string, given: Value, factor: number, shift: number): Value {
  const { g, x } = taken(where, given)
  return scaled(g, x, factor, shift)
}

const comparison =
  (where: string, kernel: Parameters<typeof compare>[1], swapped = false) =>
  (a: Operand, b: Operand): Value =>
    both(where, swapped ? b : a, swapped ? a : b, (g, p, q) => compare(g, kernel, p, q))

const greater = comparison('greater', 'greater')
const greaterEqual = comparison('greaterEqual', 'greaterOrEqual')
const equal = comparison('equal', 'equal')

function subtract(a: Operand, b: Operand): Value {
  if (isNumber(b) && !isNumber(a)) return affine('subtract', a, 1, -b)
  if (isNumber(a) && !isNumber(b)) return affine('subtract', b, -1, a)
  return both('subtract', a, b, (g, p, q) => combine(g, 'subtract', p, q))
}

/** Ops of two operands: values, or numbers. Shapes are broadcast. */
export const arithmetic = {
  /** a + b. */
  add(a: Operand, b: Operand): Value {
    if (isNumber(b) && !isNumber(a)) return affine('add', a, 1, b)
    if (isNumber(a) && !isNumber(b)) return affine('add', b, 1, a)
    return both('add', a, b, (g, p, q) => combine(g, 'add', p, q))
  },
  /** a − b. */
  subtract,
  /** a·b, element by element. */
  multiply(a: Operand, b: Operand): Value {
    if (isNumber(b) && !isNumber(a)) return affine('multiply', a, b, 0)
    if (isNumber(a) && !isNumber(b)) return affine('multiply', b, a, 0)
    return both('multiply', a, b, (g, p, q) => combine(g, 'multiply', p, q))
  },
  /** a / b. */
  divide: (a: Operand, b: Operand): Value => both('divide', a, b, divide),
  /** The larger; where a = b the gradient goes to a. */
  maximum: (a: Operand, b: Operand): Value => both('maximum', a, b, (g, p, q) => combine(g, 'maximum', p, q)),
  /** The smaller; where a = b the gradient goes to a. */
  minimum: (a: Operand, b: Operand): Value => both('minimum', a, b, (g, p, q) => combine(g, 'minimum', p, q)),
  /** (a − b)². */
  squaredDifference(a: Operand, b: Operand): Value {
    const difference = subtract(a, b)
    return apply(taken('squaredDifference', difference).g, difference, 'square')
  },
  /** x^exponent, a number; NaN for x < 0 unless it is an integer (at most 64). */
  power(given: Value, exponent: number): Value {
    if (typeof exponent !== 'number' || !Number.isFinite(exponent))
      throw new TypeError(
        `ops.power: exponent must be a finite number, got ${String(exponent)}; use exp(multiply(b, log(a))) for values`,
      )
    const { g, x } = taken('power', given)
    return power(g, x, exponent)
  },
  /** 1 where a > b, else 0; without gradient, as all comparisons. */
  greater,
  /** 1 where a ≥ b, else 0. */
  greaterEqual,
  /** 1 where a < b, else 0. */
  less: comparison('less', 'greater', true),
  /** 1 where a ≤ b, else 0. */
  lessEqual: comparison('lessEqual', 'greaterOrEqual', true),
  /** 1 where a = b, else 0. */
  equal,
  /** 1 where a ≠ b, else 0. */
  notEqual: (a: Operand, b: Operand): Value => affine('notEqual', equal(a, b), -1, 1),
  /** a where the condition is not 0, else b. */
  where(condition: Operand, a: Operand, b: Operand): Value {
    const { g, xs } = aligned('where', [condition, a, b])
    return choose(g, xs[0]!, xs[1]!, xs[2]!)
  },
  /** min(max(x, low), high), two numbers; no gradient at the limits and beyond. */
  clip(given: Value, low: number, high: number): Value {
    const { g, x } = taken('clip', given)
    if (!(low <= high)) inRange('ops.clip', 'low', low, `[-Infinity, ${high}]` as never)
    return clip(g, x, low, high)
  },
}
