import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { close, numbers, predictionsOf, readByTheirs, withFolder } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const made: ls.Model[] = []
afterAll(() => {
  for (const model of made) model.dispose()
})

const n = 24
const [a, b] = [noise(n * 6, 1), noise(n * 4, 2)]
const classes = Float32Array.from({ length: n }, (_, i) => i % 3)
const numbersOf = noise(n, 3)

/** Two inputs, a layer used twice, a residual, two outputs; in either library. */
function twoByTwo<Library extends typeof ls | typeof tf>(library: Library) {
  const { input, layers, model } = library as typeof ls
  const one = input({ shape: [6], name: 'one' })
  const two = input({ shape: [4], name: 'two' })
  const shared = layers.dense({ units: 5, activation: 'tanh', name: 'shared' })
  const narrowed = layers.dense({ units: 4, activation: 'relu', name: 'narrowed' }).apply(one)
  const [left, right] = [shared.apply(narrowed), shared.apply(two)]
  const sum = layers.add({ name: 'sum' }).apply([left, right]) as ls.SymbolicTensor
  const deeper = layers.dense({ units: 5, name: 'deeper' }).apply(sum)
  const residual = layers.multiply({ name: 'residual' }).apply([deeper, sum]) as ls.SymbolicTensor
  const kind = layers.dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(residual)
  const amount = layers.dense({ units: 1, name: 'amount' }).apply(left)
  return model({ inputs: [one, two], outputs: [kind, amount], name: 'both' })
}

function twinModels(): { ours: ls.Model; theirs: tf.LayersModel } {
  const ours = twoByTwo(ls)
  const theirs = twoByTwo(tf) as unknown as tf.LayersModel
  made.push(ours)
  theirs.setWeights(
    ours.getWeights().map(weight => tf.tensor(weight.dataSync() as Float32Array, [...weight.shape])),
  )
  return { ours, theirs }
}

const theirInputs = () => [tf.tensor(a, [n, 6]), tf.tensor(b, [n, 4])]
const theirTargets = () => [tf.tensor(classes, [n, 1]), tf.tensor(numbersOf, [n, 1])]
const both = { loss: ['sparseCategoricalCrossentropy', 'meanSquaredError'], lossWeights: [1, 0.25] } as const

function dataOf(tensors: ls.Tensor | ls.Tensor[]): Float32Array[] {
  return [tensors].flat().map(tensor => tensor.dataSync() as Float32Array)
}

