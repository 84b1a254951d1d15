import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { modes, moments, Orders } from '../saboteur.ts'
import { withFolder } from './folder.ts'
import { bitsOf } from './small.ts'

// Threads that start from here on have little memory to use up.
v8.setFlagsFromString('--max-old-space-size=48')
const engine = new Engine({}, fileURLToPath(new URL('../saboteur.ts', import.meta.url)))
const orders = new Orders(engine.arena.memory)
afterAll(() => engine.close())

const x = ls.tensor(noise(48 * 8, 3), [48, 8])
const y = ls.tensor(
  Int32Array.from({ length: 48 }, (_, i) => i % 3),
  [48],
)

function network(): ls.Sequential {
  const { dense } = ls.layers
  const layers = [
    dense({ units: 16, activation: 'relu', inputShape: [8] }),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = new ls.Sequential({ seed: 7, layers }, engine)
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' })
  return model
}

/** Three steps an epoch, then two of the validation. */
const options = {
  ...{ batchSize: 16, seed: 1, epochs: 3, workers: 2 },
  validationData: [x.slice([0, 0], [32, 8]), y.slice([0], [32])] as const,
}
const alive = new Set<Worker>()
process.on('worker', worker => {
  alive.add(worker)
  worker.once('exit', () => alive.delete(worker))
})

async function terminateVictim(): Promise<void> {
  const id = await orders.victim()
  await [...alive].find(worker => worker.threadId === id)!.terminate()
}

let expected: string
let history: ls.History['history']
beforeAll(async () => {
  const model = network()
  ;({ history } = await model.fit(x, y, options))
  expected = bitsOf(model)
})

/** All moments and ranks, a few minutes; else each mode once in each place. */
const thorough = process.env.LOCKSTEP_THOROUGH === '1'
const matrix = modes.flatMap((mode, i) =>
  (['a save', 'the validation'] as const).flatMap(place => {
    const reached = place === 'a save' ? moments : (['forward', 'barrier'] as const)
    const all = reached.flatMap(moment => [0, 1].map(rank => ({ mode, place, moment, rank })))
    return thorough ? all : [all[(3 * i) % all.length]!]
  }),
)

test.each(matrix)('$mode of worker $rank, $moment, during $place: training goes on later', given => {
  const { mode, place, moment, rank } = given
  return withFolder(async directory => {
    const model = network()
    const { bytes } = engine.info
    // Steps before: in the validation of the first epoch, or in the second one, while a checkpoint is written.
    orders.give({ mode, moment, rank, step: place === 'a save' ? 6 : 4 })
    if (mode === 'terminate') void terminateVictim()
    const callbacks = ls.callbacks.checkpoint({ directory, every: { steps: 1 } })
    const stallMs = mode === 'hang' ? 500 : 30_000
    const message = await caught(() => model.fit(x, y, { ...options, callbacks, stallMs }))
    const where = place === 'a save' ? 'epoch 1, step 1' : 'epoch 0, step 1 of the validation'
    expect(message).toContain(`Error: fit: worker ${rank} of 2 failed at ${where}: `)
    expect(engine.info).toMatchObject({ bytes, workers: 0 })
    orders.clear()
    const again = network()
    const resumed = await again.fit(x, y, { ...options, callbacks, resume: directory })
    expect(resumed.resumed?.step).toBeGreaterThan(0)
    expect([bitsOf(again), resumed.history]).toEqual([expected, history])
    for (const each of [model, again]) each.dispose()
  })
})
