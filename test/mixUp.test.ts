import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { Draws } from './reference/random.ts'

const [rows, features, classes] = [30, 5, 3]
const labels = Float32Array.from({ length: rows }, (_, i) => (i * 2) % classes)
const oneHot = Float32Array.from({ length: rows * classes }, (_, i) =>
  Number(i % classes === labels[Math.floor(i / classes)]),
)
const bytes = Uint8Array.from(noise(rows * features, 3), x => Math.floor(127 * (x + 1)))
const floats = noise(rows * features, 4)

interface Kind {
  sparse: boolean
  x: Uint8Array | Float32Array
  mixUp?: number
}

/** Weights and history of two epochs. */
async function trained({ sparse, x, mixUp = 0.4 }: Kind, options: ls.FitOptions) {
  const model = ls.sequential({
    seed: 3,
    layers: [
      ls.layers.dense({ units: 6, activation: 'tanh', inputShape: [features] }),
      ls.layers.dropout({ rate: 0.2 }),
      ls.layers.dense({ units: classes, activation: 'softmax' }),
    ],
  })
  const loss = sparse ? 'sparseCategoricalCrossentropy' : 'categoricalCrossentropy'
  model.compile({ optimizer: ls.train.adam(0.01), loss, metrics: ['accuracy'], leaves: 2, mixUp })
  const [inputs, targets] = [
    ls.tensor(x, [rows, features]),
    sparse ? ls.tensor(labels, [rows, 1]) : ls.tensor(oneHot, [rows, classes]),
  ]
  const sampleWeight = noise(rows, 9).map(w => 1 + w / 2)
  const { history } = await model.fit(inputs, targets, {
    epochs: 2,
    batchSize: 8,
    seed: 5,
    sampleWeight,
    verbose: 0,
    ...options,
  })
  const weights = model.getWeights().flatMap(weight => [...weight.dataSync()] as number[])
  model.dispose()
  return { history, weights }
}

test.each([
  { title: 'vectors', sparse: false, x: floats },
  { title: 'class numbers', sparse: true, x: floats },
  { title: 'bytes', sparse: false, x: bytes },
  { title: 'bytes and class numbers', sparse: true, x: bytes, mixUp: 2 },
])('mixing of $title does not depend on workers, accumulation or streaming', async kind => {
  const alone = await trained(kind, { workers: 1 })
  expect(alone.weights.every(Number.isFinite)).toBe(true)
  for (const options of [
    { workers: 3 },
    { workers: 2, accumulate: true },
    { workers: 2, stream: true },
    { workers: 3, stream: true, accumulate: true },
  ])
    expect(await trained(kind, options)).toEqual(alone)
  expect((await trained({ ...kind, mixUp: 0 }, { workers: 1 })).weights).not.toEqual(alone.weights)
})

test('class numbers train as their one-hot vectors do, by mixed losses', async () => {
  const [numbers, vectors] = [
    await trained({ sparse: true, x: floats }, { workers: 1 }),
    await trained({ sparse: false, x: floats }, { workers: 1 }),
  ]
  expect(relativeError(numbers.weights, vectors.weights)).toBeLessThan(1e-5)
  expect(relativeError(numbers.history.loss!, vectors.history.loss!)).toBeLessThan(1e-5)
  expect(numbers.history.acc).toEqual(vectors.history.acc)
})

/** Partner and own share of a row in the first step, in float64. */
function mixOf(row: number, count: number, alpha: number): [partner: number, share: number] {
  const { uniform } = new Draws([5, 0], 1, 0)
  const partner = Math.floor(uniform(0, row) * count)
  for (let element = 2; ; element += 2) {
    if (element % 16 === 0) continue
    const [u, v] = [1 - uniform(element, row), 1 - uniform(element + 1, row)]
    const [p, q] = [u ** (1 / alpha), v ** (1 / alpha)]
    if (alpha < 1 && p + q <= 1) return [partner, p / (p + q)]
    if (alpha >= 1 && v <= (4 * u * (1 - u)) ** (alpha - 1)) return [partner, u]
  }
}

test.each([0.3, 1, 2.5])('a step of linear regression with mixUp %d, in float64', async mixUp => {
  const model = ls.sequential({
    layers: [
      ls.layers.dense({ units: 1, useBias: false, inputShape: [features], kernelInitializer: 'zeros' }),
    ],
  })
  model.compile({ optimizer: ls.train.sgd(0.5), loss: 'meanSquaredError', mixUp })
  const y = noise(rows, 8)
  const [xs, ys] = [ls.tensor(floats, [rows, features]), ls.tensor(y, [rows, 1])]
  const { history } = await model.fit(xs, ys, { batchSize: rows, seed: 5, shuffle: false, workers: 2 })
  const w = new Float64Array(features)
  let loss = 0
  for (let row = 0; row < rows; row++) {
    const [partner, share] = mixOf(row, rows, mixUp)
    const mixed = (values: Float32Array, i: number, size: number) =>
      share * values[row * size + i]! + (1 - share) * values[partner * size + i]!
    const target = mixed(y, 0, 1)
    loss += target ** 2 / rows
    for (let i = 0; i < features; i++) w[i]! += (0.5 * 2 * target * mixed(floats, i, features)) / rows
  }
  expect(relativeError(model.getWeights()[0]!.dataSync() as Float32Array, w)).toBeLessThan(2e-6)
  expect(relativeError(history.loss!, [loss])).toBeLessThan(2e-6)
  model.dispose()
})

test('evaluation and prediction mix nothing; trainOnBatch does', async () => {
  const models = [0, 5].map(mixUp => {
    const model = ls.sequential({ seed: 1, layers: [ls.layers.dense({ units: 1, inputShape: [features] })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', mixUp })
    return model
  })
  const [x, y] = [ls.tensor(floats, [rows, features]), ls.tensor(noise(rows, 8), [rows, 1])]
  const results = models.map(model => [model.evaluate(x, y), model.predict(x)].flat().map(t => t.dataSync()))
  expect(results[0]).toEqual(results[1])
  const [plain, mixed] = await Promise.all(models.map(model => model.trainOnBatch(x, y)))
  expect(mixed).not.toEqual(plain)
  for (const model of models) model.dispose()
})

test('mixUp must be a number that is not negative', async () => {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [features] })] })
  const compile = (mixUp: unknown) => () =>
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', mixUp: mixUp as number })
  expect(await caught(compile(-1))).toBe('RangeError: compile: mixUp must be a number >= 0, got -1')
  expect(await caught(compile('0.2'))).toBe('TypeError: compile: mixUp must be a number >= 0, got "0.2"')
})
