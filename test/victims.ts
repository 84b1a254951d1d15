import type { Worker } from 'node:worker_threads'
import * as ls from '../src/index.ts'
import type { Engine } from '../src/runtime/engine.ts'
import { noise } from './bed.ts'
import type { Orders } from './saboteur.ts'

// What trains while its threads fail.

export const x = ls.tensor(noise(48 * 8, 3), [48, 8])
export const y = ls.tensor(
  Int32Array.from({ length: 48 }, (_, i) => i % 3),
  [48],
)

export function networkOn(engine: Engine): ls.Sequential {
  const { dense } = ls.layers
  const layers = [
    dense({ units: 16, activation: 'relu', inputShape: [8] }),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = new ls.Sequential({ seed: 7, layers }, engine)
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' })
  return model
}

/** Threads of this process. */
export const alive = new Set<Worker>()
process.on('worker', worker => {
  alive.add(worker)
  worker.once('exit', () => alive.delete(worker))
})

/** Ends the thread that asks for it. */
export async function terminateVictim(orders: Orders): Promise<void> {
  const id = await orders.victim()
  await [...alive].find(worker => worker.threadId === id)!.terminate()
}
