import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import vm from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { caught } from './caught.ts'
import { type Moment, modes, moments, Orders } from './saboteur.ts'
import { alive, networkOn, terminateVictim, x, y } from './victims.ts'

// Threads that start from here on have little memory to use up; this one keeps what it has.
v8.setFlagsFromString('--max-old-space-size=48')
v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as () => void

const engine = new Engine({}, fileURLToPath(new URL('./saboteur.ts', import.meta.url)))
/** Made before any thread runs: V8's flags are the whole process's while an engine is made. */
const broken = new Engine({}, fileURLToPath(new URL('./nothing.ts', import.meta.url)))
const orders = new Orders(engine.arena.memory)
afterAll(() => engine.close())
beforeEach(() => orders.clear())

const network = () => networkOn(engine)

const bitsOf = (model: ls.Sequential): string =>
  model
    .getWeights()
    .map(weight => Buffer.from(new Uint8Array(weight.values.slice().buffer)).toString('hex'))
    .join(' ')

/** Three steps an epoch. */
const options = { batchSize: 16, seed: 1 }

/** Threads of this process, and the bytes that JavaScript holds. */
function held(): { threads: number; bytes: number } {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { threads: readdirSync('/proc/self/task').length, bytes: heapUsed + arrayBuffers }
}

const reasons: Record<(typeof modes)[number], RegExp> = {
  throw: /^sabotage$/,
  reject: /^sabotage$/,
  exit: /^worker exited with code: 0$/,
  memory: /memory limit/,
  trap: /^memory access out of bounds$/,
  hang: /^it gave no sign of life for 500 ms; if single kernel calls take that long, raise stallMs$/,
  terminate: /^worker exited with code: 1$/,
}

interface Failure {
  mode: (typeof modes)[number]
  moment: Moment
  rank: number
  workers: number
}

/** Weights after each of three epochs. */
const expected: string[] = []
let atFirst: ReturnType<typeof held>
beforeAll(async () => {
  const model = network()
  const onEpochEnd = () => void expected.push(bitsOf(model))
  await model.fit(x, y, { ...options, epochs: 3, workers: 2, callbacks: { onEpochEnd } })
  model.dispose()
  await engine.close()
  atFirst = held()
})

/** Fails in epoch 1, step 1, then trains on; returns how long the error took. */
async function survive({ mode, moment, rank, workers }: Failure): Promise<number> {
  const model = network()
  const before = engine.info.bytes
  orders.give({ mode, moment, rank, step: 4 })
  if (mode === 'terminate') void terminateVictim(orders)
  const stallMs = mode === 'hang' ? 500 : 30_000
  const message = await caught(() => model.fit(x, y, { ...options, epochs: 3, workers, stallMs }))
  const { elapsed } = orders
  const text = `Error: fit: worker ${rank} of ${workers} failed at epoch 1, step 1: `
  expect(message.slice(0, text.length)).toBe(text)
  expect(message.slice(text.length)).toMatch(reasons[mode])
  expect(elapsed).toBeLessThan(5 * 1000 + (mode === 'hang' ? 5 * stallMs : 0))
  expect(engine.info).toMatchObject({ bytes: before, workers: 0 })
  expect(bitsOf(model)).toBe(expected[0])
  await model.fit(x, y, { ...options, initialEpoch: 1, epochs: 3, workers })
  expect(bitsOf(model)).toBe(expected[2])
  expect(engine.info.bytes).toBe(before)
  model.dispose()
  return elapsed
}

/** All combinations and 500 failures more, a few minutes; else each mode and moment at one of the places. */
const thorough = process.env.LOCKSTEP_THOROUGH === '1'
const places = [
  { rank: 0, workers: 1 },
  { rank: 0, workers: 2 },
  { rank: 1, workers: 2 },
  { rank: 0, workers: 4 },
  { rank: 3, workers: 4 },
] as const
const matrix = modes.flatMap((mode, i) =>
  moments.flatMap((moment, j) =>
    places.filter((_, k) => thorough || k === (2 * i + j) % 5).map(place => ({ mode, moment, ...place })),
  ),
)

