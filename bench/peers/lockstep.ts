// node bench/peers/lockstep.ts WORKERS: answers questions; see serve.ts.
import * as ls from 'lockstep'
import { buildModel, dataOf, targetShape, type Workload } from '../workloads.ts'
import { type Question, serve } from './serve.ts'

const workers = Number(process.argv[2])

interface Built {
  name: string
  model: ls.Model
  x: ls.Tensor
  y: ls.Tensor
}
let built: Built | undefined

function build(workload: Workload): Built {
  if (built?.name === workload.name) return built
  built?.model.dispose()
  const { x, y } = dataOf(workload, workload.samples)
  const { samples, input } = workload
  const model = buildModel(ls, workload)
  built = {
    name: workload.name,
    model,
    x: ls.tensor(x, [samples, ...input]),
    y: ls.tensor(y, [samples, ...targetShape(workload)]),
  }
  return built
}

/** Samples/s inside one fit: from the first epoch's end to the last one's, so that neither start nor copying counts. */
await serve(async ({ workload, ms }: Question) => {
  const { model, x, y } = build(workload)
  const { batchSize, samples } = workload
  let epochs = -1
  let start = 0
  let end = 0
  const onEpochEnd = () => {
    end = performance.now()
    if (++epochs === 0) start = end
    if (end - start >= ms) model.stopTraining = true
  }
  await model.fit(x, y, {
    batchSize,
    epochs: 1e6,
    shuffle: false,
    seed: 1,
    workers,
    callbacks: { onEpochEnd },
  })
  return (epochs * samples) / ((end - start) / 1000)
})
