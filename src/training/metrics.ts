import { inRange, oneOf, show, suggestion } from '../errors.ts'
import { type AreaOptions, areaUnderCurve } from './areas.ts'
import { configurable } from './configurable.ts'
import {
  type CountOptions,
  counted,
  type FScoreOptions,
  falseNegativesOf,
  falsePositivesOf,
  fScore,
  precisionOf,
  recallOf,
  trueNegativesOf,
  truePositivesOf,
} from './countMetrics.ts'
import { shortForms } from './losses.ts'
import type { Loss } from './rowLosses.ts'
import {
  argmaxAccuracy,
  type Metric,
  type Result,
  r2,
  rowMean,
  thresholdAccuracy,
  topKAccuracy,
} from './rowMetrics.ts'

const fDefaults: { average: FScoreOptions['average']; threshold: number | null } = {
  average: 'macro',
  threshold: null,
}

const countDefaults: CountOptions = { thresholds: null, topK: null, classId: null }

/** A number of elements, at one threshold or several. */
const number = <N extends string>(name: N, result: Result) =>
  configurable({ thresholds: countDefaults.thresholds, name: name as string }, ({ thresholds, name }) =>
    counted(name, { ...countDefaults, thresholds }, result),
  )

const areaDefaults: AreaOptions = {
  numThresholds: 200,
  curve: 'ROC',
  summationMethod: 'interpolation',
  multiLabel: false,
  labelWeights: null,
  fromLogits: false,
}

function checkedFScore(where: string, { name, ...options }: FScoreOptions & { name: string }): Metric {
  oneOf(where, 'average', options.average, ['micro', 'macro', 'weighted'])
  return fScore(name, options)
}

/**
 * Every metric by TensorFlow.js' (or Keras 3's) name for it. Predictions and targets are (…, n), n the last
 * axis; sparse targets (…, 1) are class numbers. With a name of its own, a metric appears under it in logs.
 */
