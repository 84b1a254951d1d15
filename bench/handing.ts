// What handing weights and the optimizer's state over to TensorFlow.js and back takes of an epoch.
import * as tf from '@tensorflow/tfjs'
import { accelerate } from '../src/tfjs/accelerate.ts'
import { Twin } from '../src/tfjs/twin.ts'
import type { Options } from './index.ts'
import { useBackend } from './peers/backend.ts'
import { type Print, short, verdict } from './table.ts'
import { buildModel, dataOf, targetShape, workloads } from './workloads.ts'

/** Images of MNIST. */
const samples = 60_000
const workers = 2
/** Largest part of an epoch in percent that is asked for. */
const asked = 2

/** Adds up the time that the ways between both libraries take. */
function timeTwins(): { ms: number } {
  const spent = { ms: 0 }
  for (const name of ['pull', 'publish'] as const) {
    const own = Twin.prototype[name]
    Twin.prototype[name] = function (this: Twin) {
      const start = performance.now()
      own.call(this)
      spent.ms += performance.now() - start
    }
  }
  return spent
}

/** Trains the network of the MNIST example, accelerated, and prints the part of its epochs. */
export async function handingOver({ quick }: Pick<Options, 'quick'>, out: Print): Promise<void> {
  const workload = workloads.find(({ name }) => name === '784-128-10 adam 128')!
  await useBackend('wasm')
  const spent = timeTwins()
  const count = quick ? 6000 : samples
  const { x, y } = dataOf(workload, count)
  const model = accelerate(buildModel<tf.LayersModel>(tf, workload), { workers, seed: 1 })
  let [begin, before, end] = [0, 0, 0]
  const epochs = 6
  await model.fit(tf.tensor(x, [count, ...workload.input]), tf.tensor(y, [count, ...targetShape(workload)]), {
    batchSize: workload.batchSize,
    epochs,
    verbose: 0,
    callbacks: {
      // The first epoch chooses and warms up.
      onEpochEnd: epoch => {
        end = performance.now()
        if (epoch === 0) [begin, before] = [end, spent.ms]
      },
    },
  })
  const epochMs = (end - begin) / (epochs - 1)
  const handedMs = (spent.ms - before) / (epochs - 1)
  const percent = verdict((100 * handedMs) / epochMs, asked, true)
  out('')
  out(
    `Handing weights and the optimizer's state over: ${short(handedMs)} ms of each epoch of ${short(epochMs)} ms ` +
      `(${workload.name}, ${count.toLocaleString('en')} samples), ${percent} %.`,
  )
  model.dispose()
}
