import { positiveInteger, show } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { sizeOf, type Value } from '../../graph/value.ts'
import { activate, softmaxOver } from '../activation.ts'
import { dense } from '../dense.ts'
import { apply } from '../functions.ts'
import { products, transposed } from '../matMul.ts'
import { combine, scaled } from '../merge.ts'
import { broadcast, permute } from '../moves.ts'
import { encode } from '../preprocessing.ts'
import { argMaximum, maximumOver, sumOver } from '../reductions.ts'
import { axesOf, checkRank, ofSamples } from './operands.ts'

type Axis = number | readonly number[]

/** Reduces over axes, all by default; with `keepDims` they stay with size 1. */
function reduce(
  where: string,
  given: Value,
  axis: Axis | undefined,
  keepDims: boolean,
  record: (g: Graph, x: Value, axes: readonly number[]) => Value,
): Value {
  const { g, x } = ofSamples(where, given)
  const axes = axesOf(where, axis, x.shape)
  checkRank(where, x.shape)
  const y = record(g, x, axes)
  return keepDims
    ? y
    : g.view(
        y,
        y.shape.filter((_, i) => !axes.includes(i)),
      )
}

const averageOver = (g: Graph, x: Value, axes: readonly number[]): Value =>
  scaled(g, sumOver(g, x, axes), 1 / sizeOf(axes.map(axis => x.shape[axis]!)))

const minimumOver = (g: Graph, x: Value, axes: readonly number[]): Value =>
  scaled(g, maximumOver(g, scaled(g, x, -1), axes), -1)

/** x − y, y being repeated along its axes of size 1. */
const minus = (g: Graph, x: Value, y: Value): Value => combine(g, 'subtract', x, broadcast(g, y, x.shape))

function varianceOver(g: Graph, x: Value, axes: readonly number[]): Value {
  return averageOver(g, apply(g, minus(g, x, averageOver(g, x, axes)), 'square'), axes)
}

function logSumExpOver(g: Graph, x: Value, axes: readonly number[]): Value {
  const largest = { ...maximumOver(g, x, axes), differentiable: false }
  const sum = sumOver(g, apply(g, minus(g, x, largest), 'exponential'), axes)
  return combine(g, 'add', apply(g, sum, 'logarithm'), largest)
}

/** log of a softmax along one axis. */
function logSoftmaxAlong(g: Graph, x: Value, axis: number): Value {
  const order = [...x.shape.map((_, i) => i).filter(i => i !== axis), axis]
  if (axis === order.length - 1) return activate(g, x, 'logSoftmax')
  const y = activate(g, permute(g, x, order), 'logSoftmax')
  return permute(
    g,
    y,
    order.map((_, i) => order.indexOf(i)),
  )
}

function checkFactors(a: Value, b: Value): void {
  const [k, rows] = [a.shape.at(-1), b.shape.at(-2)]
  const alike = b.shape.length === 2 || String(a.shape.slice(0, -2)) === String(b.shape.slice(0, -2))
  if (k !== undefined && k === rows && alike && a.shape.length >= Math.min(b.shape.length, 2) - 1) return
  throw new RangeError(
    `ops.matMul: b must be [${k}, n], or [${[...a.shape.slice(0, -2), k]}, n], for a [${a.shape}], got [${b.shape}]; ` +
      'reshape or transpose one',
  )
}

/** Reductions of a sample's axes, and products. */
export const reductions = {
  /** Σ x over `axis`: one, a list, or all; `keepDims` keeps them with size 1. */
  sum: (x: Value, axis?: Axis, keepDims = false): Value => reduce('sum', x, axis, keepDims, sumOver),
  /** Mean of x over `axis`. */
  mean: (x: Value, axis?: Axis, keepDims = false): Value => reduce('mean', x, axis, keepDims, averageOver),
  /** The largest of x over `axis`; the gradient goes to the first of equal ones. */
  max: (x: Value, axis?: Axis, keepDims = false): Value => reduce('max', x, axis, keepDims, maximumOver),
  /** The smallest of x over `axis`. */
  min: (x: Value, axis?: Axis, keepDims = false): Value => reduce('min', x, axis, keepDims, minimumOver),
  /** Mean of (x − mean)² over `axis`. */
  variance: (x: Value, axis?: Axis, keepDims = false): Value =>
    reduce('variance', x, axis, keepDims, varianceOver),
  /** log Σ e^x over `axis`, without overflow. */
  logSumExp: (x: Value, axis?: Axis, keepDims = false): Value =>
    reduce('logSumExp', x, axis, keepDims, logSumExpOver),
  /** The index of the largest of x along one axis, the first of equal ones; without gradient. */
  argMax: (x: Value, axis = -1): Value =>
    reduce('argMax', x, axis, false, (g, each, [own]) => argMaximum(g, each, own!)),
  /** e^x / Σ e^x along one axis, or several. */
  softmax: (x: Value, axis: Axis = -1): Value => reduce('softmax', x, axis, true, softmaxOver),
  /** Its logarithm, along one axis. */
  logSoftmax: (x: Value, axis = -1): Value =>
    reduce('logSoftmax', x, axis, true, (g, each, [own]) => logSoftmaxAlong(g, each, own!)),
  /**
   * a·b over the last axis of a and the last but one of b: a (…, k), b (k, n) a weight or a value, or a (…, m, k), b
   * (…, k, n) with the same axes before.
   */
  matMul(first: Value, second: Value, transposeA = false, transposeB = false): Value {
    const { g, x } = ofSamples('matMul', first)
    if (second.storage?.placement === 'state' && second.shape.length === 2 && !transposeA && !transposeB) {
      checkFactors(x, second)
      return dense(g, x, second, undefined)
    }
    const { x: y } = ofSamples('matMul', second)
    checkRank('matMul', x.shape)
    const a = transposeA ? transposed(g, x) : x
    const b = transposeB ? y : transposed(g, y)
    checkFactors(a, { ...b, shape: [...b.shape.slice(0, -2), b.shape.at(-1)!, b.shape.at(-2)!] })
    return products(g, a, b)
  },
  /** x·w + b over the last axis of x: the product of layers.dense, w (k, n) and b (n) being weights. */
  dense(given: Value, w: Value, b?: Value): Value {
    const { g, x } = ofSamples('dense', given)
    for (const weight of [w, ...(b ? [b] : [])]) {
      if (weight.storage?.placement !== 'state')
        throw new TypeError(`ops.dense: w and b must be weights, got ${show(weight)}; use matMul and add`)
    }
    checkFactors(x, w)
    return dense(g, x, w, b)
  },
  /** (…) → (…, n): 1 at the place that each element, an integer from 0 to n − 1, names, else 0; without gradient. */
  oneHot(given: Value, n: number): Value {
    const { g, x } = ofSamples('oneHot', given)
    positiveInteger('ops.oneHot', 'n', n)
    return g.view(encode(g, { ...x, differentiable: false }, 1, n, false), [...x.shape, n])
  },
}
