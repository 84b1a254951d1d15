import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { caught } from '../caught.ts'
import { rehearsal } from '../checkpoints/rehearsal.ts'
import { bitsOf, network, options, x, y } from '../checkpoints/small.ts'

const [engine, other] = [new Engine(), new Engine({ numerics: 'portable' })]
afterAll(() => Promise.all([engine.close(), other.close()]))

/** Bits of a network of so many units after training alone. */
async function alone(units: number, on = engine): Promise<string> {
  const model = network({ units, engine: on })
  await model.fit(x, y, { ...options, epochs: 3, workers: 1 })
  const bits = bitsOf(model)
  model.dispose()
  return bits
}

describe('two engines', () => {
  test('train at the same time, each to its own bits', async () => {
    const trained = async (units: number, on: Engine) => {
      const model = network({ units, engine: on })
      const began = performance.now()
      await model.fit(x, y, { ...options, epochs: 30 })
      const bits = bitsOf(model)
      model.dispose()
      return { bits, began, ended: performance.now() }
    }
    const [first, second] = await Promise.all([trained(12, engine), trained(20, other)])
    expect(Math.max(first.began, second.began)).toBeLessThan(Math.min(first.ended, second.ended))
    const again = [(await trained(12, engine)).bits, (await trained(20, other)).bits]
    expect([first.bits, second.bits]).toEqual(again)
    expect(await alone(12, engine)).not.toBe(await alone(12, other))
  })

  test('may wait for each other in callbacks', async () => {
    const outer = network({ engine })
    const found: string[] = []
    const onEpochEnd = async () => void found.push(await alone(20, other))
    await outer.fit(x, y, { ...options, epochs: 3, callbacks: { onEpochEnd } })
    expect(new Set(found)).toEqual(new Set([await alone(20, other)]))
    expect(bitsOf(outer)).toBe(await alone(12))
    outer.dispose()
  })
})

describe('many models on one pool', () => {
  test('whose callbacks wait and change rates: two that begin together both end, as each does alone', async () => {
    const { earlyStopping, reduceLROnPlateau } = ls.callbacks
    const trained = async (units: number) => {
      const model = network({ units, engine })
      const { history } = await model.fit(x, y, {
        ...options,
        epochs: 12,
        validationSplit: 0.25,
        callbacks: [
          earlyStopping({ patience: 3, restoreBestWeights: true }),
          reduceLROnPlateau({ patience: 1, factor: 0.5 }),
        ],
      })
      const bits = bitsOf(model)
      model.dispose()
      return { history, bits }
    }
    const together = await Promise.all([trained(8), trained(12)])
    expect(together).toEqual([await trained(8), await trained(12)])
  })

  test('train in the order in which they were asked to, whoever fails among them', async () => {
    const sizes = [3, 5, 8, 13, 21, 34]
    const ended: number[] = []
    const fitted = sizes.map(async (units, i) => {
      const model = network({ units, engine })
      await model.fit(x, y, { ...options, epochs: 3, workers: 1 + (i % 3) })
      ended.push(units)
      const bits = bitsOf(model)
      model.dispose()
      return bits
    })
    const broken = network({ engine, optimizer: ls.train.sgd(1e38) })
    const failed = caught(() => broken.fit(x, y, { ...options, epochs: 3 }))
    const late = network({ units: 55, engine })
    const predicted = late.predictAsync(x, { workers: 2 })
    expect(await Promise.all(fitted)).toEqual(await Promise.all(sizes.map(units => alone(units))))
    expect(ended).toEqual(sizes)
    expect(await failed).toMatch(/^Error: fit: .* became/)
    expect((await predicted).dataSync()).toEqual(late.predict(x).dataSync())
    for (const model of [broken, late]) model.dispose()
    expect(engine.info.bytes).toBe(0)
  })
})

describe('a value that is not finite', () => {
  test.each([1, 2, 3, 4])(
    'fails its own training, and no other that uses the %i workers of the same run',
    async workers => {
      const expected = { outer: await alone(12), inner: await alone(20) }
      const outer = network({ engine })
      const found: unknown[] = []
      const diverge = async () => {
        const model = network({ engine, optimizer: ls.train.sgd(1e38) })
        const message = await caught(() => model.fit(x, y, { ...options, epochs: 3 }))
        const epochs = model.epochsTrained
        model.dispose()
        return (
          /^Error: fit: the loss became NaN or infinite at epoch \d, step \d; lower/.test(message) &&
          epochs < 3
        )
      }
      const onEpochEnd = async () => {
        found.push(await Promise.all([diverge(), alone(20), diverge(), diverge()]))
        found.push([await diverge(), await alone(20), true, true])
      }
      await outer.fit(x, y, { ...options, workers, epochs: 3, callbacks: { onEpochEnd } })
      expect(found).toEqual(Array(6).fill([true, expected.inner, true, true]))
      expect(bitsOf(outer)).toBe(expected.outer)
      outer.dispose()
      expect(engine.info.bytes).toBe(0)
    },
  )
})

describe('fit inside a worker thread', () => {
  const threads = () => readdirSync('/proc/self/task').length
  const file = new URL('./thread.ts', import.meta.url)

  test('has a pool of its own, comes to the same bits, and ends when its work is done', async () => {
    const { hash } = await rehearsal(ls, 'adam', 3).train({ workers: 2 })
    const before = threads()
    const inThreads = [1, 2].map(async () => {
      const thread = new Worker(file, { workerData: 3 })
      const said: string[] = []
      thread.on('message', message => said.push(message as string))
      const [code] = await once(thread, 'exit')
      return [code, ...said]
    })
    const here = await rehearsal(ls, 'adam', 3).train({ workers: 2 })
    expect(here.hash).toBe(hash)
    expect(await Promise.all(inThreads)).toEqual([1, 2].map(() => [0, 'begun', hash]))
    expect(threads()).toBe(before)
  })

  test('takes its pool with it when it is terminated', async () => {
    const before = threads()
    for (const afterMs of [0, 20, 50]) {
      const thread = new Worker(file, { workerData: 1e6 })
      await once(thread, 'message')
      expect(threads()).toBeGreaterThanOrEqual(before + 3)
      await sleep(afterMs)
      expect(await thread.terminate()).toBe(1)
      expect(threads()).toBe(before)
    }
  })
})
