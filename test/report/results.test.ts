import { expect, test } from 'vitest'
import { randomNumbers } from '../../src/data/random.ts'
import { Tensor } from '../../src/index.ts'
import { binsOf, classReport, curvesOf } from '../../src/report/classes.ts'
import { bestEpochOf } from '../../src/report/curves.ts'
import { countsOf } from '../../src/report/regression.ts'
import { remarksOnClasses, remarksOnScore, remarksOnTraining } from '../../src/report/remarks.ts'
import type { TrainingSummary } from '../../src/report/report.ts'
import { importanceOf } from '../../src/tables/importance.ts'

const draw = randomNumbers(5)
const rows = 300
/** Of two classes; probabilities of two digits, so that many are equal. */
const truth = Array.from({ length: rows }, () => Number(draw() < 0.3))
const positive = truth.map(
  one => Math.round(100 * Math.min(1, Math.max(0, 0.35 + 0.3 * one + 0.5 * (draw() - 0.5)))) / 100,
)
const outputs = positive.flatMap(p => [1 - p, p])
const predicted = { names: ['no', 'yes'], outputs, truth }

test('the area under ROC is the share of pairs in the right order, equal ones counting half', () => {
  let [pairs, ordered] = [0, 0]
  for (const [i, one] of truth.entries())
    for (const [j, other] of truth.entries()) {
      if (one !== 1 || other !== 0) continue
      pairs++
      ordered += positive[i]! > positive[j]! ? 1 : positive[i] === positive[j] ? 0.5 : 0
    }
  const { rocArea, roc } = curvesOf(predicted, 1)!
  expect(rocArea).toBeCloseTo(ordered / pairs, 12)
  expect([roc[0], roc.at(-1)]).toEqual([
    [0, 0],
    [1, 1],
  ])
})

test('the other area is the mean of the precision at each row that is found', () => {
  const found = positive.filter((_, i) => truth[i] === 1)
  const precisionAt = (least: number) => {
    const taken = truth.filter((_, i) => positive[i]! >= least)
    return taken.filter(one => one === 1).length / taken.length
  }
  const mean = found.reduce((sum, p) => sum + precisionAt(p), 0) / found.length
  expect(curvesOf(predicted, 1)!.prArea).toBeCloseTo(mean, 12)
  expect(curvesOf({ ...predicted, truth: truth.map(() => 0) }, 1)).toBeUndefined()
})

test('calibration compares probabilities with shares, bin by bin', () => {
  const { bins, of } = binsOf(predicted)
  expect(of).toBe('yes')
  expect(bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(rows)
  const bin = bins.find(one => one.predicted >= 0.4 && one.predicted < 0.5)!
  const inside = truth.filter((_, i) => Math.floor(10 * positive[i]!) === 4)
  expect(bin.rows).toBe(inside.length)
  expect(bin.actual).toBeCloseTo(inside.filter(one => one === 1).length / inside.length, 12)
  const sure = { names: ['a', 'b', 'c'], outputs: [0.9, 0.1, 0, 0.2, 0.7, 0.1], truth: [0, 2] }
  const scores = { confusion: [], calibrationError: 0.1, uncalibratedError: 0.2 }
  expect(classReport(sure, scores).calibration).toEqual({
    of: 'the class that is predicted',
    bins: [
      { predicted: 0.7, actual: 0, rows: 1 },
      { predicted: 0.9, actual: 1, rows: 1 },
    ],
    error: 0.1,
    before: 0.2,
  })
})

test('a histogram counts every number, the outermost columns those beyond, too', () => {
  const values = Array.from({ length: 1000 }, () => draw() - 0.5)
  const { edges, counts } = countsOf([...values, 1e6, Number.NaN])
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1001)
  expect(edges.at(-1)).toBeLessThan(1)
  expect(countsOf([3, 3, 3])).toEqual({ edges: [2.5, 3.5], counts: [3] })
  expect(countsOf([])).toEqual({ edges: [0, 1], counts: [0] })
})

