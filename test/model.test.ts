import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { recordStep } from '../src/model/record.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const hashOf = (model: ls.Sequential): string => {
  const hash = createHash('sha256')
  for (const weight of model.getWeights()) hash.update(weight.values)
  return hash.digest('hex').slice(0, 16)
}

/** Images of 8×8 whose class shows in their mean, with the class numbers. */
function images(count: number): { x: ls.Tensor; y: ls.Tensor } {
  const pixels = noise(count * 64, 9)
  const labels = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    labels[i] = i % 3
    for (let j = 0; j < 64; j++) pixels[i * 64 + j]! += labels[i]! - 1
  }
  return { x: ls.tensor(pixels, [count, 8, 8, 1]), y: ls.tensor(labels, [count]) }
}

const { conv2d, batchNormalization, maxPooling2d, flatten, dropout, dense, activation } = ls.layers

/** A small convolutional network with statistics and dropout. */
function cnn(leaves = 1): ls.Sequential {
  const model = ls.sequential({
    seed: 3,
    layers: [
      conv2d({
        filters: 5,
        kernelSize: 3,
        padding: 'same',
        inputShape: [8, 8, 1],
        kernelRegularizer: 'l1l2',
      }),
      batchNormalization({}),
      activation({ activation: 'relu' }),
      maxPooling2d({}),
      conv2d({ filters: 17, kernelSize: 3, strides: 2, activation: 'tanh' }),
      flatten({}),
      dropout({ rate: 0.25 }),
      dense({ units: 3, activation: 'softmax' }),
    ],
  })
  const optimizer = ls.train.adam({ learningRate: 0.01, globalClipNorm: 1 })
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], leaves })
  return model
}

