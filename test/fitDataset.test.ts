import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { batchOf, close, twins, weightsOf } from './reference/tfjs.ts'

const { dense, dropout, globalAveragePooling1d } = ls.layers
const [count, features, batchSize] = [103, 6, 10]
const xs = noise(count * features, 3)
const ys = Float32Array.from({ length: count }, (_, i) => i % 3)
const all = { xs: ls.tensor(xs, [count, features]), ys: ls.tensor(ys, [count]) }

type Pair = { xs: ls.Tensor; ys: ls.Tensor }

/** The samples from `begin` to `end`. */
const part = (begin: number, end: number): Pair => ({
  xs: ls.tensor(xs.slice(begin * features, end * features), [end - begin, features]),
  ys: ls.tensor(ys.slice(begin, end), [end - begin]),
})

const parts = (size = batchSize, from = 0, to = count): Pair[] =>
  Array.from({ length: Math.ceil((to - from) / size) }, (_, i) =>
    part(from + i * size, Math.min(to, from + (i + 1) * size)),
  )

async function* generated(): AsyncGenerator<Pair> {
  yield* parts()
}

function network(seed = 3): ls.Sequential {
  const hidden = dense({ units: 20, activation: 'relu', inputShape: [features] })
  const layers = [hidden, dropout({ rate: 0.2 }), dense({ units: 3, activation: 'softmax' })]
  const model = ls.sequential({ layers, seed })
  const loss = 'sparseCategoricalCrossentropy'
  model.compile({ optimizer: 'adam', loss, metrics: ['accuracy'], leaves: 2 })
  return model
}

const bitsOf = (model: ls.Sequential | ls.Model): string =>
  model
    .getWeights()
    .map(({ values }) => Buffer.from(new Uint8Array(values.slice().buffer)).toString('hex'))
    .join()

const outcome = (model: ls.Sequential | ls.Model, { history }: ls.History): string =>
  `${bitsOf(model)} ${JSON.stringify(history)}`

