import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { batchOf, close, readByOurs, readByTheirs, withFolder } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { bidirectional, concatenate, dense, gru, lstm, simpleRNN, timeDistributed } = ls.layers

const valuesOf = (model: ls.Sequential | ls.Model) => model.getWeights().map(weight => [...weight.dataSync()])
const allOf = (result: ls.Tensor | ls.Tensor[]) => [result].flat().map(y => y.dataSync() as Float32Array)
const allOfTheirs = (model: tf.LayersModel, x: tf.Tensor | tf.Tensor[]) =>
  [model.predict(x) as tf.Tensor | tf.Tensor[]].flat().map(y => y.dataSync() as Float32Array)

test('is to the bit what two layers are that are joined by hand', async () => {
  const options = { units: 6, recurrentActivation: 'sigmoid', dropout: 0.2, recurrentDropout: 0.3 } as const
  const models = [false, true].map(whole => {
    const input = ls.input({ shape: [7, 4] })
    const ways = [false, true].map(goBackwards => gru({ ...options, goBackwards }).apply(input))
    const both = whole ? bidirectional({ layer: gru(options) }).apply(input) : concatenate({}).apply(ways)
    const outputs = dense({ units: 2 }).apply(both as ls.SymbolicTensor)
    return ls.model({ inputs: input, outputs, seed: 3 })
  })
  const [x, y] = [ls.tensor(noise(560, 1), [20, 7, 4]), ls.tensor(noise(40, 2), [20, 2])]
  for (const model of models) {
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError', leaves: 2 })
    await model.fit(x, y, { epochs: 2, batchSize: 8, seed: 5, workers: 2, accumulate: model === models[1] })
  }
  expect(valuesOf(models[1]!)).toEqual(valuesOf(models[0]!))
  for (const model of models) model.dispose()
})

test('is that with masks and initial states, too', () => {
  const x = ls.tensor(
    noise(105, 1).map((value, i) => (Math.floor(i / 3) % 3 === 1 ? 0 : value)),
    [5, 7, 3],
  )
  const given = [2, 3, 4, 5].map(seed => ls.tensor(noise(20, seed), [5, 4]))
  const options = { units: 4, returnSequences: true, returnState: true } as const
  const sequence = ls.input({ shape: [7, 3] })
  const states = given.map(() => ls.input({ shape: [4] }))
  const seen = ls.layers.masking({}).apply(sequence)
  const whole = bidirectional({ layer: lstm({ ...options, name: 'a' }), mergeMode: null })
  const outputs = whole.apply<ls.SymbolicTensor[]>(seen, { initialState: states })
  const model = ls.model({ inputs: [sequence, ...states], outputs, seed: 3 })
  const ways = [false, true].map((goBackwards, i) =>
    lstm({ ...options, goBackwards }).apply<ls.SymbolicTensor[]>(seen, {
      initialState: states.slice(2 * i, 2 * i + 2),
    }),
  )
  const apart = ls.model({ inputs: [sequence, ...states], outputs: ways.flat(), seed: 3 })
  const [y, z, ...ends] = allOf(model.predict([x, ...given]) as ls.Tensor[])
  const [one, h, c, other, ...back] = allOf(apart.predict([x, ...given]) as ls.Tensor[])
  expect([y, ...ends]).toEqual([one, h, c, ...back])
  const turned = other!.map((_, i) => {
    const [sample, step, unit] = [Math.floor(i / 28), Math.floor(i / 4) % 7, i % 4]
    return other![sample * 28 + (6 - step) * 4 + unit]!
  })
  expect(z).toEqual(turned)
  for (const each of [model, apart]) each.dispose()
})

type Make<T> = (options: object) => T
interface Library<T> {
  readonly input: Make<T>
  readonly model: (parts: { inputs: T | T[]; outputs: T | T[] }) => ls.Model | tf.LayersModel
  readonly layers: Record<string, (options: object) => { apply(x: T | T[], options?: object): T | T[] }>
}

