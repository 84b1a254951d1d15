import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { Metric } from '../src/training/rowMetrics.ts'
import { noise } from './bed.ts'

const { metrics } = ls
const [rows, steps, n] = [11, 3, 4]

/** Predictions (rows, steps, n) in (0, 1), logits of them, and targets of 0 and 1. */
const probabilities = noise(rows * steps * n, 3).map(u => 0.5 + 0.49 * u)
const logits = probabilities.map(p => Math.log(p / (1 - p)))
const bits = noise(rows * steps * n, 4).map((u, i) => Number(u + probabilities[i]! > 0.6))
/** Steps that count: sample i has 1 + i % steps. */
const counted = Array.from({ length: rows * steps }, (_, i) => i % steps <= Math.floor(i / steps) % steps)

/** Metrics of all steps, or of those that count: what is −9 is masked. */
async function measure(p: Float32Array, list: readonly Metric[], masked: boolean): Promise<ls.Logs> {
  const values = p.map((x, i) => (masked && !counted[Math.floor(i / n)] ? -9 : x))
  const model = ls.sequential({ layers: [ls.layers.masking({ maskValue: -9, inputShape: [steps, n] })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: list })
  const shape = [rows, steps, n]
  const logs = await model.evaluateAsync(ls.tensor(values, shape), ls.tensor(bits, shape), {
    batchSize: 4,
    workers: 2,
  })
  model.dispose()
  return logs
}

/** Elements of some columns that count, or of all of them. */
const elements = (masked: boolean, columns = [0, 1, 2, 3]) =>
  [...probabilities.keys()].filter(i => columns.includes(i % n) && (!masked || counted[Math.floor(i / n)]))

const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0)
const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0)

