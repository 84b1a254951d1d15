import { afterEach, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const { dense, gru, lstm, masking, simpleRNN } = ls.layers
type Kind = 'lstm' | 'gru' | 'gruAfter' | 'simpleRNN'
const kinds: Kind[] = ['lstm', 'gru', 'gruAfter', 'simpleRNN']

const made: ls.Model[] = []
afterEach(() => {
  for (const model of made.splice(0)) model.dispose()
})

function recurrent(kind: Kind, options: object) {
  if (kind === 'lstm') return lstm({ units: 5, ...options })
  if (kind === 'simpleRNN') return simpleRNN({ units: 5, ...options })
  return gru({ units: 5, resetAfter: kind === 'gruAfter', ...options })
}

const places = 4
const features = 3

/** Two recurrent layers, one on the other, of which mini-batches of `steps` steps go through. */
function stack(kind: Kind, steps: number, { stateful = true, masked = false, dropout = 0, seed = 3 } = {}) {
  const batchShape = [stateful ? places : null, steps, features]
  const x = ls.input({ batchShape })
  const front = masked ? (masking({}).apply(x) as ls.SymbolicTensor) : x
  const first = recurrent(kind, { stateful, returnSequences: true, recurrentDropout: dropout }).apply(front)
  const second = recurrent(kind, { stateful, returnSequences: true }).apply(first)
  const outputs = dense({ units: 2 }).apply(second)
  const model = ls.model({ inputs: x, outputs, seed })
  made.push(model)
  return model
}

/** Steps [from, to) of every sample of x (samples, steps, features). */
function stepsOf(x: ls.Tensor, from: number, to: number): ls.Tensor {
  const [samples, time, n] = x.shape as [number, number, number]
  const rows = Array.from({ length: samples }, (_, i) =>
    (x.values as Float32Array).subarray((i * time + from) * n, (i * time + to) * n),
  )
  return ls.tensor(Float32Array.from(rows.flatMap(row => [...row])), [samples, to - from, n])
}

/** Sequences of 12 steps, some of which are zeros if wanted: one sample for each place. */
function sequences(masked = false): ls.Tensor {
  const values = noise(places * 12 * features, 9).map((value, i) => {
    const step = Math.floor(i / features)
    return masked && (step * 5) % 7 < 3 ? 0 : value
  })
  return ls.tensor(values, [places, 12, features])
}

const valuesOf = (model: ls.Model) => model.getWeights().map(weight => [...weight.dataSync()])
const predictionOf = (model: ls.Model, x: ls.Tensor) => model.predict(x) as ls.Tensor

describe.each(kinds)('a stateful %s', kind => {
  test.each([false, true])(
    'goes on where the batch before ended, to the bits of one sequence; masked: %s',
    masked => {
      const [whole, parts] = [stack(kind, 12, { stateful: false, masked }), stack(kind, 4, { masked })]
      const x = sequences(masked)
      const expected = predictionOf(whole, x)
      // Twice, so that resetStates is seen to be needed, and to be enough.
      for (const _ of [0, 1]) {
        for (const from of [0, 4, 8]) {
          const y = predictionOf(parts, stepsOf(x, from, from + 4))
          expect([...y.dataSync()]).toEqual([...stepsOf(expected, from, from + 4).dataSync()])
        }
        const other = predictionOf(parts, stepsOf(x, 0, 4))
        expect(other.dataSync()).not.toEqual(stepsOf(expected, 0, 4).dataSync())
        parts.resetStates()
      }
    },
  )

  test('has the same bits for any number of workers, all leaves at once or one by one', async () => {
    const x = ls.tensor(noise(12 * 4 * features, 1), [12, 4, features])
    const y = ls.tensor(noise(12 * 4 * 2, 2), [12, 4, 2])
    const run = async (options: ls.FitOptions & { workers: number }) => {
      const model = stack(kind, 4, { masked: true, dropout: 0.3 })
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError', leaves: 3 })
      const { history } = await model.fit(x, y, { epochs: 2, seed: 5, validationData: [x, y], ...options })
      const { workers } = options
      const predicted = (await model.predictAsync(x, { workers })) as ls.Tensor
      const logs = await model.evaluateAsync(x, y, { workers })
      return { weights: valuesOf(model), history, predicted: [...predicted.dataSync()], logs }
    }
    const expected = await run({ workers: 1 })
    expect(await run({ workers: 2 })).toEqual(expected)
    expect(await run({ workers: 3 })).toEqual(expected)
    expect(await run({ workers: 2, accumulate: true })).toEqual(expected)
    expect(await run({ workers: 2, stream: true })).toEqual(expected)
  })

  test('carries its states from fit to evaluate to predict, batch by batch', async () => {
    const x = ls.tensor(noise(8 * 4 * features, 1), [8, 4, features])
    const y = ls.tensor(noise(8 * 4 * 2, 2), [8, 4, 2])
    const [whole, alone] = [0, 1].map(() => {
      const model = stack(kind, 4)
      model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
      return model
    }) as [ls.Model, ls.Model]
    const rows = ({ values, shape }: ls.Tensor, from: number) => {
      const size = values.length / 8
      return ls.tensor((values as Float32Array).slice(from * size, (from + 4) * size), [4, ...shape.slice(1)])
    }
    await whole.fit(x, y, { shuffle: false, workers: 2 })
    for (const from of [0, 4]) await alone.trainOnBatch(rows(x, from), rows(y, from))
    expect(valuesOf(alone)).toEqual(valuesOf(whole))
    const loss = (whole.evaluate(x, y) as ls.Tensor).dataSync()[0]!
    const losses = [0, 4].map(
      from => (alone.evaluate(rows(x, from), rows(y, from)) as ls.Tensor).dataSync()[0]!,
    )
    expect(losses[0]! / 2 + losses[1]! / 2).toBeCloseTo(loss, 6)
    const expected = [0, 4].flatMap(from => [...predictionOf(alone, rows(x, from)).dataSync()])
    expect([...((await whole.predictAsync(x)) as ls.Tensor).dataSync()]).toEqual(expected)
  })
})

/** One stateful layer whose states are what it puts out. */
function single(options: object = {}) {
  const x = ls.input({ batchShape: [2, 1, 1] })
  const layer = simpleRNN({
    units: 1,
    name: 's',
    stateful: true,
    activation: 'linear',
    useBias: false,
    ...options,
  })
  const model = ls.model({ inputs: x, outputs: layer.apply(x), name: 'm' })
  model.setWeights([ls.tensor([1], [1, 1]), ls.tensor([1], [1, 1])])
  made.push(model)
  return { model, layer }
}
const ones = ls.tensor([1, 10], [2, 1, 1])
const sumsOf = (model: ls.Model) => [...predictionOf(model, ones).dataSync()]

describe('states', () => {
  test('are counted up, reset by the layer or the model, and kept by compile', () => {
    const { model, layer } = single()
    expect([sumsOf(model), sumsOf(model)]).toEqual([
      [1, 10],
      [2, 20],
    ])
    layer.resetStates()
    expect(sumsOf(model)).toEqual([1, 10])
    model.resetStates()
    expect(sumsOf(model)).toEqual([1, 10])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect(sumsOf(model)).toEqual([2, 20])
    expect(model.stateful).toBe(true)
    expect(layer.stateful).toBe(true)
  })

  test('may be given to resetStates', () => {
    const { model, layer } = single()
    layer.resetStates(ls.tensor([2, 3], [2, 1]))
    expect(sumsOf(model)).toEqual([3, 13])
    layer.resetStates([Float32Array.of(5, 6)])
    expect(sumsOf(model)).toEqual([6, 16])
    expect(() => layer.resetStates([1, 2, 3])).toThrow(
      's: resetStates must be given states of [2] numbers, got [3]; leave them out for zeros',
    )
    const [x, two] = [ls.input({ batchShape: [2, 3, 1] }), lstm({ units: 1, stateful: true })]
    const cells = ls.model({ inputs: x, outputs: two.apply(x) })
    made.push(cells)
    two.resetStates([
      [0.1, 0.2],
      [0.3, 0.4],
    ])
    const zeros = ls.tensor(new Float32Array(6), [2, 3, 1])
    const given = predictionOf(cells, zeros).dataSync()
    cells.resetStates()
    expect([...predictionOf(cells, zeros).dataSync()]).toEqual([0, 0])
    expect([...given].every(value => value > 0)).toBe(true)
  })

  test('are those of one use of a layer in a model', () => {
    const x = ls.input({ batchShape: [2, 1, 1] })
    const layer = simpleRNN({ units: 1, name: 's', stateful: true, returnSequences: true })
    expect(() => ls.model({ inputs: x, outputs: layer.apply(layer.apply(x)), name: 'm' })).toThrow(
      'm: a stateful layer must be used once, got "s" more often; make another',
    )
  })

  test('go on from batch to batch within a call', () => {
    const { model } = single()
    const x = ls.tensor([1, 10, 2, 20, 3, 30], [6, 1, 1])
    expect([...predictionOf(model, x).dataSync()]).toEqual([1, 10, 3, 30, 6, 60])
  })

  test('are no weights, and a file does not hold them', async () => {
    const { model } = single()
    sumsOf(model)
    expect(model.weights.map(({ name }) => name)).toEqual(['s/kernel', 's/recurrent_kernel'])
    expect(model.getWeights()).toHaveLength(2)
    expect(model.countParams()).toBe(2)
  })

  test('belong to the layer: models that share it share them', () => {
    const { model, layer } = single()
    const x = ls.input({ batchShape: [2, 1, 1] })
    const other = ls.model({ inputs: x, outputs: layer.apply(x) })
    made.push(other)
    expect([sumsOf(model), sumsOf(other), sumsOf(model)]).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ])
  })

  test('begin as initialState says, where that is given', () => {
    const [x, h] = [ls.input({ batchShape: [2, 1, 1] }), ls.input({ batchShape: [2, 1] })]
    const { layer } = single()
    const model = ls.model({ inputs: [x, h], outputs: layer.apply(x, { initialState: h }) })
    made.push(model)
    const y = model.predict([ones, ls.tensor([5, 6], [2, 1])]) as ls.Tensor
    expect([...y.dataSync()]).toEqual([6, 16])
    const alone = ls.model({ inputs: x, outputs: layer.apply(x) })
    made.push(alone)
    expect(sumsOf(alone)).toEqual([7, 26])
  })

  test('may be reset between epochs', async () => {
    const epochs = async (reset: number) => {
      const { model } = single()
      model.compile({ optimizer: ls.train.sgd(0), loss: 'meanSquaredError' })
      const callbacks = { onEpochBegin: (epoch: number) => void (epoch === reset && model.resetStates()) }
      const y = ls.tensor([0, 0], [2, 1])
      const { history } = await model.fit(ones, y, { epochs: 3, shuffle: false, callbacks, workers: 2 })
      return history.loss!
    }
    expect(await epochs(0)).toEqual([50.5, 4 * 50.5, 9 * 50.5])
    expect(await epochs(1)).toEqual([50.5, 50.5, 4 * 50.5])
  })

  test('are those of the last epoch again when training fails', async () => {
    const { model } = single()
    model.compile({ optimizer: ls.train.sgd(0), loss: 'meanSquaredError' })
    sumsOf(model)
    const huge = ls.tensor([1, 1, 1e30, 1], [4, 1, 1])
    const failure = await caught(() =>
      model.fit(huge, ls.tensor([0, 0, 0, 0], [4, 1]), { shuffle: false, workers: 2 }),
    )
    expect(failure).toContain('fit: ')
    expect(sumsOf(model)).toEqual([2, 20])
    expect(
      await caught(() => model.trainOnBatch(ls.tensor([1e30, 1], [2, 1, 1]), ls.tensor([0, 0], [2, 1]))),
    ).toContain('trainOnBatch: ')
    expect(sumsOf(model)).toEqual([3, 30])
  })
})

