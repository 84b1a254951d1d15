// node bench/peers/tfjs.ts cpu|wasm: answers questions; see serve.ts.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { buildModel, dataOf, type Workload } from '../workloads.ts'
import { type Question, serve } from './serve.ts'

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend(process.argv[2]!)

interface Built {
  name: string
  model: tf.Sequential
  batches: { x: tf.Tensor; y: tf.Tensor }[]
}
let built: Built | undefined

/** Tensors of a few batches are made beforehand. */
async function build(workload: Workload): Promise<Built> {
  if (built?.name === workload.name) return built
  const { batchSize, input } = workload
  const model = buildModel<tf.Sequential>(tf, workload)
  const { x, y } = dataOf(workload, 4 * batchSize)
  const all = tf.tensor(x, [4, batchSize, ...input])
  const batches = [0, 1, 2, 3].map(i => ({
    x: all.slice([i], [1]).reshape([batchSize, ...input]),
    y: tf.tensor(y.slice(i * batchSize, (i + 1) * batchSize), [batchSize, 1]),
  }))
  for (const batch of batches.slice(0, 1)) await model.trainOnBatch(batch.x, batch.y)
  built = { name: workload.name, model, batches }
  return built
}

await serve(async ({ workload, ms }: Question) => {
  const { model, batches } = await build(workload)
  const start = performance.now()
  let steps = 0
  do {
    const { x, y } = batches[steps++ % 4]!
    await model.trainOnBatch(x, y)
  } while (performance.now() - start < ms)
  return (steps * workload.batchSize) / ((performance.now() - start) / 1000)
})