describe('areas', () => {
  const thresholds = [-1e-7, ...Array.from({ length: 18 }, (_, i) => (i + 1) / 19), 1 + 1e-7]

  /** Keras' keras.metrics.AUC.result, of elements with weights. */
  function areaOf(chosen: readonly number[], weightOf: (i: number) => number, curve: string, method: string) {
    const count = (positive: boolean) =>
      thresholds.map(limit =>
        sum(chosen.filter(i => probabilities[i]! > limit && (bits[i] === 1) === positive).map(weightOf)),
      )
    const [tp, fp] = [count(true), count(false)]
    const total = tp[0]!
    if (curve === 'PR' && method === 'interpolation') {
      const p = tp.map((value, i) => value + fp[i]!)
      return sum(
        tp.slice(1).map((after, i) => {
          const slope = share(tp[i]! - after, Math.max(p[i]! - p[i + 1]!, 0))
          const intercept = after - slope * p[i + 1]!
          const both = p[i]! > 0 && p[i + 1]! > 0
          const ratio = both ? p[i]! / Math.max(p[i + 1]!, 0) : 1
          return share(slope * (tp[i]! - after + intercept * Math.log(ratio)), total)
        }),
      )
    }
    const recall = tp.map(value => share(value, total))
    const x = curve === 'ROC' ? fp.map(value => share(value, fp[0]!)) : recall
    const y = curve === 'ROC' ? recall : tp.map((value, i) => share(value, value + fp[i]!))
    const height = (a: number, b: number) =>
      method === 'minoring' ? Math.min(a, b) : method === 'majoring' ? Math.max(a, b) : (a + b) / 2
    return sum(y.slice(1).map((after, i) => (x[i]! - x[i + 1]!) * height(y[i]!, after)))
  }

  const weights = [0.5, 2, 0, 1]
  const cases = (['ROC', 'PR'] as const).flatMap(curve =>
    (['interpolation', 'minoring', 'majoring'] as const).flatMap(summationMethod =>
      [false, true].map(masked => [curve, summationMethod, masked] as const),
    ),
  )
  test.each(cases)('%s, %s, masked %s', async (curve, summationMethod, masked) => {
    const shared = { curve, summationMethod, numThresholds: 20 }
    const found = await measure(
      probabilities,
      [
        metrics.auc(shared),
        metrics.auc({ ...shared, multiLabel: true, name: 'labels' }),
        metrics.auc({ ...shared, multiLabel: true, labelWeights: weights, name: 'weightedLabels' }),
        metrics.auc({ ...shared, labelWeights: weights, name: 'weighted' }),
      ],
      masked,
    )
    const one = () => 1
    const byLabel = [0, 1, 2, 3].map(j => areaOf(elements(masked, [j]), one, curve, summationMethod))
    const wanted = {
      auc: areaOf(elements(masked), one, curve, summationMethod),
      labels: sum(byLabel) / n,
      weightedLabels: sum(byLabel.map((area, j) => area * weights[j]!)) / sum(weights),
      weighted: areaOf(elements(masked), i => weights[i % n]!, curve, summationMethod),
    }
    for (const [name, value] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(value, 12)
  })

  test('of logits are those of probabilities', async () => {
    const list = (fromLogits: boolean) => [
      metrics.auc({ fromLogits }),
      metrics.auc({ fromLogits, multiLabel: true, curve: 'PR' }),
    ]
    const expected = await measure(probabilities, list(false), true)
    const found = await measure(logits, list(true), true)
    expect([found.auc, found.auc_1]).toEqual([expected.auc, expected.auc_1])
  })
})

describe('counts', () => {
  const at = (limit: number, chosen: readonly number[]) => {
    const above = chosen.filter(i => probabilities[i]! > limit)
    const tp = above.filter(i => bits[i] === 1).length
    const actual = chosen.filter(i => bits[i] === 1).length
    return { tp, fp: above.length - tp, fn: actual - tp, tn: chosen.length - above.length - actual + tp }
  }

  test.each([false, true])('at several thresholds make a metric each, masked %s', async masked => {
    const thresholds = [0.25, 0.75]
    const kinds = ['truePositives', 'falsePositives', 'trueNegatives', 'falseNegatives'] as const
    const found = await measure(
      probabilities,
      [
        ...kinds.map(kind => metrics[kind]({ thresholds })),
        metrics.precision({ thresholds }),
        metrics.recall({ thresholds, name: 'found' }),
        metrics.trueNegatives,
      ],
      masked,
    )
    for (const limit of thresholds) {
      const { tp, fp, fn, tn } = at(limit, elements(masked))
      const numbers = kinds.map(kind => found[`${kind}_${limit}`])
      expect(numbers).toEqual([tp, fp, tn, fn])
      expect([found[`precision_${limit}`], found[`found_${limit}`]]).toEqual([tp / (tp + fp), tp / (tp + fn)])
    }
    expect(found.trueNegatives).toBe(at(0.5, elements(masked)).tn)
  })

  test.each([false, true])('of one class, and of the largest of each row, masked %s', async masked => {
    const found = await measure(
      probabilities,
      [
        metrics.precision({ classId: 2, name: 'third' }),
        metrics.recall({ classId: 0, thresholds: 0.3, name: 'first' }),
        metrics.precision({ topK: 2, name: 'top' }),
        metrics.recall({ topK: 2, thresholds: 0.6, name: 'topAbove' }),
        metrics.precision({ topK: 2, classId: 1, name: 'topSecond' }),
      ],
      masked,
    )
    const third = at(0.5, elements(masked, [2]))
    const first = at(0.3, elements(masked, [0]))
    expect([found.third, found.first]).toEqual([
      third.tp / (third.tp + third.fp),
      first.tp / (first.tp + first.fn),
    ])
    const amongTwo = (i: number) => {
      const from = i - (i % n)
      return [0, 1, 2, 3].filter(j => probabilities[from + j]! > probabilities[i]!).length < 2
    }
    const positives = (chosen: readonly number[]) => chosen.filter(i => bits[i] === 1)
    const top = elements(masked).filter(amongTwo)
    expect(found.top).toBe(positives(top).length / top.length)
    const above = positives(top.filter(i => probabilities[i]! > 0.6))
    expect(found.topAbove).toBe(above.length / positives(elements(masked)).length)
    const second = elements(masked, [1]).filter(amongTwo)
    expect(found.topSecond).toBe(positives(second).length / second.length)
  })
})

test('errors and scores leave masked steps out', async () => {
  const list = [
    metrics.r2Score,
    metrics.rootMeanSquaredError,
    metrics.cosineSimilarity,
    metrics.meanAbsoluteError,
    metrics.fBetaScore({ beta: 2, threshold: 0.6, average: 'weighted' }),
    metrics.binaryAccuracy({ threshold: 0.3 }),
    metrics.topKCategoricalAccuracy({ k: 2 }),
  ]
  const found = await measure(probabilities, list, true)
  const kept = (values: Float32Array) => values.filter((_, i) => counted[Math.floor(i / n)])
  const [p, t] = [kept(probabilities), kept(bits)]
  const model = ls.sequential({ layers: [ls.layers.activation({ activation: 'linear', inputShape: [n] })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: list })
  const shape = [p.length / n, n]
  const expected = await model.evaluateAsync(ls.tensor(p, shape), ls.tensor(t, shape))
  model.dispose()
  for (const [name, value] of Object.entries(expected)) expect(found[name], name).toBeCloseTo(value, 9)
})

test.each([
  ['sparseCategoricalCrossentropy', [1], 3, 'sparseCategoricalCrossentropy'],
  ['binaryCrossentropy', [1, 0, 1], 3, 'binaryCrossentropy'],
  ['categoricalCrossentropy', [0, 1, 0], 3, 'categoricalCrossentropy'],
  ['meanSquaredError', [1], 1, 'binaryCrossentropy'],
] as const)('crossentropy beside %s', async (loss, target, units, name) => {
  const model = ls.sequential({
    layers: [ls.layers.dense({ units, activation: 'sigmoid', inputShape: [2] })],
  })
  model.compile({ optimizer: 'sgd', loss, metrics: ['crossentropy', 'ce', name] })
  const found = await model.evaluateAsync(
    ls.tensor([0.3, 2], [1, 2]),
    ls.tensor([...target], [1, target.length]),
  )
  model.dispose()
  expect([found.ce, found.ce_1]).toEqual([found[name], found[name]])
})

test('what cannot be is refused', () => {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 3, inputShape: [2] })] })
  const compile = (metric: Metric) => () =>
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: [metric] })
  expect(compile(metrics.auc({ labelWeights: [1, 2] }))).toThrow(
    new RangeError('compile: labelWeights of auc must be 3, one a label, got 2; correct them'),
  )
  expect(compile(metrics.recall({ classId: 3 }))).toThrow(
    new RangeError('compile: classId of recall must be below 3, the classes predicted, got 3; correct it'),
  )
  expect(() => metrics.auc({ summationMethod: 'minor' as 'minoring' })).toThrow(
    new RangeError(
      'auc: summationMethod must be one of "interpolation", "minoring", "majoring", got "minor"',
    ),
  )
  expect(() => metrics.auc({ labelWeights: [1, -1] })).toThrow(
    new RangeError('auc: labelWeights must be a number >= 0, got -1'),
  )
  expect(() => metrics.precision({ thresholds: [0.5, 2] })).toThrow(
    new RangeError('precision: thresholds must be in [0, 1], got 2'),
  )
  expect(() => metrics.truePositives({ thresholds: [] })).toThrow(
    new RangeError('truePositives: thresholds must be a number or several, got []; leave it out'),
  )
  expect(() => metrics.precision({ topK: 0 })).toThrow(
    new RangeError('precision: topK must be a positive integer, got 0'),
  )
  expect(() => metrics.binaryAccuracy({ threshold: [0.5] as never })).toThrow(
    new TypeError('binaryAccuracy: threshold must be in [0, 1], got [0.5]'),
  )
  model.dispose()
})