describe('a stateful model inside another one', () => {
  test('keeps its states, and must be given mini-batches of one size', () => {
    const { model: inner } = single()
    const outer = ls.sequential({
      layers: [inner, dense({ units: 1, kernelInitializer: 'ones', useBias: false })],
    })
    const sums = () => [...(outer.predict(ones) as ls.Tensor).dataSync()]
    expect([sums(), sums()]).toEqual([
      [1, 10],
      [2, 20],
    ])
    outer.resetStates()
    expect(sums()).toEqual([1, 10])
    outer.dispose()
    expect(() => inner.apply(ls.input({ shape: [1, 1] }))).toThrow(
      's: with stateful all mini-batches must have one size',
    )
  })
})

describe('mini-batches of another size', () => {
  const three = ls.tensor([1, 2, 3], [3, 1, 1])
  const targets = ls.tensor([1, 2, 3], [3, 1])
  const [four, fourTargets] = [ls.tensor([1, 2, 3, 4], [4, 1, 1]), ls.tensor([1, 2, 3, 4], [4, 1])]
  const compiled = () => {
    const { model } = single()
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    return model
  }
  const few =
    'must have a multiple of 2 samples, the batch size of the stateful m, got 3; leave some out or add some'
  const one = 'must have 2 samples, the batch size of the stateful m, got 4; leave some out or add some'
  const other = (size: number) =>
    `batchSize must be 2, as the input of the stateful m says, got ${size}; leave it out`
  test.each<[string, (model: ls.Model) => unknown, string]>([
    ['predict', model => model.predict(three), `predict: x ${few}`],
    ['evaluate', model => model.evaluate(three, targets), `evaluate: x ${few}`],
    ['fit', model => model.fit(three, targets), `fit: x ${few}`],
    ['fit', model => model.fit(ones, targets, { batchSize: 32 }), `fit: ${other(32)}`],
    ['predict', model => model.predict(ones, { batchSize: 1 }), `predict: ${other(1)}`],
    ['predictOnBatch', model => model.predictOnBatch(four), `predictOnBatch: x ${one}`],
    ['trainOnBatch', model => model.trainOnBatch(four, fourTargets), `trainOnBatch: x ${one}`],
    [
      'fitDataset',
      model => model.fitDataset([{ xs: three, ys: targets }]),
      `fitDataset at epoch 0, batch 0: xs ${few}`,
    ],
    [
      'fit',
      model =>
        model.fit(ls.tensor([1, 2, 3, 4], [4, 1, 1]), ls.tensor([1, 2, 3, 4], [4, 1]), {
          validationSplit: 0.25,
        }),
      `fit: the part that validationSplit leaves ${few}`,
    ],
  ])('%s refuses them', async (_, run, text) => {
    expect(await caught(() => run(compiled()))).toBe(`RangeError: ${text}`)
  })

  test('a dataset of whole ones trains and evaluates as arrays do', async () => {
    const [first, second] = [ls.tensor([1, 2], [2, 1, 1]), ls.tensor([3, 4], [2, 1, 1])]
    const y = ls.tensor([0, 1], [2, 1])
    const batches = [first, second].map(xs => ({ xs, ys: y }))
    const [a, b] = [compiled(), compiled()]
    await a.fitDataset(batches, { epochs: 2, workers: 2 })
    const x = ls.tensor([1, 2, 3, 4], [4, 1, 1])
    const ys = ls.tensor([0, 1, 0, 1], [4, 1])
    await b.fit(x, ys, { epochs: 2, shuffle: false, workers: 1 })
    expect(valuesOf(a)).toEqual(valuesOf(b))
    const loss = (await a.evaluateDataset(batches)) as ls.Tensor
    expect([...loss.dataSync()]).toEqual([...(b.evaluate(x, ys) as ls.Tensor).dataSync()])
    expect(sumsOf(a)).toEqual(sumsOf(b))
  })
})