export const metrics = {
  /** Share of elements on the right side of `threshold`. */
  binaryAccuracy: configurable({ threshold: 0.5, name: 'binaryAccuracy' }, ({ threshold, name }) =>
    thresholdAccuracy(name, threshold),
  ),
  /** Share of rows whose largest prediction stands where the target's largest element stands. */
  categoricalAccuracy: argmaxAccuracy('categoricalAccuracy'),
  /** Share of rows whose largest prediction stands at the target's class number. */
  sparseCategoricalAccuracy: argmaxAccuracy('sparseCategoricalAccuracy'),
  /** Share of rows whose target is among the `k` largest predictions, ties included. */
  topKCategoricalAccuracy: configurable({ k: 5, name: 'topKCategoricalAccuracy' }, ({ k, name }) =>
    topKAccuracy(name, 'topKCategoricalAccuracy', k),
  ),
  /** As topKCategoricalAccuracy, of class numbers. */
  sparseTopKCategoricalAccuracy: configurable(
    { k: 5, name: 'sparseTopKCategoricalAccuracy' },
    ({ k, name }) => topKAccuracy(name, 'sparseTopKCategoricalAccuracy', k),
  ),
  /**
   * Of the elements predicted above `thresholds`, the share that is positive: TP / (TP + FP). Several thresholds
   * make a metric each, named `precision_0.3`. With `topK` only the k largest of a row may be positive (above any
   * threshold, if none is given); with `classId` one class of the last axis counts.
   */
  precision: configurable({ ...countDefaults, name: 'precision' }, ({ name, ...options }) =>
    counted(name, options, precisionOf),
  ),
  /** Of the positive elements, the share predicted above `thresholds`: TP / (TP + FN); options of precision. */
  recall: configurable({ ...countDefaults, name: 'recall' }, ({ name, ...options }) =>
    counted(name, options, recallOf),
  ),
  /** Elements rightly predicted above `thresholds` (0.5; several make a metric each). */
  truePositives: number('truePositives', truePositivesOf),
  /** Elements wrongly predicted above `thresholds`. */
  falsePositives: number('falsePositives', falsePositivesOf),
  /** Elements rightly predicted to be at most `thresholds`. */
  trueNegatives: number('trueNegatives', trueNegativesOf),
  /** Elements wrongly predicted to be at most `thresholds`. */
  falseNegatives: number('falseNegatives', falseNegativesOf),
  /**
   * Harmonic mean of precision and recall of each class: their mean ('macro'), weighted by the classes'
   * frequency ('weighted'), or of the counts of all classes ('micro'). Positive is what lies above
   * `threshold`, or the largest element of a row.
   */
  f1Score: configurable({ ...fDefaults, name: 'f1Score' }, options =>
    checkedFScore('f1Score', { ...options, beta: 1 }),
  ),
  /** (1 + beta²)·precision·recall / (beta²·precision + recall), as f1Score. */
  fBetaScore: configurable({ beta: 1, ...fDefaults, name: 'fBetaScore' }, options =>
    checkedFScore('fBetaScore', options),
  ),
  /**
   * Area under the 'ROC' or the 'PR' (precision and recall) curve of all elements, at `numThresholds` evenly
   * spaced thresholds, by `summationMethod` 'interpolation', 'minoring' or 'majoring'. With `multiLabel` the mean of
   * the areas of the labels (the last axis), weighted by `labelWeights`; without, these weigh the elements. With
   * `fromLogits` of the sigmoid of what is predicted. Source: Keras 3.
   */
  auc: configurable({ ...areaDefaults, name: 'auc' }, ({ name, ...options }) => {
    oneOf('auc', 'curve', options.curve, ['ROC', 'PR'])
    oneOf('auc', 'summationMethod', options.summationMethod, ['interpolation', 'minoring', 'majoring'])
    inRange('auc', 'numThresholds', options.numThresholds, '[2, Infinity)')
    return areaUnderCurve(name, options)
  }),
  /**
   * 1 − Σ (target − prediction)² / Σ (target − mean)² of each column, averaged; with 'varianceWeightedAverage'
   * weighted by their variances. Source: Keras 3, which TensorFlow.js equals for one column.
   */
  r2Score: configurable(
    {
      classAggregation: 'uniformAverage' as 'uniformAverage' | 'varianceWeightedAverage',
      name: 'r2Score',
    },
    ({ classAggregation, name }) => {
      const known = ['uniformAverage', 'varianceWeightedAverage'] as const
      return r2(name, oneOf('r2Score', 'classAggregation', classAggregation, known) === known[1])
    },
  ),
  meanSquaredError: rowMean('meanSquaredError', 'meanSquaredError'),
  /** √ of the mean squared error. */
  rootMeanSquaredError: rowMean('rootMeanSquaredError', 'meanSquaredError', ([sum], rows) =>
    Math.sqrt(sum! / rows),
  ),
  meanAbsoluteError: rowMean('meanAbsoluteError', 'meanAbsoluteError'),
  meanAbsolutePercentageError: rowMean('meanAbsolutePercentageError', 'meanAbsolutePercentageError'),
  meanSquaredLogarithmicError: rowMean('meanSquaredLogarithmicError', 'meanSquaredLogarithmicError'),
  binaryCrossentropy: rowMean('binaryCrossentropy', 'binaryCrossentropy'),
  categoricalCrossentropy: rowMean('categoricalCrossentropy', 'categoricalCrossentropy'),
  sparseCategoricalCrossentropy: rowMean('sparseCategoricalCrossentropy', 'sparseCategoricalCrossentropy'),
  kullbackLeiblerDivergence: rowMean('kullbackLeiblerDivergence', 'kullbackLeiblerDivergence'),
  poisson: rowMean('poisson', 'poisson'),
  hinge: rowMean('hinge', 'hinge'),
  squaredHinge: rowMean('squaredHinge', 'squaredHinge'),
  categoricalHinge: rowMean('categoricalHinge', 'categoricalHinge'),
  logcosh: rowMean('logcosh', 'logcosh'),
  /** Mean of Σ t·p / (|t|·|p|). */
  cosineSimilarity: rowMean('cosineSimilarity', 'cosineProximity', ([sum], rows) => -sum! / rows),
  /** The negative of cosineSimilarity. */
  cosineProximity: rowMean('cosineProximity', 'cosineProximity'),
} as const satisfies Record<string, Metric>

