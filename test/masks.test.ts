import { describe, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import type { Value } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

const { dense, embedding, flatten, globalAveragePooling1d, layerNormalization, masking } = ls.layers
const { multiHeadAttention, sinePositionEncoding, activation, add, concatenate, dropout, reshape } = ls.layers

const [samples, steps, features] = [9, 6, 4]
/** Sample i has 1 + i % steps steps, the last sample none at all. */
const lengthOf = (sample: number): number => (sample === samples - 1 ? 0 : 1 + (sample % steps))
const counts = (sample: number, step: number): boolean => step < lengthOf(sample)

/** Numbers in (samples, steps, n), `padding` where a step does not count. */
const padded = (n: number, seed: number, padding: number) =>
  noise(samples * steps * n, seed).map((x, i) => {
    const step = Math.floor(i / n)
    return counts(Math.floor(step / steps), step % steps) ? x : padding
  })

/** The rows of n of all steps that count. */
const countedRows = (values: ArrayLike<number>, n: number): number[][] =>
  Array.from({ length: samples * steps }, (_, row) => row)
    .filter(row => counts(Math.floor(row / steps), row % steps))
    .map(row => Array.from({ length: n }, (_, j) => values[row * n + j]!))

const evaluated = (model: ls.Sequential, x: ls.Tensor, y: ls.Tensor, options: object = {}): number[] =>
  [model.evaluate(x, y, options)].flat().map(result => result.dataSync()[0] as number)

describe('spreading', () => {
  const input = (g: Graph, shape: readonly number[], masked = true): Value => {
    const x = g.batch('x', shape)
    if (masked) g.masks.set(x, g.batch('mask', [shape[0]!]))
    return x
  }
  const draft = () => new Graph({ training: false, leaves: 1, rows: 2 })

  test('a layer that passes a mask on hands on the very same, one that drops it none', () => {
    const g = draft()
    const x = input(g, [5, 3])
    const passing = [dense({ units: 2 }), dropout({ rate: 0.5 }), activation({ activation: 'relu' })]
    for (const layer of passing) expect(g.masks.of(layer.build(g, x))).toBe(g.masks.of(x))
    for (const layer of [flatten({}), reshape({ targetShape: [5, 3] }), globalAveragePooling1d({})])
      expect(g.masks.of(layer.build(g, x))).toBe(undefined)
    // The input keeps its mask, though a reshaped view shows the same storage.
    expect(g.masks.of(x)).toBeDefined()
  })

  test('joins combine masks: of the steps, or one after the other', () => {
    const g = draft()
    const [a, b, bare] = [input(g, [5, 3]), input(g, [5, 3]), input(g, [5, 3], false)]
    const maskOf = (layer: Layer, ...xs: Value[]) => g.masks.of(layer.build(g, ...xs))
    expect(maskOf(add({}), a, bare)).toBe(g.masks.of(a))
    expect(maskOf(add({}), a, a)).toBe(g.masks.of(a))
    expect(maskOf(add({}), a, b)!.shape).toEqual([5])
    expect(maskOf(concatenate({}), a, b)!.shape).toEqual([5])
    expect(maskOf(concatenate({ axis: 1 }), a, bare)!.shape).toEqual([10])
    expect(maskOf(concatenate({ axis: 1 }), bare, bare)).toBe(undefined)
  })

  test.each([
    ['add', add({}), (a: boolean, b: boolean) => [a && b]],
    ['concatenate along the features', concatenate({}), (a: boolean, b: boolean) => [a && b]],
  ] as const)('%s counts the steps that both count', (_, join, both) => {
    const [a, b] = [ls.input({ shape: [steps, 2] }), ls.input({ shape: [steps, 2] })]
    const joined = join.apply([masking({}).apply(a), masking({}).apply(b)]) as ls.SymbolicTensor
    const model = ls.model({ inputs: [a, b], outputs: globalAveragePooling1d({}).apply(joined) })
    const x = padded(2, 3, 0)
    const other = noise(samples * steps * 2, 4).map((value, i) =>
      Math.floor(i / 2) % steps === 0 ? 0 : value,
    )
    const inputs = [x, other].map(values => ls.tensor(values, [samples, steps, 2]))
    const y = model.predict(inputs) as ls.Tensor
    const width = y.shape[1]!
    y.dataSync().forEach((value, i) => {
      const [sample, j] = [Math.floor(i / width), i % width]
      const kept = Array.from({ length: steps }, (_, t) => t).filter(t => both(counts(sample, t), t !== 0)[0])
      const at = (values: Float32Array, t: number) => values[(sample * steps + t) * 2 + (j % 2)]!
      const valueAt = (t: number) => (width === 2 ? at(x, t) + at(other, t) : at(j < 2 ? x : other, t))
      const expected = kept.reduce((sum, t) => sum + valueAt(t) / kept.length, 0)
      expect(value).toBeCloseTo(expected, 5)
    })
    model.dispose()
  })
})

test('a padded sequence gives what the sequence alone gives', () => {
  const stack = (length: number) =>
    ls.sequential({
      seed: 3,
      layers: [
        embedding({ inputDim: 9, outputDim: 8, maskZero: true, inputLength: length }),
        sinePositionEncoding({}),
        multiHeadAttention({ numHeads: 2, keyDim: 5, dropout: 0.5 }),
        layerNormalization({}),
        dense({ units: 7, activation: 'tanh' }),
        globalAveragePooling1d({}),
        dense({ units: 3, activation: 'softmax' }),
      ],
    })
  const x = Float32Array.from({ length: samples * steps }, (_, i) =>
    counts(Math.floor(i / steps), i % steps) ? 1 + ((i * 5) % 8) : 0,
  )
  const whole = stack(steps)
  const y = whole.predict(ls.tensor(x, [samples, steps])).dataSync()
  for (let sample = 0; sample < samples - 1; sample++) {
    const alone = stack(lengthOf(sample))
    alone.setWeights(whole.getWeights())
    const own = x.subarray(sample * steps, sample * steps + lengthOf(sample))
    const expected = alone.predict(ls.tensor(own, [1, own.length])).dataSync()
    expect(relativeError(y.slice(3 * sample, 3 * sample + 3), expected)).toBeLessThan(2e-6)
    alone.dispose()
  }
  expect([...y].every(Number.isFinite)).toBe(true)
  whole.dispose()
})

describe('loss and metrics of a masked sequence', () => {
  type Names = NonNullable<ls.CompileOptions['metrics']>
  const cases: [ls.CompileOptions['loss'] & string, Names, (n: number, seed: number) => Float32Array][] = [
    ['meanSquaredError', ['mae', 'r2Score', 'cosineProximity'] as Names, (n, seed) => padded(n, seed, 7)],
    [
      'binaryCrossentropy',
      ['binaryAccuracy', 'precision', 'recall', 'auc', 'f1Score'] as Names,
      (n, seed) => padded(n, seed, 5).map(x => Number(x > 0)),
    ],
    [
      'sparseCategoricalCrossentropy',
      ['accuracy', 'sparseTopKCategoricalAccuracy'] as Names,
      (_, seed) => padded(1, seed, 0.9).map(x => Math.floor(2 * (x + 1))),
    ],
  ]
  test.each(cases)('%s is that of the steps that count', async (loss, metrics, targets) => {
    const layers = () => [
      dense({ units: 5, activation: 'tanh' }),
      dense({ units: features, activation: loss.startsWith('b') ? 'sigmoid' : 'softmax' }),
    ]
    const masked = ls.sequential({
      layers: [masking({ maskValue: 9, inputShape: [steps, features] }), ...layers()],
    })
    const plain = ls.sequential({
      layers: [reshape({ targetShape: [features], inputShape: [features] }), ...layers()],
    })
    plain.setWeights(masked.getWeights())
    for (const model of [masked, plain]) model.compile({ loss, metrics, optimizer: ls.train.sgd(0.5) })
    const [x, y] = [padded(features, 5, 9), targets(features, 6)]
    const n = y.length / (samples * steps)
    const xs = ls.tensor(x, [samples, steps, features])
    const ys = ls.tensor(y, [samples, steps, n])
    const [rows, answers] = [ls.tensor(countedRows(x, features)), ls.tensor(countedRows(y, n))]
    // Two batches: the sums of the epoch are exact, whatever each batch counts.
    expect(
      relativeError(evaluated(masked, xs, ys, { batchSize: 5 }), evaluated(plain, rows, answers)),
    ).toBeLessThan(2e-6)
    const [found, expected] = [await masked.trainOnBatch(xs, ys), await plain.trainOnBatch(rows, answers)]
    expect(relativeError([found].flat(), [expected].flat())).toBeLessThan(2e-6)
    masked.getWeights().forEach((w, i) => {
      expect(relativeError(w.dataSync(), plain.getWeights()[i]!.dataSync())).toBeLessThan(2e-6)
    })
    for (const model of [masked, plain]) model.dispose()
  })

  test('sample weights multiply what counts, as in Keras 3', async () => {
    const model = ls.sequential({ layers: [masking({ inputShape: [steps, features] })] })
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' })
    const [x, y] = [padded(features, 5, 0), padded(features, 6, 3)]
    const sampleWeight = noise(samples, 8).map(w => 2 + w)
    const { history } = await model.fit(x, y, {
      sampleWeight,
      batchSize: 4,
      epochs: 1,
      shuffle: false,
      workers: 1,
    })
    let [sum, count] = [0, 0]
    for (let step = 0; step < samples * steps; step++) {
      const sample = Math.floor(step / steps)
      if (!counts(sample, step % steps)) continue
      count++
      for (let j = step * features; j < (step + 1) * features; j++)
        sum += (sampleWeight[sample]! * (x[j]! - y[j]!) ** 2) / features
    }
    expect(history.loss![0]).toBeCloseTo(sum / count, 5)
    model.dispose()
  })

  test('a batch in which nothing counts has the loss 0 and moves nothing', async () => {
    const model = ls.sequential({ layers: [masking({ inputShape: [2, 1] }), dense({ units: 1 })] })
    model.compile({ loss: 'meanSquaredError', metrics: ['mae'], optimizer: ls.train.sgd(1) })
    const before = model.getWeights().map(w => [...w.dataSync()])
    expect(
      await model.trainOnBatch(ls.tensor(new Float32Array(6), [3, 2, 1]), ls.tensor(noise(6, 1), [3, 2, 1])),
    ).toEqual([0, 0])
    expect(model.getWeights().map(w => [...w.dataSync()])).toEqual(before)
    model.dispose()
  })
})

/** Weights and history after training two outputs, one of them a sequence, on padded sequences. */
async function trained(options: ls.FitOptions, mixUp: number): Promise<unknown> {
  const x = ls.input({ shape: [steps, features] })
  const words = masking({}).apply(x)
  const attended = multiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.3, name: 'attended' }).apply([
    words,
  ])
  const sum = add({ name: 'sum' }).apply([words, attended as ls.SymbolicTensor]) as ls.SymbolicTensor
  const tags = dense({ units: 3, activation: 'softmax', activityRegularizer: 'l2', name: 'tags' }).apply(sum)
  const topic = dense({ units: 1, name: 'topic' }).apply(globalAveragePooling1d({ name: 'mean' }).apply(sum))
  const model = ls.model({ inputs: x, outputs: [tags, topic], seed: 4 })
  model.compile({
    optimizer: 'adam',
    loss: ['sparseCategoricalCrossentropy', 'meanSquaredError'],
    lossWeights: [0.7, 1.3],
    metrics: ['accuracy'],
    leaves: 4,
    mixUp,
  })
  const y = [padded(1, 6, 0.9).map(value => Math.floor(1.5 * (value + 1))), noise(samples, 7)]
  const targets = [ls.tensor(y[0]!, [samples, steps, 1]), ls.tensor(y[1]!, [samples, 1])]
  const data = ls.tensor(padded(features, 5, 0), [samples, steps, features])
  const { history } = await model.fit(data, targets, { epochs: 3, batchSize: 5, seed: 8, ...options })
  const weights = model.getWeights().map(weight => [...weight.dataSync()])
  model.dispose()
  return { history, weights }
}