describe('fitDataset gives the bits of fit', () => {
  const options = { epochs: 3, seed: 5 }
  const fitted = async (more: ls.FitOptions = {}) => {
    const model = network()
    return outcome(model, await model.fit(all.xs, all.ys, { ...options, batchSize, shuffle: false, ...more }))
  }
  const trained = async (dataset: ls.Batches, more: ls.FitDatasetOptions = {}) => {
    const model = network()
    return outcome(model, await model.fitDataset(dataset, { ...options, ...more }))
  }

  test('for any number of workers, whatever is taken ahead, with callbacks and without', async () => {
    const expected = await fitted()
    for (const workers of [1, 2, 3, 'auto'] as const)
      for (const prefetch of [1, 2, 64])
        expect(await trained(generated, { workers, prefetch }), `${workers} workers`).toBe(expected)
    expect(await trained(generated, { callbacks: { async onBatchEnd() {} }, workers: 2 })).toBe(expected)
    expect(await trained(generated, { accumulate: true, workers: 2 })).toBe(expected)
  })

  test('whatever kind of iterable gives the batches', async () => {
    const expected = await fitted()
    const rows = parts(1).map(({ xs, ys }) => ({ xs: xs.dataSync(), ys: ys.dataSync()[0]! }))
    const kinds: Record<string, ls.Batches> = {
      array: parts(),
      pairs: parts().map(({ xs, ys }) => [xs, ys] as const),
      'sync generator': function* () {
        yield* parts()
      },
      'async iterable': { [Symbol.asyncIterator]: generated },
      'promised iterator': async () => generated(),
      'ls.data': ls.data.array(rows).batch(batchSize),
      'tf.data': tf.data.generator(function* () {
        for (const { xs, ys } of parts())
          yield { xs: tf.tensor(xs.values, xs.shape), ys: tf.tensor(ys.values) }
      } as never) as unknown as ls.Batches,
    }
    for (const [kind, dataset] of Object.entries(kinds)) expect(await trained(dataset), kind).toBe(expected)
  })

  test('with batchesPerEpoch, one pass going through all epochs', async () => {
    let passes = 0
    const endless = async function* () {
      passes++
      while (true) yield* parts()
    }
    expect(await trained(endless, { batchesPerEpoch: 11 })).toBe(await fitted())
    expect(passes).toBe(1)
  })

  test('with weights of samples and classes, and validation data of either kind', async () => {
    const sampleWeight = Float32Array.from({ length: count }, (_, i) => 0.5 + (i % 4))
    const classWeight = { 0: 1, 1: 2, 2: 0.5 }
    const rest = part(80, count)
    const validationData = [rest.xs, rest.ys] as const
    const expected = await fitted({ sampleWeight, classWeight, validationData })
    const triples = parts().map(({ xs, ys }, i) => {
      return [xs, ys, sampleWeight.slice(i * batchSize, (i + 1) * batchSize)] as const
    })
    const named = triples.map(([xs, ys, weights]) => ({ xs, ys, sampleWeight: weights }))
    expect(await trained(triples, { classWeight, validationData })).toBe(expected)
    const batches = { classWeight, validationData: ls.data.array(parts(32, 80)) }
    expect(await trained(named, batches)).toBe(expected)
  })

  test('of bytes, which stay bytes', async () => {
    const bytes = Uint8Array.from(xs, x => (x + 1) * 127)
    const model = network()
    const settings = { ...options, batchSize, shuffle: false }
    const whole = ls.tensor(bytes, [count, features], 'uint8', 1 / 255)
    const expected = outcome(model, await model.fit(whole, all.ys, settings))
    const batches = parts().map(({ ys }, i) => {
      const rows = bytes.slice(i * batchSize * features, (i + 1) * batchSize * features)
      return { xs: ls.tensor(rows, [ys.size, features], 'uint8', 1 / 255), ys }
    })
    expect(await trained(batches)).toBe(expected)
  })

  test('of a model with several inputs and outputs, by name and in order', async () => {
    const make = () => {
      const [a, b] = [ls.input({ shape: [4], name: 'a' }), ls.input({ shape: [2], name: 'b' })]
      const joined = ls.layers.concatenate({}).apply([a, b]) as ls.SymbolicTensor
      const outputs = ['p', 'q'].map(name => dense({ units: 1, name }).apply(joined))
      const model = ls.model({ inputs: [a, b], outputs, seed: 2 })
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      return model
    }
    const data = (n: number, from: number) => ({
      a: ls.tensor(noise(4 * 50).slice(from * 4, (from + n) * 4), [n, 4]),
      b: ls.tensor(noise(2 * 50, 5).slice(from * 2, (from + n) * 2), [n, 2]),
      p: ls.tensor(noise(50, 6).slice(from, from + n)),
      q: ls.tensor(noise(50, 7).slice(from, from + n)),
    })
    const { a, b, p, q } = data(50, 0)
    const outcomes = new Set<string>()
    const fit = make()
    outcomes.add(outcome(fit, await fit.fit([a, b], [p, q], { ...options, batchSize: 20, shuffle: false })))
    const cuts = [data(20, 0), data(20, 20), data(10, 40)]
    for (const dataset of [
      cuts.map(({ a, b, p, q }) => ({ xs: { b, a }, ys: { q, p } })),
      cuts.map(
        ({ a, b, p, q }) =>
          [
            [a, b],
            [p, q],
          ] as const,
      ),
    ]) {
      const model = make()
      outcomes.add(outcome(model, await model.fitDataset(dataset, options)))
    }
    expect(outcomes.size).toBe(1)
  })
})

test('fitDataset and evaluateDataset compute what those of TensorFlow.js do', async () => {
  const { ours, theirs } = twins(
    [
      ['dense', { units: 5, activation: 'tanh' }],
      ['dense', { units: 2 }],
    ],
    [4],
  )
  const sizes = [5, 8, 3]
  const batches = sizes.map((n, i) => [
    batchOf(noise(4 * n, i), [n, 4]),
    batchOf(noise(2 * n, 9 + i), [n, 2]),
  ])
  const mine = batches.map(([x, y]) => ({ xs: x!.ours, ys: y!.ours }))
  const other = tf.data.generator(function* () {
    // TensorFlow.js disposes of what it has trained on.
    for (const [x, y] of batches) yield { xs: x!.theirs.clone(), ys: y!.theirs.clone() }
  } as never) as tf.data.Dataset<{ xs: tf.Tensor; ys: tf.Tensor }>
  ours.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError', metrics: ['mae'] })
  theirs.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError', metrics: ['mae'] })
  const { history } = await ours.fitDataset(mine, { epochs: 2, validationData: mine, workers: 2 })
  const expected = await theirs.fitDataset(other, { epochs: 2, validationData: other, verbose: 0 })
  for (const key of ['loss', 'mae', 'val_loss', 'val_mae'])
    close(history[key]!, expected.history[key] as number[], key)
  for (const [i, values] of weightsOf(ours).entries()) close(values, weightsOf(theirs)[i]!, `weight ${i}`)
  const results = (await ours.evaluateDataset(mine)) as ls.Tensor[]
  const theirResults = (await theirs.evaluateDataset(other, {})) as tf.Scalar[]
  for (const [i, result] of results.entries())
    close(result.dataSync() as Float32Array, theirResults[i]!.dataSync(), `result ${i}`)
  const alone = (await ours.evaluateDataset(mine, { batches: 1 })) as ls.Tensor[]
  const first = ours.evaluate(mine[0]!.xs, mine[0]!.ys) as ls.Tensor[]
  expect(alone.map(t => t.dataSync())).toEqual(first.map(t => t.dataSync()))
})