describe('fit', () => {
  test.each([1, 4])('trains a CNN to the same bits for any number of workers, leaves %i', async leaves => {
    const { x, y } = images(83)
    const outcomes = new Set<string>()
    for (const workers of [1, 2, 3, 5, 8] as const) {
      const model = cnn(leaves)
      const { history } = await model.fit(x, y, {
        epochs: 3,
        batchSize: 16,
        seed: 5,
        workers,
        validationSplit: 0.1,
      })
      outcomes.add(`${hashOf(model)} ${JSON.stringify(history)}`)
      model.dispose()
    }
    expect(outcomes.size).toBe(1)
  })

  test('learns, and says so alike in history, evaluate and evaluateAsync', async () => {
    const { x, y } = images(240)
    const model = cnn()
    const { history, seed, stopReason } = await model.fit(x, y, {
      epochs: 12,
      batchSize: 16,
      seed: 5,
      validationData: [x, y],
    })
    expect({ seed, stopReason }).toEqual({ seed: 5, stopReason: 'epochs' })
    expect(history.val_acc!.at(-1)).toBeGreaterThan(0.95)
    const { loss, acc } = await model.evaluateAsync(x, y)
    const [here, accHere] = model.evaluate(x, y) as ls.Tensor[]
    expect(here!.dataSync()[0]).toBeCloseTo(loss!, 6)
    expect(accHere!.dataSync()[0]).toBeCloseTo(acc!, 6)
    expect(history.val_loss!.at(-1)).toBe(loss)
    model.dispose()
  })

  test('tells callbacks everything in order, serves their requests, and stops when told', async () => {
    const { x, y } = images(40)
    const model = cnn()
    const told: string[] = []
    const hook = (name: string) => (n?: unknown) =>
      void told.push(`${name} ${typeof n === 'number' ? n : ''}`.trim())
    await model.fit(x, y, {
      batchSize: 16,
      epochs: 9,
      workers: 2,
      callbacks: {
        onTrainBegin: hook('train'),
        onEpochBegin: hook('epoch'),
        onBatchEnd: hook('batch'),
        async onEpochEnd(epoch, logs) {
          const now = await model.evaluateAsync(x, y)
          const predicted = await model.predictAsync(x)
          told.push(`${Number.isFinite(now.loss)} ${predicted.shape} ${Object.keys(logs!)}`)
          if (epoch === 1) model.stopTraining = true
        },
        onTrainEnd: hook('end'),
      },
    })
    const epoch = (n: number) => [`epoch ${n}`, 'batch 0', 'batch 1', 'batch 2', 'true 40,3 loss,acc']
    expect(told).toEqual(['train', ...epoch(0), ...epoch(1), 'end'])
    model.dispose()
  })

  test('an AbortSignal ends training after the step', async () => {
    const { x, y } = images(240)
    const model = cnn()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    const { stopReason } = await model.fit(x, y, {
      epochs: 100_000,
      batchSize: 8,
      workers: 2,
      signal: controller.signal,
    })
    expect(stopReason).toBe('aborted')
    expect(model.predict(x).shape).toEqual([240, 3])
    model.dispose()
  })

  test('stopTraining ends training after the step wherever it is set, and a failing report is passed on', async () => {
    const { x, y } = images(240)
    const model = cnn()
    setTimeout(() => {
      model.stopTraining = true
    }, 50)
    const { stopReason } = await model.fit(x, y, {
      epochs: 100_000,
      batchSize: 1,
      workers: 2,
      validationSplit: 0.5,
    })
    expect(stopReason).toBe('stopTraining')
    const report = () => {
      throw new Error('no screen')
    }
    const fit = () =>
      model.fit(x, y, { epochs: 100_000, batchSize: 2, onProgress: { intervalMs: 5, report } })
    expect(await caught(fit)).toBe('Error: no screen')
    const predicting = model.predictAsync(x)
    const message = 'Error: dispose: model is in use; wait for predictAsync() or evaluateAsync() to end'
    expect(await caught(() => model.dispose())).toBe(message)
    await predicting
    model.dispose()
  })

  test('what is not finite stops training before the update, names the place and leaves the weights of the last epoch', async () => {
    const { x, y } = images(48)
    const model = ls.sequential({
      seed: 1,
      layers: [flatten({ inputShape: [8, 8, 1] }), dense({ units: 1 })],
    })
    model.compile({ optimizer: ls.train.sgd(1e30), loss: 'meanSquaredError' })
    const before = hashOf(model)
    const message = await caught(() => model.fit(x, y, { batchSize: 16, workers: 2, shuffle: false }))
    expect(message).toBe(
      'Error: fit: the loss became NaN or infinite at epoch 0, step 1; lower learningRate (1e+30) or set clipNorm',
    )
    expect(hashOf(model)).toBe(before)
    model.compile({ optimizer: ls.train.sgd(1e-3), loss: 'meanSquaredError' })
    const { history } = await model.fit(x, y, { batchSize: 16, epochs: 20, workers: 2 })
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!)
    model.dispose()
  })

  test('early stopping restores the best weights', async () => {
    const { x, y } = images(60)
    const model = cnn()
    const stop = ls.callbacks.earlyStopping({
      monitor: 'loss',
      patience: 1,
      minDelta: 10,
      restoreBestWeights: true,
    })
    const { epoch, stopReason } = await model.fit(x, y, { epochs: 10, callbacks: stop })
    expect({ epochs: epoch.length, stopReason }).toEqual({ epochs: 2, stopReason: 'earlyStopping' })
    model.dispose()
  })

  test('class and sample weights weigh the loss', async () => {
    const { x, y } = images(30)
    const losses: number[] = []
    for (const options of [
      {},
      { classWeight: { 0: 2, 1: 2, 2: 2 } },
      { sampleWeight: new Float32Array(30).fill(2) },
    ]) {
      const model = ls.sequential({
        seed: 1,
        layers: [flatten({ inputShape: [8, 8, 1] }), dense({ units: 3, activation: 'softmax' })],
      })
      model.compile({ optimizer: ls.train.sgd(0), loss: 'sparseCategoricalCrossentropy' })
      losses.push((await model.fit(x, y, { ...options, workers: 1 })).history.loss![0]!)
      model.dispose()
    }
    expect(losses[1]).toBeCloseTo(2 * losses[0]!, 5)
    expect(losses[2]).toBe(losses[1])
  })
})

