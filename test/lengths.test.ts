import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import {
  batchOf,
  close,
  predictionsOf,
  type Recipe,
  readByOurs,
  readByTheirs,
  twins,
  weightsOf,
} from './reference/tfjs.ts'

const { dense, lstm, conv1d, embedding, flatten, globalAveragePooling1d, add, concatenate } = ls.layers

const shapeOf = (inputShape: readonly (number | null)[]) => inputShape as readonly number[]

/** Layers on [steps, 8], and the shape of what comes out. */
const recipes: [what: string, recipe: Recipe, output: (number | null)[]][] = [
  ['lstm', [['lstm', { units: 5 }]], [5]],
  ['lstm, all states', [['lstm', { units: 5, returnSequences: true }]], [null, 5]],
  ['gru', [['gru', { units: 3, returnSequences: true, goBackwards: true }]], [null, 3]],
  ['simpleRNN', [['simpleRNN', { units: 3 }]], [3]],
  ['conv1d', [['conv1d', { filters: 4, kernelSize: 3 }]], [null, 4]],
  ['conv1d, strides', [['conv1d', { filters: 4, kernelSize: 3, strides: 2, padding: 'same' }]], [null, 4]],
  ['conv1d, causal', [['conv1d', { filters: 4, kernelSize: 2, padding: 'causal' }]], [null, 4]],
  [
    'pooling',
    [
      ['maxPooling1d', { poolSize: 2 }],
      ['averagePooling1d', { poolSize: 3, strides: 1 }],
    ],
    [null, 8],
  ],
  ['global pooling', [['globalMaxPooling1d', {}]], [8]],
  ['dense on rows', [['dense', { units: 3, activation: 'softmax' }]], [null, 3]],
  [
    'normalisation',
    [
      ['layerNormalization', {}],
      ['batchNormalization', {}],
    ],
    [null, 8],
  ],
  [
    'activations',
    [
      ['elu', {}],
      ['softmax', {}],
      ['activation', { activation: 'tanh' }],
    ],
    [null, 8],
  ],
  [
    'dropout',
    [
      ['dropout', { rate: 0.5 }],
      ['spatialDropout1d', { rate: 0.5 }],
    ],
    [null, 8],
  ],
  [
    'reshape',
    [
      ['reshape', { targetShape: [-1, 4] }],
      ['permute', { dims: [2, 1] }],
    ],
    [4, null],
  ],
  ['flatten', [['flatten', {}]], [null]],
]

describe('a length that comes with the data', () => {
  test.each(recipes)('is open in %s, and changes no bit', (_, recipe, output) => {
    const make = (shape: readonly (number | null)[]) => {
      const layers = recipe.map(([name, options], i) => {
        const factory = ls.layers[name] as (options: object) => ReturnType<typeof dense>
        return factory({ ...options, ...(i === 0 && { inputShape: shape }) })
      })
      return ls.sequential({ layers, seed: 4 })
    }
    const open = make([null, 8])
    expect(open.outputShapes[0]).toEqual(output)
    expect(open.inputShapes[0]).toEqual([null, 8])
    for (const steps of [6, 11, 6]) {
      const x = ls.tensor(noise(3 * steps * 8, steps), [3, steps, 8])
      const known = make([steps, 8])
      known.setWeights(open.getWeights())
      const [expected, found] = [known.predict(x), open.predict(x)]
      expect(found.shape).toEqual(expected.shape)
      expect(found.dataSync()).toEqual(expected.dataSync())
      known.dispose()
    }
  })

  test('shows as null, also where it is saved', async () => {
    const layers = [lstm({ units: 4, returnSequences: true, inputShape: [null, 8], name: 'l' })]
    const model = ls.sequential({
      layers: [...layers, globalAveragePooling1d({}), dense({ units: 2 })],
      name: 'm',
    })
    const lines: string[] = []
    model.summary(72, undefined, line => lines.push(line))
    expect(lines[4]).toBe('l (LSTM)                            [null, null, 4]     208')
    const theirs = await readByTheirs(model)
    expect(theirs.inputs[0]!.shape).toEqual([null, null, 8])
    for (const steps of [3, 7]) {
      const x = batchOf(noise(2 * steps * 8), [2, steps, 8])
      close(
        model.predict(x.ours).dataSync() as Float32Array,
        predictionsOf(theirs, x.theirs),
        `${steps} steps`,
      )
    }
    const back = await readByOurs(theirs)
    expect(back.inputShapes[0]).toEqual([null, 8])
  })

  test('in functional models with several inputs', () => {
    const [a, b] = [
      ls.input({ shape: [null, 4], name: 'a' }),
      ls.input({ batchShape: [null, null, 4], name: 'b' }),
    ]
    const sum = add({}).apply([a, b]) as ls.SymbolicTensor
    expect(sum.shape).toEqual([null, null, 4])
    const joined = concatenate({ axis: 1 }).apply([sum, a]) as ls.SymbolicTensor
    const attended = ls.layers
      .multiHeadAttention({ numHeads: 2, keyDim: 3 })
      .apply([sum, joined]) as ls.SymbolicTensor
    expect([joined.shape, attended.shape]).toEqual([
      [null, null, 4],
      [null, null, 4],
    ])
    const inner = ls.model({ inputs: [a, b], outputs: attended })
    const again = inner.apply([
      ls.input({ shape: [null, 4] }),
      ls.input({ shape: [null, 4] }),
    ]) as ls.SymbolicTensor
    expect(again.shape).toEqual([null, null, 4])
    const x = ls.tensor(noise(2 * 5 * 4), [2, 5, 4])
    expect((inner.predict([x, x]) as ls.Tensor).shape).toEqual([2, 5, 4])
    const other = ls.tensor(noise(2 * 6 * 4), [2, 6, 4])
    expect(() => inner.predict([x, other])).toThrow(
      /must have the same sizes, or 1, from the last axis on, got \[5, ?4\] and \[6, ?4\]/,
    )
  })

  test('makes an embedding open without inputLength, as in TensorFlow.js', () => {
    const model = ls.sequential({ layers: [embedding({ inputDim: 5, outputDim: 3 })] })
    expect([model.inputShapes, model.outputShape]).toEqual([[[null]], [null, null, 3]])
    expect(model.predict(ls.tensor([[1, 2, 3, 4]])).shape).toEqual([1, 4, 3])
  })
})