test('batches may have any size; larger ones than before need a new plan', async () => {
  const outcomes = new Set<string>()
  const cuts = [0, 4, 20, 21, 60, 61, 90, count]
  const batches = cuts.slice(1).map((end, i) => part(cuts[i]!, end))
  for (const workers of [1, 2, 3]) {
    for (const prefetch of [1, 64]) {
      const model = network()
      const sizes: unknown[] = []
      const callbacks =
        prefetch === 1 ? { onBatchEnd: (_: number, logs?: ls.Logs) => void sizes.push(logs!.size) } : []
      const history = await model.fitDataset(batches, { epochs: 2, seed: 1, workers, prefetch, callbacks })
      if (prefetch === 1) expect(sizes.slice(0, 7)).toEqual([4, 16, 1, 39, 1, 29, 13])
      outcomes.add(outcome(model, history))
    }
  }
  expect(outcomes.size).toBe(1)
})

describe('a dataset is asked for batches', () => {
  test.each([1, 3])('at most %i ahead of training', async prefetch => {
    let asked = 0
    const furthest: number[] = []
    const counted = function* () {
      for (const batch of parts(1)) {
        asked++
        yield batch
      }
    }
    const onBatchEnd = (batch: number) => void furthest.push(asked - batch - 1)
    await network().fitDataset(counted, { prefetch, callbacks: { onBatchEnd }, workers: 2 })
    expect(Math.max(...furthest)).toBeLessThanOrEqual(prefetch)
    expect(asked).toBe(count)
  })

  test('as it can give them: training waits', async () => {
    const slow = async function* () {
      for (const batch of parts()) {
        await new Promise(resolve => setTimeout(resolve, 5))
        yield batch
      }
    }
    const [waiting, model] = [network(), network()]
    const history = await waiting.fitDataset(slow, { seed: 5, workers: 2, stallMs: 200 })
    expect(outcome(waiting, history)).toBe(outcome(model, await model.fitDataset(generated, { seed: 5 })))
  })

  test('while memory stays bounded', async () => {
    const [batches, steps, size] = [300, 16384, 8]
    const layers = [globalAveragePooling1d({ inputShape: [steps, 16] }), dense({ units: 1 })]
    const model = ls.sequential({ layers })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const before = ls.engine().bytes
    const resident = process.memoryUsage().rss
    let [arena, most] = [0, 0]
    const large = function* () {
      for (let i = 0; i < batches; i++) {
        arena = Math.max(arena, ls.engine().bytes - before)
        most = Math.max(most, process.memoryUsage().rss - resident)
        const values = new Uint8Array(size * steps * 16).fill(i)
        yield { xs: ls.tensor(values, [size, steps, 16], 'uint8', 1 / 255), ys: new Float32Array(size) }
      }
    }
    await model.fitDataset(large, { workers: 2 })
    // 600 MB went through a ring of 64 MB and a batch of float32 numbers.
    expect(arena).toBeGreaterThan(60e6)
    expect(arena).toBeLessThan(90e6)
    expect(most).toBeLessThan(400e6)
    expect(ls.engine().bytes).toBe(before)
  })
})