test.each([3, 4])('accumulating %i leaves one at a time gives the same bits', async leaves => {
  const { x, y } = images(83)
  const weights = new Float32Array(83).map((_, i) => 1 + (i % 3))
  const outcomes = new Set<string>()
  for (const accumulate of [false, true]) {
    for (const workers of [1, 3]) {
      const model = ls.sequential({
        seed: 3,
        layers: [
          conv2d({
            filters: 5,
            kernelSize: 3,
            padding: 'same',
            activation: 'relu',
            inputShape: [8, 8, 1],
            kernelRegularizer: 'l1l2',
          }),
          maxPooling2d({}),
          conv2d({ filters: 7, kernelSize: 3, strides: 2 }),
          flatten({}),
          dropout({ rate: 0.25 }),
          dense({ units: 3, activation: 'softmax' }),
        ],
      })
      const optimizer = ls.train.adam({ learningRate: 0.01, globalClipNorm: 1 })
      model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], leaves })
      const { history } = await model.fit(x, y, {
        epochs: 2,
        batchSize: 32,
        seed: 5,
        workers,
        accumulate,
        sampleWeight: weights,
      })
      outcomes.add(`${hashOf(model)} ${history.loss!.map(loss => loss.toPrecision(12))} ${history.acc}`)
      model.dispose()
    }
  }
  expect(outcomes.size).toBe(1)
})

test('streamed data gives the bits of resident data', async () => {
  const { x, y } = images(583)
  const bytes = ls.tensor(
    Uint8Array.from(x.values, value => (value + 2) * 60),
    [583, 8, 8, 1],
    'uint8',
    1 / 255,
  )
  const outcomes = new Set<string>()
  for (const [stream, workers] of [
    [false, 1],
    [true, 1],
    [true, 2],
    [true, 3],
  ] as const) {
    const model = cnn()
    const options = {
      epochs: 2,
      batchSize: 5,
      seed: 5,
      workers,
      stream,
      validationSplit: 0.2,
      classWeight: { 0: 1, 1: 2, 2: 1 },
    }
    const { history } = await model.fit(bytes, y, options)
    outcomes.add(`${hashOf(model)} ${JSON.stringify(history)}`)
    model.dispose()
  }
  expect(outcomes.size).toBe(1)
})

test('the ring is filled ahead of the workers, never over what they have not read', async () => {
  const count = 40_000
  const x = new Float32Array(count).map((_, i) => i / count)
  const outcomes = new Set<string>()
  for (const stream of [false, true]) {
    const model = ls.sequential({ layers: [dense({ units: 1, inputShape: [1] })], seed: 1 })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    // 20,000 batches go through at most 1024 slots.
    await model.fit(x, x, { batchSize: 2, seed: 3, workers: 1, stream })
    outcomes.add(hashOf(model))
    model.dispose()
  }
  expect(outcomes.size).toBe(1)
})

test('accumulating leaves needs about the memory of one', () => {
  const layers = [dense({ units: 500, activation: 'relu', inputShape: [400] }), dense({ units: 300 })]
  const model = ls.sequential({ layers })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', leaves: 8 })
  const floats = (size: number) => ({ bytes: false, scale: 1, shape: [size] })
  const bytes = (accumulate: boolean): number => {
    const options = {
      mode: 'train',
      rows: 8192,
      sources: { kinds: { x0: floats(400), y0: floats(300) }, ordered: false },
      accumulate,
    } as const
    return recordStep(model, model.compiled, options).plan.arenaBytes
  }
  expect(bytes(true)).toBeLessThan(bytes(false) / 5)
  model.dispose()
})

describe('trainOnBatch', () => {
  test('makes the update that fit makes', async () => {
    const { x, y } = images(16)
    const make = () => {
      const model = ls.sequential({
        seed: 1,
        layers: [flatten({ inputShape: [8, 8, 1] }), dense({ units: 3, activation: 'softmax' })],
      })
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
      return model
    }
    const [one, other] = [make(), make()]
    const result = await one.trainOnBatch(x, y)
    await other.fit(x, y, { batchSize: 16, shuffle: false, workers: 2 })
    expect(result).toHaveLength(2)
    expect(hashOf(one)).toBe(hashOf(other))
    one.dispose()
    other.dispose()
  })
})