test.each([0, 0.4])(
  'masks give the same bits for any number of workers, all leaves at once or one by one, mixUp %f',
  async mixUp => {
    const expected = await trained({ workers: 1 }, mixUp)
    expect(await trained({ workers: 3 }, mixUp)).toEqual(expected)
    expect(await trained({ workers: 2, accumulate: true }, mixUp)).toEqual(expected)
  },
)

test('the last input of attention may say who attends to whom', () => {
  const [query, value] = [ls.input({ shape: [3, 2] }), ls.input({ shape: [4, 2] })]
  const pairs = ls.input({ shape: [3, 4] })
  const options = { numHeads: 1, keyDim: 2, useBias: false }
  const layer = multiHeadAttention({ ...options, useAttentionMask: true, name: 'paired' })
  const model = ls.model({
    inputs: [query, value, pairs],
    outputs: layer.apply([query, value, pairs]) as never,
  })
  const all = ls.model({
    inputs: [query, value],
    outputs: multiHeadAttention({ ...options, name: 'all' }).apply([query, value]) as never,
  })
  all.setWeights(model.getWeights())
  const [q, v] = [ls.tensor(noise(6, 1), [1, 3, 2]), ls.tensor(noise(8, 2), [1, 4, 2])]
  const predict = (mask: number[][]) => (model.predict([q, v, ls.tensor([mask])]) as ls.Tensor).dataSync()
  const none = [0, 0, 0, 0]
  const ones = [1, 1, 1, 1]
  expect(predict([ones, ones, ones])).toEqual((all.predict([q, v]) as ls.Tensor).dataSync())
  const y = predict([none, [0, 1, 0, 0], [0, 1, 0, 0]])
  expect([...y.slice(0, 2)]).toEqual([0, 0])
  // Who sees one key alone takes its value, whatever is asked for.
  expect([...y.slice(2, 4)]).toEqual([...y.slice(4, 6)])
  for (const each of [model, all]) each.dispose()
})

