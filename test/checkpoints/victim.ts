import { setTimeout as sleep } from 'node:timers/promises'
import * as ls from 'lockstep'
import { rehearsal } from './rehearsal.ts'

// node victim.ts DIRECTORY WORKERS: a training that saves as often as it can, and goes on where it was. Says when it begins.
// The library is the built one, which starts sooner.
const [directory, workers] = process.argv.slice(2) as [string, string]
const pace = new ls.Callback()
pace.onTrainBegin = () => console.log('begun')
pace.onBatchEnd = async batch => {
  if (batch % 4 === 0) await sleep(2)
}
const checkpoint = ls.callbacks.checkpoint({ directory, every: { steps: 1 } })
const callbacks = [pace, checkpoint] as never
await rehearsal(ls as never, 'adam', 24).train({ callbacks, resume: directory, workers: Number(workers) })