test('a trainOnBatch that fails changes nothing, moving statistics included', async () => {
  const model = ls.sequential({
    seed: 1,
    layers: [batchNormalization({ inputShape: [3] }), dense({ units: 1 })],
  })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const before = hashOf(model)
  const x = noise(12)
  const message = await caught(() => model.trainOnBatch(x, new Float32Array(4).fill(3e38)))
  expect(message).toBe(
    'Error: trainOnBatch: the loss became NaN or infinite at step 0; lower learningRate (0.001) or set clipNorm',
  )
  expect(hashOf(model)).toBe(before)
  model.dispose()
})

describe('predict', () => {
  test('gives a row the same bits in any batch', async () => {
    const { x } = images(37)
    const model = cnn()
    const whole = model.predict(x, { batchSize: 37 }).dataSync()
    for (const batchSize of [1, 2, 5, 32]) expect(model.predict(x, { batchSize }).dataSync()).toEqual(whole)
    expect((await model.predictAsync(x, { batchSize: 7, workers: 3 })).dataSync()).toEqual(whole)
    model.dispose()
  })
})

describe('save and load', () => {
  test('the loaded model predicts the same bits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lockstep-'))
    try {
      const { x, y } = images(20)
      const model = cnn()
      await model.fit(x, y, { seed: 1 })
      await model.save(`file://${folder}`)
      const again = (await ls.loadLayersModel(`file://${folder}/model.json`)) as ls.Sequential
      expect(again.predict(x).dataSync()).toEqual(model.predict(x).dataSync())
      expect(again.layers.map(layer => layer.name)).toEqual(model.layers.map(layer => layer.name))
      model.dispose()
      again.dispose()
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('messages', () => {
  const { x, y } = images(4)
  const model = cnn()
  const bare = ls.sequential({ layers: [dense({ units: 2, inputShape: [3] })] })
  test.each<[() => unknown, string]>([
    [() => dense({ units: 0 }), 'RangeError: Dense: units must be a positive integer, got 0'],
    [() => dense({ unit: 3 } as never), 'TypeError: Dense: unknown option "unit"; did you mean "units"?'],
    [() => dense({} as never), 'TypeError: Dense: units must be given, got undefined; add it to the options'],
    [
      () => ls.sequential({ layers: [dense({ units: 2 })] }),
      'Error: sequential: the first layer must have inputShape, got none; add inputShape: [784], say',
    ],
    [() => model.fit(x, y, { batchSize: 0 }), 'RangeError: fit: batchSize must be a positive integer, got 0'],
    [
      () => model.fit(x, y, { epoch: 3 } as never),
      'TypeError: fit: unknown option "epoch"; did you mean "epochs"?',
    ],
    [
      () => model.fit(x, [0, 1, 2, 3]),
      'RangeError: fit: y must hold class numbers from 0 to 2, got 3 at [3]; correct the labels or give the last layer more units',
    ],
    [
      () => model.fit(x, y, { accumulate: true }),
      'RangeError: fit: accumulate must be false for a model with batchNormalization, got true; its statistics need the whole mini-batch',
    ],
    [
      () => model.fit(x, [0, 1]),
      'RangeError: fit: x and y must have the same number of samples, got 4 and 2; correct one',
    ],
    [
      () => bare.fit([[1, 2, 3]], [[1, 2]]),
      `Error: ${bare.name}: the model must be compiled, got one that is not; call compile()`,
    ],
    [
      () => bare.compile({ optimizer: 'adm' as never, loss: 'mse' }),
      'RangeError: compile: optimizer must be a known name, got "adm"; did you mean "adam"?',
    ],
    [
      () => bare.compile({ optimizer: 'adam', loss: 'meanSquareError' as never }),
      'RangeError: compile: loss must be a known name, got "meanSquareError"; did you mean "meanSquaredError"?',
    ],
  ])('%#', async (run, text) => {
    expect(await caught(run as () => unknown)).toBe(text)
  })
})
