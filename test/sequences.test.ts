import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'

const { dense, embedding, flatten, layerNormalization } = ls.layers
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
      add(() => embedding({ inputDim: 4, outputDim: 2 })),
      'Error: sequential: the first layer must have inputShape, got none; add inputShape: [784], say',
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
      () => embedding({ inputDim: 3, outputDim: 2, maskZero: true }),
      'RangeError: Embedding: maskZero must be false, got true; masks are not supported, leave it out',
    ],
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