test('importance is the loss that shuffling a column costs: none for one that is not used', async () => {
  const x = new Tensor(
    Float32Array.from({ length: 3 * rows }, () => draw()),
    [rows, 3],
    'float32',
  )
  const predict = async ({ values }: Tensor) =>
    Float32Array.from({ length: values.length / 3 }, (_, i) => 3 * values[3 * i]! + values[3 * i + 1]!)
  const made = await predict(x)
  const target = { name: 'y', task: 'regression', type: 'number', mean: 1, deviation: 2 } as const
  const truths = Float64Array.from(made, output => 1 + 2 * output)
  const columns = ['a', 'b', 'c'].map((name, i) => ({ name, from: i, to: i + 1 }))
  const measure = (seed: number) =>
    importanceOf(target, columns, { x, truth: truths, outputs: made }, predict, seed)
  const found = (await measure(1))!
  expect(found.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  // The root mean square of the difference of two draws from [0, 1), times 2·3 and 2·1.
  expect(found.columns[0]!.increase).toBeCloseTo(6 / Math.sqrt(6), 0)
  expect(found.columns[1]!.increase).toBeCloseTo(2 / Math.sqrt(6), 0)
  expect(found.columns[2]).toMatchObject({ increase: 0, deviation: 0 })
  expect(await measure(1)).toEqual(found)
  expect(await measure(2)).not.toEqual(found)
})

const summary = (
  curve: (epoch: number) => { loss: number; val_loss: number; gradientNorm?: number },
  length = 30,
  more: object = {},
): TrainingSummary => ({
  epochs: Array.from({ length }, (_, i) => ({
    epoch: i + 1,
    logs: curve(i + 1),
    learningRate: 0.1,
    ...more,
  })),
  planned: 100,
  plan: {},
})

test.each<[string, TrainingSummary, RegExp[]]>([
  [
    'overfitting',
    summary(e => ({ loss: 1 / e, val_loss: 0.5 + (e - 10) ** 2 / 500 })),
    [/rose from 0.5 at epoch 10 to 1.\d+ at the end/, /\(0.5\) is 5 times the training loss \(0.1\)/],
  ],
  ['no overfitting', summary(e => ({ loss: 1 / e, val_loss: 1.05 / e })), [/close to training loss/]],
  [
    'training that was not done',
    summary(e => ({ loss: 1 / e, val_loss: 1.3 / e }), 100),
    [/still fell at the last epoch, by \d+/],
  ],
  [
    'a standstill',
    summary(e => ({ loss: 1 + 1 / e ** 4, val_loss: 1.3 })),
    [/fell by 0.0 % in the second half/],
  ],
  [
    'noise',
    summary(e => ({ loss: 3 / e, val_loss: 4 / e + (e % 2) / 2 })),
    [/jumped by \d+ % from one epoch/],
  ],
  [
    'gradients that explode',
    summary(e => ({ loss: 1 / e, val_loss: 1.3 / e, gradientNorm: e === 12 ? 50 : 1 })),
    [/came to 50, 50 times its median/],
  ],
  [
    'waiting workers',
    summary(e => ({ loss: 1 / e, val_loss: 1.3 / e }), 30, {
      pace: { samples: 1, seconds: 1, barrierShares: [0.6, 0.2] },
    }),
    [/waited for each other in 40 % of the time/],
  ],
  ['a single epoch', summary(() => ({ loss: 1, val_loss: 1 }), 1), []],
])('curves tell of %s, with the numbers', (_, training, said) => {
  const texts = remarksOnTraining(training).map(({ text }) => text)
  for (const pattern of said)
    expect(
      texts.some(text => pattern.test(text)),
      texts.join('\n'),
    ).toBe(true)
  expect(texts.length).toBeGreaterThanOrEqual(said.length)
  if (said.length === 0) expect(texts).toEqual([])
})

test('gradients before anything is learned, and workers that were given up, are no matter', () => {
  const training = summary(e => ({
    loss: 1 / e,
    val_loss: 1.3 / e,
    gradientNorm: e < 4 ? 50 / e : 1 + 1 / e,
  }))
  const epochs = training.epochs.map((epoch, i) => ({
    ...epoch,
    pace: { samples: 1, seconds: 1, barrierShares: i === 1 ? [0.1, 0.6] : [] },
  }))
  const texts = remarksOnTraining({ ...training, epochs }).map(({ text }) => text)
  expect(texts.join()).not.toMatch(/gradients|waited/)
})

test('scores tell where nothing was learned, where rows are few, and which classes are missed', () => {
  const score = { name: 'accuracy', value: 0.6, baseline: 0.62 }
  expect(remarksOnScore('test', 50, score).map(({ text }) => text)).toEqual([
    expect.stringMatching(/accuracy of the test part is 0.6, no better than 0.62/),
    expect.stringMatching(/60.0 % of 50 rows are right, give or take 6.9 %/),
  ])
  expect(remarksOnScore('test', 5000, { ...score, value: 0.9 })).toEqual([])
  const classes = [
    { name: 'a', rows: 90, recall: 1 },
    { name: 'b', rows: 9, recall: 0.1 },
    { name: 'c', rows: 0, recall: 0 },
  ]
  expect(remarksOnClasses(classes)[0]!.text).toMatch('Of "b" (9 rows) 10 % are found')
})

test('the best of very many epochs, by loss or by accuracy', () => {
  const epochs = Array.from({ length: 200_000 }, (_, i) => ({
    epoch: i + 1,
    logs: { loss: 1, val_loss: Math.abs(i - 150_000), val_acc: i === 7 ? 0.9 : 0.5 },
    learningRate: 0.1,
  }))
  expect(bestEpochOf(epochs)).toBe(150_000)
  expect(bestEpochOf(epochs, 'val_acc')).toBe(7)
  expect(bestEpochOf(epochs, 'val_other')).toBe(0)
  expect(bestEpochOf([])).toBe(-1)
})
