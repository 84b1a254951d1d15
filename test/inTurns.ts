import type { Sequential } from '../src/index.ts'
import type { Stage } from '../src/model/stage.ts'
import type { Plan } from '../src/plan/plan.ts'
import { equalBounds } from '../src/runtime/shares.ts'
import { Stepper, type Steps } from '../src/runtime/stepper.ts'
import type { Kernels } from '../src/runtime/tiers.ts'
import { noise } from './bed.ts'

const samples = 150

/** A model of 64 inputs and three classes, and a plan of its training step. */
interface Trainee {
  readonly model: Sequential
  readonly plan: Plan
  readonly stage: Stage
}

/** Trains two epochs on this thread, the workers taking turns at random after each call; returns the state. */
export function trainInTurns({ model, plan, stage }: Trainee, count: number, seed: number): Float32Array {
  const { arena, kernels } = model.engine
  const { memory } = arena
  const before = new Uint8Array(memory.buffer, model.state.address, model.state.bytes).slice()
  const data = [noise(samples * 64, 9), Float32Array.from({ length: samples }, (_, i) => i % 3), [0.1, 0.1]]
  const [x, y, rates] = data.map(values => {
    const block = arena.allocate(4 * values.length, 'the test')
    new Float32Array(memory.buffer, block.address, values.length).set(values)
    return block
  })
  const bases = stage.bases(model.state.address, { x0: x!.address, y0: y!.address })
  // Kernels that only note what they are called with, so that the calls can be made in another order.
  let queue: (() => void)[][] = [[]]
  const noted = new Proxy({} as Kernels, {
    get:
      (_, name: keyof Kernels) =>
      (...args: number[]) =>
        queue.at(-1)!.push(() => (kernels[name] as (...args: number[]) => void)(...args)),
  })
  const shares = { bounds: equalBounds(count), version: 0 }
  const steppers = Array.from({ length: count }, (_, rank) => {
    return new Stepper(plan, bases, { kernels: noted, memory, rank, shares })
  })
  const pace = { beat() {}, phaseDone: () => void queue.push([]) }
  let random = seed
  const inTurns = (note: (stepper: Stepper) => void) => {
    const queues = steppers.map(stepper => {
      queue = [[]]
      note(stepper)
      return queue
    })
    for (let phase = 0; phase < queues[0]!.length; phase++) {
      const left = queues.map(phases => phases[phase]!).filter(calls => calls.length > 0)
      while (left.length > 0) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0
        const index = Math.floor((random / 2 ** 32) * left.length)
        left[index]!.shift()!()
        if (left[index]!.length === 0) left.splice(index, 1)
      }
    }
  }
  inTurns(stepper => stepper.prologue(pace))
  const { rows } = plan
  const perEpoch = Math.ceil(samples / rows)
  for (let epoch = 0; epoch < 2; epoch++) {
    const steps: Steps = {
      ...{ from: 0, to: perEpoch, batchSize: rows, count: samples, start: 0, slots: 0 },
      ...{ stepsBefore: epoch * perEpoch, seed: [1, 2], rates: rates!.address },
    }
    for (let batch = 0; batch < perEpoch; batch++) inTurns(stepper => stepper.step(batch, steps, pace))
  }
  const state = new Uint8Array(memory.buffer, model.state.address, model.state.bytes)
  const after = new Float32Array(state.slice().buffer)
  state.set(before)
  for (const block of [x, y, rates]) arena.free(block!)
  return after
}
