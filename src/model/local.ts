import { FaultError } from '../runtime/run.ts'
import { equalBounds } from '../runtime/shares.ts'
import { type Pace, Stepper, type Steps } from '../runtime/stepper.ts'
import type { Internals } from './internals.ts'
import type { Stage } from './stage.ts'

/**
 * Runs steps of a stage on the calling thread. @throws FaultError before any update if a value is not finite.
 */
export function runLocally(
  model: Internals,
  stage: Stage,
  data: Record<string, number>,
  state: number,
  steps: Steps,
): void {
  const { kernels, arena } = model.engine
  const stepper = new Stepper(stage.plan, stage.bases(state, data), {
    kernels,
    memory: arena.memory,
    rank: 0,
    shares: { bounds: equalBounds(1), version: 0 },
  })
  stepper.clearFault()
  const pace: Pace = {
    beat() {},
    phaseDone(batch) {
      if (stepper.fault !== 0) throw new FaultError(stepper.fault, batch)
    },
  }
  stepper.prologue(pace)
  for (let batch = steps.from; batch < steps.to; batch++) stepper.step(batch, steps, pace)
}

/** All batches of `count` samples, in order, without updates. */
export function inOrder(count: number, batchSize: number, start = 0): Steps {
  const to = Math.ceil(count / batchSize)
  return { from: 0, to, batchSize, count, start, stepsBefore: 0, seed: [0, 0], rates: 0, slots: 0 }
}
