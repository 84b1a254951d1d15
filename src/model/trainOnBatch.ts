import type { Input } from '../data/inputs.ts'
import { FaultError } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import { makeResident, type Resident } from './feed.ts'
import { checkPair, sourcesOf } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { drawSeed, splitSeed } from './randomness.ts'
import { recordStep } from './record.ts'
import { Stage } from './stage.ts'

/** One update from one mini-batch, on the calling thread. @throws Error, the model unchanged, if a value is not finite. */
export function trainOneBatch(model: Internals, x: Input, y: Input): Logs {
  const { engine, compiled, state } = model
  const { arena } = engine
  const pair = checkPair('trainOnBatch', ['x', 'y'], model, x, y)
  const { count } = pair.x
  const [xs, ys] = [makeResident(arena, pair.x, 'x'), makeResident(arena, pair.y, 'y')] as [
    Resident,
    Resident,
  ]
  const sources = sourcesOf({ x: xs, y: ys, start: 0, count }, false, false)
  const stage = new Stage(arena, recordStep(model, compiled, { mode: 'train', rows: count, sources }), 1)
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
    runLocally(model, stage, { x: xs.block.address, y: ys.block.address }, state.address, steps)
    optimizer.iterations++
    return logsOf(stage, compiled, count)
  } catch (error) {
    if (!(error instanceof FaultError)) throw error
    const what = stage.plan.faults[error.fault]
    const advice = `lower learningRate (${optimizer.learningRate}) or set clipNorm`
    throw new Error(`trainOnBatch: ${what} became NaN or infinite at step ${optimizer.iterations}; ${advice}`)
  } finally {
    stage.free()
    for (const block of [xs.block, ys.block, rates]) arena.free(block)
  }
}
