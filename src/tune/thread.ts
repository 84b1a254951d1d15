import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, loadObjective, type Order } from './threads.ts'
import { runTrial } from './trial.ts'

// Runs the trials that it is sent, one at a time, by the objective of a module.
const port = parentPort!
const answer = (value: Answer) => port.postMessage(value)
let stop = new AbortController()
const loading = loadObjective(workerData as string).then(
  objective => ({ objective }),
  (cannotLoad: unknown) => ({ cannotLoad }),
)

port.on('message', async (order: Order) => {
  if (order === 'abort') return stop.abort()
  stop = new AbortController()
  const { signal } = stop
  const loaded = await loading
  answer('objective' in loaded ? await runTrial(loaded.objective, order, signal) : loaded)
})