describe('a dataset that ends early', () => {
  /** Without end; notes that it was ended. */
  const endless = (closed: string[]) =>
    async function* () {
      try {
        while (true) yield* parts()
      } finally {
        closed.push('closed')
      }
    }

  test.each(['stopTraining', 'signal'])('is told so: %s', async how => {
    const closed: string[] = []
    const model = network()
    const controller = new AbortController()
    const onBatchEnd = (batch: number) => {
      if (batch !== 4) return
      if (how === 'signal') controller.abort()
      else model.stopTraining = true
    }
    const { signal } = controller
    const history = await model.fitDataset(endless(closed), { signal, callbacks: { onBatchEnd }, workers: 2 })
    expect(closed).toEqual(['closed'])
    expect(history.stopReason).toBe(how === 'signal' ? 'aborted' : 'stopTraining')
    expect(model.optimizer.iterations).toBe(5)
  })

  test('by stopTraining, still validates, as fit does', async () => {
    const model = network()
    const onBatchEnd = () => void (model.stopTraining = true)
    const { history } = await model.fitDataset(generated, {
      callbacks: { onBatchEnd },
      validationData: generated,
    })
    expect(history.val_loss).toHaveLength(1)
  })

  test('in the middle of a stretch, too', async () => {
    const closed: string[] = []
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 200)
    const { signal } = controller
    const { stopReason } = await network().fitDataset(endless(closed), { signal, workers: 2 })
    expect([stopReason, ...closed]).toEqual(['aborted', 'closed'])
  })

  test('does not keep training from ending where a batch never comes', async () => {
    for (const given of [0, 3]) {
      const stuck = async function* () {
        yield* parts().slice(0, given)
        await new Promise(() => {})
      }
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 300)
      const model = network()
      const { stopReason } = await model.fitDataset(stuck, { signal: controller.signal, workers: 2 })
      expect(stopReason).toBe('aborted')
      expect(model.optimizer.iterations).toBeLessThanOrEqual(given)
    }
  })
})

test('callbacks are awaited, may evaluate on a dataset, and see what is trained', async () => {
  const model = network()
  const seen: [number, number][] = []
  const onEpochEnd = async (epoch: number) => {
    const both = await Promise.all([model.evaluateDataset(generated), model.evaluateDataset(parts(7))])
    for (const each of both) seen.push([epoch, (each as ls.Tensor[])[0]!.dataSync()[0]!])
  }
  const options = { epochs: 2, seed: 1, workers: 2, callbacks: { onEpochEnd }, validationData: generated }
  const { history } = await model.fitDataset(generated, options)
  expect(seen.map(([epoch]) => epoch)).toEqual([0, 0, 1, 1])
  for (const [i, [epoch, loss]] of seen.entries())
    expect(Math.abs(loss - history.val_loss![epoch]!), `${i}`).toBeLessThan(1e-6)
})

test('progress is reported while training goes on', async () => {
  const model = network()
  const steps: number[] = []
  const report = (step: number, { loss }: ls.Logs) => {
    steps.push(step)
    expect(loss).toBeGreaterThan(0)
  }
  const many = Array.from({ length: 300 }, () => parts()).flat()
  await model.fitDataset(many, { workers: 1, onProgress: { intervalMs: 5, report } })
  expect(steps.length).toBeGreaterThan(0)
  expect(steps).toEqual(steps.toSorted((a, b) => a - b))
})