test('a saved model masks as before', async () => {
  const [x, pairs] = [ls.input({ shape: [steps, features] }), ls.input({ shape: [steps, steps] })]
  const placed = sinePositionEncoding({ maxWavelength: 50 }).apply(masking({ maskValue: 2 }).apply(x))
  const attended = multiHeadAttention({ numHeads: 2, keyDim: 3, useAttentionMask: true }).apply([
    placed,
    pairs,
  ])
  const y = globalAveragePooling1d({}).apply(attended as ls.SymbolicTensor)
  const model = ls.model({ inputs: [x, pairs], outputs: y })
  const inputs = [
    ls.tensor(padded(features, 5, 2), [samples, steps, features]),
    ls.tensor(
      noise(samples * steps * steps, 6).map(value => Number(value > -0.5)),
      [samples, steps, steps],
    ),
  ]
  await withFolder(async folder => {
    await model.save(`file://${folder}`)
    const again = (await ls.loadLayersModel(`file://${folder}/model.json`)) as ls.Model
    expect(again.predict(inputs)).toEqual(model.predict(inputs))
    again.dispose()
  })
  model.dispose()
})

test('constraints hold after training', async () => {
  const { maxNorm, minMaxNorm, nonNeg } = ls.constraints
  const kernelConstraint = maxNorm({ maxValue: 0.1 })
  const [gammaConstraint, betaConstraint] = [minMaxNorm({ maxValue: 0.4 }), nonNeg()]
  const model = ls.sequential({
    layers: [
      embedding({
        inputDim: 5,
        outputDim: 3,
        inputLength: 4,
        embeddingsConstraint: maxNorm({ maxValue: 0.05 }),
      }),
      multiHeadAttention({ numHeads: 2, keyDim: 3, kernelConstraint, biasConstraint: nonNeg() }),
      layerNormalization({ gammaConstraint, betaConstraint }),
      ls.layers.prelu({ alphaConstraint: nonNeg(), alphaInitializer: 'ones' }),
    ],
  })
  model.compile({ optimizer: ls.train.sgd(1), loss: 'meanSquaredError' })
  const x = Float32Array.from({ length: 24 }, (_, i) => i % 5)
  await model.fit(x, noise(72, 2), { epochs: 3, workers: 1 })
  const norms = (name: string) => {
    const [found] = model.weights.flatMap((weight, i) => (weight.name.endsWith(name) ? [i] : []))
    const { values, shape } = model.getWeights()[found!]!
    const n = shape.at(-1)!
    return Array.from({ length: n }, (_, j) =>
      Math.hypot(...[...values].filter((_, i) => i % n === j).map(Number)),
    )
  }
  for (const name of ['query/kernel', 'value/kernel', 'attention_output/kernel'])
    expect(Math.max(...norms(name))).toBeLessThanOrEqual(0.1 + 1e-6)
  expect(Math.max(...norms('embeddings'))).toBeLessThanOrEqual(0.05 + 1e-6)
  expect(Math.hypot(...norms('gamma'))).toBeLessThanOrEqual(0.4 + 1e-6)
  const values = (name: string) =>
    model
      .getWeights()
      [model.weights.findIndex(weight => weight.name.endsWith(name))]!.dataSync() as Float32Array
  for (const name of ['query/bias', 'beta', 'alpha'])
    expect(Math.min(...values(name))).toBeGreaterThanOrEqual(0)
  model.dispose()
})

