import type { Graph } from '../graph/graph.ts'
import { samples, type Value, write } from '../graph/value.ts'
import { type Metric, type Result, ratio, rowsOf, sameShape, scores } from './rowMetrics.ts'

// Metrics of counts: true positives, predicted positives (p > threshold), actual positives (t > 0.5), elements.

export interface CountOptions {
  /** Positive is what lies above; several make as many metrics. null for 0.5, or for none with topK. */
  readonly thresholds: number | readonly number[] | null
  /** Only the k largest of each row may be positive. */
  readonly topK: number | null
  /** The only class, an index of the last axis, that counts. */
  readonly classId: number | null
}

/** From the counts of all elements, or those of one class. */
function counts(name: string, threshold: number, { topK, classId }: CountOptions, result: Result): Metric {
  const from = 4 * (classId ?? 0)
  return {
    name,
    targetShape(prediction) {
      const classes = prediction.at(-1)!
      if (classId !== null && classId >= classes)
        throw new RangeError(
          `compile: classId of ${name} must be below ${classes}, the classes predicted, got ${classId}; correct it`,
        )
      return prediction
    },
    result: (sums, rows) => result(sums.slice(from, from + 4), rows),
    record(g, prediction, t) {
      const p = topK === null ? prediction : largest(g, prediction, topK)
      const { n, inner } = rowsOf(p)
      const parts = classId === null ? 1 : n
      const values = g.batch(name, [inner * parts, 4])
      g.call('binaryCounts', samples(inner * parts), p, t, write(values), n / parts, threshold)
      return { values, width: 4 * parts, inner }
    },
  }
}

/** The k largest of each row, −Infinity in place of the others. */
function largest(g: Graph, p: Value, k: number): Value {
  const { n, inner } = rowsOf(p)
  const y = g.batch('k largest', p.shape)
  g.call('keepLargest', samples(inner), p, write(y), n, k)
  return y
}

/** A metric of counts at one threshold, or at several: then named by them. */
export function counted(name: string, options: CountOptions, result: Result): Metric {
  const { thresholds, topK } = options
  const threshold = thresholds ?? (topK === null ? 0.5 : Number.NEGATIVE_INFINITY)
  if (typeof threshold === 'number') return counts(name, threshold, options, result)
  const parts = threshold.map(limit => counts(`${name}_${limit}`, limit, options, result))
  return { ...parts[0]!, name, parts }
}

export const precisionOf: Result = ([tp, predicted]) => ratio(tp!, predicted!)
export const recallOf: Result = ([tp, , actual]) => ratio(tp!, actual!)
export const truePositivesOf: Result = ([tp]) => tp!
export const falsePositivesOf: Result = ([tp, predicted]) => predicted! - tp!
export const falseNegativesOf: Result = ([tp, , actual]) => actual! - tp!
export const trueNegativesOf: Result = ([tp, predicted, actual, all]) => all! - predicted! - actual! + tp!

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
      const classes = Array.from({ length: sums.length / 4 }, (_, i) => sums.slice(4 * i, 4 * i + 4))
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
      const values = g.batch(name, [inner * n, 4])
      g.call('binaryCounts', samples(inner * n), p, t, write(values), 1, threshold ?? 0.5)
      return { values, width: 4 * n, inner }
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
