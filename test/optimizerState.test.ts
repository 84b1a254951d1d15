import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { close, weightsOf } from './reference/tfjs.ts'

const folder = mkdtempSync(join(tmpdir(), 'optimizer-'))
const url = `file://${folder}`
beforeAll(() => tf.setBackend('cpu'))
afterAll(() => rmSync(folder, { recursive: true }))

const x = ls.tensor(noise(40 * 5, 1), [40, 5])
const y = ls.tensor(noise(40 * 3, 2), [40, 3])
const layersOf = (layers: typeof ls.layers) => [
  layers.dense({ units: 6, activation: 'tanh', inputShape: [5], name: 'first' }),
  layers.batchNormalization({ name: 'norm' }),
  layers.dense({ units: 3, name: 'second' }),
]

function compiled(options: Partial<ls.CompileOptions> = {}, middle: ls.Layer[] = []): ls.Sequential {
  const [first, ...rest] = layersOf(ls.layers)
  const model = ls.sequential({ layers: [first!, ...middle, ...rest], seed: 3 })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError', ...options })
  return model
}

const training = { batchSize: 16, seed: 5, workers: 1 }

/** What ours gives a handler. */
async function saved(model: ls.Sequential | ls.Model, options: ls.SaveOptions = { includeOptimizer: true }) {
  let given: ls.SavedArtifacts | undefined
  const modelArtifactsInfo = { dateSaved: new Date(), modelTopologyType: 'JSON' as const }
  const save = (artifacts: ls.SavedArtifacts) => {
    given = artifacts
    return { modelArtifactsInfo }
  }
  await model.save({ save }, options)
  return given!
}

async function savedByTheirs(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let given: tf.io.ModelArtifacts | undefined
  const modelArtifactsInfo = { dateSaved: new Date(), modelTopologyType: 'JSON' as const }
  const save = async (artifacts: tf.io.ModelArtifacts) => {
    given = artifacts
    return { modelArtifactsInfo }
  }
  await model.save({ save }, { includeOptimizer: true })
  return given!
}

const { train, schedules } = ls
const polynomial = schedules.polynomial({ initialLearningRate: 0.02, decaySteps: 9 })
const optimizers: Record<string, () => ReturnType<typeof train.sgd>> = {
  'sgd, clipped': () => train.sgd({ learningRate: 0.05, clipValue: 0.5, clipNorm: 0.4, globalClipNorm: 0.3 }),
  momentum: () => train.momentum(0.02, 0.8, true),
  rmsprop: () => train.rmsprop(0.003, 0.8, 0.5, 1e-5, true),
  adagrad: () => train.adagrad({ learningRate: 0.03, initialAccumulatorValue: 0.2, epsilon: 1e-4 }),
  adadelta: () => train.adadelta(0.9, 0.9),
  'adam by a schedule': () => train.adam(polynomial, 0.8),
  'adam with averages': () => train.adam({ useEma: true, emaMomentum: 0.7, emaOverwriteFrequency: 4 }),
  'adamax with decay': () => train.adamax(0.01, 0.9, 0.99, 1e-7, 0.1),
  'adamw, decaying but for biases': () =>
    train.adamw({ weightDecay: 0.1, excludeFromWeightDecay: ['bias'], learningRateFactors: { first: 0.5 } }),
  nadam: () => train.nadam(0.01),
  lion: () => train.lion(0.001),
}

