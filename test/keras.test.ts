import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'

const { losses, metrics } = ls

type Rows = readonly (readonly number[])[]
type Loss = ls.CompileOptions['loss']
type Metrics = NonNullable<ls.CompileOptions['metrics']>

const tensorOf = (rows: Rows) => ls.tensor(rows.flat(), [rows.length, rows[0]!.length])

/** Loss and metrics of predictions as they are. */
async function logsOf(truth: Rows, predicted: Rows, loss: Loss, list: Metrics = []): Promise<number[]> {
  const identity = ls.layers.activation({ activation: 'linear', inputShape: [predicted[0]!.length] })
  const model = ls.sequential({ layers: [identity] })
  model.compile({ optimizer: 'sgd', loss, metrics: list })
  const logs = await model.evaluateAsync(tensorOf(predicted), tensorOf(truth), { batchSize: 2 })
  model.dispose()
  return Object.values(logs)
}

/** A metric of predictions as they are. */
const measured = async (truth: Rows, predicted: Rows, ...list: ls.CompileOptions['metrics'] & object[]) =>
  (await logsOf(truth, predicted, 'meanSquaredError', list as Metrics)).slice(1)

const column = (...values: number[]): Rows => values.map(value => [value])

describe('numbers that the documentation of Keras 3 prints', () => {
  const [truth, predicted] = [column(0, 1, 1, 1), column(1, 0, 1, 1)]
  const rows = [
    ['auc', metrics.auc({ numThresholds: 3 }), column(0, 0, 1, 1), column(0, 0.5, 0.3, 0.9), 0.75],
    ['precision', metrics.precision, truth, predicted, 2 / 3],
    ['precision of 2', metrics.precision({ topK: 2 }), [[0, 0, 1, 1]], [[1, 1, 1, 1]], 0],
    ['precision of 4', metrics.precision({ topK: 4 }), [[0, 0, 1, 1]], [[1, 1, 1, 1]], 0.5],
    ['recall', metrics.recall, truth, predicted, 2 / 3],
    ['truePositives', metrics.truePositives, truth, predicted, 2],
    ['falsePositives', metrics.falsePositives, column(0, 1, 0, 0), column(0, 0, 1, 1), 2],
    ['trueNegatives', metrics.trueNegatives, column(0, 1, 0, 0), column(1, 1, 0, 0), 2],
    ['falseNegatives', metrics.falseNegatives, truth, column(0, 1, 0, 0), 2],
    ['r2Score', metrics.r2Score, column(1, 4, 3), column(2, 4, 4), 4 / 7],
    ['binaryAccuracy', metrics.binaryAccuracy, column(1, 1, 0, 0), column(0.98, 1, 0, 0.6), 0.75],
    [
      'topKCategoricalAccuracy',
      metrics.topKCategoricalAccuracy({ k: 1 }),
      [
        [0, 0, 1],
        [0, 1, 0],
      ],
      [
        [0.1, 0.9, 0.8],
        [0.05, 0.95, 0],
      ],
      0.5,
    ],
  ] as const
  test.each(rows)('%s', async (_, metric, truth, predicted, expected) => {
    expect((await measured(truth, predicted, metric))[0]).toBeCloseTo(expected, 12)
  })

  const pairs = [
    [
      [0, 1],
      [0, 0],
    ],
    [
      [1, 1],
      [0, 0],
    ],
  ] as const
  const vectors = [
    [
      [0, 1],
      [1, 1],
    ],
    [
      [1, 0],
      [1, 1],
    ],
  ] as const
  test.each([
    ['rootMeanSquaredError', pairs, 0.5],
    ['meanAbsolutePercentageError', pairs, 250_000_000],
    ['cosineSimilarity', vectors, 0.5],
    ['meanSquaredError', pairs, 0.25],
  ] as const)('%s', async (name, [truth, predicted], expected) => {
    const [found] = await measured(truth, predicted, name as never)
    expect(found! / expected).toBeCloseTo(1, 6)
  })

  test('F scores', async () => {
    const truth = [
      [1, 1, 1],
      [1, 0, 0],
      [1, 1, 0],
    ]
    const predicted = [
      [0.2, 0.6, 0.7],
      [0.2, 0.6, 0.6],
      [0.6, 0.8, 0],
    ]
    const mean = (...scores: number[]) => scores.reduce((sum, score) => sum + score / 3, 0)
    const found = await measured(
      truth,
      predicted,
      metrics.f1Score({ threshold: 0.5 }),
      metrics.fBetaScore({ beta: 2, threshold: 0.5 }),
    )
    expect(found[0]).toBeCloseTo(mean(0.5, 0.8, 2 / 3), 7)
    expect(found[1]).toBeCloseTo(mean(0.3846154, 0.90909094, 0.8333334), 6)
  })

  const soft = [
    [0.05, 0.95, 0],
    [0.1, 0.8, 0.1],
  ]
  const hot = [
    [0, 1, 0],
    [0, 0, 1],
  ]
  const logits = [
    [-18.6, 0.51],
    [2.94, -12.8],
  ]
  test.each([
    ['categorical focal', losses.categoricalFocalCrossentropy, hot, soft, 0.23315276],
    ['of weights', losses.categoricalFocalCrossentropy({ alpha: [0.25, 0.25, 0.25] }), hot, soft, 0.23315276],
    [
      'binary focal',
      losses.binaryFocalCrossentropy({ fromLogits: true }),
      [[0, 1, 0, 0]],
      [logits.flat()],
      0.691,
    ],
    [
      'of gamma 3',
      losses.binaryFocalCrossentropy({ fromLogits: true, gamma: 3 }),
      [
        [0, 1],
        [0, 0],
      ],
      logits,
      0.647,
    ],
    [
      'balanced',
      losses.binaryFocalCrossentropy({ fromLogits: true, applyClassBalancing: true }),
      [[0, 1, 0, 0]],
      [logits.flat()],
      0.51,
    ],
  ] as const)('loss %s', async (_, loss, truth, predicted, expected) => {
    const [found] = await logsOf(truth, predicted, loss)
    expect(Math.abs(found! - expected)).toBeLessThan(expected < 0.3 ? 1e-7 : 2e-3)
  })
})

