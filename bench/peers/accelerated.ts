// node bench/peers/accelerated.ts WORKERS: answers questions; see serve.ts.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { accelerate } from 'lockstep/tfjs'
import { buildModel, dataOf, targetShape, type Workload } from '../workloads.ts'
import { type Question, serve } from './serve.ts'

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')
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

/** Samples/s inside one fit, from the first epoch's end to the last one's: with the weights handed back after each. */
await serve(async ({ workload, ms }: Question) => {
  const { model, x, y } = build(workload)
  const { batchSize, samples } = workload
  let [epochs, start, end] = [-1, 0, 0]
  const onEpochEnd = () => {
    end = performance.now()
    if (++epochs === 0) start = end
    if (end - start >= ms) model.stopTraining = true
  }
  await model.fit(x, y, { batchSize, epochs: 1e6, shuffle: false, callbacks: { onEpochEnd } })
  return (epochs * samples) / ((end - start) / 1000)
})