describe.each([
  ['concat', { mergeMode: 'concat', returnSequences: true, returnState: true }],
  ['sum', { mergeMode: 'sum', returnState: true }],
  ['mul', { mergeMode: 'mul', returnSequences: true }],
  ['ave', { mergeMode: 'ave', masked: true, returnSequences: true }],
  ['none', { mergeMode: null }],
  ['none, with states', { mergeMode: null, returnState: true, returnSequences: true }],
  ['masked', { masked: true, returnState: true }],
  ['from initial states', { initial: true }],
])(
  'merged by %s',
  (_, { masked = false, initial = false, mergeMode = 'concat', ...options }: Record<string, unknown>) => {
    const [samples, time, features, units] = [5, 6, 3, 4]
    const x = noise(samples * time * features, 1).map((value, i) =>
      masked && (Math.floor(i / features) * 5) % 3 === 1 ? 0 : value,
    )
    const inputs = [
      batchOf(x, [samples, time, features]),
      ...[1, 2, 3, 4]
        .slice(0, initial ? 4 : 0)
        .map(seed => batchOf(noise(samples * units, seed + 10), [samples, units])),
    ]
    const build = <T>({ input, model, layers }: Library<T>) => {
      const sequence = input({ shape: [time, features] })
      const states = inputs.slice(1).map(() => input({ shape: [units] }))
      const layer = layers.lstm!({ units, recurrentActivation: 'sigmoid', ...options, name: 'inner' })
      const seen = masked ? (layers.masking!({}).apply(sequence) as T) : sequence
      const both = layers.bidirectional!({ layer, mergeMode, name: 'both' })
      const outputs = initial ? both.apply(seen, { initialState: states }) : both.apply(seen)
      return model({ inputs: [sequence, ...states], outputs })
    }
    const ours = build(ls as never) as ls.Model
    const [mine, theirs] = [inputs.map(each => each.ours), inputs.map(each => each.theirs)]

    test('does what TensorFlow.js does, and is saved as it saves', async () => {
      const twin = build(tf as never) as tf.LayersModel
      twin.setWeights(
        ours.getWeights().map(({ values, shape }) => tf.tensor(values as Float32Array, [...shape])),
      )
      expect(ours.weights.map(({ name }) => name)).toEqual(twin.weights.map(weight => weight.originalName))
      expect(ours.weights[0]!.name).toBe('both/forward_inner/kernel')
      const expected = allOfTheirs(twin, theirs)
      const found = allOf(ours.predict(mine) as ls.Tensor[])
      expect(found.length).toBe(expected.length)
      for (const [i, y] of found.entries()) close(y, expected[i]!, `output ${i}`)
      const read = allOfTheirs(await readByTheirs(ours), theirs)
      for (const [i, y] of found.entries()) close(read[i]!, y, `output ${i}, read by TensorFlow.js`)
      const again = (await readByOurs(twin)) as unknown as ls.Model
      expect(allOf(again.predict(mine) as ls.Tensor[])).toEqual(found)
      again.dispose()
    })
  },
)

test('takes another layer for the way back, and keeps it in files', async () => {
  const model = ls.sequential({
    layers: [
      bidirectional({
        layer: gru({ units: 3, name: 'there', returnSequences: true }),
        backwardLayer: lstm({ units: 2, name: 'back', returnSequences: true, goBackwards: true }),
        inputShape: [4, 5],
        name: 'both',
      }),
    ],
  })
  expect(model.outputShapes).toEqual([[4, 5]])
  expect(model.weights.map(({ name }) => name).filter(name => name.endsWith('bias'))).toEqual([
    'both/forward_there/bias',
    'both/backward_back/bias',
  ])
  const x = ls.tensor(noise(40, 1), [2, 4, 5])
  const again = await withFolder(async folder => {
    await model.save(`file://${folder}`)
    return (await ls.loadLayersModel(`file://${folder}`)) as ls.Sequential
  })
  expect(again.predict(x).dataSync()).toEqual(model.predict(x).dataSync())
  for (const each of [model, again]) each.dispose()
})