describe('a model of two inputs and two outputs', () => {
  test('has the layers, weights, names and shapes of TensorFlow.js', () => {
    const { ours, theirs } = twinModels()
    expect(ours.layers.map(({ name }) => name)).toEqual(theirs.layers.map(({ name }) => name))
    expect(ours.weights.map(({ name }) => name)).toEqual(theirs.weights.map(weight => weight.originalName))
    expect([ours.inputNames, ours.outputNames]).toEqual([theirs.inputNames, theirs.outputNames])
    expect(ours.outputs.map(({ shape }) => shape)).toEqual(theirs.outputs.map(({ shape }) => shape))
    expect(ours.getLayer('deeper')).toBe(ours.layers.find(({ name }) => name === 'deeper'))
  })

  test('predicts, evaluates and trains as TensorFlow.js', async () => {
    const { ours, theirs } = twinModels()
    const expected = theirs.predict(theirInputs()) as tf.Tensor[]
    for (const [i, predicted] of dataOf(ours.predict([a, b])).entries())
      close(predicted, expected[i]!.dataSync(), `output ${i}`)
    ours.compile({ ...both, optimizer: ls.train.sgd(0.1) })
    theirs.compile({ loss: [...both.loss], optimizer: tf.train.sgd(0.1) })
    const logs = await ours.evaluateAsync({ two: b, one: a }, { kind: classes, amount: numbersOf })
    // TensorFlow.js knows no loss weights, and adds the losses up as it goes.
    const [kind, sum] = (theirs.evaluate(theirInputs(), theirTargets()) as tf.Scalar[]).map(
      scalar => scalar.dataSync()[0]!,
    )
    const amount = sum! - kind!
    expect(Object.keys(logs)).toEqual(['loss', 'kind_loss', 'amount_loss'])
    close(Object.values(logs), [kind! + 0.25 * amount, kind!, amount], 'losses')

    ours.compile({ loss: [...both.loss], optimizer: ls.train.sgd(0.1) })
    for (let step = 0; step < 5; step++) {
      const found = numbers(await ours.trainOnBatch([a, b], [classes, numbersOf]))
      close(found, numbers(await theirs.trainOnBatch(theirInputs(), theirTargets())), 'losses')
    }
    for (const [i, weight] of ours.getWeights().entries())
      close(weight.dataSync() as Float32Array, theirs.getWeights()[i]!.dataSync(), ours.weights[i]!.name)
  })

  test('is read by TensorFlow.js and by us', async () => {
    const { ours } = twinModels()
    const expected = dataOf(ours.predict([a, b]))
    const theirs = (await readByTheirs(ours)).predict(theirInputs()) as tf.Tensor[]
    for (const [i, values] of expected.entries()) close(theirs[i]!.dataSync(), values, `output ${i}`)
    await withFolder(async folder => {
      await ours.save(`file://${folder}`)
      const again = (await ls.loadLayersModel(`file://${folder}/model.json`)) as ls.Model
      made.push(again)
      expect(dataOf(again.predict([a, b]))).toEqual(expected)
      expect(again.layers.map(({ name }) => name)).toEqual(ours.layers.map(({ name }) => name))
    })
  })

  test('trains to the same bits for any workers, and leaf by leaf', async () => {
    const weights = twinModels().ours.getWeights()
    const train = async (workers: number, accumulate: boolean) => {
      const model = twoByTwo(ls)
      model.setWeights(weights)
      model.compile({ ...both, optimizer: ls.train.adam(0.01), leaves: 3, metrics: { kind: 'accuracy' } })
      const options = { epochs: 3, batchSize: 7, seed: 5, workers, accumulate, validationSplit: 0.25 }
      const { history } = await model.fit([a, b], [classes, numbersOf], options)
      const trained = dataOf(model.getWeights())
      model.dispose()
      return { history, weights: trained }
    }
    const expected = await train(1, false)
    const keys = ['loss', 'kind_loss', 'amount_loss', 'kind_acc']
    expect(Object.keys(expected.history)).toEqual([...keys, ...keys.map(key => `val_${key}`)])
    for (const workers of [2, 3, 8]) expect(await train(workers, false)).toEqual(expected)
    expect(await train(2, true)).toEqual(expected)
  })

  test('weighs its losses', async () => {
    const { ours } = twinModels()
    const before = dataOf(ours.getWeights())
    ours.compile({ ...both, lossWeights: { amount: 0 }, optimizer: ls.train.sgd(1) })
    await ours.fit([a, b], [classes, numbersOf], { seed: 1 })
    const changed = dataOf(ours.getWeights()).map((values, i) => String(values) !== String(before[i]))
    const names = ours.weights.filter((_, i) => !changed[i]).map(({ name }) => name)
    expect(names).toEqual(['amount/kernel', 'amount/bias'])
  })

  test('an output without a loss is not trained', async () => {
    const { ours } = twinModels()
    ours.compile({ loss: { amount: 'mse' }, optimizer: 'sgd' })
    const { history } = await ours.fit([a, b], { amount: numbersOf }, { seed: 1 })
    expect(Object.keys(history)).toEqual(['loss'])
  })
})

describe('layers of several models', () => {
  test('share their weights: an encoder follows the training of the whole', async () => {
    const x = ls.input({ shape: [6] })
    const code = ls.layers.dense({ units: 2, activation: 'tanh' }).apply(x)
    const back = ls.layers.dense({ units: 6 }).apply(code)
    const whole = ls.model({ inputs: x, outputs: back })
    const encoder = ls.model({ inputs: x, outputs: code })
    made.push(whole, encoder)
    const before = dataOf(encoder.predict(a))[0]!
    whole.compile({ optimizer: ls.train.adam(0.1), loss: 'mse' })
    const seen: Float32Array[] = []
    const onEpochEnd = () => void seen.push(dataOf(encoder.predict(a))[0]!)
    await whole.fit(a, a, { epochs: 3, seed: 1, callbacks: { onEpochEnd } })
    const after = dataOf(encoder.predict(a))[0]!
    expect(after).not.toEqual(before)
    expect(seen[2]).toEqual(after)
    expect(seen[1]).not.toEqual(after)
    // And back: what the encoder is given, the whole has.
    encoder.setWeights(
      encoder.getWeights().map(weight => ls.tensor(new Float32Array(weight.size), weight.shape)),
    )
    expect(dataOf(whole.getWeights())[0]!.every(value => value === 0)).toBe(true)
    // A model that is given up leaves its weights to the others.
    const last = dataOf(whole.predict(a))
    encoder.dispose()
    expect(dataOf(whole.predict(a))).toEqual(last)
  })

  test('models are layers of models, and are saved with them', async () => {
    const inner = ls.sequential({
      layers: [
        ls.layers.dense({ units: 4, activation: 'relu', inputShape: [6] }),
        ls.layers.dense({ units: 3 }),
      ],
    })
    const x = ls.input({ shape: [6] })
    const y = inner.apply(x) as ls.SymbolicTensor
    const outer = ls.model({ inputs: x, outputs: ls.layers.activation({ activation: 'softmax' }).apply(y) })
    made.push(outer)
    expect(outer.countParams()).toBe(6 * 4 + 4 + 4 * 3 + 3)
    const expected = dataOf(outer.predict(a))[0]!
    const theirs = await readByTheirs(outer)
    close(predictionsOf(theirs, tf.tensor(a, [n, 6])), expected, 'read by TensorFlow.js')
    await withFolder(async folder => {
      await outer.save(`file://${folder}`)
      const again = await ls.loadLayersModel(`file://${folder}/model.json`)
      expect(dataOf(again.predict(a))[0]).toEqual(expected)
      again.dispose()
    })
    const stack = ls.sequential({ layers: [inner, ls.layers.dense({ units: 2 })] })
    expect(stack.predict(a).shape).toEqual([n, 2])
    for (const layer of inner.layers) layer.trainable = false
    outer.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })
    expect(outer.weights.every(weight => !weight.trainable)).toBe(true)
    stack.dispose()
    inner.dispose()
  })

  test('the summary says what feeds each layer', () => {
    const lines: string[] = []
    twinModels().ours.summary(undefined, undefined, line => lines.push(line))
    expect(lines.slice(4, 12).map(line => line.split(/\s{2,}/).at(-1))).toEqual([
      '0',
      'one',
      '0',
      'narrowed, two',
      'shared',
      'sum',
      'deeper, sum',
      'residual',
    ])
  })
})