const ambiguous = {
  acc: ['sparseCategoricalAccuracy', 'binaryAccuracy', 'categoricalAccuracy'],
  ce: ['sparseCategoricalCrossentropy', 'binaryCrossentropy', 'categoricalCrossentropy'],
} as const

/** `accuracy` and `crossentropy` are one of three, chosen by the loss and by how many numbers are predicted. */
function chosen(of: keyof typeof ambiguous, loss: Loss, prediction: readonly number[]): Metric {
  const [sparse, binary, categorical] = ambiguous[of]
  if (loss.sparse) return metrics[sparse]
  return metrics[prediction.at(-1) === 1 || loss.name.startsWith('binary') ? binary : categorical]
}

const ambiguousNames = { accuracy: 'acc', acc: 'acc', crossentropy: 'ce', ce: 'ce' } as const

export type MetricName = keyof typeof metrics | keyof typeof shortForms | keyof typeof ambiguousNames

const isMetric = (value: unknown): value is Metric =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && 'record' in value

/** Metrics are given the targets of the loss. */
function checkTargets(metric: Metric, loss: Loss, prediction: readonly number[]): Metric {
  const [wanted, given] = [metric, loss].map(one => `[${one.targetShape(prediction)}]`)
  if (wanted === given) return metric
  throw new RangeError(
    `compile: metric ${metric.name} must have targets of shape ${wanted}, got ${given} of loss ${loss.name}; ` +
      'choose the metric that fits the loss',
  )
}

/**
 * The metric an identifier means, under the name that logs use for it: the identifier itself (`acc` for both
 * forms of accuracy, `ce` for both of crossentropy).
 * @throws RangeError for an unknown name, and for a metric that takes other targets than the loss.
 */
export function getMetric(
  identifier: MetricName | Metric,
  loss: Loss,
  prediction: readonly number[],
): { key: string; metric: Metric } {
  if (isMetric(identifier))
    return { key: identifier.name, metric: checkTargets(identifier, loss, prediction) }
  if (typeof identifier !== 'string') {
    throw new TypeError(`compile: metrics must be names or metrics, got ${show(identifier)}; try 'accuracy'`)
  }
  if (Object.hasOwn(ambiguousNames, identifier)) {
    const key = ambiguousNames[identifier as keyof typeof ambiguousNames]
    return { key, metric: chosen(key, loss, prediction) }
  }
  const name = Object.hasOwn(shortForms, identifier)
    ? shortForms[identifier as keyof typeof shortForms]
    : identifier
  if (Object.hasOwn(metrics, name)) {
    return { key: identifier, metric: checkTargets(metrics[name as keyof typeof metrics], loss, prediction) }
  }
  const names = [...Object.keys(metrics), ...Object.keys(shortForms), 'accuracy']
  throw new RangeError(`compile: metric must be a known name, got "${name}"; ${suggestion(name, names)}`)
}

/** Metrics, or their parts, under keys of their own: the second `auc` becomes `auc_1`, as in Keras. */
export function distinct(
  list: readonly { key: string; metric: Metric }[],
): { key: string; metric: Metric }[] {
  const taken = new Set(['loss', 'penalty', 'gradientNorm'])
  const apart = list.flatMap(
    one => one.metric.parts?.map(part => ({ key: part.name, metric: part })) ?? [one],
  )
  return apart.map(({ key, metric }) => {
    let own = key
    for (let i = 1; taken.has(own); i++) own = `${key}_${i}`
    taken.add(own)
    return { key: own, metric }
  })
}
