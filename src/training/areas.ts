import type { Graph } from '../graph/graph.ts'
import { once, samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import { log } from './elementary.ts'
import { type Metric, maskArguments, ratio, rowsOf } from './rowMetrics.ts'

export interface AreaOptions {
  readonly numThresholds: number
  readonly curve: 'ROC' | 'PR'
  readonly summationMethod: 'interpolation' | 'minoring' | 'majoring'
  readonly multiLabel: boolean
  readonly labelWeights: readonly number[] | null
  readonly fromLogits: boolean
}

/** True and false positives above each threshold, from the lowest on. */
interface Points {
  readonly tp: readonly number[]
  readonly fp: readonly number[]
}

/**
 * Area under the curve through the points of evenly spaced thresholds, positives and negatives counted
 * between them. Source: Keras 3 (for PR Davis & Goadrich, 2006, whose interpolation is not linear).
 */
export function areaUnderCurve(name: string, options: AreaOptions): Metric {
  const { numThresholds, multiLabel, labelWeights, fromLogits } = options
  const apart = multiLabel || labelWeights !== null
  return {
    name,
    targetShape(prediction) {
      const labels = prediction.at(-1)!
      if (labelWeights && labelWeights.length !== labels)
        throw new RangeError(
          `compile: labelWeights of ${name} must be ${labels}, one a label, got ${labelWeights.length}; correct them`,
        )
      return prediction
    },
    result(sums) {
      const labels = Array.from({ length: sums.length / (2 * numThresholds) }, (_, j) => ({
        points: pointsOf(sums.slice(2 * numThresholds * j), numThresholds),
        weight: labelWeights?.[j] ?? 1,
      }))
      if (!multiLabel) return areaOf(together(labels), options)
      const whole = labels.reduce((sum, { weight }) => sum + weight, 0)
      return ratio(
        labels.reduce((sum, { points, weight }) => sum + weight * areaOf(points, options), 0),
        whole,
      )
    },
    record(g, prediction, t, mask) {
      const p = fromLogits ? sigmoid(g, prediction) : prediction
      const size = sizeOf(p.shape)
      const columns = apart ? rowsOf(p).n : 1
      const own = [size, columns, numThresholds, ...maskArguments(mask, size)] as const
      const accumulate = (totals: Value) =>
        g.call('countScores', once, p, t, update(totals), g.rowCount, ...own)
      return { width: 2 * numThresholds * columns, inner: size, accumulate }
    },
  }
}

function sigmoid(g: Graph, logits: Value): Value {
  const y = g.batch('probabilities', logits.shape)
  g.call('sigmoid', samples(sizeOf(logits.shape)), logits, write(y))
  return y
}

/** Sums from the highest threshold down. */
function pointsOf(counts: readonly number[], thresholds: number): Points {
  const above = (from: number) => {
    const list = counts.slice(from, from + thresholds)
    for (let i = thresholds - 2; i >= 0; i--) list[i]! += list[i + 1]!
    return list
  }
  return { tp: above(0), fp: above(thresholds) }
}

/** The counts of all labels, each as often as its weight says. */
function together(labels: readonly { points: Points; weight: number }[]): Points {
  const total = (pick: (points: Points) => readonly number[]) =>
    pick(labels[0]!.points).map((_, i) =>
      labels.reduce((sum, { points, weight }) => sum + weight * pick(points)[i]!, 0),
    )
  return { tp: total(({ tp }) => tp), fp: total(({ fp }) => fp) }
}

/** Columns of width x(i) − x(i + 1) under the curve. */
function areaOf({ tp, fp }: Points, { curve, summationMethod }: AreaOptions): number {
  if (curve === 'PR' && summationMethod === 'interpolation') return interpolatedPR(tp, fp)
  const recall = tp.map(count => ratio(count, tp[0]!))
  const x = curve === 'ROC' ? fp.map(count => ratio(count, fp[0]!)) : recall
  const y = curve === 'ROC' ? recall : tp.map((count, i) => ratio(count, count + fp[i]!))
  const heights = {
    interpolation: (a: number, b: number) => (a + b) / 2,
    minoring: (a: number, b: number) => Math.min(a, b),
    majoring: (a: number, b: number) => Math.max(a, b),
  }
  const heightOf = heights[summationMethod]
  let area = 0
  for (let i = 0; i + 1 < x.length; i++) area += (x[i]! - x[i + 1]!) * heightOf(y[i]!, y[i + 1]!)
  return area
}

/** Precision over recall: between two thresholds true positives grow linearly with predicted positives. */
function interpolatedPR(tp: readonly number[], fp: readonly number[]): number {
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
