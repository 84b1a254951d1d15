import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { Orders } from './saboteur.ts'

const engine = new Engine({}, fileURLToPath(new URL('./saboteur.ts', import.meta.url)))
const orders = new Orders(engine.arena.memory)
afterAll(() => engine.close())
beforeEach(() => orders.clear())

const count = 96
const x = ls.tensor(noise(count * 8, 3), [count, 8])
const y = ls.tensor(
  Int32Array.from({ length: count }, (_, i) => i % 3),
  [count],
)

function network(seed = 7): ls.Sequential {
  const { batchNormalization, dense } = ls.layers
  const layers = [
    dense({ units: 16, activation: 'relu', inputShape: [8] }),
    batchNormalization({}),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = new ls.Sequential({ seed, layers }, engine)
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' })
  return model
}

const bitsOf = (model: ls.Sequential): string =>
  model
    .getWeights()
    .map(weight => Buffer.from(new Uint8Array(weight.values.slice().buffer)).toString('hex'))
    .join(' ')

const options = { batchSize: 16, seed: 1, epochs: 3, workers: 2 }
type Hooks = Exclude<ls.FitOptions['callbacks'], undefined>

/** Bits of the weights that a model has after training alone, by its seed. */
async function alone(seed = 7, epochs = options.epochs): Promise<string> {
  const model = network(seed)
  await model.fit(x, y, { ...options, epochs, workers: 1 })
  const bits = bitsOf(model)
  model.dispose()
  return bits
}

describe('runs that take turns', () => {
  test('two models fit at once as each would alone', async () => {
    const models = [network(7), network(8), network(9)]
    const silent = models.slice(0, 2)
    const onEpochEnd = () => sleep(1)
    await Promise.all([
      ...silent.map(model => model.fit(x, y, options)),
      models[2]!.fit(x, y, { ...options, callbacks: { onEpochEnd } }),
    ])
    expect(models.map(bitsOf)).toEqual([await alone(7), await alone(8), await alone(9)])
    for (const model of models) model.dispose()
  })

  test('a model may be trained, with callbacks of its own, in a callback of another', async () => {
    const [outer, inner] = [network(7), network(8)]
    const told: string[] = []
    const within: Hooks = {
      onEpochEnd: async epoch => {
        const { loss } = await inner.evaluateAsync(x, y)
        told.push(`inner ${epoch} ${Number.isFinite(loss)}`)
      },
    }
    const onEpochEnd = async (epoch: number) => {
      if (epoch === 0) await inner.fit(x, y, { ...options, callbacks: within })
      const { loss } = await outer.evaluateAsync(x, y)
      told.push(`outer ${epoch} ${Number.isFinite(loss)}`)
    }
    await outer.fit(x, y, { ...options, callbacks: { onEpochEnd } })
    const inners = [0, 1, 2].map(epoch => `inner ${epoch} true`)
    expect(told).toEqual([...inners, 'outer 0 true', 'outer 1 true', 'outer 2 true'])
    expect([bitsOf(outer), bitsOf(inner)]).toEqual([await alone(7), await alone(8)])
    for (const model of [outer, inner]) model.dispose()
  })

  test('requests from outside hold training up no longer than the callback', async () => {
    const model = network()
    const other = network(8)
    const expected = other.predict(x).dataSync()
    let over = false
    let served = 0
    const client = async () => {
      while (!over) {
        expect((await other.predictAsync(x)).dataSync()).toEqual(expected)
        served++
      }
    }
    const seen: string[] = []
    const onEpochEnd = async () => {
      const [inside, here] = [await model.predictAsync(x, { batchSize: 7 }), model.predict(x)]
      expect(inside.dataSync()).toEqual(here.dataSync())
      seen.push(bitsOf(model))
    }
    const clients = [client(), client()]
    await model.fit(x, y, { ...options, callbacks: { onEpochEnd } })
    over = true
    await Promise.all(clients)
    expect(served).toBeGreaterThan(0)
    expect(seen.length).toBe(3)
    expect(seen[2]).toBe(await alone())
    for (const each of [model, other]) each.dispose()
  })

  test('a request that nobody waits for is finished before training goes on', async () => {
    const model = network()
    const losses: (number | undefined)[] = []
    const exact: (number | undefined)[] = []
    const onEpochEnd = () => {
      exact.push((model.evaluate(x, y) as ls.Tensor).dataSync()[0])
      void model.evaluateAsync(x, y).then(({ loss }) => losses.push(Math.fround(loss!)))
    }
    await model.fit(x, y, { ...options, callbacks: { onEpochEnd } })
    expect(losses).toEqual(exact)
    model.dispose()
  })

  test('a stop ends its own training, and nothing that is computed in its callbacks', async () => {
    const [model, other] = [network(), network(8)]
    const controller = new AbortController()
    const found: unknown[] = []
    const onEpochEnd = async () => {
      controller.abort()
      found.push((await model.predictAsync(x, { batchSize: 8 })).dataSync())
      await other.fit(x, y, options)
    }
    const { stopReason, epoch } = await model.fit(x, y, {
      ...options,
      epochs: 1000,
      signal: controller.signal,
      callbacks: { onEpochEnd },
    })
    expect({ stopReason, epoch }).toEqual({ stopReason: 'aborted', epoch: [0] })
    expect(found).toEqual([model.predict(x).dataSync()])
    expect([bitsOf(model), bitsOf(other)]).toEqual([await alone(7, 1), await alone(8)])
    for (const each of [model, other]) each.dispose()
  })

  test.each([1, 2, 3, 4])(
    'aborted at any moment, %i workers leave the weights of a whole step',
    async workers => {
      const known = new Map<string, number>()
      const reference = network()
      const note = () => void known.set(bitsOf(reference), reference.optimizer.iterations)
      const steps = 6 * 100
      let batches = 0
      await reference.fit(x, y, {
        ...options,
        epochs: steps / 6,
        workers: 1,
        callbacks: { onTrainBegin: note, onBatchEnd: () => void known.set(bitsOf(reference), ++batches) },
      })
      for (let i = 0; i < 12; i++) {
        const model = network()
        const controller = new AbortController()
        setTimeout(() => controller.abort(), i)
        await model.fit(x, y, { ...options, epochs: steps / 6, workers, signal: controller.signal })
        expect(known.get(bitsOf(model))).toBe(model.optimizer.iterations)
        model.dispose()
      }
      reference.dispose()
    },
  )
})

describe('during training', () => {
  test('predict and getWeights give the last snapshot, what would change the model is refused', async () => {
    const model = network()
    const before = { bits: bitsOf(model), y: model.predict(x).dataSync() }
    const controller = new AbortController()
    orders.jitter(4)
    const fitted = model.fit(x, y, { ...options, epochs: 1, batchSize: 1, signal: controller.signal })
    while (engine.info.workers < 2) await sleep(1)
    await sleep(100)
    expect(bitsOf(model)).toBe(before.bits)
    expect(model.predict(x).dataSync()).toEqual(before.y)
    const compileOptions = { optimizer: 'sgd', loss: 'meanSquaredError' } as const
    const refused: [string, () => unknown][] = [
      ['setWeights', () => model.setWeights(model.getWeights())],
      ['compile', () => model.compile(compileOptions)],
      ['dispose', () => model.dispose()],
      ['trainOnBatch', () => model.trainOnBatch(x, y)],
      ['fit', () => model.fit(x, y)],
      ['add', () => model.add(ls.layers.dense({ units: 3 }))],
    ]
    for (const [name, attempt] of refused)
      expect(await caught(attempt)).toBe(`Error: ${name}: model is training; wait for fit() to end`)
    controller.abort()
    const { stopReason } = await fitted
    expect(stopReason).toBe('aborted')
    expect(bitsOf(model)).not.toBe(before.bits)
    await model.trainOnBatch(x, y)
    model.dispose()
  })

  test('inside a callback they see the current step, and setWeights changes it', async () => {
    const model = network()
    const other = network(8)
    const seen: string[] = []
    await model.fit(x, y, {
      ...options,
      epochs: 1,
      callbacks: {
        onBatchEnd: () => void seen.push(bitsOf(model)),
        onEpochEnd: () => model.setWeights(other.getWeights()),
      },
    })
    expect(new Set(seen).size).toBe(6)
    expect(bitsOf(model)).toBe(bitsOf(other))
    for (const each of [model, other]) each.dispose()
  })

  test('late workers change no bit', async () => {
    const expected = await alone()
    for (const workers of [2, 3, 4]) {
      const model = network()
      orders.jitter(2)
      await model.fit(x, y, { ...options, workers })
      expect(bitsOf(model)).toBe(expected)
      model.dispose()
    }
  })

  test('the memory may grow', async () => {
    const model = network()
    const bytes = engine.arena.memory.buffer.byteLength
    const rows = Math.ceil(bytes / 32)
    const large = ls.tensor(noise(rows * 8, 5), [rows, 8])
    const sizes: number[] = []
    const onEpochEnd = async (epoch: number) => {
      if (epoch !== 1) return
      const values = (await model.predictAsync(large, { batchSize: 4096 })).dataSync()
      sizes.push(engine.arena.memory.buffer.byteLength)
      const last = ls.tensor(large.dataSync().slice(-8), [1, 8])
      expect(values.slice(-3)).toEqual(model.predict(last).dataSync())
    }
    await model.fit(x, y, { ...options, callbacks: { onEpochEnd } })
    expect(sizes[0]).toBeGreaterThan(bytes)
    expect(bitsOf(model)).toBe(await alone())
    model.dispose()
  })

  test('gives back what it took', async () => {
    const { bytes } = engine.info
    const model = network()
    await model.fit(x, y, { ...options, validationSplit: 0.25, classWeight: { 0: 1, 1: 2, 2: 3 } })
    await model.evaluateAsync(x, y)
    await model.predictAsync(x)
    model.dispose()
    expect(engine.info.bytes).toBe(bytes)
  })
})

describe('a process', () => {
  const run = promisify(execFile)
  const root = fileURLToPath(new URL('..', import.meta.url))
  const program = `
    import * as ls from 'lockstep'
    const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [4] })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    await model.fit(new Float32Array(64), new Float32Array(16), { workers: 2, epochs: 2 })
    console.log(ls.engine().workers)`
  const ownPath = (process.env.PATH ?? '').split(delimiter)
  const PATH = ownPath.filter(folder => !folder.includes(join('node_modules', '.bin'))).join(delimiter)

  test.each([
    ['this Node', process.execPath],
    ['the machine’s Node', 'node'],
  ])('is not kept alive by an idle pool, on %s', async (_, node) => {
    const { stdout, stderr } = await run(node, ['--input-type=module', '-e', program], {
      cwd: root,
      env: { ...process.env, PATH },
      timeout: 20_000,
    })
    expect({ stdout, stderr }).toEqual({ stdout: '2\n', stderr: '' })
  })
})