describe('a model that is saved and read goes on as if it had not stopped', () => {
  test.each(Object.entries(optimizers))('%s', async (_, make) => {
    const noisy = () => [ls.layers.dropout({ rate: 0.3 }), ls.layers.gaussianNoise({ stddev: 0.1 })]
    const whole = compiled({ optimizer: make(), metrics: ['mae'] }, noisy())
    const first = await whole.fit(x, y, { ...training, epochs: 2 })
    await whole.save(url, { includeOptimizer: true })
    const rest = await whole.fit(x, y, { ...training, initialEpoch: 2, epochs: 4 })

    const read = await ls.loadLayersModel(url)
    expect(read.optimizer.iterations).toBe(6)
    expect(read.learningRate).toBe(make().rateAt(6))
    const again = await read.fit(x, y, { ...training, initialEpoch: 2, epochs: 4 })
    expect(again.history).toEqual(rest.history)
    expect(again.history.loss![0]).not.toBe(first.history.loss![0])
    expect(weightsOf(read as ls.Sequential)).toEqual(weightsOf(whole))
    expect(await saved(read)).toEqual(await saved(whole))
  })

  test('with every option of compile', async () => {
    const outputs = () => {
      const input = ls.input({ shape: [5] })
      const [a, b] = [ls.layers.dense({ units: 3, name: 'a' }), ls.layers.dense({ units: 1, name: 'b' })]
      return ls.model({ inputs: input, outputs: [a.apply(input), b.apply(input)] as never })
    }
    const model = outputs()
    model.compile({
      optimizer: 'rmsprop',
      loss: { a: ls.losses.huber({ delta: 0.3 }), b: ls.losses.binaryCrossentropy({ fromLogits: true }) },
      lossWeights: [0.3, 2],
      metrics: {
        a: [ls.metrics.r2Score({ classAggregation: 'varianceWeightedAverage', name: 'myScore' }), 'mse'],
        b: ls.metrics.precision({ thresholds: [0.2, 0.7] }),
      },
      leaves: 4,
      mixUp: 0.3,
    })
    const labels = ls.tensor(
      noise(40, 3).map(value => Number(value > 0)),
      [40, 1],
    )
    const targets = [y, labels]
    await model.fit(x, targets, training)
    await model.save(url, { includeOptimizer: true })
    const whole = await model.fit(x, targets, training)
    const read = await ls.loadLayersModel(url)
    expect((await read.fit(x, targets, training)).history).toEqual(whole.history)
    expect(Object.keys(whole.history)).toContain('a_myScore')
    expect(read.compiled.leaves).toBe(4)
    expect(await saved(read)).toEqual(await saved(model))
  })

  test('every loss and metric comes back under its name', async () => {
    for (const loss of Object.keys(ls.losses) as (keyof typeof ls.losses)[]) {
      const config = (await saved(compiled({ loss }))).trainingConfig!
      const restored = await ls.loadLayersModel(ls.io.fromMemory(await saved(compiled({ loss }))))
      expect((await saved(restored)).trainingConfig).toEqual(config)
      expect((restored.compiled.outputs[0] as { loss: object }).loss).toBe(ls.losses[loss])
      // A thing in place of its name.
      expect((await saved(compiled({ loss: ls.losses[loss] }))).trainingConfig).toEqual(config)
    }
    const sparse = Object.keys(ls.metrics).filter(name => name.startsWith('sparse'))
    const names = Object.keys(ls.metrics).filter(name => !sparse.includes(name))
    for (const [metrics, loss] of [
      [names, 'meanSquaredError'],
      [sparse, 'sparseCategoricalCrossentropy'],
    ] as const) {
      const model = compiled({ loss, metrics: metrics as never })
      const read = await ls.loadLayersModel(ls.io.fromMemory(await saved(model)))
      expect(read.compiled.outputs).toEqual(model.compiled.outputs)
    }
  })

  test('a rate that was set, and a rate set by hand after that', async () => {
    const model = compiled({ optimizer: 'sgd' })
    model.learningRate = 0.3
    const read = await ls.loadLayersModel(ls.io.fromMemory(await saved(model)))
    expect(read.learningRate).toBe(0.3)
  })

  test('saved by callbacks, within an epoch and at its end, and from aside', async () => {
    const counts: number[] = []
    const keep = async (model: ls.Sequential) => {
      const { weightData, weightSpecs } = await saved(model)
      const at = model.countParams() * 4
      expect(weightSpecs.find(({ group }) => group === 'optimizer')!.name).toBe('iter')
      counts.push(new Int32Array(weightData, at, 1)[0]!)
    }
    const model = compiled()
    const each = { onBatchEnd: () => keep(model), onEpochEnd: () => keep(model) }
    await model.fit(x, y, { ...training, epochs: 2, callbacks: each })
    expect(counts.splice(0)).toEqual([1, 2, 3, 3, 4, 5, 6, 6])
    await model.fit(x, y, { ...training, epochs: 2, callbacks: { onEpochEnd: () => keep(model) } })
    expect(counts.splice(0)).toEqual([9, 12])
    const running = model.fit(x, y, { ...training, epochs: 20 })
    await keep(model)
    await running
    expect(counts[0]! % 3).toBe(0)
    await expect(
      model.fit(x, y, { ...training, callbacks: { onBatchEnd: () => Promise.reject(new Error('no')) } }),
    ).rejects.toThrow('no')
    await keep(model)
    expect(counts[1]).toBe(12 + 20 * 3)
  })
})

