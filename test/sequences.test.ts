import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { activationNames } from '../src/ops/activation.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const { dense, embedding, flatten, gru, layerNormalization, lstm, simpleRNN } = ls.layers
const add = (make: () => object) => () => ls.sequential({ layers: [make() as never] })

describe('messages', () => {
  test.each<[() => unknown, string]>([
    [
      add(() => layerNormalization({ name: 'n', axis: 1, inputShape: [3, 4] })),
      'RangeError: n: axis must be the last one (-1 or 2), got 1; move the features to the last axis',
    ],
    [
      add(() => layerNormalization({ name: 'n', axis: [1, 2], inputShape: [3, 4] })),
      'RangeError: n: axis must be the last one (-1 or 2), got [1, 2]; move the features to the last axis',
    ],
    [
      add(() => embedding({ name: 'e', inputDim: 4, outputDim: 2, inputShape: [0] })),
      'RangeError: e: the input must have at least one integer, got shape [0]; give inputLength or inputShape',
    ],
    [
      add(() => embedding({ name: 'e', inputDim: 4, outputDim: 2, inputShape: [5], inputLength: 6 })),
      "RangeError: e: inputLength must be the input's [5], got 6; correct it or leave it out",
    ],
    [
      () => embedding({ inputDim: 2 ** 24 + 1, outputDim: 2 }),
      'RangeError: Embedding: inputDim must be at most 16777216, got 16777217; merge rare values into one',
    ],
    [
      add(() => lstm({ name: 'l', units: 3, inputShape: [5] })),
      'RangeError: l: the input must have shape [time, features], got [5]; add layers.reshape() before it',
    ],
    [() => gru({ units: 0 }), 'RangeError: GRU: units must be a positive integer, got 0'],
    [
      add(() => lstm({ name: 'l', units: 3, returnState: true, inputShape: [5, 2] })),
      'RangeError: add: l must have one output in a stack, got 3; use ls.model()',
    ],
    [
      add(() => simpleRNN({ name: 'r', units: 3, stateful: true, inputShape: [5, 2] })),
      'RangeError: r: with stateful all mini-batches must have one size, got none; begin the model with batchInputShape or batchShape, [32, …]',
    ],
    [
      add(() => simpleRNN({ units: 3, batchInputShape: [0, 5, 2] })),
      'RangeError: SimpleRNN: the first size of batchInputShape must be a positive integer, got 0',
    ],
    [
      () => lstm({ name: 'l', units: 3 }).apply([ls.input({ shape: [5, 2] }), ls.input({ shape: [3] })]),
      'RangeError: l: initialState must be 2, got 1; give those that returnState returns',
    ],
    [
      () =>
        gru({ name: 'g', units: 3 }).apply(ls.input({ shape: [5, 2] }), {
          initialState: ls.input({ shape: [4] }),
        }),
      'RangeError: g: a state of initialState must have shape [3], got [4]; correct it',
    ],
    [
      () => {
        const h = ls.input({ shape: [3] })
        return gru({ name: 'g', units: 3 }).apply([ls.input({ shape: [5, 2] }), h], { initialState: [h] })
      },
      'RangeError: g: initialState must be given once, got 1 states in the list of inputs besides; leave one out',
    ],
    [
      () => gru({ name: 'g', units: 3 }).apply(ls.input({ shape: [5, 2] }), { initial_state: [] } as never),
      'TypeError: g: apply: unknown option "initial_state"; did you mean "initialState"?',
    ],
    [
      () => gru({ units: 3, recurrentActivation: 'sigmoids' as never }),
      `RangeError: GRU: recurrentActivation must be one of ${activationNames.map(name => `"${name}"`).join(', ')}, got "sigmoids"; did you mean "sigmoid"?`,
    ],
    [() => lstm({ units: 3, dropout: 1 }), 'RangeError: LSTM: dropout must be in [0, 1), got 1'],
    [
      () => layerNormalization({ epsilon: 0 }),
      'RangeError: LayerNormalization: epsilon must be a number > 0, got 0',
    ],
  ])('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})

describe('an integer that the table has no row for', () => {
  const model = ls.sequential({
    layers: [
      embedding({ name: 'e', inputDim: 4, outputDim: 2, inputLength: 3 }),
      flatten({}),
      dense({ units: 1 }),
    ],
  })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const x = [
    [0, 1, 3],
    [2, 4, 0],
  ]
  const y = [[1], [2]]
  const problem = 'the input of e must hold integers from 0 to 3, got another value'
  const fix = 'correct the input or raise inputDim'
  test.each<[string, () => unknown, string]>([
    ['predict', () => model.predict(ls.tensor(x)), 'in batch 0'],
    ['predictAsync', () => model.predictAsync(x, { workers: 2 }), 'in batch 0'],
    ['evaluate', () => model.evaluate(x, y, { batchSize: 1 }), 'in batch 1'],
    ['evaluateAsync', () => model.evaluateAsync(x, y, { workers: 2 }), 'in batch 0'],
    ['trainOnBatch', () => model.trainOnBatch(x, y), 'at step 0'],
    ['fit', () => model.fit(x, y, { workers: 2 }), 'at epoch 0, step 0'],
    [
      'fit',
      () => model.fit([x[0]!], [y[0]!], { validationData: [x, y], workers: 1 }),
      'at epoch 0, step 0 of the validation',
    ],
  ])('is refused by %s', async (where, run, when) => {
    const kind = where === 'fit' || where === 'trainOnBatch' ? 'Error' : 'RangeError'
    const before = model.getWeights().map(weight => [...weight.dataSync()])
    expect(await caught(run)).toBe(`${kind}: ${where}: ${problem} ${when}; ${fix}`)
    if (!when.endsWith('validation'))
      expect(model.getWeights().map(weight => [...weight.dataSync()])).toEqual(before)
  })
})

/** Weights after training on 70 sequences. */
async function trained(options: ls.FitOptions, leaves = 4): Promise<number[][]> {
  const model = ls.sequential({
    seed: 5,
    layers: [
      embedding({ inputDim: 12, outputDim: 5, inputLength: 6 }),
      layerNormalization({}),
      lstm({ units: 7, returnSequences: true, dropout: 0.2, recurrentDropout: 0.3 }),
      gru({ units: 9, goBackwards: true, returnSequences: true, dropout: 0.1 }),
      simpleRNN({ units: 5, recurrentDropout: 0.2 }),
      dense({ units: 3, activation: 'softmax' }),
    ],
  })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', leaves })
  const x = noise(70 * 6, 3).map(value => Math.floor((value + 1) * 6))
  const y = Float32Array.from({ length: 70 }, (_, i) => i % 3)
  await model.fit(x, y, { epochs: 2, batchSize: 32, seed: 8, ...options })
  const weights = model.getWeights().map(weight => [...weight.dataSync()])
  model.dispose()
  return weights
}

test('sequences give the same bits for any number of workers, all leaves at once or one by one', async () => {
  const expected = await trained({ workers: 1 })
  expect(await trained({ workers: 3 })).toEqual(expected)
  expect(await trained({ workers: 2, accumulate: true })).toEqual(expected)
})

test('unitForgetBias begins with ones for the forget gate', () => {
  const model = ls.sequential({
    layers: [lstm({ units: 2, unitForgetBias: true, biasInitializer: 'zeros', inputShape: [3, 1] })],
  })
  expect([...model.getWeights()[2]!.dataSync()]).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
  expect(model.weights.map(({ name }) => name.split('/')[1])).toEqual(['kernel', 'recurrent_kernel', 'bias'])
})