const x = ls.input({ shape: [3], name: 'x' })
const y = ls.layers.dense({ units: 2, name: 'y' }).apply(x)
const refusals: [what: string, run: () => unknown, text: string][] = [
  [
    'no tensors',
    () => ls.model({ inputs: x, outputs: [] }),
    'TypeError: model: outputs must be outputs of layers, got []; begin with ls.input() and apply layers',
  ],
  [
    'an input within',
    () => ls.model({ inputs: y, outputs: y }),
    'RangeError: model: inputs must be made by ls.input(), got the output of "y"; use its input',
  ],
  [
    'a missing input',
    () => ls.model({ inputs: ls.input({ shape: [3], name: 'z' }), outputs: y, name: 'm' }),
    'RangeError: m: every input that the outputs need must be among inputs, got none of "x"; add it',
  ],
  [
    'one input to a sum',
    () => ls.layers.add({ name: 'sum' }).apply(x),
    'RangeError: sum: it must have 2 or more inputs, got 1; apply it to a list',
  ],
  [
    'unlike shapes',
    () => ls.layers.add({ name: 'sum' }).apply([x, y]),
    'RangeError: sum: its inputs must have the same sizes, or 1, from the last axis on, got [3] and [2]; reshape one',
  ],
  [
    'two inputs to a layer of one',
    () => ls.layers.flatten({ name: 'flat' }).apply([x, y]),
    'RangeError: flat: it must have one input, got 2; give it one',
  ],
  [
    'data for apply',
    () => ls.layers.flatten({ name: 'flat' }).apply(new Float32Array(3) as never),
    'TypeError: flat: apply must be given outputs of layers, got Float32Array(3); begin with ls.input()',
  ],
  [
    'no shape',
    () => ls.input({}),
    'TypeError: input: shape must be given, got undefined; write shape: [784]',
  ],
  [
    'two layers of one name',
    () => ls.model({ inputs: x, outputs: ls.layers.dense({ units: 2, name: 'y' }).apply(y), name: 'm' }),
    'RangeError: m: names of layers must differ, got "y" twice; rename one',
  ],
  [
    'an unknown layer',
    () => twinModels().ours.getLayer('depper'),
    'RangeError: getLayer: a layer of both must be named, got "depper"; did you mean "deeper"?',
  ],
  [
    'one of two inputs',
    () => twinModels().ours.predict([a]),
    'RangeError: predict: x must be 2, got 1; give a list of 2, or an object with one, two',
  ],
  [
    'an unknown input',
    () => twinModels().ours.predict({ one: a, tow: b }),
    'RangeError: predict: x must be named as in the model, got "tow"; did you mean "two"?',
  ],
  [
    'a missing input by name',
    () => twinModels().ours.predict({ one: a }),
    'RangeError: predict: x must have "two", got one; add it',
  ],
  [
    'unlike counts',
    () => twinModels().ours.predict([a, b.subarray(4)]),
    'RangeError: predict: x.one and x.two must have the same number of samples, got 24 and 23; correct one',
  ],
  [
    'too many losses',
    () => twinModels().ours.compile({ optimizer: 'sgd', loss: ['mse', 'mse', 'mse'] }),
    'RangeError: compile: loss must be 2, got 3; the outputs are kind, amount',
  ],
  [
    'a loss of nothing',
    () => twinModels().ours.compile({ optimizer: 'sgd', loss: { kin: 'mse' } }),
    'RangeError: compile: loss must name outputs, got "kin"; did you mean "kind"?',
  ],
]
test.each(refusals)('refuses %s', async (_, run, text) => {
  expect(await caught(run)).toBe(text)
})