const both = {
  sgd: ({ sgd }: typeof tf.train) => sgd(0.05),
  momentum: ({ momentum }: typeof tf.train) => momentum(0.02, 0.8, true),
  rmsprop: ({ rmsprop }: typeof tf.train) => rmsprop(0.003, 0.8, 0.5, 1e-5),
  // TensorFlow.js takes roots of negative numbers there.
  'rmsprop, centered': ({ rmsprop }: typeof tf.train) => rmsprop(0.003, 0.8, 0.5, 1e-5, true),
  adagrad: ({ adagrad }: typeof tf.train) => adagrad(0.03, 0.2),
  adadelta: ({ adadelta }: typeof tf.train) => adadelta(0.9, 0.9, 1e-7),
  adam: ({ adam }: typeof tf.train) => adam(0.01, 0.8, 0.99, 1e-7),
}
const theirX = tf.tensor2d(x.dataSync() as Float32Array, [40, 5])
const theirY = tf.tensor2d(y.dataSync() as Float32Array, [40, 3])
interface Saved {
  class_name: string
  config: Record<string, number>
}

const plain = { batchSize: 16, shuffle: false } as const

describe('and TensorFlow.js', () => {
  const pair = (make: (train: typeof tf.train) => tf.Optimizer) => {
    const ours = compiled({ optimizer: make(ls.train as never) as never, metrics: ['acc', 'mse'] })
    const theirs = tf.sequential({ layers: layersOf(tf.layers as never) as never })
    theirs.compile({ optimizer: make(tf.train), loss: 'meanSquaredError', metrics: ['acc', 'mse'] })
    theirs.setWeights(ours.getWeights().map(({ values, shape }) => tf.tensor(values, shape)))
    return { ours, theirs }
  }

  test.each(Object.entries(both))('%s: each goes on with what the other saved', async (name, make) => {
    const { ours, theirs } = pair(make)
    for (const epochs of [0, 2]) {
      if (epochs > 0) {
        await ours.fit(x, y, { ...training, ...plain, epochs })
        await theirs.fit(theirX, theirY, { ...plain, epochs, verbose: 0 })
      }
      const [mine, other] = [await saved(ours), await savedByTheirs(theirs)]
      // The same weights and arrays in the same order; TensorFlow.js numbers variables of equal names.
      const names = (specs: readonly object[]) => JSON.stringify(specs).replace(/_\d+(?=["/])/g, '')
      expect(names(mine.weightSpecs)).toBe(names(other.weightSpecs!))
      const { lockstep: _, ...config } = mine.trainingConfig as unknown as {
        optimizer_config: Saved
        lockstep: object
      }
      const wanted = other.trainingConfig as unknown as typeof config
      // TensorFlow.js does not save the epsilon of Adagrad.
      if (config.optimizer_config.class_name === 'Adagrad') delete config.optimizer_config.config.epsilon
      expect(config).toEqual(wanted)

      const theirRead = await tf.loadLayersModel(tf.io.fromMemory(mine as tf.io.ModelArtifacts))
      const ourRead = await ls.loadLayersModel(ls.io.fromMemory(other as ls.LoadedArtifacts))
      expect(ourRead.optimizer.iterations).toBe(3 * epochs)
      // What TensorFlow.js saved comes out of ours as it was.
      expect((await saved(ourRead)).weightData).toEqual(other.weightData)
      expect((await savedByTheirs(theirRead)).weightData).toEqual(mine.weightData)

      if (name === 'rmsprop, centered') continue
      const expected = await theirRead.fit(theirX, theirY, { ...plain, epochs: 3, verbose: 0 })
      const found = await (await ls.loadLayersModel(ls.io.fromMemory(mine))).fit(x, y, {
        ...training,
        ...plain,
        epochs: 3,
      })
      const read = await ourRead.fit(x, y, { ...training, ...plain, epochs: 3 })
      for (const { history } of [found, read])
        close(history.loss!, expected.history.loss as number[], 'losses')
    }
  })

  test('files with what TensorFlow.js does not have are refused by it, not trained otherwise', async () => {
    const refused: [Partial<ls.CompileOptions>, string][] = [
      [{ optimizer: 'adamw' }, 'AdamW'],
      [{ loss: ls.losses.huber({ delta: 2 }) }, 'not a function'],
      [{ lossWeights: [2] }, 'loss_weights'],
      [{ optimizer: ls.train.adam({ useEma: true }) }, 'average'],
    ]
    for (const [options, text] of refused) {
      const model = compiled(options)
      await model.fit(x, y, training)
      const artifacts = (await saved(model)) as tf.io.ModelArtifacts
      await expect(tf.loadLayersModel(tf.io.fromMemory(artifacts)), text).rejects.toThrow(text)
    }
  })
})

describe('what is not to be', () => {
  test('no optimizer unless it is asked for, and none of a model that is not compiled', async () => {
    const model = compiled()
    expect('trainingConfig' in (await saved(model, {}))).toBe(false)
    const bare = ls.sequential({ layers: layersOf(ls.layers) })
    expect('trainingConfig' in (await saved(bare))).toBe(false)
    const read = await ls.loadLayersModel(ls.io.fromMemory(await saved(model)), { compile: false })
    expect(read.isCompiled).toBe(false)
    await model.save(url, { includeOptimizer: true, trainableOnly: true })
    const names = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')).weightsManifest[0].weights
    expect(names.map(({ name }: { name: string }) => name).slice(-2)).toEqual(['second/bias', 'iter'])
  })

  test('what no file can hold', async () => {
    const own = ls.defineOptimizer('Adam', { learningRate: 1 as never }, { update: ({ w }) => ({ w }) })
    const loss = ls.defineLoss('huber', {}, (_, yPred) => yPred)
    const leave = '; leave includeOptimizer out'
    const wrong: [Partial<ls.CompileOptions>, string][] = [
      [{ optimizer: own() }, `the optimizer must be one of ls.train, got Adam${leave}`],
      [
        { optimizer: ls.train.adamw({ excludeFromWeightDecay: () => true }) },
        `excludeFromWeightDecay must be a list of names, got a function${leave}`,
      ],
      [
        { optimizer: ls.train.sgd({ name: 'mine', config: {}, at: () => 0.1 }) },
        `the schedule must be one of ls.schedules, got mine${leave}`,
      ],
      [{ loss }, `a loss must be one of ls.losses, got function huber${leave}`],
      [
        { metrics: [ls.defineMetric('mine', {}, (_, yPred) => yPred)] },
        `a metric must be one of ls.metrics, got function mine${leave}`,
      ],
    ]
    for (const [options, text] of wrong)
      expect(await caught(() => compiled(options).save(url, { includeOptimizer: true }))).toBe(
        `RangeError: save: ${text}`,
      )
    const model = compiled()
    model.layers[0]!.trainable = false
    expect(await caught(() => model.save(url, { includeOptimizer: true }))).toBe(
      'RangeError: save: the weights that learn must be those of the last compile, got first/kernel; call compile() again',
    )
  })

  test('a file that does not fit', async () => {
    const model = compiled()
    await model.fit(x, y, training)
    const good = await saved(model)
    const config = good.trainingConfig as { optimizer_config: Saved }
    const adam = config.optimizer_config
    const where = "loadLayersModel: the handler's model"
    const reason = (text: string) =>
      `${where} trainingConfig must be one to compile with, got another: ${text}; give compile: false to leave it out`
    const wrong: [unknown, string][] = [
      [3, 'it must be an object, got 3'],
      [
        { ...config, loss: 'hinges' },
        'compile: loss must be a known name, got "hinges"; did you mean "hinge"?',
      ],
      [{ ...config, loss: null }, "compile: loss must be given, got null; try 'meanSquaredError'"],
      [
        { ...config, loss: { class_name: 'hinge', config: {} } },
        'unknown loss "hinge"; known are binaryCrossentropy, ',
      ],
      [
        { ...config, loss: { class_name: 'huber', config: { delt: 1 } } },
        'huber: unknown option "delt"; did you mean "delta"?',
      ],
      [{ ...config, weighted_metrics: [] }, 'weighted_metrics must be null, got []'],
      [
        { ...config, optimizer_config: null },
        'optimizer_config must be an object with class_name and config, got null',
      ],
      [
        { ...config, optimizer_config: { ...adam, class_name: 'constructor' } },
        'unknown optimizer "constructor"',
      ],
      [
        { ...config, optimizer_config: { ...adam, config: { ...adam.config, beta1: 'x' } } },
        'Adam: beta1 must be a finite number, got "x"',
      ],
      [
        { ...config, optimizer_config: { ...adam, config: { learningRate: 1, gamma: 1 } } },
        'Adam: unknown option "gamma"',
      ],
      [
        { ...config, optimizer_config: { class_name: 'Momentum', config: { useNesterov: 1 } } },
        'Momentum: useNesterov must be true or false, got 1',
      ],
      [{ ...config, lockstep: { epochsTrained: -1 } }, 'epochsTrained must be a count, got -1'],
      [{ ...config, lockstep: { leaves: 0 } }, 'compile: leaves must be a positive integer, got 0'],
    ]
    for (const [trainingConfig, text] of wrong) {
      const given = ls.io.fromMemory({ ...good, trainingConfig: trainingConfig as never })
      const [start, end] = reason('|').split('|') as [string, string]
      const message = await caught(() => ls.loadLayersModel(given))
      expect(message).toContain(`RangeError: ${start}${text}`)
      expect(message.endsWith(end)).toBe(true)
    }
  })

  test('the state of another optimizer', async () => {
    const model = compiled()
    await model.fit(x, y, training)
    const good = await saved(model)
    const { weightSpecs: specs } = good
    const at = specs.findIndex(({ name }) => name === 'iter')
    const changed = (i: number, change: object) =>
      specs.map((spec, j) => (j === i ? { ...spec, ...change } : spec))
    const moment = 'must hold "first/kernel/m" [5,6] of the optimizer, got'
    const wrong: [typeof specs, string][] = [
      [
        changed(at, { name: 'count' }),
        'must begin the optimizer\'s state with the count "iter", got "count"',
      ],
      [
        changed(at, { dtype: 'float32' }),
        'must begin the optimizer\'s state with the count "iter", got "iter"',
      ],
      [specs.slice(0, -1), 'must hold 12 arrays of the optimizer, got 11'],
      [changed(at + 1, { name: 'first/kernel/x' }), `${moment} "first/kernel/x" [5,6] float32`],
      [changed(at + 1, { shape: [6, 5] }), `${moment} "first/kernel/m" [6,5] float32`],
      [changed(at + 1, { dtype: 'int32' }), `${moment} "first/kernel/m" [5,6] int32`],
    ]
    for (const [weightSpecs, text] of wrong) {
      const count = weightSpecs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
      const weightData = good.weightData.slice(0, 4 * count)
      const given = ls.io.fromMemory({ ...good, weightSpecs, weightData })
      expect(await caught(() => ls.loadLayersModel(given))).toBe(
        `RangeError: loadLayersModel: the handler's model ${text}`,
      )
    }
  })
})