const parity: [what: string, inputShape: (number | null)[], recipe: Recipe][] = [
  [
    'lstm',
    [null, 8],
    [
      ['lstm', { units: 4, returnSequences: true }],
      ['lstm', { units: 3 }],
      ['dense', { units: 2 }],
    ],
  ],
  [
    'conv1d',
    [null, 8],
    [
      ['conv1d', { filters: 6, kernelSize: 3 }],
      ['globalMaxPooling1d', {}],
      ['dense', { units: 2 }],
    ],
  ],
  [
    'embedding',
    [null],
    [
      ['embedding', { inputDim: 9, outputDim: 4 }],
      ['gru', { units: 3 }],
      ['dense', { units: 2 }],
    ],
  ],
]

test.each(parity)(
  '%s learns from batches of several lengths as in TensorFlow.js',
  async (_, shape, recipe) => {
    const { ours, theirs } = twins(recipe, shapeOf(shape))
    const batches = [5, 9, 5, 7].map((steps, i) => {
      const sizes = [4, steps, ...shape.slice(1)] as number[]
      const values = noise(4 * steps * (shape[1] ?? 1), i)
      const x = batchOf(shape.length === 1 ? values.map(v => Math.floor((v + 1) * 4.5)) : values, sizes)
      return { x, y: batchOf(noise(8, 20 + i), [4, 2]) }
    })
    const mine = batches.map(({ x, y }) => ({ xs: x.ours, ys: y.ours }))
    const other = tf.data.generator(function* () {
      for (const { x, y } of batches) yield { xs: x.theirs.clone(), ys: y.theirs.clone() }
    } as never) as tf.data.Dataset<{ xs: tf.Tensor; ys: tf.Tensor }>
    ours.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
    theirs.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    const { history } = await ours.fitDataset(mine, { epochs: 2, workers: 2 })
    const expected = await theirs.fitDataset(other, { epochs: 2, verbose: 0 })
    close(history.loss!, expected.history.loss as number[], 'loss')
    for (const [i, values] of weightsOf(ours).entries()) close(values, weightsOf(theirs)[i]!, `weight ${i}`)
    for (const { x } of batches)
      close(ours.predict(x.ours).dataSync() as Float32Array, predictionsOf(theirs, x.theirs), 'y')
  },
)

