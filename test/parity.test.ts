import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { type Network, sequenceNetworks } from './cases/sequenceNetworks.ts'
import {
  batchOf,
  close,
  numbers,
  predictionsOf,
  type Recipe,
  readByOurs,
  readByTheirs,
  type Twins,
  twins,
  weightsOf,
} from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const classes = 3
const networks: Record<string, Network> = {
  ...sequenceNetworks,
  MLP: {
    input: [10],
    recipe: [
      ['dense', { units: 17, activation: 'relu' }],
      ['dense', { units: 8, activation: 'tanh', useBias: false }],
      ['activation', { activation: 'selu' }],
      ['dense', { units: classes, activation: 'softmax' }],
    ],
  },
  'MLP on rows': {
    input: [4, 6],
    recipe: [
      ['dense', { units: 5, activation: 'swish' }],
      ['leakyReLU', { alpha: 0.2 }],
      ['reshape', { targetShape: [2, 10] }],
      ['batchNormalization', { momentum: 0.8 }],
      ['flatten'],
      ['dropout', { rate: 0 }],
      ['dense', { units: classes, activation: 'softmax' }],
    ],
  },
  CNN: {
    input: [9, 11, 2],
    recipe: [
      ['conv2d', { filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }],
      ['batchNormalization', { momentum: 0.9 }],
      ['maxPooling2d', { poolSize: 2, strides: 2 }],
      ['conv2d', { filters: 17, kernelSize: [2, 3], strides: [1, 2], useBias: false }],
      ['batchNormalization', { epsilon: 0.01 }],
      ['activation', { activation: 'elu' }],
      // Not 'same': there TensorFlow.js' gradient divides by the whole window, its mean by what lies inside.
      ['averagePooling2d', { poolSize: 2, strides: 1 }],
      ['flatten'],
      ['dense', { units: classes, activation: 'softmax' }],
    ],
  },
  'CNN with global average': {
    input: [8, 8, 1],
    recipe: [
      ['conv2d', { filters: 8, kernelSize: 3, strides: 2, padding: 'same', activation: 'softplus' }],
      ['maxPooling2d', { poolSize: 3, strides: 1, padding: 'same' }],
      ['globalAveragePooling2d', {}],
      ['dense', { units: classes, activation: 'softmax' }],
    ],
  },
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const inputOf = ({ input, integers, padding }: Network, rows: number, seed: number) => {
  const values = noise(rows * sizeOf(input), seed)
  const n = sizeOf(input.slice(1))
  const x = values.map((value, i) => {
    if (padding !== undefined && Math.floor(i / n) % 3 === 1) return padding
    return integers === undefined ? value : Math.floor(((value + 1) / 2) * integers)
  })
  return batchOf(x, [rows, ...input])
}
const labels = (rows: number) => Float32Array.from({ length: rows }, (_, i) => (i * 2) % classes)
const oneHot = (rows: number) =>
  batchOf(
    Float32Array.from({ length: rows * classes }, (_, i) =>
      Number(labels(rows)[Math.floor(i / classes)] === i % classes),
    ),
    [rows, classes],
  )

/** All weights, moving statistics too. */
function closeWeights({ ours, theirs }: Twins): void {
  const expected = weightsOf(theirs)
  weightsOf(ours).forEach((w, i) => close(w, expected[i]!, ours.weights[i]!.name))
}

describe.each(Object.entries(networks))('%s', (_, network) => {
  test('predicts, evaluates and trains as TensorFlow.js', async () => {
    const pair = twins(network.recipe, network.input)
    const { ours, theirs } = pair
    const [x, y] = [inputOf(network, 12, 1), oneHot(12)]
    close(ours.predict(x.ours).dataSync(), predictionsOf(theirs, x.theirs), 'predictions')
    const options = { loss: 'categoricalCrossentropy', metrics: ['accuracy'] } as const
    ours.compile({ ...options, optimizer: ls.train.sgd(0.1) })
    theirs.compile({ ...options, metrics: ['accuracy'], optimizer: tf.train.sgd(0.1) })
    const evaluated = (ours.evaluate(x.ours, y.ours) as ls.Tensor[]).flatMap(
      t => [...t.dataSync()] as number[],
    )
    const theirsEvaluated = (theirs.evaluate(x.theirs, y.theirs) as tf.Scalar[]).flatMap(t => [
      ...t.dataSync(),
    ])
    close(evaluated, theirsEvaluated, 'evaluation')
    for (let step = 0; step < 5; step++) {
      const [xs, ys] = [inputOf(network, 12 - step, 10 + step), oneHot(12 - step)]
      const found = numbers(await ours.trainOnBatch(xs.ours, ys.ours))
      close(found, numbers(await theirs.trainOnBatch(xs.theirs, ys.theirs)), 'losses')
    }
    closeWeights(pair)
    close(ours.predict(x.ours).dataSync(), predictionsOf(theirs, x.theirs), 'trained predictions')
    ours.dispose()
  })

  test('saved models are read by the other side', async () => {
    const { ours, theirs } = twins(network.recipe, network.input)
    const x = inputOf(network, 5, 2)
    const expected = ours.predict(x.ours).dataSync()
    close(predictionsOf(await readByTheirs(ours), x.theirs), expected, 'read by TensorFlow.js')
    const again = await readByOurs(theirs)
    expect(again.predict(x.ours).dataSync()).toEqual(expected)
    for (const model of [ours, again]) model.dispose()
  })
})

test('getWeights leaves out what is not trained, as in TensorFlow.js', () => {
  const { ours, theirs } = twins(
    [
      ['dense', { units: 3 }],
      ['batchNormalization', {}],
    ],
    [2],
  )
  const shapes = theirs.getWeights(true).map(({ shape }) => shape)
  expect(ours.getWeights(true).map(({ shape }) => shape)).toEqual(shapes)
  expect(ours.getWeights()).toHaveLength(shapes.length + 2)
  ours.dispose()
})

test('a reshape of unknown size, for which TensorFlow.js saves null, is read', async () => {
  const recipe: Recipe = [
    ['reshape', { targetShape: [-1, 6] }],
    ['dense', { units: 2 }],
  ]
  const { ours, theirs } = twins(recipe, [3, 4])
  const x = batchOf(noise(24, 1), [2, 3, 4])
  const expected = ours.predict(x.ours)
  expect(expected.shape).toEqual([2, 2, 2])
  const again = await readByOurs(theirs)
  expect(again.predict(x.ours).dataSync()).toEqual(expected.dataSync())
  close(predictionsOf(await readByTheirs(again), x.theirs), expected.dataSync(), 'predictions')
})

describe('fit', () => {
  type Target = 'oneHot' | 'labels' | 'signs' | 'bits' | 'numbers'
  const cases: [ls.CompileOptions['loss'] & string, string, Target, string[]][] = [
    ['meanSquaredError', 'linear', 'numbers', ['mse', 'mae', 'meanSquaredError', 'meanAbsoluteError']],
    ['meanAbsoluteError', 'tanh', 'numbers', ['mae']],
    ['mse', 'linear', 'oneHot', ['accuracy', 'categoricalAccuracy']],
    ['mae', 'linear', 'oneHot', ['acc']],
    ['hinge', 'linear', 'signs', ['mse']],
    ['logcosh', 'linear', 'numbers', []],
    ['huber', 'linear', 'numbers', []],
    ['meanAbsolutePercentageError', 'linear', 'bits', []],
    ['meanSquaredLogarithmicError', 'sigmoid', 'bits', []],
    ['squaredHinge', 'linear', 'signs', []],
    ['categoricalHinge', 'linear', 'oneHot', []],
    ['kullbackLeiblerDivergence', 'softmax', 'oneHot', []],
    ['poisson', 'softplus', 'bits', []],
    ['cosineProximity', 'tanh', 'numbers', []],
    ['categoricalCrossentropy', 'softmax', 'oneHot', ['accuracy', 'categoricalAccuracy', 'mse']],
    ['categoricalCrossentropy', 'sigmoid', 'oneHot', ['acc', 'categoricalAccuracy']],
    ['sparseCategoricalCrossentropy', 'softmax', 'labels', ['accuracy', 'sparseCategoricalAccuracy']],
    ['sparseCategoricalCrossentropy', 'sigmoid', 'labels', ['acc']],
    ['binaryCrossentropy', 'sigmoid', 'bits', ['accuracy', 'binaryAccuracy', 'mae']],
    ['binaryCrossentropy', 'softmax', 'bits', ['acc']],
  ]
  // What TensorFlow.js has, but not under a name.
  const theirLosses: Record<string, string | ((t: tf.Tensor, p: tf.Tensor) => tf.Tensor)> = {
    huber: (t, p) => tf.losses.huberLoss(t, p),
    mse: 'meanSquaredError',
    mae: 'meanAbsoluteError',
  }
  const nameless = ['meanSquaredError', 'meanAbsoluteError', 'sparseCategoricalAccuracy', 'recall'] as const
  const theirMetric = (name: string) =>
    nameless.includes(name as 'recall') ? (tf.metrics[name as 'recall'] as unknown as string) : name
  const rows = 21
  const target = (kind: Target) => {
    const raw = noise(rows * classes, 77)
    if (kind === 'oneHot') return oneHot(rows)
    if (kind === 'labels') return batchOf(labels(rows), [rows, 1])
    const values = {
      signs: (x: number) => Math.sign(x),
      bits: (x: number) => Number(x > 0),
      numbers: (x: number) => x,
    }
    return batchOf(raw.map(values[kind]), [rows, classes])
  }

  test.each(cases)('history of %s after %s with %s', async (loss, activation, kind, metrics) => {
    const recipe: Recipe = [
      ['dense', { units: 6, activation: 'tanh' }],
      ['dense', { units: classes, activation }],
    ]
    const pair = twins(recipe, [5])
    const { ours, theirs } = pair
    const [x, y] = [batchOf(noise(rows * 5, 31), [rows, 5]), target(kind)]
    ours.compile({ loss, metrics: metrics as 'mse'[], optimizer: ls.train.sgd(0.05) })
    theirs.compile({
      loss: theirLosses[loss] ?? loss,
      metrics: metrics.map(theirMetric),
      optimizer: tf.train.sgd(0.05),
    })
    const options = { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 as const }
    const found = await ours.fit(x.ours, y.ours, { ...options, validationData: [x.ours, y.ours], workers: 2 })
    const expected = await theirs.fit(x.theirs, y.theirs, {
      ...options,
      validationData: [x.theirs, y.theirs],
    })
    expect(Object.keys(found.history).sort()).toEqual(Object.keys(expected.history).sort())
    for (const [name, values] of Object.entries(found.history))
      close(values, expected.history[name] as number[], `history.${name}`)
    closeWeights(pair)
    ours.dispose()
  })

  test('precision and recall, of predictions that are 0 or 1', async () => {
    const { ours, theirs } = twins([['dense', { units: 4, activation: 'hardSigmoid', useBias: false }]], [4])
    const identity = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 100 : 0))
    ours.setWeights([identity])
    theirs.setWeights([tf.tensor(identity, [4, 4])])
    const x = batchOf(
      noise(40, 5).map(v => Math.sign(v) * (0.1 + Math.abs(v))),
      [10, 4],
    )
    const y = batchOf(
      noise(40, 6).map(v => Number(v > 0.2)),
      [10, 4],
    )
    const options = { loss: 'meanSquaredError' as const, metrics: ['precision', 'recall'] as 'recall'[] }
    ours.compile({ ...options, optimizer: ls.train.sgd(0) })
    theirs.compile({ ...options, metrics: options.metrics.map(theirMetric), optimizer: tf.train.sgd(0) })
    const found = (ours.evaluate(x.ours, y.ours) as ls.Tensor[]).map(t => t.dataSync()[0] as number)
    const expected = (theirs.evaluate(x.theirs, y.theirs) as tf.Scalar[]).map(t => t.dataSync()[0]!)
    close(found, expected, 'loss, precision, recall')
    expect(found[1]).toBeGreaterThan(0.2)
  })
})
