import type { Graph } from '../graph/graph.ts'
import { once, samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import { log } from './elementary.ts'
import { logitsOf } from './rowLosses.ts'

/**
 * Per-row numbers whose sums over an epoch determine the metric: `width` numbers for each of `inner` rows a
 * sample.
 */
export interface RowValues {
  readonly values: Value
  readonly width: number
  readonly inner: number
}

/** `width` sums over an epoch that a metric adds to by a kernel of its own, once a step. */
export interface OwnSums {
  readonly width: number
  readonly inner: number
  accumulate(totals: Value): void
}

/**
 * A metric, exact over the epoch: sums are accumulated in float64 and combined once, not averaged over
 * batches. One worker adds up all rows in their order: the bits do not depend on how many there are.
 */
export interface Metric {
  readonly name: string
  targetShape(prediction: readonly number[]): readonly number[]
  /**
   * Records what is summed. Rows that the mask (steps) of a prediction (steps, …) leaves out are dropped from row
   * values by the caller; a metric with sums of its own must leave them out itself.
   */
  record(g: Graph, prediction: Value, target: Value, mask?: Value): RowValues | OwnSums
  /** The metric from its `width` sums and the number of rows. */
  result(sums: readonly number[], rows: number): number
}

type Result = Metric['result']
export const mean: Result = ([sum], rows) => sum! / rows
const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)
const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const withoutLast = (prediction: readonly number[]): readonly number[] => [...prediction.slice(0, -1), 1]
const rowsOf = (p: Value) => {
  const n = p.shape.at(-1) ?? 1
  return { n, inner: sizeOf(p.shape) / n }
}

/** A mask, and how many of `count` rows or elements a sample each of its steps has. */
const maskArguments = (mask: Value | undefined, count: number): [Value | number, number] =>
  mask ? [mask, count / sizeOf(mask.shape)] : [0, count]

/**
 * Probabilities and logits have the same largest elements; with the logits the softmax need not be computed.
 */
const scores = (g: Graph, p: Value): Value => logitsOf(g, p, 'softmax') ?? p

/** The mean of a loss; `result` makes something else of its sum. */
export function rowMean(
  name: string,
  kernel: 'meanSquaredError' | 'sparseCategoricalCrossentropy' | MeanKernel,
  result: Result = mean,
): Metric {
  return {
    name,
    targetShape: kernel === 'sparseCategoricalCrossentropy' ? withoutLast : sameShape,
    result,
    record(g, p, t) {
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call(kernel, samples(inner), p, t, write(values), 0, 0, g.cells.scale, n, inner)
      return { values, width: 1, inner }
    },
  }
}

type MeanKernel =
  | 'meanAbsoluteError'
  | 'meanAbsolutePercentageError'
  | 'meanSquaredLogarithmicError'
  | 'binaryCrossentropy'
  | 'categoricalCrossentropy'
  | 'kullbackLeiblerDivergence'
  | 'poisson'
  | 'hinge'
  | 'squaredHinge'
  | 'categoricalHinge'
  | 'logcosh'
  | 'cosineProximity'

export function argmaxAccuracy(name: 'categoricalAccuracy' | 'sparseCategoricalAccuracy'): Metric {
  return {
    name,
    targetShape: name === 'categoricalAccuracy' ? sameShape : withoutLast,
    result: mean,
    record(g, prediction, t) {
      const p = scores(g, prediction)
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call(name, samples(inner), p, t, write(values), n)
      return { values, width: 1, inner }
    },
  }
}

export function topKAccuracy(
  name: string,
  kernel: 'topKCategoricalAccuracy' | 'sparseTopKCategoricalAccuracy',
  k: number,
): Metric {
  return {
    name,
    targetShape: kernel === 'topKCategoricalAccuracy' ? sameShape : withoutLast,
    result: mean,
    record(g, prediction, t) {
      const p = scores(g, prediction)
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call(kernel, samples(inner), p, t, write(values), n, k)
      return { values, width: 1, inner }
    },
  }
}

export function thresholdAccuracy(name: string, threshold: number): Metric {
  return {
    name,
    targetShape: sameShape,
    result: mean,
    record(g, p, t) {
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call('binaryAccuracy', samples(inner), p, t, write(values), n, threshold)
      return { values, width: 1, inner }
    },
  }
}

/** From counts of true positives, predicted positives (p > threshold) and actual positives (t > 0.5). */
export function counts(name: string, threshold: number, result: Result): Metric {
  return {
    name,
    targetShape: sameShape,
    result,
    record(g, p, t) {
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner, 3])
      g.call('binaryCounts', samples(inner), p, t, write(values), n, threshold)
      return { values, width: 3, inner }
    },
  }
}

export const precisionOf: Result = ([tp, predicted]) => ratio(tp!, predicted!)
export const recallOf: Result = ([tp, , actual]) => ratio(tp!, actual!)

export interface FScoreOptions {
  readonly beta: number
  readonly average: 'micro' | 'macro' | 'weighted'
  /** Positive is what lies above; without one, the largest of each row. */
  readonly threshold: number | null
}

