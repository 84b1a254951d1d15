import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import * as ls from '../src/index.ts'
import { accelerate } from '../src/tfjs/accelerate.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const models: tf.LayersModel[] = []
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
    const values = plain.weights.map(({ name, shape }, i) => {
      const drawn = noise(tf.util.sizeFromShape(shape as number[]), 50 + i)
      return tf.tensor(
        drawn.map(v => (name.includes('variance') ? 1 : 0) + v / 2),
        shape as number[],
      )
    })
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
  y: tf.oneHot(
    tf.tensor1d(
      Array.from(noise(count, 4), v => Math.floor(1.5 * (v + 1))),
      'int32',
    ),
    3,
  ),
})

const weightsOf = (model: tf.LayersModel) =>
  tf.tidy(() => model.getWeights().map(w => w.dataSync() as Float32Array))

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, limit = 1e-4): void {
  expect(relativeError(actual, expected)).toBeLessThan(limit)
}

function closeWeights(actual: tf.LayersModel, expected: tf.LayersModel, limit = 1e-4): void {
  const wanted = weightsOf(expected)
  weightsOf(actual).forEach((w, i) => close(w, wanted[i]!, limit))
}

const compileArgs = { loss: 'categoricalCrossentropy', metrics: ['accuracy'] }
const compile = (model: tf.LayersModel, optimizer: tf.Optimizer = tf.train.adam(0.02)) =>
  model.compile({ optimizer, ...compileArgs })

type Logs =
  | Parameters<NonNullable<tf.CustomCallbackArgs['onBatchEnd']>>[1]
  | { [key: string]: number | tf.Scalar }

/** What a callback was told, and which weights it saw. */
type Told = [hook: string, number: number | undefined, logs: Record<string, number>]

const numbersIn = (logs: Logs | undefined): Record<string, number> =>
  Object.fromEntries(
    Object.entries(logs ?? {}).map(([key, value]) => [
      key,
      typeof value === 'number' ? value : value.dataSync()[0]!,
    ]),
  )

const hookNames = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onBatchBegin',
  'onBatchEnd',
] as const

/** Functions that note what they are told. */
function recorder(told: Told[]): tf.CustomCallbackArgs {
  const note = (hook: string, args: unknown[]) => {
    const logs = args.at(-1) as Logs
    told.push([hook, args.length > 1 ? (args[0] as number) : undefined, numbersIn(logs)])
  }
  return Object.fromEntries(hookNames.map(hook => [hook, async (...args: unknown[]) => note(hook, args)]))
}

/** A class of the caller's own, whose logs hold scalars. */
class Recorder extends tf.Callback {
  readonly told: Told[] = []
  seen: object = {}
  kinds = new Set<string>()
  override setParams(params: object): void {
    this.seen = params
  }
  private note(hook: string, number: number | undefined, logs?: Logs): void {
    for (const value of Object.values(logs ?? {})) this.kinds.add(typeof value)
    this.told.push([hook, number, numbersIn(logs)])
  }
  override async onTrainBegin(logs?: Logs) {
    this.note('onTrainBegin', undefined, logs)
  }
  override async onTrainEnd(logs?: Logs) {
    this.note('onTrainEnd', undefined, logs)
  }
  override async onEpochBegin(epoch: number, logs?: Logs) {
    this.note('onEpochBegin', epoch, logs)
  }
  override async onEpochEnd(epoch: number, logs?: Logs) {
    this.note('onEpochEnd', epoch, logs)
  }
  override async onBatchBegin(batch: number, logs?: Logs) {
    this.note('onBatchBegin', batch, logs)
  }
  override async onBatchEnd(batch: number, logs?: Logs) {
    this.note('onBatchEnd', batch, logs)
  }
}

function sameStory(found: readonly Told[], expected: readonly Told[]): void {
  const shape = (told: readonly Told[]) =>
    told.map(([hook, number, logs]) => [hook, number, Object.keys(logs)])
  expect(shape(found)).toEqual(shape(expected))
  const numbers = (told: readonly Told[]) => told.flatMap(([, , logs]) => Object.values(logs))
  close(numbers(found), numbers(expected))
}