test.each<[() => unknown, string]>([
  [
    () => ls.sequential({ layers: [masking({ name: 'm', inputShape: [3] })] }),
    'RangeError: m: the input must have shape [steps, features], got [3]; add layers.reshape() before it',
  ],
  [
    () => masking({ maskValue: Number.NaN }),
    'RangeError: Masking: maskValue must be a finite number, got NaN',
  ],
  [
    () =>
      ls.sequential({
        layers: [embedding({ name: 'e', inputDim: 4, outputDim: 2, maskZero: true, inputLength: [2, 3] })],
      }),
    'RangeError: e: with maskZero the input must have shape [steps], got [2,3]; reshape it or leave maskZero out',
  ],
  [
    () => sinePositionEncoding({ maxWavelength: 0 }),
    'RangeError: SinePositionEncoding: maxWavelength must be a number > 0, got 0',
  ],
  [
    () => ls.sequential({ layers: [sinePositionEncoding({ name: 's', inputShape: [3] })] }),
    'RangeError: s: the input must have shape [time, features], got [3]; reshape it',
  ],
  [
    () => {
      const x = ls.input({ shape: [3, 2] })
      multiHeadAttention({ name: 'a', numHeads: 1, keyDim: 2, useAttentionMask: true }).apply([x, x])
    },
    'RangeError: a: the mask must have shape [queries, keys], [3,3], got [3,2]; give it last',
  ],
  [
    () => {
      const x = ls.input({ shape: [3, 2] })
      multiHeadAttention({ name: 'a', numHeads: 1, keyDim: 2, useAttentionMask: true }).apply([x])
    },
    'RangeError: a: it must have query, value, key and the mask, got 1 inputs; value and key may be left out',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
