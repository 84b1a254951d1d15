import { workerData } from 'node:worker_threads'
import { Control, RunAborted } from '../src/runtime/control.ts'

// One of several threads that pass barriers together; tells how often another had not arrived when it passed.

/** `counters` holds one word a 64-byte line for each rank, then one for all violations. */
export interface Passing {
  memory: WebAssembly.Memory
  control: number
  counters: number
  rank: number
  workers: number
  rounds: number
  spins: number
}

const { memory, control: address, counters: at, rank, workers, rounds, spins } = workerData as Passing
const control = new Control(memory, address, workers)
const counters = new Int32Array(memory.buffer, at, 16 * (workers + 1))
let random = rank + 1

/** Few are late, and by amounts that let others fall asleep or not. */
function jitter(): void {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  const late = random >>> 22
  if (late < 4) Atomics.wait(counters, 16 * workers + 1, 0, 1)
  else if (late < 200) for (let i = 0; i < 50 * late; i++) Atomics.load(counters, 0)
}

try {
  for (let round = 1; round <= rounds; round++) {
    jitter()
    Atomics.store(counters, 16 * rank, round)
    control.barrier(rank, workers, round - 1, spins)
    for (let other = 0; other < workers; other++) {
      const reached = Atomics.load(counters, 16 * other)
      if (reached !== round && reached !== round + 1) Atomics.add(counters, 16 * workers, 1)
    }
  }
} catch (error) {
  if (!(error instanceof RunAborted)) throw error
}
