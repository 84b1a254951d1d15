// node bench/peers/accelerated.ts WORKERS: answers questions; see serve.ts.
import * as tf from '@tensorflow/tfjs'
import { accelerate } from 'lockstep/tfjs'
import { buildModel, dataOf, targetShape, type Workload } from '../workloads.ts'
import { useBackend } from './backend.ts'
import { EpochClock } from './epochs.ts'
import { type Question, serve } from './serve.ts'

await useBackend('wasm')
const workers = Number(process.argv[2])

interface Built {
  name: string
  model: tf.LayersModel
  x: tf.Tensor
  y: tf.Tensor
}
let built: Built | undefined

function build(workload: Workload): Built {
  if (built?.name === workload.name) return built
  built?.model.dispose()
  const { samples, input, name } = workload
  const { x, y } = dataOf(workload, samples)
  const model = accelerate(buildModel<tf.LayersModel>(tf, workload), { workers, seed: 1 })
  built = {
    name,
    model,
    x: tf.tensor(x, [samples, ...input]),
    y: tf.tensor(y, [samples, ...targetShape(workload)]),
  }
  return built
}

/** Samples/s inside one fit, with the weights handed back after each epoch. */
await serve(async ({ workload, ms }: Question) => {
  const { model, x, y } = build(workload)
  const { batchSize, samples } = workload
  const clock = new EpochClock(ms, () => {
    model.stopTraining = true
  })
  await model.fit(x, y, { batchSize, epochs: 1e6, shuffle: false, callbacks: clock.callbacks })
  return clock.epochsPerSecond * samples
})