describe('numbers that the documentation of scikit-learn prints', () => {
  const hot = (...classes: number[]): Rows => classes.map(c => [0, 1, 2].map(j => Number(j === c)))

  test('roc_auc_score', async () => {
    const [found] = await measured(
      column(0, 0, 1, 1),
      column(0.1, 0.4, 0.35, 0.8),
      metrics.auc({ numThresholds: 1000 }),
    )
    expect(found).toBeCloseTo(0.75, 12)
  })

  test.each([
    ['macro', 4 / 15],
    ['micro', 1 / 3],
    ['weighted', 4 / 15],
  ] as const)('f1_score, %s', async (average, expected) => {
    const [found] = await measured(hot(0, 1, 2, 0, 1, 2), hot(0, 2, 1, 0, 0, 1), metrics.f1Score({ average }))
    expect(found).toBeCloseTo(expected, 12)
  })

  test('fbeta_score', async () => {
    const found = await measured(
      hot(0, 1, 2, 0, 1, 2),
      hot(0, 2, 1, 0, 0, 1),
      ...(['macro', 'micro', 'weighted'] as const).map(average => metrics.fBetaScore({ beta: 0.5, average })),
    )
    for (const [i, expected] of [0.238095, 0.333333, 0.238095].entries())
      expect(found[i]).toBeCloseTo(expected, 5)
  })

  test('r2_score of several columns', async () => {
    const [truth, predicted] = [
      [
        [0.5, 1],
        [-1, 1],
        [7, -6],
      ],
      [
        [0, 2],
        [-1, 2],
        [8, -5],
      ],
    ]
    const found = await measured(
      truth!,
      predicted!,
      metrics.r2Score({ classAggregation: 'varianceWeightedAverage' }),
      metrics.r2Score,
    )
    expect(found[0]).toBeCloseTo(0.938257, 6)
    expect(found[1]).toBeCloseTo(0.936801, 6)
  })

  test('confusion_matrix', () => {
    const [truth, predicted] = [
      [2, 0, 2, 2, 0, 1],
      [0, 0, 2, 2, 0, 2],
    ]
    expect([...ls.math.confusionMatrix(truth!, predicted!, 3).dataSync()]).toEqual([
      2, 0, 0, 0, 0, 1, 1, 0, 2,
    ])
  })
})
