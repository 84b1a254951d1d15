import type { Input } from '../data/inputs.ts'
import { FaultError } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import { residentFeed } from './feed.ts'
import { checkPair } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { drawSeed, splitSeed } from './randomness.ts'
import { recordStep } from './record.ts'
import { Stage } from './stage.ts'

/**
 * One update from one mini-batch, on the calling thread. @throws Error, the model unchanged, if a value is
 * not finite.
 */
export function trainOneBatch(model: Internals, x: Input, y: Input): Logs {
  const { engine, compiled, state } = model
  const { arena } = engine
  const pair = checkPair('trainOnBatch', ['x', 'y'], model, x, y)
  const { count } = pair.x
  const feed = residentFeed(arena, pair)
  const stage = new Stage(
    arena,
    recordStep(model, compiled, { mode: 'train', rows: count, sources: feed.sources }),
    1,
  )
  const rates = arena.allocate(4, 'the learning rate')
  const { optimizer } = compiled
  new Float32Array(arena.memory.buffer, rates.address, 1)[0] = optimizer.learningRate
  const steps = {
    ...inOrder(count, count),
    stepsBefore: optimizer.iterations,
    seed: splitSeed(drawSeed()),
    rates: rates.address,
  }
  try {
    runLocally(model, stage, feed.addresses, state.address, steps)
    optimizer.iterations++
    return logsOf(stage, compiled, count)
  } catch (error) {
    if (!(error instanceof FaultError)) throw error
    const what = stage.plan.faults[error.fault]
    const advice = `lower learningRate (${optimizer.learningRate}) or set clipNorm`
    throw new Error(`trainOnBatch: ${what} became NaN or infinite at step ${optimizer.iterations}; ${advice}`)
  } finally {
    stage.free()
    feed.free()
    arena.free(rates)
  }
}