/** Runs the same on both models; what it gives for TensorFlow.js alone comes first. */
async function both<M extends tf.LayersModel, T>(
  [plain, fast]: readonly [M, M],
  run: (model: M) => T | Promise<T>,
): Promise<[T, T]> {
  return [await run(plain), await run(fast)]
}

const datasetOf = ({ x, y }: ReturnType<typeof samples>, batchSize = 8) => {
  const [xs, ys] = [x.arraySync() as number[][], y.arraySync() as number[][]]
  return tf.data
    .zip({ xs: tf.data.array(xs), ys: tf.data.array(ys) })
    .batch(batchSize) as tf.data.Dataset<tf.TensorContainer>
}

function sameHistory([expected, found]: readonly [tf.History, tf.History]): void {
  expect(found.epoch).toEqual(expected.epoch)
  expect(Object.keys(found.history)).toEqual(Object.keys(expected.history))
  for (const [key, values] of Object.entries(expected.history))
    close(found.history[key] as number[], values as number[])
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
  test.each(Object.keys(optimizers))(
    '%s: the losses are those of TensorFlow.js, and its state goes on there',
    async name => {
      const [plain, fast] = pair(dense)
      for (const model of [plain, fast])
        model.compile({
          optimizer: optimizers[name]!(),
          loss: 'categoricalCrossentropy',
          metrics: ['accuracy'],
        })
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
      for (const [key, values] of Object.entries(expected.history))
        close(found.history[key] as number[], values as number[])
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
    },
  )
})

describe('callbacks', () => {
  const fits = {
    fit: (
      model: tf.LayersModel,
      data: ReturnType<typeof samples>,
      callbacks: tf.CustomCallbackArgs | tf.Callback[],
    ) =>
      model.fit(data.x, data.y, {
        epochs: 4,
        initialEpoch: 2,
        shuffle: false,
        batchSize: 8,
        validationSplit: 0.3,
        callbacks,
        verbose: 0,
      }),
    fitDataset: (
      model: tf.LayersModel,
      data: ReturnType<typeof samples>,
      callbacks: tf.CustomCallbackArgs | tf.Callback[],
    ) =>
      model.fitDataset(datasetOf(data), {
        epochs: 2,
        validationData: [data.x, data.y],
        callbacks,
        verbose: 0,
      }),
  }
  test.each(Object.keys(fits) as (keyof typeof fits)[])(
    '%s tells functions and classes the same',
    async name => {
      const models = pair(dense)
      for (const model of models) compile(model)
      const data = samples(30)
      const [expected, found] = await both(models, async model => {
        const told: Told[] = []
        await fits[name](model, data, recorder(told))
        return told
      })
      expect(found.length).toBeGreaterThan(15)
      sameStory(found, expected)
      const [theirs, ours] = await both(models, async model => {
        const callback = new Recorder()
        await fits[name](model, data, [callback])
        expect(callback.model.optimizer).toBe(model.optimizer)
        return callback
      })
      sameStory(ours.told, theirs.told)
      expect(ours.seen).toEqual(theirs.seen)
      expect(ours.kinds).toEqual(theirs.kinds)
      tf.dispose([data.x, data.y])
    },
  )
})

