import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import * as factories from '../src/layers/table.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import type { Array64 } from './reference/arrays.ts'
import { references } from './reference/layers.ts'
import { gradientError } from './reference/prove.ts'
import { withFolder } from './reference/tfjs.ts'

const { dense, conv2d, flatten, lstm, embedding, activation, dropout } = ls.layers
const l1l2 = { className: 'L1L2', config: { l1: 0.02, l2: 0.03 } }
const samples = 6
/** So large that the gradient shows in the weights without rounding. */
const rate = 1024

interface Stack {
  readonly input: readonly number[]
  layers(): Layer[]
  readonly integers?: boolean
}

/** Models whose layers' outputs cost a penalty. */
const stacks: Record<string, Stack> = {
  dense: {
    input: [7],
    layers: () => [
      dense({ units: 5, activation: 'tanh', activityRegularizer: 'l1l2', inputShape: [7] }),
      dense({ units: 3, activityRegularizer: ls.regularizers.l2({ l2: 0.1 }), kernelRegularizer: 'l1l2' }),
    ],
  },
  'softmax and a layer without weights': {
    input: [7],
    layers: () => [
      activation({ activation: 'tanh', activityRegularizer: l1l2, inputShape: [7] }),
      dense({ units: 4, activation: 'softmax', activityRegularizer: l1l2 }),
    ],
  },
  convolution: {
    input: [5, 5, 2],
    layers: () => [
      conv2d({
        filters: 3,
        kernelSize: 3,
        activation: 'tanh',
        activityRegularizer: l1l2,
        inputShape: [5, 5, 2],
      }),
      flatten({ activityRegularizer: l1l2 }),
      dense({ units: 2 }),
    ],
  },
  recurrence: {
    input: [4, 3],
    layers: () => [
      lstm({ units: 3, returnSequences: true, activityRegularizer: l1l2, inputShape: [4, 3] }),
      lstm({ units: 2, activityRegularizer: l1l2 }),
    ],
  },
  embedding: {
    input: [4],
    integers: true,
    layers: () => [
      embedding({ inputDim: 9, outputDim: 3, activityRegularizer: l1l2, inputLength: 4 }),
      flatten({}),
      dense({ units: 2 }),
    ],
  },
}

function make({ layers }: Stack, leaves = 1): ls.Sequential {
  const model = ls.sequential({ layers: layers(), seed: 3 })
  model.compile({ optimizer: ls.train.sgd(rate), loss: 'meanSquaredError', leaves })
  return model
}

function dataFor({ input, integers }: Stack, model: ls.Sequential) {
  const size = input.reduce((a, b) => a * b, samples)
  const values = noise(size, 3).map(x => (integers ? Math.floor((x + 1) * 4.5) : x))
  const y = ls.tensor(noise(samples * model.outputShapes[0]![0]!, 4), [samples, model.outputShapes[0]![0]!])
  return { x: ls.tensor(values, [samples, ...input]), y }
}

/** The loss as Keras has it, in float64: mean squared error, penalties of weights, and of outputs by the samples. */
function lossOf(model: ls.Sequential, x: ls.Tensor, y: ls.Tensor, weights: readonly Float64Array[]): number {
  const context = { training: true, observed: [], near() {}, becomes() {} }
  const all = model.layers.flatMap(layer => layer.weights)
  let penalty = 0
  const add = (values: Float64Array, { l1, l2 }: { l1: number; l2: number }, share: number) => {
    for (const value of values) penalty += (l1 * Math.abs(value) + l2 * value * value) * share
  }
  const start: Array64 = { shape: x.shape, values: Float64Array.from(x.values) }
  const output = model.layers.reduce((value, layer) => {
    const own: Record<string, Float64Array> = {}
    for (const weight of layer.weights) {
      own[weight.name.slice(layer.name.length + 1)] = weights[all.indexOf(weight)]!
      if (weight.regularizer) add(weights[all.indexOf(weight)]!, weight.regularizer.config, 1)
    }
    const name = Object.keys(factories).find(
      key => factories[key as keyof typeof factories].className === layer.className,
    )!
    const next = references[name as 'dense'](value, own as never, layer.config as never, context)
    if (layer.activityRegularizer) add(next.values, layer.activityRegularizer.config, 1 / samples)
    return next
  }, start)
  const errors = output.values.map((value, i) => (value - y.values[i]!) ** 2)
  return errors.reduce((sum, error) => sum + error, 0) / errors.length + penalty
}

