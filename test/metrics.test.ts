import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'

const [rows, n] = [37, 4]
const { metrics } = ls

/** Predictions (rows,n) are the inputs themselves. */
async function measure(
  p: Float32Array,
  t: ArrayLike<number>,
  loss: 'meanSquaredError' | 'sparseCategoricalCrossentropy',
  list: NonNullable<ls.CompileOptions['metrics']>,
  options: object = {},
) {
  const identity = ls.layers.activation({ activation: 'linear', inputShape: [n] })
  const model = ls.sequential({ layers: [identity] })
  model.compile({ optimizer: 'sgd', loss, metrics: list })
  const y = ls.tensor(Float32Array.from(t), [rows, t.length / rows])
  const logs = await model.evaluateAsync(ls.tensor(p, [rows, n]), y, { batchSize: 8, ...options })
  model.dispose()
  return logs
}

const probabilities = noise(rows * n, 3).map(u => 0.5 + 0.49 * u)
const classes = Array.from({ length: rows }, (_, r) => (r * r) % n)
const oneHot = classes.flatMap(c => Array.from({ length: n }, (_, j) => Number(j === c)))
const bits = noise(rows * n, 4).map((u, i) => Number(u + probabilities[i]! > 0.6))
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, x) => total + x, 0)
const indices = [...probabilities.keys()]

describe('areas', () => {
  /** Thresholds as Keras spaces them: counts of all elements above each. */
  const countsAt = (thresholds: number) =>
    Array.from({ length: thresholds }, (_, i) => {
      const limit = i === 0 ? -1e-7 : i === thresholds - 1 ? 1 + 1e-7 : i / (thresholds - 1)
      const above = indices.filter(i => probabilities[i]! > limit)
      const tp = above.filter(i => bits[i] === 1).length
      return { tp, fp: above.length - tp }
    })
  const positives = sum(bits)

  test.each([200, 7, 2])('under ROC with %i thresholds', async numThresholds => {
    const { auc } = await measure(probabilities, bits, 'meanSquaredError', [metrics.auc({ numThresholds })])
    const points = countsAt(numThresholds).map(({ tp, fp }) => [
      fp / (indices.length - positives),
      tp / positives,
    ])
    const area = sum(points.slice(1).map(([x, y], i) => ((points[i]![0]! - x!) * (points[i]![1]! + y!)) / 2))
    expect(auc).toBeCloseTo(area, 12)
  })

  test('with many thresholds is how often a positive is above a negative', async () => {
    const [ones, zeros] = [1, 0].map(bit => indices.filter(i => bits[i] === bit).map(i => probabilities[i]!))
    const above = sum(ones!.flatMap(p => zeros!.map(q => (p > q ? 1 : p === q ? 0.5 : 0))))
    const { auc } = await measure(probabilities, bits, 'meanSquaredError', [
      metrics.auc({ numThresholds: 100_000 }),
    ])
    expect(auc).toBeCloseTo(above / ones!.length / zeros!.length, 4)
  })

  test('under PR', async () => {
    const points = countsAt(200)
    // Keras 3: true positives grow linearly with predicted positives between two thresholds.
    const area = sum(
      points.slice(1).map(({ tp, fp }, i) => {
        const before = points[i]!
        const slope =
          before.tp + before.fp > tp + fp ? (before.tp - tp) / (before.tp + before.fp - tp - fp) : 0
        const intercept = tp - slope * (tp + fp)
        const growth = tp + fp > 0 && before.tp + before.fp > 0 ? (before.tp + before.fp) / (tp + fp) : 1
        return (slope * (before.tp - tp + intercept * Math.log(growth))) / positives
      }),
    )
    const { auc } = await measure(probabilities, bits, 'meanSquaredError', [metrics.auc({ curve: 'PR' })])
    expect(auc).toBeCloseTo(area, 12)
  })

  test('without positives is 0', async () => {
    const none = new Float32Array(rows * n)
    for (const curve of ['ROC', 'PR'] as const)
      expect((await measure(probabilities, none, 'meanSquaredError', [metrics.auc({ curve })])).auc).toBe(0)
  })
})