test('a model that is training, or is asked, lends its states to nobody', async () => {
  const { model } = single()
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const asked = model.predictAsync(ones)
  expect(await caught(() => model.predict(ones))).toContain('predict: model is in use')
  expect(await caught(() => model.resetStates())).toContain('resetStates: model is in use')
  await asked
  const training = model.fit(ones, ls.tensor([0, 0], [2, 1]), { epochs: 3 })
  expect(await caught(() => model.predict(ones))).toContain('predict: model is training')
  expect(await caught(() => model.resetStates())).toContain('resetStates: model is training')
  await training
})

describe('sequences of any length', () => {
  test('go through an encoder and a decoder', () => {
    const inputs = [ls.input({ shape: [null, 3] }), ls.input({ shape: [null, 2] })] as const
    const [, ...states]: ls.SymbolicTensor[] = lstm({ units: 4, returnState: true }).apply(inputs[0])
    const decoder = lstm({ units: 4, returnSequences: true, returnState: true })
    const [y, h]: ls.SymbolicTensor[] = decoder.apply(inputs[1], { initialState: states })
    const model = ls.model({ inputs, outputs: [dense({ units: 2 }).apply(y!), h!] })
    made.push(model)
    expect(model.outputShapes).toEqual([[null, 2], [4]])
    const data = [ls.tensor(noise(30, 1), [2, 5, 3]), ls.tensor(noise(12, 2), [2, 3, 2])]
    const predicted = model.predict(data) as ls.Tensor[]
    expect(predicted.map(({ shape }) => shape)).toEqual([
      [2, 3, 2],
      [2, 4],
    ])
  })

  test.each(kinds)('go on in a stateful %s, to the bits of one', async kind => {
    const x = ls.input({ batchShape: [places, null, features] })
    const outputs = recurrent(kind, { stateful: true, returnSequences: true }).apply(x)
    const model = ls.model({ inputs: x, outputs, seed: 2 })
    made.push(model)
    const data = sequences()
    const expected = predictionOf(model, data)
    model.resetStates()
    for (const [from, to] of [
      [0, 3],
      [3, 10],
      [10, 12],
    ] as const) {
      const y = predictionOf(model, stepsOf(data, from, to))
      expect([...y.dataSync()]).toEqual([...stepsOf(expected, from, to).dataSync()])
    }
  })
})

