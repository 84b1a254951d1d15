// node bench/peers/tfjs.ts cpu|wasm: answers questions; see serve.ts.
import * as tf from '@tensorflow/tfjs'
import { buildModel, dataOf, targetShape, type Workload } from '../workloads.ts'
import { useBackend } from './backend.ts'
import { type Question, serve } from './serve.ts'

await useBackend(process.argv[2]!)

interface Built {
  name: string
  model: tf.LayersModel
  batches: { x: tf.Tensor; y: tf.Tensor }[]
}
let built: Built | undefined

/** Tensors of a few batches are made beforehand. */
async function build(workload: Workload): Promise<Built> {
  if (built?.name === workload.name) return built
  const { batchSize, input } = workload
  const model = buildModel<tf.LayersModel>(tf, workload)
  const { x, y } = dataOf(workload, 4 * batchSize)
  const part = (values: Float32Array, shape: readonly number[], i: number) => {
    const size = values.length / 4
    return tf.tensor(values.slice(i * size, (i + 1) * size), [batchSize, ...shape])
  }
  const batches = [0, 1, 2, 3].map(i => ({ x: part(x, input, i), y: part(y, targetShape(workload), i) }))
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