describe('batches of other lengths', () => {
  const make = () => {
    const layers = [
      conv1d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [null, 3] }),
      dense({ units: 2, kernelRegularizer: 'l1l2' }),
    ]
    const model = ls.sequential({ layers, seed: 5 })
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['mae'] })
    return model
  }
  const batchesOf = (lengths: number[]) =>
    lengths.map((steps, i) => {
      const n = 2 + (i % 3)
      return {
        xs: ls.tensor(noise(n * steps * 3, i), [n, steps, 3]),
        ys: ls.tensor(noise(n * steps * 2, 99 + i), [n, steps, 2]),
      }
    })
  const bitsOf = (model: ls.Sequential): string =>
    model
      .getWeights()
      .map(({ values }) => values.join())
      .join('|')

  test('train to the same bits for any number of workers, and to those of one batch after the other', async () => {
    // More lengths than plans are kept, and some that come again later.
    const batches = batchesOf(Array.from({ length: 80 }, (_, i) => 1 + ((i * 7) % 43)))
    const byHand = make()
    for (const { xs, ys } of batches) await byHand.trainOnBatch(xs, ys)
    const outcomes = new Set([bitsOf(byHand)])
    const logs = new Set<string>()
    for (const [workers, prefetch] of [
      [1, 64],
      [2, 64],
      [3, 1],
    ] as const) {
      const model = make()
      const { history } = await model.fitDataset(batches, { workers, prefetch })
      outcomes.add(bitsOf(model))
      logs.add(JSON.stringify(history))
    }
    expect(logs.size).toBe(1)
    expect(outcomes.size).toBe(1)
  })

  test('count a sample as one in the loss, however long, and every row in a metric', async () => {
    const model = make()
    const batches = batchesOf([4, 10, 4])
    const [loss, mae] = ((await model.evaluateDataset(batches)) as ls.Tensor[]).map(t => t.dataSync()[0]!)
    const each = batches.map(({ xs, ys }) => {
      const [l, m] = (model.evaluate(xs, ys) as ls.Tensor[]).map(t => t.dataSync()[0]!)
      return { n: xs.shape[0]!, rows: xs.shape[0]! * xs.shape[1]!, l: l!, m: m! }
    })
    const mean = (weight: 'n' | 'rows', value: 'l' | 'm') =>
      each.reduce((sum, e) => sum + e[weight] * e[value], 0) / each.reduce((sum, e) => sum + e[weight], 0)
    expect(loss).toBeCloseTo(mean('n', 'l'), 6)
    expect(mae).toBeCloseTo(mean('rows', 'm'), 6)
  })

  test('need the memory of the longest', async () => {
    const model = make()
    const before = ls.engine().bytes
    let most = 0
    const callbacks = { onBatchEnd: () => void (most = Math.max(most, ls.engine().bytes - before)) }
    const bytesOf = async (lengths: number[]) => {
      most = 0
      await model.fitDataset(batchesOf(lengths), { workers: 1, callbacks, prefetch: 3 })
      return most
    }
    const one = await bytesOf([2000, 2000, 2000])
    expect(await bytesOf([100, 500, 2000, 1900, 1800, 1700, 1600, 1500])).toBeLessThan(1.2 * one)
    expect(ls.engine().bytes).toBe(before)
  })

  test('in each call of fit and evaluate, which take one length', async () => {
    const model = make()
    for (const { xs, ys } of batchesOf([3, 8])) {
      const { history } = await model.fit(xs, ys, { epochs: 2, workers: 2, validationData: [xs, ys] })
      expect(history.loss!.every(Number.isFinite)).toBe(true)
      const [a] = model.evaluate(xs, ys) as ls.Tensor[]
      expect(a!.dataSync()[0]).toBeCloseTo((await model.evaluateAsync(xs, ys)).loss!, 6)
    }
    const [short, long] = batchesOf([3, 8])
    expect(await caught(() => model.fit(short!.xs, ls.tensor(noise(2 * 8 * 2), [2, 8, 2])))).toBe(
      'RangeError: fit: y must have shape [*, 3, 2], got [2, 8, 2]',
    )
    expect(await caught(() => model.predict(long!.xs.dataSync() as Float32Array))).toBe(
      'TypeError: predict: x must have a shape, got Float32Array(72); give a tensor of shape [*, *, 3]',
    )
  })
})

describe('a layer that needs the length', () => {
  const refusals: [what: string, run: () => unknown, text: string][] = [
    [
      'dense on what flatten makes',
      () => ls.sequential({ layers: [flatten({ inputShape: [null, 8] }), dense({ units: 3, name: 'd' })] }),
      'RangeError: d: it must know all sizes of its input, got [null, null]; give them in inputShape, or bring sequences to one length first: by pooling, say',
    ],
    [
      'learnt positions',
      () => ls.sequential({ layers: [ls.layers.positionEmbedding({ inputShape: [null, 8], name: 'p' })] }),
      'RangeError: p: it must know all sizes of its input, got [null, null, 8]; give them in inputShape, or bring sequences to one length first: by pooling, say',
    ],
    [
      'a sum of other shapes',
      () => add({ name: 's' }).apply([ls.input({ shape: [null, 8] }), ls.input({ shape: [null, 9] })]),
      'RangeError: s: its inputs must have the same sizes, or 1, from the last axis on, got [null,8] and [null,9]; reshape one',
    ],
    [
      'a window longer than the data',
      () => {
        const layers = [conv1d({ filters: 1, kernelSize: 5, inputShape: [null, 2], name: 'c' })]
        return ls.sequential({ layers }).predict(ls.tensor(noise(6), [1, 3, 2]))
      },
      '',
    ],
  ]
  test.each(refusals)('is refused: %s', async (what, run, text) => {
    const found = await caught(run)
    if (text) expect(found).toBe(text)
    else expect(found, what).toMatch(/^RangeError: c: /)
  })
})