describe('what callbacks do', () => {
  test.each(['onBatchEnd', 'onEpochEnd', 'onEpochBegin', 'onTrainBegin'] as const)(
    'stopTraining in %s',
    async hook => {
      const models = pair(dense)
      for (const model of models) compile(model)
      const { x, y } = samples(40)
      const histories = await both(models, model => {
        let calls = 0
        const callbacks = {
          // Batches are listened to, so that each stops where TensorFlow.js does.
          onBatchBegin: () => {},
          [hook]: () => {
            if (++calls === (hook === 'onTrainBegin' ? 1 : 2)) model.stopTraining = true
          },
        }
        return model.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false, validationSplit: 0.2, callbacks })
      })
      sameHistory(histories)
      closeWeights(models[1], models[0])
      expect(models[1].stopTraining).toBe(models[0].stopTraining)
      tf.dispose([x, y])
    },
  )

  test('earlyStopping ends training where TensorFlow.js does', async () => {
    const models = pair(dense)
    for (const model of models) compile(model, tf.train.sgd(3))
    const { x, y } = samples(24)
    const histories = await both(models, model =>
      model.fit(x, y, {
        ...{ epochs: 20, shuffle: false, validationSplit: 0.5 },
        callbacks: tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 1 }),
      }),
    )
    expect(histories[1].epoch.length).toBeLessThan(20)
    sameHistory(histories)
    tf.dispose([x, y])
  })

  test('a stop from outside takes effect while the workers train', async () => {
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(64)
    setTimeout(() => {
      model.stopTraining = true
    }, 50)
    const { epoch } = await model.fit(x, y, { epochs: 1_000_000, batchSize: 1 })
    expect(epoch.length).toBeLessThan(1_000_000)
    tf.dispose([x, y])
  })

  test('other weights and another learning rate take effect', async () => {
    const models = pair(dense)
    for (const model of models) compile(model, tf.train.momentum(0.1, 0.5))
    const { x, y } = samples(24)
    for (const hook of ['onBatchEnd', 'onEpochBegin', 'onEpochEnd']) {
      const histories = await both(models, model =>
        model.fit(x, y, {
          ...{ epochs: 3, batchSize: 8, shuffle: false },
          callbacks: {
            [hook]: () => {
              const optimizer = model.optimizer as tf.MomentumOptimizer
              optimizer.setLearningRate((optimizer as unknown as { learningRate: number }).learningRate * 0.9)
              tf.tidy(() => model.setWeights(model.getWeights().map(w => w.mul(0.95))))
            },
          },
        }),
      )
      sameHistory(histories)
      closeWeights(models[1], models[0])
    }
    tf.dispose([x, y])
  })

  test('onYield is called, and functions that wait are waited for', async () => {
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(16)
    const order: string[] = []
    const callbacks = {
      onYield: async (epoch: number, batch: number) => void order.push(`yield ${epoch} ${batch}`),
      onEpochEnd: async () => {
        await new Promise(resolve => setTimeout(resolve, 10))
        order.push('end')
      },
    }
    await model.fit(x, y, { epochs: 2, batchSize: 8, callbacks, yieldEvery: 1 })
    expect(order.filter(each => each === 'end').length).toBe(2)
    expect(order.some(each => each.startsWith('yield 0'))).toBe(true)
    expect(await caught(() => model.fit(x, y, { callbacks, yieldEvery: 'never' }))).toMatch(
      /`onYield` callback/,
    )
    tf.dispose([x, y])
  })

  test('training within training is refused', async () => {
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(16)
    const said: string[] = []
    const onEpochEnd = async () => void said.push((await caught(() => model.fit(x, y))) ?? '')
    await model.fit(x, y, { epochs: 1, callbacks: { onEpochEnd } })
    expect(said).toEqual([
      expect.stringMatching(/must not be training, got another fit\(\); wait for it to end$/),
    ])
    tf.dispose([x, y])
  })

  test('they see the weights that training has reached', async () => {
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(24)
    const reached: number[][] = [[], []]
    const evaluated = () => {
      const own = Object.getPrototypeOf(model).evaluate.call(model, x, y) as tf.Scalar[]
      const ours = model.evaluate(x, y) as tf.Scalar[]
      for (const [i, scalars] of [own, ours].entries()) reached[i]!.push(scalars[0]!.dataSync()[0]!)
      tf.dispose([own, ours])
    }
    await model.fit(x, y, {
      epochs: 2,
      batchSize: 8,
      callbacks: { onBatchEnd: evaluated, onEpochEnd: evaluated },
    })
    expect(new Set(reached[0]).size).toBe(6)
    close(reached[1]!, reached[0]!)
    tf.dispose([x, y])
  })

  test('those that every run has are called', async () => {
    let made = 0
    class Counter extends tf.Callback {
      override async onEpochEnd() {
        made++
      }
    }
    tf.registerCallbackConstructor(7, Counter as never)
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(16)
    await model.fit(x, y, { epochs: 2, verbose: 7 as never })
    expect(made).toBe(2)
    await model.fit(x, y, { epochs: 2 })
    expect(made).toBe(2)
    tf.dispose([x, y])
  })
})

