import { drawSeed } from '../data/random.ts'
import { FaultError } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import { checkCount } from './batchSizes.ts'
import { withClaims } from './claims.ts'
import { faultMessage } from './faults.ts'
import { residentFeed } from './feed.ts'
import { byName, checkColumns, type Inputs } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { splitSeed } from './randomness.ts'
import { recordStep } from './record.ts'
import { Stage } from './stage.ts'

/**
 * One update from one mini-batch, on the calling thread. @throws Error, the model unchanged, if a value is
 * not finite.
 */
export function trainOneBatch(model: Internals, x: Inputs, y: Inputs): Logs {
  const { engine, compiled, state } = model
  const columns = checkColumns('trainOnBatch', ['x', 'y'], model, x, y)
  const { count } = columns.x[0]!
  checkCount('trainOnBatch', 'x', model, count, true)
  return withClaims(engine.arena, claims => {
    const feed = residentFeed(claims, byName(columns))
    const step = { mode: 'train', rows: count, sources: feed.sources } as const
    const stage = new Stage(claims, recordStep(model, compiled, step), 1)
    const rates = claims.allocate(4, 'the learning rate').address
    const { optimizer } = compiled
    new Float32Array(engine.arena.memory.buffer, rates, 1)[0] = optimizer.learningRate
    const stepsBefore = optimizer.iterations
    const steps = { ...inOrder(count, count), stepsBefore, seed: splitSeed(drawSeed()), rates }
    try {
      runLocally(model, stage, feed.addresses, state.address, steps)
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      const when = `at step ${stepsBefore}`
      throw new Error(faultMessage('trainOnBatch', stage.plan, error, when, optimizer.learningRate))
    }
    optimizer.iterations++
    model.own()
    return logsOf(stage, compiled, count)
  })
}