describe('thresholds', () => {
  const counts = (limit: number, chosen = indices) => {
    const above = chosen.filter(i => probabilities[i]! > limit)
    const tp = above.filter(i => bits[i] === 1).length
    return { tp, predicted: above.length, actual: sum(chosen.map(i => bits[i]!)) }
  }

  test('of precision, recall and accuracy', async () => {
    const { tp, predicted, actual } = counts(0.7)
    const found = await measure(probabilities, bits, 'meanSquaredError', [
      metrics.precision({ thresholds: 0.7 }),
      metrics.recall({ thresholds: 0.7 }),
      metrics.binaryAccuracy({ threshold: 0.7 }),
      metrics.precision({ thresholds: 0.2, name: 'early' }),
      'precision',
    ])
    const hits = indices.filter(i => Number(probabilities[i]! > 0.7) === bits[i]).length
    const early = counts(0.2)
    expect(found).toMatchObject({ precision: tp / predicted, recall: tp / actual })
    expect(found.precision_1).toBe(counts(0.5).tp / counts(0.5).predicted)
    expect(found.binaryAccuracy).toBeCloseTo(hits / indices.length, 12)
    expect(found.early).toBe(early.tp / early.predicted)
  })

  test('F scores of classes and of all', async () => {
    const f = ({ tp, predicted, actual }: ReturnType<typeof counts>, beta: number) =>
      ((1 + beta ** 2) * tp) / (predicted + beta ** 2 * actual)
    const columns = [0, 1, 2, 3].map(j =>
      counts(
        0.6,
        indices.filter(i => i % n === j),
      ),
    )
    const options = { threshold: 0.6 }
    const list = [
      metrics.f1Score({ ...options, name: 'macro' }),
      metrics.f1Score({ ...options, average: 'micro', name: 'micro' }),
      metrics.fBetaScore({ ...options, average: 'weighted', beta: 2, name: 'weighted' }),
    ]
    const found = await measure(probabilities, bits, 'meanSquaredError', list)
    expect(found.macro).toBeCloseTo(sum(columns.map(one => f(one, 1))) / n, 12)
    expect(found.micro).toBeCloseTo(f(counts(0.6), 1), 12)
    const weighted = sum(columns.map(one => f(one, 2) * one.actual)) / sum(columns.map(one => one.actual))
    expect(found.weighted).toBeCloseTo(weighted, 12)
  })

  test('without a threshold the largest of each row is predicted', async () => {
    const { f1Score } = await measure(probabilities, oneHot, 'meanSquaredError', ['f1Score'])
    const best = classes.map((_, r) => {
      const row = [...probabilities.subarray(r * n, r * n + n)]
      return row.indexOf(Math.max(...row))
    })
    const scores = [0, 1, 2, 3].map(c => {
      const tp = best.filter((b, r) => b === c && classes[r] === c).length
      return (2 * tp) / (best.filter(b => b === c).length + classes.filter(t => t === c).length)
    })
    expect(f1Score).toBeCloseTo(sum(scores) / n, 12)
  })
})

test('top k, of one-hot targets and class numbers', async () => {
  const rank = classes.map((c, r) => {
    const row = [...probabilities.subarray(r * n, r * n + n)]
    return row.filter(p => p > row[c]!).length
  })
  const wanted = rank.filter(above => above < 2).length / rows
  const dense = [metrics.topKCategoricalAccuracy({ k: 2 })]
  const sparse = [metrics.sparseTopKCategoricalAccuracy({ k: 2 }), 'sparseTopKCategoricalAccuracy' as const]
  const found = [
    (await measure(probabilities, oneHot, 'meanSquaredError', dense)).topKCategoricalAccuracy,
    (await measure(probabilities, classes, 'sparseCategoricalCrossentropy', sparse.slice(0, 1)))
      .sparseTopKCategoricalAccuracy,
  ]
  expect(found).toEqual([wanted, wanted])
})