test('several outputs of a layer are trained and measured under names of their own', async () => {
  const x = ls.input({ shape: [3, 2] })
  const outputs: ls.SymbolicTensor[] = lstm({ units: 2, name: 'l', returnState: true }).apply(x)
  const model = ls.model({ inputs: x, outputs, seed: 1 })
  made.push(model)
  expect(model.outputNames).toEqual(['l', 'l_1', 'l_2'])
  model.compile({
    optimizer: 'sgd',
    loss: { l: 'meanSquaredError', l_2: 'meanAbsoluteError' },
    metrics: ['mae'],
  })
  const [h, c] = [noise(8, 2), noise(8, 3)].map(values => ls.tensor(values, [4, 2])) as [ls.Tensor, ls.Tensor]
  const { history } = await model.fit(ls.tensor(noise(24, 1), [4, 3, 2]), { l: h, l_2: c }, { workers: 1 })
  expect(Object.keys(history)).toEqual(['loss', 'l_loss', 'l_2_loss', 'l_mae', 'l_2_mae'])
  expect(history.l_2_mae![0]).toBeCloseTo(history.l_2_loss![0]!, 6)
})

test('weights keep to their constraints', async () => {
  const constraints = {
    kernelConstraint: 'nonNeg',
    recurrentConstraint: 'unitNorm',
    biasConstraint: 'nonNeg',
  } as const
  for (const kind of kinds) {
    const x = ls.input({ shape: [4, features] })
    const model = ls.model({ inputs: x, outputs: recurrent(kind, constraints).apply(x), seed: 1 })
    made.push(model)
    model.compile({ optimizer: ls.train.sgd(0.5), loss: 'meanSquaredError' })
    const data = ls.tensor(noise(6 * 4 * features, 1), [6, 4, features])
    await model.fit(data, ls.tensor(noise(30, 2), [6, 5]), { epochs: 3, workers: 1 })
    const [kernel, inner, bias] = valuesOf(model) as [number[], number[], number[]]
    expect(Math.min(...kernel, ...bias)).toBeGreaterThanOrEqual(0)
    const columns = inner.length / 5
    for (let j = 0; j < columns; j++)
      expect(Math.hypot(...inner.filter((_, i) => i % columns === j))).toBeCloseTo(1, 5)
  }
})