/** From the counts of each class (the last axis). */
export function fScore(name: string, { beta, average, threshold }: FScoreOptions): Metric {
  const square = beta * beta
  const scoreOf = ([tp, predicted, actual]: readonly number[]): number =>
    ratio((1 + square) * tp!, predicted! + square * actual!)
  return {
    name,
    targetShape: sameShape,
    result(sums) {
      const classes = Array.from({ length: sums.length / 3 }, (_, i) => sums.slice(3 * i, 3 * i + 3))
      const total = (pick: (one: number[]) => number) => classes.reduce((sum, one) => sum + pick(one), 0)
      if (average === 'micro') return scoreOf([0, 1, 2].map(i => total(one => one[i]!)))
      if (average === 'macro') return total(scoreOf) / classes.length
      return ratio(
        total(one => scoreOf(one) * one[2]!),
        total(one => one[2]!),
      )
    },
    record(g, prediction, t) {
      const p = threshold === null ? marked(g, prediction) : prediction
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner * n, 3])
      g.call('binaryCounts', samples(inner * n), p, t, write(values), 1, threshold ?? 0.5)
      return { values, width: 3 * n, inner }
    },
  }
}

/** 1 at the largest element of each row, else 0. */
function marked(g: Graph, prediction: Value): Value {
  const p = scores(g, prediction)
  const { n, inner } = rowsOf(p)
  const y = g.batch('largest', p.shape)
  g.call('markMaximum', samples(inner), p, write(y), n)
  return y
}

/**
 * Area under the curve through the points of evenly spaced thresholds, positives and negatives counted
 * between them. Source: Keras 3 (for PR Davis & Goadrich, 2006, whose interpolation is not linear).
 */
export function areaUnderCurve(name: string, curve: 'ROC' | 'PR', thresholds: number): Metric {
  return {
    name,
    targetShape: sameShape,
    result(sums) {
      const above = (from: number) => {
        const list = sums.slice(from, from + thresholds)
        for (let i = thresholds - 2; i >= 0; i--) list[i]! += list[i + 1]!
        return list
      }
      return (curve === 'ROC' ? areaOfROC : areaOfPR)(above(0), above(thresholds))
    },
    record(g, p, t, mask) {
      const size = sizeOf(p.shape)
      const own = [size, thresholds, ...maskArguments(mask, size)] as const
      const accumulate = (totals: Value) =>
        g.call('countScores', once, p, t, update(totals), g.rowCount, ...own)
      return { width: 2 * thresholds, inner: size, accumulate }
    },
  }
}

/** Trapezoids of recall over the false positive rate; counts of each threshold. */
function areaOfROC(tp: readonly number[], fp: readonly number[]): number {
  let area = 0
  for (let i = 0; i + 1 < tp.length; i++) {
    const height = ratio(tp[i]!, tp[0]!) + ratio(tp[i + 1]!, tp[0]!)
    area += ((ratio(fp[i]!, fp[0]!) - ratio(fp[i + 1]!, fp[0]!)) * height) / 2
  }
  return area
}

/** Precision over recall: between two thresholds true positives grow linearly with predicted positives. */
function areaOfPR(tp: readonly number[], fp: readonly number[]): number {
  let area = 0
  for (let i = 0; i + 1 < tp.length; i++) {
    const gained = tp[i]! - tp[i + 1]!
    const [before, after] = [tp[i]! + fp[i]!, tp[i + 1]! + fp[i + 1]!]
    const slope = ratio(gained, before - after)
    const intercept = tp[i + 1]! - slope * after
    const growth = before > 0 && after > 0 ? log(before / after) : 0
    area += ratio(slope * (gained + intercept * growth), tp[0]!)
  }
  return area
}

/** 1 − Σ (t − p)² / Σ (t − mean)² of each column, averaged; 0 for a column that is constant. */
export function r2(name: string, weighted: boolean): Metric {
  return {
    name,
    targetShape: sameShape,
    result(sums, rows) {
      const columns = Array.from({ length: sums.length / 3 }, (_, j) => {
        const [sum, squares, residual] = sums.slice(3 * j, 3 * j + 3) as [number, number, number]
        return { residual, spread: squares - (sum * sum) / rows }
      })
      const total = (pick: (one: (typeof columns)[number]) => number) =>
        columns.reduce((sum, one) => sum + pick(one), 0)
      const scoreOf = (residual: number, spread: number) => (spread > 0 ? 1 - residual / spread : 0)
      if (weighted)
        return scoreOf(
          total(one => one.residual),
          total(one => one.spread),
        )
      return total(one => scoreOf(one.residual, one.spread)) / columns.length
    },
    record(g, p, t, mask) {
      const { n, inner } = rowsOf(p)
      const own = [n, inner, ...maskArguments(mask, inner)] as const
      const accumulate = (totals: Value) =>
        g.call('accumulateMoments', once, p, t, update(totals), g.rowCount, ...own)
      return { width: 3 * n, inner, accumulate }
    },
  }
}