describe('data', () => {
  test('validation data: a part, tensors, by name, a dataset', async () => {
    const models = pair(dense)
    for (const model of models) compile(model)
    const [data, held] = [samples(24), samples(11)]
    const { x, y } = data
    const args = { epochs: 1, batchSize: 8, shuffle: false }
    const names = (model: tf.LayersModel) =>
      [{ [model.inputNames[0]!]: held.x }, { [model.outputNames[0]!]: held.y }] as never
    sameHistory(await both(models, model => model.fit(x, y, { ...args, validationSplit: 0.4 })))
    sameHistory(await both(models, model => model.fit(x, y, { ...args, validationData: [held.x, held.y] })))
    sameHistory(await both(models, model => model.fit(x, y, { ...args, validationData: names(model) })))
    const dataset = datasetOf(data)
    const validations = [[held.x, held.y] as const, datasetOf(held, 4)]
    for (const validationData of validations) {
      const run = (model: tf.LayersModel) =>
        model.fitDataset(dataset, {
          epochs: 2,
          validationData: validationData as never,
          validationBatchSize: 3,
        })
      sameHistory(await both(models, run))
    }
    const few = { epochs: 2, validationData: datasetOf(held, 4) as never, validationBatches: 2 }
    sameHistory(await both(models, model => model.fitDataset(dataset, few)))
    closeWeights(models[1], models[0])
    tf.dispose([x, y, held.x, held.y])
  })

  test('a table, by columns, in batches', () =>
    withFolder(async folder => {
      const path = join(folder, 'table.csv')
      const rows = Array.from({ length: 30 }, (_, i) => [...noise(3, i + 1), i % 2])
      await writeFile(path, `a,b,c,label\n${rows.map(row => row.join(',')).join('\n')}\n`)
      const models = pair(() =>
        tf.sequential({ layers: [tf.layers.dense({ units: 1, activation: 'sigmoid', inputShape: [3] })] }),
      )
      for (const model of models)
        model.compile({ optimizer: tf.train.adam(0.05), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
      const table = () =>
        tf.data
          .csv(`file://${path}`, { columnConfigs: { label: { isLabel: true } } })
          .map(row => {
            const { xs, ys } = row as unknown as Record<'xs' | 'ys', Record<string, number>>
            return { xs: Object.values(xs), ys: Object.values(ys) }
          })
          .batch(8)
      const before = tf.memory().numTensors
      const args = { epochs: 3, classWeight: { 0: 1, 1: 2.5 } }
      sameHistory(await both(models, model => model.fitDataset(table(), args)))
      const repeated = { epochs: 2, batchesPerEpoch: 5 }
      sameHistory(await both(models, model => model.fitDataset(table().repeat(), repeated)))
      const results = await both(models, model => model.evaluateDataset(table() as never, {}))
      close(...(results.map(scalars => [scalars].flat().map(s => s.dataSync()[0]!)) as [number[], number[]]))
      tf.dispose(results.flat())
      // The moments of both optimizers.
      expect(tf.memory().numTensors - before).toBe(8)
    }))

  test('a dataset that has too few batches ends training with a warning', async () => {
    const [, model] = pair(dense)
    compile(model)
    const data = samples(24)
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const told: Told[] = []
    const { epoch } = await model.fitDataset(datasetOf(data), {
      epochs: 5,
      batchesPerEpoch: 2,
      callbacks: recorder(told),
    })
    expect(epoch).toEqual([0, 1, 2])
    expect(told.map(([hook]) => hook).slice(-3)).toEqual(['onEpochBegin', 'onEpochEnd', 'onTrainEnd'])
    expect(warned.mock.calls[0]![0]).toBe(
      'fitDataset: the dataset must have 2 batches an epoch, got 1; ask for fewer, or repeat() it',
    )
    warned.mockRestore()
    tf.dispose([data.x, data.y])
  })

  test('weights of classes, as a list and by name', async () => {
    const models = pair(dense)
    for (const model of models) compile(model)
    const { x, y } = samples(24)
    const weight = { 0: 0.2, 1: 1, 2: 3 }
    for (const classWeight of [weight, [weight]]) {
      const args = { epochs: 1, batchSize: 8, shuffle: false, classWeight }
      sameHistory(await both(models, model => model.fit(x, y, args)))
    }
    const byName = (model: tf.LayersModel) => ({ [model.outputNames[0]!]: weight })
    sameHistory(await both(models, model => model.fit(x, y, { shuffle: false, classWeight: byName(model) })))
    tf.dispose([x, y])
  })
})

describe('models', () => {
  const twoOutputs = () => {
    const [a, b] = [tf.input({ shape: [5], name: 'a' }), tf.input({ shape: [2], name: 'b' })]
    const joined = tf.layers.concatenate().apply([a, b]) as tf.SymbolicTensor
    const hidden = tf.layers.dense({ units: 6, activation: 'relu', kernelRegularizer: 'l1l2' }).apply(joined)
    const kind = tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(hidden)
    const size = tf.layers.dense({ units: 1, name: 'size' }).apply(hidden)
    return tf.model({ inputs: [a, b], outputs: [kind, size] as tf.SymbolicTensor[] })
  }

  test('several inputs and outputs, lists and names', async () => {
    const models = pair(twoOutputs)
    const { x, y } = samples(16)
    const [b, size] = [tf.tensor(noise(32, 5), [16, 2]), tf.tensor(noise(16, 6), [16, 1])]
    const objectives = [
      {
        loss: ['categoricalCrossentropy', 'meanSquaredError'],
        metrics: { kind: 'accuracy', size: ['mae', 'mse'] },
      },
      {
        loss: { size: 'meanAbsoluteError', kind: tf.metrics.categoricalCrossentropy },
        metrics: [tf.metrics.mse],
      },
      { loss: [tf.losses.softmaxCrossEntropy, tf.losses.huberLoss] },
    ]
    for (const objective of objectives) {
      for (const model of models) model.compile({ optimizer: 'rmsprop', ...objective } as tf.ModelCompileArgs)
      const args = { epochs: 2, batchSize: 4, shuffle: false }
      sameHistory(await both(models, model => model.fit([x, b], [y, size], args)))
      const byName = { x: { b, a: x } as never, y: { kind: y, size } as never }
      sameHistory(await both(models, model => model.fit(byName.x, byName.y, args)))
      const steps = await both(models, model => model.trainOnBatch([x, b], [y, size]))
      close(...(steps as [number[], number[]]))
    }
    closeWeights(models[1], models[0], 1e-3)
    // Of several outputs, TensorFlow.js gives sums under the names of others.
    const results = models[1].evaluate([x, b], [y, size]) as tf.Scalar[]
    expect(results.length).toBe(3)
    tf.dispose([x, y, b, size, results])
  })

  test('convolutions, normalisation and sequences', async () => {
    const images = () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
          tf.layers.batchNormalization(),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      })
    const texts = () =>
      tf.sequential({
        layers: [
          tf.layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 5 }),
          tf.layers.lstm({ units: 6 }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      })
    const wrapped = () =>
      tf.sequential({
        layers: [
          tf.layers.reshape({ targetShape: [6, 6], inputShape: [6, 6, 1] }),
          tf.layers.bidirectional({
            layer: tf.layers.gru({ units: 3, returnSequences: true }) as tf.RNN,
            mergeMode: 'concat',
          }),
          tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }) }),
          tf.layers.rnn({ cell: [tf.layers.lstmCell({ units: 4 }), tf.layers.gruCell({ units: 3 })] }),
          tf.layers.layerNormalization(),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      })
    const { y } = samples(12)
    const x = [
      tf.tensor(noise(12 * 36), [12, 6, 6, 1]),
      tf.tensor(
        noise(60).map(v => Math.floor(3.5 * (v + 1))),
        [12, 5],
      ),
    ]
    for (const [i, make] of [images, texts, wrapped].entries()) {
      const models = pair(make)
      for (const model of models) compile(model, tf.train.sgd(0.1))
      const args = { epochs: 3, batchSize: 4, shuffle: false, validationSplit: 0.25 }
      sameHistory(await both(models, model => model.fit(x[i % 2]!, y, args)))
      closeWeights(models[1], models[0], 1e-3)
    }
    tf.dispose([x, y])
  })

  test('a model within another; frozen layers; layers added later', async () => {
    const base = () =>
      tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [5], kernelRegularizer: 'l1l2' })] })
    const models = pair(() =>
      tf.sequential({ layers: [base(), tf.layers.dense({ units: 3, activation: 'softmax' })] }),
    )
    const { x, y } = samples(16)
    const args = { epochs: 2, shuffle: false, validationSplit: 0.5 }
    const check = async () => {
      for (const model of models) compile(model)
      sameHistory(await both(models, model => model.fit(x, y, args)))
      closeWeights(models[1], models[0])
    }
    await check()
    for (const model of models) model.layers[1]!.trainable = false
    const frozen = weightsOf(models[1])
    await check()
    expect(weightsOf(models[1]).map(String)).toContain(frozen[2]!.join(','))
    for (const model of models)
      model.add(tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: 'identity' }))
    await check()
    tf.dispose([x, y])
  })

  test('several outputs of one layer', async () => {
    const models = pair(() => {
      const x = tf.input({ shape: [4, 2] })
      const outputs = tf.layers
        .lstm({ units: 3, returnState: true, name: 'lstm' })
        .apply(x) as tf.SymbolicTensor[]
      return tf.model({ inputs: x, outputs })
    })
    for (const model of models)
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError', metrics: ['mae'] })
    const x = tf.tensor(noise(48), [6, 4, 2])
    const y = [1, 2, 3].map(seed => tf.tensor(noise(18, seed), [6, 3]))
    sameHistory(await both(models, model => model.fit(x, y, { epochs: 3, batchSize: 2, shuffle: false })))
    closeWeights(models[1], models[0])
    tf.dispose([x, ...y])
  })

  test('states that stay, until they are reset', async () => {
    const models = pair(() =>
      tf.sequential({
        layers: [
          tf.layers.simpleRNN({ units: 4, stateful: true, batchInputShape: [4, 3, 2] }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    )
    for (const model of models) compile(model, tf.train.sgd(0.1))
    const { y } = samples(12)
    const x = tf.tensor(noise(72), [12, 3, 2])
    const args = { epochs: 2, batchSize: 4, shuffle: false }
    for (const resets of [false, true]) {
      const run = (model: tf.LayersModel) => {
        const callbacks = { onEpochEnd: () => void (resets && model.resetStates()) }
        return model.fit(x, y, { ...args, callbacks })
      }
      sameHistory(await both(models, run))
    }
    closeWeights(models[1], models[0])
    tf.dispose([x, y])
  })

  test('steps that take long are made by the workers', async () => {
    const models = pair(dense)
    for (const model of models) compile(model)
    const { x, y } = samples(16)
    const fits = vi.spyOn(ls.Sequential.prototype, 'fit')
    const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(50)
    for (let step = 0; step < 3; step++) {
      const [expected, found] = await both(models, model => model.trainOnBatch(x, y))
      close(found as number[], expected as number[])
    }
    closeWeights(models[1], models[0])
    expect(fits).toHaveBeenCalledTimes(2)
    fits.mockRestore()
    clock.mockRestore()
    tf.dispose([x, y])
  })

  test('tensors are as many as TensorFlow.js leaves', async () => {
    const { x, y } = samples(16)
    const counts: number[][] = [[], []]
    for (const [i, make] of [dense, () => accelerate(dense())].entries()) {
      const begin = tf.memory().numTensors
      const count = () => counts[i]!.push(tf.memory().numTensors - begin)
      const model = make()
      compile(model)
      count()
      await model.fit(x, y, { epochs: 2, validationSplit: 0.5, callbacks: [new Recorder()] })
      count()
      await model.trainOnBatch(x, y)
      tf.dispose(model.evaluate(x, y))
      await model.fitDataset(datasetOf({ x, y }), { epochs: 2, validationData: datasetOf({ x, y }) as never })
      const stop = () => {
        model.stopTraining = true
      }
      await model.fitDataset(datasetOf({ x, y }, 1).repeat(9), { epochs: 2, callbacks: { onBatchEnd: stop } })
      count()
      model.dispose()
      count()
    }
    expect(counts[1]).toEqual(counts[0])
    tf.dispose([x, y])
  })

  test('an accelerated model is the same object, and accelerated once', () => {
    const model = keep(dense())
    expect(accelerate(model)).toBe(model)
    const { fit } = model
    expect(accelerate(model, { seed: 3 }).fit).toBe(fit)
  })

  test('a seed decides', async () => {
    const { x, y } = samples(32)
    const ends = []
    for (let i = 0; i < 2; i++) {
      const [, model] = pair(dense, { seed: 5, workers: i + 1 })
      compile(model)
      await model.fit(x, y, { epochs: 2, batchSize: 4 })
      ends.push(weightsOf(model))
    }
    expect(ends[1]).toEqual(ends[0])
    tf.dispose([x, y])
  })
})

describe('what cannot be taken over', () => {
  class Twice extends tf.layers.Layer {
    static className = 'Twice'
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.mul([inputs].flat()[0]!, 2)
    }
  }
  tf.serialization.registerClass(Twice)
  const twice = () =>
    tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [5] }), new Twice({ name: 'twice_1' })],
    })

  test('weights of classes are refused with a loss that is one number of all samples', async () => {
    const model = accelerate(tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] }))
    const [x, y] = [tf.ones([4, 3]), tf.ones([4, 2])]
    const classWeight = { 0: 1, 1: 2 }
    model.compile({ optimizer: 'sgd', loss: tf.losses.softmaxCrossEntropy as never })
    const train = () => caught(() => model.fit(x, y, { classWeight, verbose: 0 }))
    expect(await train()).toBe(
      'RangeError: fit: with classWeight losses must be names or functions of tf.metrics, ' +
        'got tf.losses.softmaxCrossEntropy, one number of all samples; name the loss',
    )
    model.compile({ optimizer: 'sgd', loss: tf.metrics.meanSquaredError as never })
    await model.fit(x, y, { classWeight, verbose: 0 })
    model.dispose()
  })

  test("callbacks of Lockstep's are refused", async () => {
    const model = accelerate(tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] }))
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const callbacks = [ls.callbacks.earlyStopping({ monitor: 'loss' })] as never
    expect(await caught(() => model.fit(tf.ones([4, 3]), tf.ones([4, 1]), { callbacks, verbose: 0 }))).toBe(
      'TypeError: fit: callbacks of an accelerated model must be those of TensorFlow.js or objects of functions, ' +
        "got Lockstep's EarlyStopping; take tf.callbacks.earlyStopping(), say",
    )
    model.dispose()
  })

  test('is refused by name', async () => {
    expect(await caught(() => accelerate(keep(twice())))).toBe(
      'Refusal: accelerate: layer "twice_1" must be of a class that Lockstep knows, got Twice; define it here ' +
        '(ls.defineLayer, ls.serialization.registerClass), or give { fallback: true } to train in TensorFlow.js',
    )
    const [, model] = pair(dense)
    const { x, y } = samples(8)
    const refusal = async (args: Partial<tf.ModelCompileArgs>) => {
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', ...args })
      return caught(() => model.fit(x, y))
    }
    const own = (a: tf.Tensor, b: tf.Tensor) => tf.mean(tf.abs(tf.sub(a, b)), -1)
    expect(await refusal({ loss: own })).toMatch(
      /the loss of output "dense_Dense\d+" must be .*got own; name one/,
    )
    expect(await refusal({ metrics: [own] })).toMatch(
      /a metric of output "dense_Dense\d+" must be .*got own; leave it out/,
    )
    const clipped = tf.train.sgd(0.1)
    clipped.applyGradients = () => {}
    expect(await refusal({ optimizer: clipped })).toMatch(
      /the optimizer must be one of tf.train, got one with its own applyGradients/,
    )
    expect(await caught(() => accelerate({} as never))).toMatch(
      /TypeError: accelerate: model must be a tf.LayersModel/,
    )
    expect(await caught(() => accelerate(model, { fallbak: true } as never))).toMatch(
      /unknown option "fallbak"; did you mean "fallback"/,
    )
    tf.dispose([x, y])
  })

  test('trains in TensorFlow.js with fallback, which is said once', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const models = pair(twice, { fallback: true })
    const { x, y } = samples(8)
    for (const model of models) model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    sameHistory(await both(models, model => model.fit(x, y, { epochs: 2, shuffle: false })))
    expect(weightsOf(models[1])).toEqual(weightsOf(models[0]))
    sameHistory(await both(models, model => model.fit(x, y, { epochs: 1, shuffle: false })))
    expect(warned.mock.calls.length).toBe(1)
    expect(warned.mock.calls[0]![0]).toMatch(/layer "twice_1" .*: it trains in TensorFlow.js$/)
    warned.mockRestore()
    tf.dispose([x, y])
  })

  test('a layer that is defined here too is taken over', async () => {
    ls.serialization.registerClass(ls.defineLayer('Twice', {}, (_, x) => ls.ops.add(x, x)))
    const models = pair(twice)
    const { x, y } = samples(8)
    for (const model of models) model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    sameHistory(await both(models, model => model.fit(x, y, { epochs: 2, shuffle: false })))
    tf.dispose([x, y])
  })

  test('without compile, TensorFlow.js says so', async () => {
    const model = accelerate(keep(dense()))
    const { x, y } = samples(8)
    expect(await caught(() => model.fit(x, y))).toMatch(/compile/)
    tf.dispose([x, y])
  })

  test('errors leave the model as it was', async () => {
    const [, model] = pair(dense)
    compile(model)
    const { x, y } = samples(16)
    const before = weightsOf(model)
    expect(await caught(() => model.fit(y as tf.Tensor, y))).toMatch(
      /fit: x must have shape \[\*, 5\], got \[16, 3\]/,
    )
    expect(weightsOf(model)).toEqual(before)
    expect(await caught(() => model.fit({ image: x } as never, y))).toMatch(
      /RangeError: accelerate: data must have "dense_Dense\d+_input", as the model calls it, got image; add it/,
    )
    expect(await caught(() => model.fit(x, undefined as never))).toMatch(/got nothing; add it/)
    const elements = tf.data.array([{ a: 1 }]) as never
    expect(await caught(() => model.fitDataset(elements, { epochs: 1 }))).toMatch(
      /fitDataset: batch 0 must be \{ xs, ys \}, got a; map the dataset/,
    )
    expect(weightsOf(model)).toEqual(before)
    let epochEnd: Float32Array[] = []
    const callbacks = {
      onEpochEnd: () => {
        epochEnd = weightsOf(model)
      },
      onBatchEnd: (batch: number) => {
        if (epochEnd.length > 0 && batch === 1) throw new Error('no more')
      },
    }
    expect(await caught(() => model.fit(x, y, { epochs: 3, batchSize: 4, callbacks }))).toBe('Error: no more')
    expect(weightsOf(model)).toEqual(epochEnd)
    expect(model.optimizer.iterations).toBe(4)
    const again = await model.fit(x, y, { epochs: 1 })
    expect(again.epoch).toEqual([0])
    tf.dispose([x, y])
  })
})
