import { type Input, toRows } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { positiveInteger, withDefaults } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import type { Run } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Logs } from '../training/callback.ts'
import { residentFeed } from './feed.ts'
import { checkPair } from './fitData.ts'
import { type Internals, readableState } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { checkWorkers } from './options.ts'
import { recordPrediction, recordStep } from './record.ts'
import { Stage } from './stage.ts'

/** Options of prediction and evaluation on the calling thread. */
export interface BatchOptions {
  /** Samples a step. Default 32. Results do not depend on it. */
  batchSize?: number
  verbose?: boolean | number
}

/** Options of prediction and evaluation on the workers. */
export interface WorkerOptions extends BatchOptions {
  workers?: number | 'auto'
  stallMs?: number
}

const defaults = {
  batchSize: 32,
  verbose: 0 as boolean | number,
  workers: 'auto' as number | 'auto',
  stallMs: 30_000,
}

function settingsOf(where: string, given: WorkerOptions | undefined): typeof defaults {
  const settings = withDefaults(where, defaults, given)
  positiveInteger(where, 'batchSize', settings.batchSize)
  checkWorkers(where, settings.workers)
  return settings
}

/** How steps are made: here, or by a run's workers. */
type Execute = (stage: Stage, data: Record<string, number>, steps: Steps) => void | Promise<void>

const here =
  (model: Internals): Execute =>
  (stage, data, steps) =>
    runLocally(model, stage, data, readableState(model), steps)

const by =
  (model: Internals, run: Run): Execute =>
  async (stage, data, steps) => {
    const id = run.bind(stage.plan, stage.bases(model.state.address, data))
    await run.steps(id, steps, { prologue: true })
  }

/** Calls `use` with the resources that `make` made, and frees them afterwards, whether it waits or not. */
function using<T>(frees: (() => void)[], use: () => T): T {
  const free = () => {
    for (const each of frees) each()
  }
  let result: T
  try {
    result = use()
  } catch (error) {
    free()
    throw error
  }
  if (result instanceof Promise) return result.finally(free) as T
  free()
  return result
}

function predictWith(
  model: Internals,
  x: unknown,
  batchSize: number,
  workers: number,
  execute: Execute,
): Tensor | Promise<Tensor> {
  const { arena } = model.engine
  const rows = toRows('predict', 'x', x, model.inputShape)
  const { count } = rows
  const size = count * sizeOf(model.outputShape)
  const feed = residentFeed(arena, { x: rows })
  const output = arena.allocate(4 * size, 'the predictions')
  const stage = new Stage(arena, recordPrediction(model, Math.min(batchSize, count), feed.sources), workers)
  const read = () =>
    new Tensor(
      new Float32Array(arena.memory.buffer, output.address, size).slice(),
      [count, ...model.outputShape],
      'float32',
    )
  return using([() => feed.free(), () => arena.free(output), () => stage.free()], () => {
    const done = execute(
      stage,
      { ...feed.addresses, output: output.address },
      inOrder(count, stage.plan.rows),
    )
    return done ? done.then(read) : read()
  })
}

/** Predictions for samples, on the calling thread. */
export function predictHere(model: Internals, x: Input, options?: BatchOptions): Tensor {
  const { batchSize } = settingsOf('predict', options)
  return predictWith(model, x, batchSize, 1, here(model)) as Tensor
}

/** Predictions for samples, on the workers. */
export function predictOnWorkers(model: Internals, x: Input, options?: WorkerOptions): Promise<Tensor> {
  const { batchSize, workers, stallMs } = settingsOf('predictAsync', options)
  const most = workers === 'auto' ? model.engine.cores : workers
  return model.engine.withRun(most, stallMs, async run =>
    predictWith(model, x, batchSize, run.workers, by(model, run)),
  )
}

function evaluateWith(
  model: Internals,
  x: unknown,
  y: unknown,
  batchSize: number,
  workers: number,
  execute: Execute,
): Logs | Promise<Logs> {
  const { arena } = model.engine
  const pair = checkPair('evaluate', ['x', 'y'], model, x, y)
  const { count } = pair.x
  const feed = residentFeed(arena, pair)
  const stage = new Stage(
    arena,
    recordStep(model, model.compiled, {
      mode: 'evaluate',
      rows: Math.min(batchSize, count),
      sources: feed.sources,
    }),
    workers,
  )
  const read = () => logsOf(stage, model.compiled, count)
  return using([() => feed.free(), () => stage.free()], () => {
    const done = execute(stage, feed.addresses, inOrder(count, stage.plan.rows))
    return done ? done.then(read) : read()
  })
}

/** Loss and metrics over samples, on the calling thread. */
export function evaluateHere(model: Internals, x: Input, y: Input, options?: BatchOptions): Logs {
  const { batchSize } = settingsOf('evaluate', options)
  return evaluateWith(model, x, y, batchSize, 1, here(model)) as Logs
}

/** Loss and metrics over samples, on the workers. */
export function evaluateOnWorkers(
  model: Internals,
  x: Input,
  y: Input,
  options?: WorkerOptions,
): Promise<Logs> {
  const { batchSize, workers, stallMs } = settingsOf('evaluateAsync', options)
  const most = workers === 'auto' ? model.engine.cores : workers
  return model.engine.withRun(most, stallMs, async run =>
    evaluateWith(model, x, y, batchSize, run.workers, by(model, run)),
  )
}