test('errors and similarities are exact over the epoch', async () => {
  const p = noise(rows * n, 8).map(u => 100 + u)
  const t = noise(rows * n, 9).map(u => 100 + u)
  const list = ['r2Score', 'rootMeanSquaredError', 'mape', 'cosineSimilarity', 'cosine'] as const
  const found = await measure(p, t, 'meanSquaredError', [...list])
  const squares = p.map((x, i) => (x - t[i]!) ** 2)
  const columns = [0, 1, 2, 3].map(j => indices.filter(i => i % n === j))
  const spread = (chosen: number[]) => {
    const mean = sum(chosen.map(i => t[i]!)) / chosen.length
    return sum(chosen.map(i => (t[i]! - mean) ** 2))
  }
  const residual = (chosen: number[]) => sum(chosen.map(i => (p[i]! - t[i]!) ** 2))
  expect(found.r2Score).toBeCloseTo(sum(columns.map(c => 1 - residual(c) / spread(c))) / n, 8)
  expect(found.rootMeanSquaredError).toBeCloseTo(Math.sqrt(sum(squares) / indices.length), 6)
  const shares = p.map((x, i) => Math.abs(x - t[i]!) / t[i]!)
  expect(found.mape).toBeCloseTo((100 * sum(shares)) / indices.length, 4)
  expect(found.cosineSimilarity).toBeCloseTo(1, 3)
  expect(found.cosine).toBe(-found.cosineSimilarity!)
  const weighted = await measure(p, t, 'meanSquaredError', [
    metrics.r2Score({ classAggregation: 'varianceWeightedAverage' }),
  ])
  expect(weighted.r2Score).toBeCloseTo(1 - sum(columns.map(residual)) / sum(columns.map(spread)), 8)
})

test('the bits do not depend on workers and batches of one leaf', async () => {
  const list = [
    'auc',
    'f1Score',
    'r2Score',
    'precision',
    'cosineSimilarity',
    'topKCategoricalAccuracy',
  ] as const
  const run = (workers: number) => measure(probabilities, oneHot, 'meanSquaredError', [...list], { workers })
  const one = await run(1)
  expect(await run(2)).toEqual(one)
  expect(await run(3)).toEqual(one)
  const train = async (accumulate: boolean) => {
    const layers = [ls.layers.dense({ units: n, activation: 'softmax', inputShape: [n] })]
    const model = ls.sequential({ layers, seed: 1 })
    model.compile({
      optimizer: 'sgd',
      loss: 'categoricalCrossentropy',
      metrics: ['auc', 'r2Score', 'f1Score'],
      leaves: 3,
    })
    const [x, y] = [ls.tensor(probabilities, [rows, n]), ls.tensor(oneHot, [rows, n])]
    const { history } = await model.fit(x, y, { batchSize: 10, seed: 1, accumulate, workers: 2 })
    model.dispose()
    return history
  }
  const [all, leaves] = [await train(false), await train(true)]
  for (const [name, [value]] of Object.entries(all)) expect(leaves[name]![0]).toBeCloseTo(value!, 10)
})

test('what cannot be is refused', () => {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 3, inputShape: [2] })] })
  const compile = (loss: ls.CompileOptions['loss'], metric: string) => () =>
    model.compile({ optimizer: 'sgd', loss, metrics: [metric as 'auc'] })
  expect(compile('sparseCategoricalCrossentropy', 'auc')).toThrow(
    new RangeError(
      'compile: metric auc must have targets of shape [3], got [1] of loss sparseCategoricalCrossentropy; ' +
        'choose the metric that fits the loss',
    ),
  )
  expect(() => metrics.auc({ curve: 'P' as 'PR' })).toThrow(
    new RangeError('auc: curve must be one of "ROC", "PR", got "P"; did you mean "PR"?'),
  )
  expect(() => metrics.auc({ numThresholds: 1 })).toThrow(
    new RangeError('auc: numThresholds must be a number >= 2, got 1'),
  )
  expect(() => metrics.precision({ thresholds: 1.5 })).toThrow(
    new RangeError('precision: thresholds must be in [0, 1], got 1.5'),
  )
  expect(() => metrics.topKCategoricalAccuracy({ k: 0 })).toThrow(
    new RangeError('topKCategoricalAccuracy: k must be a positive integer, got 0'),
  )
  expect(() => metrics.f1Score({ average: 'mean' as 'macro' })).toThrow(
    new RangeError('f1Score: average must be one of "micro", "macro", "weighted", got "mean"'),
  )
  model.dispose()
})