describe('a worker that fails', () => {
  test.each(matrix)('$mode, $moment, worker $rank of $workers', async failure => {
    const took = await survive(failure)
    if (thorough) console.log(failure, took)
  })

  test('in the validation leaves the weights of the epoch before it', async () => {
    const model = network()
    orders.give({ mode: 'throw', moment: 'forward', rank: 1, step: 4 })
    const settings = { ...options, epochs: 3, workers: 2, validationData: [x, y] as const }
    expect(await caught(() => model.fit(x, y, settings))).toBe(
      'Error: fit: worker 1 of 2 failed at epoch 0, step 1 of the validation: sabotage',
    )
    expect(bitsOf(model)).toBe(expected[0])
    await model.fit(x, y, { ...options, initialEpoch: 1, epochs: 3, workers: 2 })
    expect(bitsOf(model)).toBe(expected[2])
    model.dispose()
  })

  test.each(['evaluateAsync', 'predictAsync'] as const)(
    'makes %s reject, alone or in a callback',
    async name => {
      const model = network()
      const { bytes } = engine.info
      const settings = { batchSize: 16, workers: 2 }
      const run = () =>
        name === 'evaluateAsync' ? model.evaluateAsync(x, y, settings) : model.predictAsync(x, settings)
      const order = { mode: 'exit', moment: 'forward', rank: 1, step: 1 } as const
      orders.give(order)
      const message = 'worker 1 of 2 failed in batch 1: worker exited with code: 0'
      expect(await caught(run)).toBe(`Error: ${name}: ${message}`)
      orders.give({ ...order, step: 4 })
      const onEpochEnd = async () => void (await run())
      const fit = () => model.fit(x, y, { ...options, workers: 2, callbacks: { onEpochEnd } })
      expect(await caught(fit)).toMatch(/failed .* 1: worker exited with code: 0$/)
      expect(bitsOf(model)).toBe(expected[0])
      expect(engine.info.bytes).toBe(bytes)
      model.dispose()
    },
  )

  test('between two commands fails the next one, and nothing where none follows', async () => {
    const model = network()
    const end = async () => {
      await Promise.all([...alive].map(worker => worker.terminate()))
    }
    const settings = { ...options, epochs: 2, workers: 2 }
    expect(await caught(() => model.fit(x, y, { ...settings, callbacks: { onEpochEnd: end } }))).toMatch(
      /^Error: fit: worker [01] of 2 failed at epoch 1, step 2: worker exited with code: 1$/,
    )
    expect(bitsOf(model)).toBe(expected[0])
    await model.fit(x, y, { ...settings, initialEpoch: 1, epochs: 3, callbacks: { onTrainEnd: end } })
    expect(bitsOf(model)).toBe(expected[2])
    await model.evaluateAsync(x, y)
    model.dispose()
  })

  test('before it has begun is an error too', async () => {
    const { bytes } = broken.info
    const model = new ls.Sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [8] })] }, broken)
    for (const workers of [1, 2]) {
      expect(await caught(() => model.predictAsync(x, { workers }))).toMatch(/nothing\.ts/)
    }
    model.dispose()
    expect(broken.info).toMatchObject({ bytes, workers: 0 })
    await broken.close()
  })

  test('is not taken for hung when this thread was late itself', async () => {
    const model = network()
    const order = { mode: 'late', moment: 'update', rank: 1, step: 4, lateMs: 1500 } as const
    orders.give(order)
    const settings = { ...options, epochs: 3, workers: 2, stallMs: 500 }
    const fitted = model.fit(x, y, settings)
    while (orders.elapsed > 1e8) await sleep(1)
    // As after SIGSTOP: no tick of the watchdog while the worker sleeps.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1400)
    await fitted
    expect(bitsOf(model)).toBe(expected[2])
    orders.give(order)
    expect(await caught(() => model.fit(x, y, settings))).toMatch(/gave no sign of life for 500 ms/)
    model.dispose()
  })

  test('however often, leaves no thread and no memory behind', async () => {
    const pages = engine.arena.memory.buffer.byteLength
    const failures = thorough ? 500 : 12
    for (let i = 0; i < failures; i++) {
      const mode = (['throw', 'exit'] as const)[i % 2]!
      await survive({ mode, moment: moments[i % 4]!, rank: i % 2, workers: 2 })
      if (thorough && i % 50 === 0) console.log(i, held(), process.memoryUsage().rss)
    }
    await engine.close()
    const now = held()
    expect(alive.size).toBe(0)
    expect(now.threads).toBeLessThanOrEqual(atFirst.threads)
    expect(now.bytes).toBeLessThan(atFirst.bytes + 10e6)
    expect(engine.info.bytes).toBe(0)
    expect(engine.arena.memory.buffer.byteLength).toBe(pages)
  }, 300_000)
})