describe('what goes wrong', () => {
  const after = (good: number, ...bad: unknown[]) => [...parts().slice(0, good), ...bad] as ls.Batches
  const nan = { xs: ls.tensor(xs.slice(0, 12), [2, 6]), ys: [0, Number.NaN] }
  const failures: [what: string, dataset: unknown, options: ls.FitDatasetOptions, text: string][] = [
    [
      'another shape',
      after(2, { xs: [[1, 2]], ys: [0] }),
      {},
      'RangeError: fitDataset at epoch 0, batch 2: xs must have shape [*, 6], got [1, 2]',
    ],
    [
      'no ys',
      after(1, { xs: [[1, 2]] }),
      {},
      'TypeError: fitDataset at epoch 0, batch 1: a batch must be { xs, ys } or [xs, ys], got { xs }; add what is missing',
    ],
    [
      'no batch',
      after(0, 5),
      {},
      'TypeError: fitDataset at epoch 0, batch 0: a batch must be { xs, ys } or [xs, ys], got 5; put inputs and targets so',
    ],
    [
      'NaN',
      after(3, nan),
      {},
      'RangeError: fitDataset at epoch 0, batch 3: ys must be finite, got NaN at [1]; remove or replace what is missing or too large for float32',
    ],
    [
      'another count',
      after(0, { xs: part(0, 2).xs, ys: [1] }),
      {},
      'RangeError: fitDataset at epoch 0, batch 0: xs and ys must have the same number of samples, got 2 and 1; correct one',
    ],
    [
      'too few weights',
      after(0, [part(0, 2).xs, [0, 1], [1]]),
      {},
      'RangeError: fitDataset at epoch 0, batch 0: sampleWeight must have 2 elements, one a sample, got 1; correct it',
    ],
    [
      'empty',
      [],
      {},
      'RangeError: fitDataset at epoch 0, batch 0: the dataset must have batches, got none; give a function, or an object that can be iterated anew',
    ],
    [
      'too short',
      parts(),
      { batchesPerEpoch: 8, epochs: 2 },
      'RangeError: fitDataset at epoch 1, batch 3: the dataset must have 8 batches an epoch, got only 3; ask for fewer, or repeat() it',
    ],
    [
      'no dataset',
      7,
      {},
      'TypeError: fitDataset: the dataset must be a dataset, an iterable of batches or a function that makes an iterator, got 7; see ls.data',
    ],
    [
      'validationSplit',
      parts(),
      { validationSplit: 0.1 } as object,
      'TypeError: fitDataset: unknown option "validationSplit"; did you mean "validationData"?',
    ],
    [
      'validationData',
      parts(),
      { validationData: 3 as never },
      'TypeError: fitDataset: validationData must be a dataset or [x, y], got 3; see ls.data',
    ],
    [
      'short validation',
      parts(),
      { validationData: ls.data.array(parts(50)), validationBatches: 4 },
      'RangeError: fitDataset at epoch 0, batch 3 of validationData: the dataset must have 4 batches an epoch, got only 3; ask for fewer, or repeat() it',
    ],
    [
      'prefetch',
      parts(),
      { prefetch: 0 },
      'RangeError: fitDataset: prefetch must be a positive integer, got 0',
    ],
  ]
  test.each(failures)('is told: %s', async (_, dataset, options, text) => {
    const before = ls.engine().bytes
    const model = network()
    expect(await caught(() => model.fitDataset(dataset as ls.Batches, options))).toBe(text)
    model.dispose()
    expect(ls.engine().bytes).toBe(before)
  })

  test('leaves the weights of the last epoch, and says where it was', async () => {
    const cause = new Error('the disk is gone')
    let epoch = 0
    let closed = 0
    const failing = async function* () {
      try {
        yield* parts().slice(0, 4)
        if (epoch++ === 1) throw cause
        yield* parts().slice(4)
      } finally {
        closed++
      }
    }
    for (const callbacks of [[], { onBatchEnd() {} }]) {
      epoch = closed = 0
      const [model, good] = [network(), network()]
      const error = (await model
        .fitDataset(failing, { epochs: 3, seed: 5, callbacks, workers: 2 })
        .catch(e => e)) as Error
      expect(error.message).toBe('fitDataset at epoch 1, batch 4: the dataset failed: the disk is gone')
      expect(error.cause).toBe(cause)
      expect(closed).toBe(2)
      await good.fitDataset(generated, { epochs: 1, seed: 5 })
      expect(bitsOf(model)).toBe(bitsOf(good))
      await model.fitDataset(generated, { epochs: 1 })
    }
  })

  test('ends the dataset, too: a loss that is not finite', async () => {
    let closed = false
    const wild = async function* () {
      try {
        while (true)
          yield {
            xs: ls.tensor(
              xs.map(x => x * 1e30),
              [count, features],
            ),
            ys: all.ys,
          }
      } finally {
        closed = true
      }
    }
    const model = ls.sequential({ layers: [dense({ units: 1, inputShape: [features] })] })
    model.compile({ optimizer: ls.train.sgd(1e6), loss: 'meanSquaredError' })
    const text = await caught(() => model.fitDataset(wild, { workers: 2 }))
    expect(text).toMatch(/^Error: fitDataset: the loss became NaN or infinite at epoch 0, step \d+; lower/)
    expect(closed).toBe(true)
  })

  test('an iterator that cannot begin anew', async () => {
    const once = generated()
    const text = await caught(() => network().fitDataset(once, { epochs: 2 }))
    expect(text).toBe(
      'RangeError: fitDataset at epoch 1, batch 0: the dataset must have batches, got none; give a function, or an object that can be iterated anew',
    )
  })

  test('in evaluateDataset', async () => {
    const model = network()
    expect(await caught(() => model.evaluateDataset(parts(50), { batches: 4 }))).toBe(
      'RangeError: evaluateDataset at batch 3: the dataset must have 4 batches an epoch, got only 3; ask for fewer, or repeat() it',
    )
    expect(await caught(() => model.evaluateDataset(after(1, { xs: [[1]], ys: [0] })))).toBe(
      'RangeError: evaluateDataset at batch 1: xs must have shape [*, 6], got [1, 1]',
    )
  })
})
