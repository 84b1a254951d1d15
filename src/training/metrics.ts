import { show, suggestion } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { type Loss, logitsOf } from './rowLosses.ts'

/**
 * Per-row numbers whose sums over an epoch determine the metric: `width` numbers for each of `inner` rows a
 * sample.
 */
export interface RowValues {
  readonly values: Value
  readonly width: number
  readonly inner: number
}

/**
 * A metric, exact over the epoch: sums are accumulated in float64 and combined once, not averaged over
 * batches.
 */
export interface Metric {
  readonly name: string
  targetShape(prediction: readonly number[]): readonly number[]
  record(g: Graph, prediction: Value, target: Value): RowValues
  /** The metric from its `width` sums and the number of rows. */
  result(sums: readonly number[], rows: number): number
}

const mean = ([sum]: readonly number[], rows: number): number => sum! / rows
const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)
const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const rowsOf = (p: Value) => {
  const n = p.shape.at(-1) ?? 1
  return { n, inner: sizeOf(p.shape) / n }
}

/**
 * Probabilities and logits have the same largest element; with the logits the softmax need not be computed.
 */
const scores = (g: Graph, p: Value): Value => logitsOf(g, p, 'softmax') ?? p

function rowMean(name: string, kernel: 'meanSquaredError' | 'meanAbsoluteError'): Metric {
  return {
    name,
    targetShape: sameShape,
    result: mean,
    record(g, p, t) {
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call(kernel, samples(inner), p, t, write(values), 0, 0, g.cells.scale, n, inner)
      return { values, width: 1, inner }
    },
  }
}

function argmaxAccuracy(name: 'categoricalAccuracy' | 'sparseCategoricalAccuracy'): Metric {
  return {
    name,
    targetShape: name === 'categoricalAccuracy' ? sameShape : shape => [...shape.slice(0, -1), 1],
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

/** Counts of true positives, predicted positives and actual positives at probability `threshold`. */
function counts(name: string, result: Metric['result'], threshold: number): Metric {
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

/** Share of elements on the right side of `threshold`. */
export function binaryAccuracy(threshold = 0.5): Metric {
  const name = 'binaryAccuracy'
  return {
    name,
    targetShape: sameShape,
    result: mean,
    record(g, p, t) {
      const { n, inner } = rowsOf(p)
      const values = g.batch(name, [inner])
      g.call(name, samples(inner), p, t, write(values), n, threshold)
      return { values, width: 1, inner }
    },
  }
}

/** Of what was predicted positive, the share that is: TP / (TP + FP). */
export const precision = (threshold = 0.5): Metric =>
  counts('precision', ([tp, predicted]) => ratio(tp!, predicted!), threshold)

/** Of what is positive, the share that was found: TP / (TP + FN). */
export const recall = (threshold = 0.5): Metric =>
  counts('recall', ([tp, , actual]) => ratio(tp!, actual!), threshold)

/** Every metric by TensorFlow.js' name for it. */
export const metrics = {
  binaryAccuracy: binaryAccuracy(),
  /** Share of rows whose largest prediction stands where the target's largest element stands. */
  categoricalAccuracy: argmaxAccuracy('categoricalAccuracy'),
  /** Share of rows whose largest prediction stands at the target's class number. */
  sparseCategoricalAccuracy: argmaxAccuracy('sparseCategoricalAccuracy'),
  precision: precision(),
  recall: recall(),
  meanSquaredError: rowMean('meanSquaredError', 'meanSquaredError'),
  meanAbsoluteError: rowMean('meanAbsoluteError', 'meanAbsoluteError'),
} as const satisfies Record<string, Metric>

const shortForms: Record<string, keyof typeof metrics> = { mse: 'meanSquaredError', mae: 'meanAbsoluteError' }

export type MetricName = keyof typeof metrics | 'accuracy' | 'acc' | 'mse' | 'mae'

/** `accuracy` is one of three, chosen by the loss and by how many numbers are predicted. */
function accuracyFor(loss: Loss, prediction: readonly number[]): Metric {
  if (loss.sparse) return metrics.sparseCategoricalAccuracy
  return prediction.at(-1) === 1 || loss.name.startsWith('binary')
    ? metrics.binaryAccuracy
    : metrics.categoricalAccuracy
}

/**
 * The metric an identifier means, under the name that logs use for it: the identifier itself (`acc` for both
 * forms of accuracy).
 * @throws RangeError for an unknown name.
 */
export function getMetric(
  identifier: MetricName | Metric,
  loss: Loss,
  prediction: readonly number[],
): { key: string; metric: Metric } {
  if (typeof identifier === 'object' && identifier !== null && 'record' in identifier) {
    return { key: identifier.name, metric: identifier }
  }
  if (typeof identifier !== 'string') {
    throw new TypeError(`compile: metrics must be names or metrics, got ${show(identifier)}; try 'accuracy'`)
  }
  if (identifier === 'accuracy' || identifier === 'acc')
    return { key: 'acc', metric: accuracyFor(loss, prediction) }
  const name = shortForms[identifier] ?? identifier
  if (Object.hasOwn(metrics, name)) return { key: identifier, metric: metrics[name as keyof typeof metrics] }
  const names = [...Object.keys(metrics), ...Object.keys(shortForms), 'accuracy']
  throw new RangeError(`compile: metric must be a known name, got "${name}"; ${suggestion(name, names)}`)
}