test('an encoder and a decoder learn to write a sequence backwards', async () => {
  const [time, symbols] = [4, 5]
  const count = 200
  const digits = noise(count * time, 4).map(value => Math.floor(((value + 1) / 2) * symbols))
  const oneHot = (of: (sample: number, step: number) => number) => {
    const values = new Float32Array(count * time * symbols)
    for (let i = 0; i < count * time; i++) {
      const symbol = of(Math.floor(i / time), i % time)
      if (symbol >= 0) values[i * symbols + symbol] = 1
    }
    return ls.tensor(values, [count, time, symbols])
  }
  const written = (sample: number, step: number) => digits[sample * time + time - 1 - step]!
  const question = oneHot((sample, step) => digits[sample * time + step]!)
  const answer = oneHot(written)
  // What the decoder has written so far.
  const before = oneHot((sample, step) => (step === 0 ? -1 : written(sample, step - 1)))

  const inputs = [ls.input({ shape: [time, symbols] }), ls.input({ shape: [time, symbols] })] as const
  const [, ...states]: ls.SymbolicTensor[] = lstm({ units: 24, returnState: true }).apply(inputs[0])
  const decoded = lstm({ units: 24, returnSequences: true }).apply(inputs[1], { initialState: states })
  const outputs = dense({ units: symbols, activation: 'softmax' }).apply(decoded)
  const model = ls.model({ inputs, outputs, seed: 1 })
  made.push(model)
  model.compile({ optimizer: ls.train.adam(0.02), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const { history } = await model.fit([question, before], answer, {
    epochs: 40,
    batchSize: 20,
    seed: 2,
    workers: 2,
  })
  expect(history.acc?.[0] ?? history.accuracy![0]!).toBeLessThan(0.5)
  expect(history.acc?.at(-1) ?? history.accuracy!.at(-1)!).toBeGreaterThan(0.95)
})
