import { drawSeed } from '../data/random.ts'
import { blockBytes } from '../runtime/arena.ts'
import { FaultError } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import { checkCount } from './batchSizes.ts'
import { withClaims } from './claims.ts'
import { faultMessage } from './faults.ts'
import { residentBlocks, residentFeed, sourcesOf } from './feed.ts'
import { byName, checkColumns, type Inputs } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { recordFitting } from './memory.ts'
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
  const samples = byName(columns)
  const sources = sourcesOf(samples, false)
  const recorded = recordFitting(model, {
    ...{ where: 'trainOnBatch', what: 'the step', workers: 1, rows: count },
    record: rows => recordStep(model, compiled, { mode: 'train', rows, sources }),
    dataBytes: rows => blockBytes(4) + Math.ceil((residentBlocks(samples) * rows) / count),
    advice: rows => (rows === undefined ? 'use a smaller model' : `use a batch of ${rows} samples`),
  })
  return withClaims(engine.arena, claims => {
    const feed = residentFeed(claims, samples)
    const stage = new Stage(claims, recorded, 1)
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
