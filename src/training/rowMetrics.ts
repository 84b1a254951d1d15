import type { Graph } from '../graph/graph.ts'
import { once, samples, sizeOf, update, type Value, write } from '../graph/value.ts'
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
  /** The metrics that stand in its place, where it is several. */
  readonly parts?: readonly Metric[]
  targetShape(prediction: readonly number[]): readonly number[]
  /**
   * Records what is summed. Rows that the mask (steps) of a prediction (steps, …) leaves out are dropped from row
   * values by the caller; a metric with sums of its own must leave them out itself.
   */
  record(g: Graph, prediction: Value, target: Value, mask?: Value): RowValues | OwnSums
  /** The metric from its `width` sums and the number of rows. */
  result(sums: readonly number[], rows: number): number
}

export type Result = Metric['result']
export const mean: Result = ([sum], rows) => sum! / rows
export const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)
export const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const withoutLast = (prediction: readonly number[]): readonly number[] => [...prediction.slice(0, -1), 1]
export const rowsOf = (p: Value) => {
  const n = p.shape.at(-1) ?? 1
  return { n, inner: sizeOf(p.shape) / n }
}

/** A mask, and how many of `count` rows or elements a sample each of its steps has. */
export const maskArguments = (mask: Value | undefined, count: number): [Value | number, number] =>
  mask ? [mask, count / sizeOf(mask.shape)] : [0, count]

/**
 * Probabilities and logits have the same largest elements; with the logits the softmax need not be computed.
 */
export const scores = (g: Graph, p: Value): Value => logitsOf(g, p, 'softmax') ?? p

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