const bitsOf = (model: ls.Sequential): string =>
  model
    .getWeights()
    .map(({ values }) => values.join())
    .join('|')

describe('activityRegularizer', () => {
  test.each(Object.entries(stacks))('adds penalty and gradient: %s', async (_, stack) => {
    const model = make(stack)
    const { x, y } = dataFor(stack, model)
    const weights = model.getWeights().map(({ values }) => Float64Array.from(values))
    const expected = lossOf(model, x, y, weights)
    const evaluated = (model.evaluate(x, y) as ls.Tensor).dataSync()[0]!
    expect(relativeError([evaluated], [expected])).toBeLessThan(1e-6)
    const loss = (await model.trainOnBatch(x, y)) as number
    expect(relativeError([loss], [expected])).toBeLessThan(1e-6)
    for (const [i, { values, shape }] of model.getWeights().entries()) {
      const before = weights[i]!
      const gradient = Float32Array.from(values, (value, j) => (before[j]! - value) / rate)
      expect(
        gradientError(() => lossOf(model, x, y, weights), before, gradient),
        `[${shape}]`,
      ).toBeLessThan(1e-5)
    }
  })

  test.each(Object.entries(stacks))('gives the same bits for any number of workers: %s', async (_, stack) => {
    for (const leaves of [1, 3]) {
      const outcomes = new Set<string>()
      for (const [workers, accumulate] of [
        [1, false],
        [2, false],
        [3, true],
        [8, false],
      ] as const) {
        const model = make(stack, leaves)
        const { x, y } = dataFor(stack, model)
        model.learningRate = 0.1
        const { history } = await model.fit(x, y, { workers, accumulate, batchSize: 4, seed: 1 })
        outcomes.add(`${bitsOf(model)} ${history.loss![0]!.toPrecision(12)}`)
      }
      expect(outcomes.size).toBe(1)
    }
  })

  test('is in the loss of each epoch, by the samples of each batch', async () => {
    const layers = [dropout({ rate: 0, activityRegularizer: l1l2, inputShape: [3] })]
    const model = ls.sequential({ layers })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const x = ls.tensor(noise(30, 2), [10, 3])
    const penalty = Array.from(x.values).reduce((sum, v) => sum + 0.02 * Math.abs(v) + 0.03 * v * v, 0) / 10
    const { history } = await model.fit(x, x, { batchSize: 4, validationData: [x, x] })
    expect(history.loss![0]).toBeCloseTo(penalty, 6)
    expect(history.val_loss![0]).toBeCloseTo(penalty, 6)
  })

  test('counts once for each use of a shared layer', () => {
    const shared = dense({ units: 2, activityRegularizer: l1l2 })
    const inputs = ls.input({ shape: [2] })
    const y = shared.apply(shared.apply(inputs) as ls.SymbolicTensor) as ls.SymbolicTensor
    const model = ls.model({ inputs, outputs: y, seed: 4 })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const x = ls.tensor(noise(8, 2), [4, 2])
    const once = ls.model({ inputs, outputs: shared.nodes[0]!.outputs[0]! })
    const [a, b] = [once.predict(x) as ls.Tensor, model.predict(x) as ls.Tensor]
    const of = (t: ls.Tensor) =>
      Array.from(t.values).reduce((sum, v) => sum + 0.02 * Math.abs(v) + 0.03 * v * v, 0) / 4
    expect((model.evaluate(x, b) as ls.Tensor).dataSync()[0]).toBeCloseTo(of(a) + of(b), 6)
  })

  test('is saved and loaded', () =>
    withFolder(async folder => {
      const model = make(stacks.dense!)
      await model.save(`file://${folder}`)
      const loaded = await ls.loadLayersModel(`file://${folder}`)
      const penalties = loaded.layers.map(layer => layer.activityRegularizer?.config)
      expect(penalties).toEqual([
        { l1: 0.01, l2: 0.01 },
        { l1: 0, l2: 0.1 },
      ])
    }))

  test('must be a regularizer', async () => {
    const text = 'RangeError: getRegularizer: unknown regularizer "l3"; did you mean "l1"?'
    expect(await caught(() => dense({ units: 1, activityRegularizer: 'l3' }))).toBe(text)
  })
})
