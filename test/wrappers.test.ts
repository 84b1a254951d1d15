import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { batchOf, close, predictionsOf, readByOurs, readByTheirs } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { dense, dropout, flatten, gru, timeDistributed } = ls.layers

const namesOf = (model: ls.Sequential | ls.Model) => model.weights.map(({ name }) => name)
const valuesOf = (model: ls.Sequential | ls.Model) => model.getWeights().map(weight => [...weight.dataSync()])

describe('timeDistributed', () => {
  const encoder = (layers = ls.layers) => [
    layers.dense({ units: 5, activation: 'tanh', inputShape: [4], name: 'first' }),
    layers.batchNormalization({ name: 'norm' }),
    layers.dense({ units: 2, name: 'second' }),
  ]
  const functional = () => {
    const input = ls.input({ shape: [4], name: 'in' })
    const output = encoder().reduce((tensor, layer) => layer.apply(tensor), input)
    return ls.model({ inputs: input, outputs: output })
  }
  const kinds = { Sequential: () => ls.sequential({ layers: encoder() }), Model: functional }

  test.each(Object.entries(kinds))('applies a whole %s, and is saved with it', async (_, make) => {
    const wrapped = ls.sequential({
      layers: [timeDistributed({ layer: make(), inputShape: [3, 4] })],
      seed: 1,
    })
    const single = ls.sequential({
      layers: encoder().map((layer, i) => timeDistributed({ layer, ...(i === 0 && { inputShape: [3, 4] }) })),
      seed: 1,
    })
    expect(namesOf(wrapped).slice(0, 4)).toEqual(['first/kernel', 'first/bias', 'norm/gamma', 'norm/beta'])
    expect(valuesOf(wrapped)).toEqual(valuesOf(single))
    const [x, y] = [batchOf(noise(60, 1), [5, 3, 4]), batchOf(noise(30, 2), [5, 3, 2])]
    for (const model of [wrapped, single]) model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    for (let step = 0; step < 3; step++)
      expect(await wrapped.trainOnBatch(x.ours, y.ours)).toBe(await single.trainOnBatch(x.ours, y.ours))
    expect(valuesOf(wrapped)).toEqual(valuesOf(single))
    const expected = wrapped.predict(x.ours).dataSync()
    const theirs = await readByTheirs(wrapped)
    expect(theirs.weights.map(weight => weight.originalName)).toEqual(namesOf(wrapped))
    close(predictionsOf(theirs, x.theirs), expected, 'read by TensorFlow.js')
    const again = await readByOurs(theirs)
    expect(again.predict(x.ours).dataSync()).toEqual(expected)
    for (const model of [wrapped, single, again]) model.dispose()
  })

  test('of a dense layer does what the layer does to sequences, to the bit', async () => {
    const plain = [dense({ units: 6, activation: 'softmax', inputShape: [7, 4] }), dense({ units: 2 })]
    const wrapped = [
      timeDistributed({ layer: dense({ units: 6, activation: 'softmax' }), inputShape: [7, 4] }),
      timeDistributed({ layer: dense({ units: 2 }) }),
    ]
    const models = [plain, wrapped].map(layers => ls.sequential({ layers, seed: 1 }))
    const [x, y] = [ls.tensor(noise(280, 1), [10, 7, 4]), ls.tensor(noise(140, 2), [10, 7, 2])]
    for (const model of models) {
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError', leaves: 2 })
      const accumulate = model === models[1]
      await model.fit(x, y, { epochs: 2, batchSize: 4, seed: 5, workers: 2, accumulate })
    }
    expect(valuesOf(models[1]!)).toEqual(valuesOf(models[0]!))
    for (const model of models) model.dispose()
  })

  test('takes sequences of any length', () => {
    const layer = gru({ units: 2, recurrentActivation: 'sigmoid', name: 'words' })
    const model = ls.sequential({
      layers: [timeDistributed({ layer, inputShape: [null, null, 4] })],
      seed: 1,
    })
    expect(model.outputShapes).toEqual([[null, 2]])
    const x = noise(120, 3)
    const [long, short] = [
      model.predict(ls.tensor(x, [1, 6, 5, 4])),
      model.predict(ls.tensor(x, [3, 2, 5, 4])),
    ]
    expect(long.shape).toEqual([1, 6, 2])
    expect(short.dataSync()).toEqual(long.dataSync())
    model.dispose()
  })

  test('draws for each step on its own, and hands a mask on', async () => {
    const model = ls.sequential({
      layers: [
        ls.layers.masking({ inputShape: [4, 3] }),
        timeDistributed({ layer: dropout({ rate: 0.5 }) }),
        timeDistributed({ layer: dense({ units: 1, kernelInitializer: 'ones' }) }),
      ],
    })
    const x = new Float32Array(12).fill(1)
    x.fill(0, 6)
    model.compile({ optimizer: ls.train.sgd(0), loss: 'meanSquaredError' })
    // Of four steps two count: the loss is the mean of theirs.
    const [loss] = [model.evaluate(ls.tensor(x, [1, 4, 3]), ls.tensor([1, 2, 9, 9], [1, 4, 1]))].flat()
    expect(loss!.dataSync()[0]).toBe((4 + 1) / 2)
    model.dispose()
  })

  test('freezes and frees what is inside', async () => {
    const inner = dense({ units: 2 })
    const layer = timeDistributed({ layer: inner, inputShape: [3, 4], trainable: false })
    const model = ls.sequential({ layers: [layer, dense({ units: 1 })] })
    expect([layer.trainable, inner.trainable]).toEqual([false, false])
    expect(namesOf(model).slice(2)).toEqual([`${layer.name}/kernel`, `${layer.name}/bias`])
    const [x, y] = [ls.tensor(noise(24, 1), [2, 3, 4]), ls.tensor(noise(6, 2), [2, 3, 1])]
    const train = async () => {
      const before = valuesOf(model)
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      await model.trainOnBatch(x, y)
      return valuesOf(model).map((values, i) => values.some((value, j) => value !== before[i]![j]))
    }
    expect(await train()).toEqual([true, true, false, false])
    layer.trainable = true
    expect(inner.trainable).toBe(true)
    expect(await train()).toEqual([true, true, true, true])
    model.dispose()
  })

  test('lets penalties and constraints of the layer inside act', async () => {
    const model = ls.sequential({
      layers: [
        timeDistributed({
          layer: dense({
            units: 3,
            kernelRegularizer: ls.regularizers.l2({ l2: 0.1 }),
            kernelConstraint: 'nonNeg',
            activityRegularizer: ls.regularizers.l1({ l1: 0.01 }),
          }),
          inputShape: [2, 4],
        }),
      ],
      seed: 3,
    })
    const x = ls.tensor(noise(40, 1), [5, 2, 4])
    const y = model.predict(x)
    model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
    const [loss] = [model.evaluate(x, y)].flat()
    const sum = (values: ArrayLike<number>, f: (v: number) => number) =>
      Array.from(values).reduce((total, value) => total + f(value), 0)
    const kernel = model.getWeights()[0]!.dataSync() as Float32Array
    const penalty = 0.1 * sum(kernel, v => v * v) + (0.01 * sum(y.dataSync() as Float32Array, Math.abs)) / 5
    close(loss!.dataSync() as Float32Array, [penalty], 'loss')
    expect(kernel.some(value => value < 0)).toBe(true)
    await model.trainOnBatch(x, y)
    expect(
      model
        .getWeights()[0]!
        .dataSync()
        .every(value => (value as number) >= 0),
    ).toBe(true)
    model.dispose()
  })

  test('is listed with its weights', () => {
    const layer = timeDistributed({ layer: dense({ units: 2 }), inputShape: [3, 4], name: 'steps' })
    const model = ls.sequential({ layers: [layer] })
    const lines: string[] = []
    model.summary(72, undefined, line => lines.push(line))
    expect(lines.find(line => line.startsWith('steps'))).toMatch(/\(TimeDistributed\) +\[null, 3, 2\] +10$/)
    expect(model.countParams()).toBe(10)
    model.setWeights([ls.tensor(noise(8, 1), [4, 2]), ls.tensor([1, 2])])
    expect(valuesOf(model)[1]).toEqual([1, 2])
    model.dispose()
  })

  const wrong: [string, () => unknown, string][] = [
    ['no layer', () => timeDistributed({} as never), 'TimeDistributed: layer must be given, got undefined'],
    [
      'something else',
      () => timeDistributed({ layer: { units: 3 } as never }),
      'TimeDistributed: layer must be a layer or a model, got { units }; try ls.layers.dense()',
    ],
    [
      'another option',
      () => timeDistributed({ layers: flatten({}) } as never),
      'TimeDistributed: unknown option "layers"; did you mean "layer"?',
    ],
    [
      'no steps',
      () => ls.sequential({ layers: [timeDistributed({ layer: flatten({}), inputShape: [4], name: 'a' })] }),
      'a: the input must have shape [steps, …], got [4]; add layers.reshape() before it',
    ],
    [
      'a layer of several inputs',
      () =>
        ls.sequential({
          layers: [timeDistributed({ layer: ls.layers.add({ name: 'sum' }), inputShape: [4, 2] })],
        }),
      'sum: it must have 2 or more inputs, got 1; apply it to a list',
    ],
    [
      'a model of several inputs',
      () => {
        const inputs = [ls.input({ shape: [2] }), ls.input({ shape: [2] })]
        const outputs = ls.layers.add({}).apply(inputs) as ls.SymbolicTensor
        const layer = ls.model({ inputs, outputs, name: 'pair' })
        return ls.sequential({ layers: [timeDistributed({ layer, inputShape: [4, 2] })] })
      },
      'pair: it must have 2 inputs, got 1; give it as many',
    ],
    [
      'a model of several outputs',
      () => {
        const inputs = ls.input({ shape: [2] })
        const outputs = [dense({ units: 2 }), dense({ units: 3 })].map(layer => layer.apply(inputs))
        const layer = ls.model({ inputs, outputs })
        return ls.sequential({ layers: [timeDistributed({ layer, inputShape: [4, 2], name: 'a' })] })
      },
      'a: its layer must have one output, got 2; take another',
    ],
    [
      'a layer that cannot take a step',
      () =>
        ls.sequential({
          layers: [timeDistributed({ layer: gru({ units: 2, name: 'b' }), inputShape: [4, 2] })],
        }),
      'b: the input must have shape [time, features], got [2]; add layers.reshape() before it',
    ],
  ]
  test.each(wrong)('refuses %s', (_, act, message) => {
    expect(act).toThrow(message)
  })
})