test('is read with the names that Keras gives weights of cells', async () => {
  const reader = bidirectional({ layer: lstm({ units: 2, name: 'lstm' }), inputShape: [4, 3], name: 'both' })
  const model = ls.sequential({ layers: [reader, dense({ units: 1, name: 'end' })] })
  const x = ls.tensor(noise(24, 1), [2, 4, 3])
  const again = await withFolder(async folder => {
    await model.save(`file://${folder}`)
    const path = join(folder, 'model.json')
    const text = await readFile(path, 'utf8')
    const renamed = text.replace(/both\/(\w+)_lstm\//g, 'both/$1_lstm/lstm_cell_3/')
    expect(renamed).toContain('"both/backward_lstm/lstm_cell_3/recurrent_kernel"')
    await writeFile(path, renamed)
    return (await ls.loadLayersModel(`file://${folder}`)) as ls.Sequential
  })
  expect(again.predict(x).dataSync()).toEqual(model.predict(x).dataSync())
  for (const each of [model, again]) each.dispose()
})

test.each([
  [
    'bidirectional',
    () => bidirectional({ layer: gru({ units: 3, stateful: true }), batchInputShape: [2, 4, 3] }),
  ],
  [
    'timeDistributed',
    () => timeDistributed({ layer: gru({ units: 3, stateful: true }), batchInputShape: [2, 4, 4, 3] }),
  ],
])('%s keeps the states of what is inside', (name, make) => {
  const model = ls.sequential({ layers: [make()], seed: 2 })
  const shape = name === 'bidirectional' ? [2, 4, 3] : [2, 4, 4, 3]
  const x = ls.tensor(
    noise(
      shape.reduce((a, b) => a * b),
      1,
    ),
    shape,
  )
  const [first, second] = [1, 2].map(() => model.predict(x, { batchSize: 2 }).dataSync())
  expect(second).not.toEqual(first)
  model.resetStates()
  expect(model.predict(x, { batchSize: 2 }).dataSync()).toEqual(first)
  model.dispose()
})

test('copies what it is given', () => {
  const layer = gru({ units: 3, name: 'shared', trainable: false })
  const [one, other] = [
    bidirectional({ layer, inputShape: [4, 5] }),
    bidirectional({ layer, mergeMode: 'sum' }),
  ]
  const rest = [bidirectional({ layer: gru({ units: 2, returnSequences: true }) }), other]
  const model = ls.sequential({
    layers: [bidirectional({ layer: gru({ units: 3, returnSequences: true }), inputShape: [4, 5] }), ...rest],
  })
  expect(one.trainable).toBe(false)
  expect(layer.weights).toEqual([])
  expect(model.weights.length).toBe(18)
  model.dispose()
})

describe('messages', () => {
  const input = () => ls.input({ shape: [4, 5] })
  test.each<[() => unknown, string]>([
    [
      () => bidirectional({} as never),
      'TypeError: Bidirectional: layer must be given, got undefined; add it to the options',
    ],
    [
      () => bidirectional({ layer: dense({ units: 3 }) }),
      'TypeError: Bidirectional: layer must be a recurrent layer, got Dense; try ls.layers.gru()',
    ],
    [
      () => bidirectional({ layer: gru({ units: 2 }), mergeMode: 'add' as never }),
      'RangeError: Bidirectional: mergeMode must be one of "sum", "mul", "concat", "ave", got "add"; did you mean "ave"?',
    ],
    [
      () => bidirectional({ layer: gru({ units: 2 }), merge_mode: 'sum' } as never),
      'TypeError: Bidirectional: unknown option "merge_mode"; did you mean "mergeMode"?',
    ],
    [
      () => bidirectional({ layer: gru({ units: 2 }), backwardLayer: gru({ units: 2 }) }),
      'RangeError: Bidirectional: goBackwards of backwardLayer must not be that of layer, got false for both; change one',
    ],
    [
      () =>
        bidirectional({
          layer: gru({ units: 2, returnSequences: true }),
          backwardLayer: gru({ units: 2, goBackwards: true }),
        }),
      'RangeError: Bidirectional: returnSequences of backwardLayer must be that of layer, true, got false; make them alike',
    ],
    [
      () =>
        bidirectional({
          layer: gru({ units: 2 }),
          backwardLayer: simpleRNN({ units: 3, goBackwards: true }),
          mergeMode: 'sum',
          name: 'b',
        }).apply(input()),
      'RangeError: b: its two layers must have outputs of one shape for mergeMode "sum", got [2] and [3]; make them alike',
    ],
    [
      () => bidirectional({ layer: gru({ units: 2 }), name: 'b' }).apply([input(), ls.input({ shape: [2] })]),
      'RangeError: b: initialState must be those of both its layers, got 1; give an even number',
    ],
    [
      () =>
        ls.sequential({
          layers: [
            bidirectional({ layer: gru({ units: 2 }), mergeMode: null, inputShape: [4, 5], name: 'b' }),
          ],
        }),
      'RangeError: add: b must have one output in a stack, got 2; use ls.model()',
    ],
  ])('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})
