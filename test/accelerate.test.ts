import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { accelerate } from '../src/tfjs/accelerate.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'

beforeAll(() => tf.setBackend('cpu'))

/** Tensors that a test leaves must be the models' own. */
const models: tf.LayersModel[] = []
let tensorsBefore = 0
beforeEach(() => {
  tensorsBefore = tf.memory().numTensors
})
afterEach(() => {
  for (const model of models.splice(0)) model.dispose()
})

const keep = <M extends tf.LayersModel>(model: M): M => {
  models.push(model)
  return model
}

/** A model twice, with the same weights: one as it is, one that Lockstep trains. */
function pair<M extends tf.LayersModel>(make: () => M, options?: Parameters<typeof accelerate>[1]): [M, M] {
  const [plain, fast] = [keep(make()), keep(make())]
  tf.tidy(() => {
    const values = plain.getWeights().map((w, i) => tf.tensor(noise(w.size, 50 + i).map(v => v / 2), w.shape))
    plain.setWeights(values)
    fast.setWeights(values)
  })
  return [plain, accelerate(fast, options)]
}

const dense = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 9, activation: 'tanh', inputShape: [5] }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })

const samples = (count: number) => ({
  x: tf.tensor(noise(5 * count, 3), [count, 5]),
  y: tf.oneHot(tf.tensor1d(Array.from(noise(count, 4), v => Math.floor(1.5 * (v + 1))), 'int32'), 3),
})

const weightsOf = (model: tf.LayersModel) => tf.tidy(() => model.getWeights().map(w => w.dataSync() as Float32Array))

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, limit = 1e-4): void {
  expect(relativeError(actual, expected)).toBeLessThan(limit)
}

function closeWeights(actual: tf.LayersModel, expected: tf.LayersModel, limit = 1e-4): void {
  const wanted = weightsOf(expected)
  weightsOf(actual).forEach((w, i) => close(w, wanted[i]!, limit))
}

describe('training', () => {
  const optimizers: Record<string, () => tf.Optimizer> = {
    sgd: () => tf.train.sgd(0.1),
    momentum: () => tf.train.momentum(0.1, 0.8),
    nesterov: () => tf.train.momentum(0.1, 0.8, true),
    rmsprop: () => tf.train.rmsprop(0.01, 0.8, 0.5),
    adam: () => tf.train.adam(0.05, 0.8, 0.95),
    adamax: () => tf.train.adamax(0.05, 0.8, 0.95, 1e-7, 0.1),
    adadelta: () => tf.train.adadelta(1, 0.8, 1e-3),
    adagrad: () => tf.train.adagrad(0.1, 0.2),
  }
  test.each(Object.keys(optimizers))('%s: the losses are those of TensorFlow.js, and its state goes on there', async name => {
    const [plain, fast] = pair(dense)
    for (const model of [plain, fast])
      model.compile({ optimizer: optimizers[name]!(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
    const { x, y } = samples(40)
    const losses: number[][] = [[], []]
    const run = (i: number, epochs: number, initialEpoch = 0) =>
      [plain, fast][i]!.fit(x, y, {
        ...{ batchSize: 8, epochs, initialEpoch, shuffle: false },
        callbacks: { onBatchEnd: (_, logs) => void losses[i]!.push(logs!.loss as number) },
      })
    const [expected, found] = [await run(0, 2), await run(1, 2)]
    expect(losses[0]!.length).toBe(10)
    close(losses[1]!, losses[0]!)
    expect(Object.keys(found.history)).toEqual(Object.keys(expected.history))
    for (const [key, values] of Object.entries(expected.history)) close(found.history[key] as number[], values as number[])
    closeWeights(fast, plain)
    // In TensorFlow.js alone, then in Lockstep again.
    const unaided = Object.getPrototypeOf(fast).fit.bind(fast) as typeof fast.fit
    await plain.fit(x, y, { batchSize: 8, epochs: 1, shuffle: false })
    await unaided(x, y, { batchSize: 8, epochs: 1, shuffle: false })
    closeWeights(fast, plain, 5e-4)
    await run(0, 4, 3)
    await run(1, 4, 3)
    closeWeights(fast, plain, 1e-3)
    expect(fast.optimizer.iterations).toBe(plain.optimizer.iterations)
    tf.dispose([x, y])
  })
})
