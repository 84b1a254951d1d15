import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { caught } from '../caught.ts'
import { modes, moments, Orders } from '../saboteur.ts'
import { networkOn, terminateVictim, x, y } from '../victims.ts'
import { withFolder } from './folder.ts'
import { bitsOf } from './small.ts'

// Threads that start from here on have little memory to use up.
v8.setFlagsFromString('--max-old-space-size=48')
const engine = new Engine({}, fileURLToPath(new URL('../saboteur.ts', import.meta.url)))
const orders = new Orders(engine.arena.memory)
afterAll(() => engine.close())

const network = () => networkOn(engine)

/** Three steps an epoch, then two of the validation. */
const options = {
  ...{ batchSize: 16, seed: 1, epochs: 3, workers: 2 },
  validationData: [x.slice([0, 0], [32, 8]), y.slice([0], [32])] as const,
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
    if (mode === 'terminate') void terminateVictim(orders)
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
