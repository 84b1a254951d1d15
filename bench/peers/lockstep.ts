// node bench/peers/lockstep.ts WORKERS: answers questions; see serve.ts.
import * as ls from 'lockstep'
import { buildModel, dataOf, targetShape, type Workload } from '../workloads.ts'
import { EpochClock } from './epochs.ts'
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
  const { samples, input, leaves = 1 } = workload
  const model = buildModel(ls, workload, { leaves })
  built = {
    name: workload.name,
    model,
    x: ls.tensor(x, [samples, ...input]),
    y: ls.tensor(y, [samples, ...targetShape(workload)]),
  }
  return built
}

/** Samples/s inside one fit. */
await serve(async ({ workload, ms }: Question) => {
  const { model, x, y } = build(workload)
  const { batchSize, samples, leaves = 1 } = workload
  const clock = new EpochClock(ms, () => {
    model.stopTraining = true
  })
  const { callbacks } = clock
  const inTurns = leaves > 1 ? { accumulate: true } : {}
  await model.fit(x, y, { batchSize, epochs: 1e6, shuffle: false, seed: 1, workers, ...inTurns, callbacks })
  return clock.epochsPerSecond * samples
})
