import { Tensor } from '../data/tensor.ts'
import { positiveInteger, withDefaults } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import { blockBytes } from '../runtime/arena.ts'
import { type Run, WorkerError } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Logs } from '../training/callback.ts'
import { withBatchSize } from './batchSizes.ts'
import { withClaims } from './claims.ts'
import { measurePass } from './datasetCourse.ts'
import { checkEvaluateDatasetOptions, type EvaluateDatasetOptions } from './datasetOptions.ts'
import { rethrow } from './faults.ts'
import { residentBlocks, residentFeed, sourcesOf } from './feed.ts'
import { byName, checkColumns, checkInputs, type Inputs } from './fitData.ts'
import { type Internals, readableState } from './internals.ts'
import { inOrder, runLocally } from './local.ts'
import { logsOf } from './logs.ts'
import { recordFitting } from './memory.ts'
import { checkWorkers } from './options.ts'
import { type Batches, Pass } from './pass.ts'
import { recordPrediction, recordStep } from './record.ts'
import { Stage } from './stage.ts'
import { Stream } from './stream.ts'

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

function settingsOf(where: string, model: Internals, given: WorkerOptions | undefined): typeof defaults {
  const settings = withDefaults(where, defaults, withBatchSize(where, model, given))
  positiveInteger(where, 'batchSize', settings.batchSize)
  checkWorkers(where, settings.workers)
  return settings
}

/** One tensor, or one an output where there are several. */
export type Predictions = Tensor | Tensor[]

/** How steps are made: here, or by a run's workers. */
interface Place {
  readonly where: string
  readonly workers: number
  execute(stage: Stage, data: Record<string, number>, steps: Steps): void | Promise<void>
}

const here = (where: string, model: Internals): Place => ({
  where,
  workers: 1,
  execute(stage, data, steps) {
    try {
      runLocally(model, stage, data, readableState(model), steps)
    } catch (error) {
      rethrow(where, stage.plan, error)
    }
  },
})

const by = (where: string, model: Internals, run: Run): Place => ({
  where,
  workers: run.workers,
  async execute(stage, data, steps) {
    const id = run.bind(stage.plan, stage.bases(model.state.address, data))
    await run.steps(id, steps, { prologue: true }).catch(error => rethrow(where, stage.plan, error))
  },
})

const lowerBatchSize = (rows: number | undefined) =>
  rows === undefined ? 'give fewer samples at a time' : `lower batchSize to ${rows}`

function predictWith(
  model: Internals,
  x: unknown,
  batchSize: number,
  { where, workers, execute }: Place,
): Predictions | Promise<Predictions> {
  const { arena } = model.engine
  const columns = checkInputs('predict', 'x', model, x)
  const { count } = columns[0]!
  const shapes = model.outputShapesFor(columns.map(({ shape }) => shape))
  const rows = byName({ x: columns, y: [], weight: [] })
  const outputBytes = shapes.map(shape => 4 * count * sizeOf(shape))
  const sources = sourcesOf(rows, false)
  const recorded = recordFitting(model, {
    ...{ where, what: 'prediction', workers, rows: Math.min(batchSize, count), advice: lowerBatchSize },
    record: rows => recordPrediction(model, rows, sources),
    dataBytes: () => outputBytes.reduce((sum, bytes) => sum + blockBytes(bytes), residentBlocks(rows)),
  })
  return withClaims(arena, claims => {
    const feed = residentFeed(claims, rows)
    const outputs = outputBytes.map(bytes => claims.allocate(bytes, 'the predictions').address)
    const stage = new Stage(claims, recorded, workers)
    const read = (): Predictions => {
      if (model.stateful) model.own()
      const tensors = shapes.map((shape, i) => {
        const values = new Float32Array(arena.memory.buffer, outputs[i], count * sizeOf(shape)).slice()
        return new Tensor(values, [count, ...shape], 'float32')
      })
      return tensors.length === 1 ? tensors[0]! : tensors
    }
    const places = Object.fromEntries(outputs.map((address, i) => [`output${i}`, address]))
    const done = execute(stage, { ...feed.addresses, ...places }, inOrder(count, stage.plan.rows))
    return done ? done.then(read) : read()
  })
}

/** Predictions for samples, on the calling thread. */
export function predictHere(model: Internals, x: Inputs, options?: BatchOptions): Predictions {
  const { batchSize } = settingsOf('predict', model, options)
  return predictWith(model, x, batchSize, here('predict', model)) as Predictions
}

/** Calls `body` with a run of the workers that were asked for; their failures are told in the caller's name. */
function onWorkers<T>(
  where: string,
  model: Internals,
  options: WorkerOptions | undefined,
  body: (run: Run, batchSize: number) => T | Promise<T>,
): Promise<T> {
  const settings = settingsOf(where, model, options)
  return withWorkers(where, model, settings, run => body(run, settings.batchSize))
}

function withWorkers<T>(
  where: string,
  model: Internals,
  { workers, stallMs }: { workers: number | 'auto'; stallMs: number },
  body: (run: Run) => T | Promise<T>,
): Promise<T> {
  const most = workers === 'auto' ? model.engine.cores : workers
  return model.engine.withRun(most, stallMs, async run => {
    try {
      return await body(run)
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error
      throw new Error(`${where}: ${error.message}`, { cause: error })
    }
  })
}

/** Predictions for samples, on the workers. */
export function predictOnWorkers(model: Internals, x: Inputs, options?: WorkerOptions): Promise<Predictions> {
  return onWorkers('predictAsync', model, options, (run, batchSize) =>
    predictWith(model, x, batchSize, by('predictAsync', model, run)),
  )
}

function evaluateWith(
  model: Internals,
  x: unknown,
  y: unknown,
  batchSize: number,
  { where, workers, execute }: Place,
): Logs | Promise<Logs> {
  const columns = checkColumns('evaluate', ['x', 'y'], model, x, y)
  const { count } = columns.x[0]!
  const rows = byName(columns)
  const sources = sourcesOf(rows, false)
  const recorded = recordFitting(model, {
    ...{ where, what: 'evaluation', workers, rows: Math.min(batchSize, count), advice: lowerBatchSize },
    record: rows => recordStep(model, model.compiled, { mode: 'evaluate', rows, sources }),
    dataBytes: () => residentBlocks(rows),
  })
  return withClaims(model.engine.arena, claims => {
    const feed = residentFeed(claims, rows)
    const stage = new Stage(claims, recorded, workers)
    const read = () => {
      if (model.stateful) model.own()
      return logsOf(stage, model.compiled, count)
    }
    const done = execute(stage, feed.addresses, inOrder(count, stage.plan.rows))
    return done ? done.then(read) : read()
  })
}

/** Loss and metrics over samples, on the calling thread. */
export function evaluateHere(model: Internals, x: Inputs, y: Inputs, options?: BatchOptions): Logs {
  const { batchSize } = settingsOf('evaluate', model, options)
  return evaluateWith(model, x, y, batchSize, here('evaluate', model)) as Logs
}

/** Loss and metrics over samples, on the workers. */
export function evaluateOnWorkers(
  model: Internals,
  x: Inputs,
  y: Inputs,
  options?: WorkerOptions,
): Promise<Logs> {
  return onWorkers('evaluateAsync', model, options, (run, batchSize) =>
    evaluateWith(model, x, y, batchSize, by('evaluateAsync', model, run)),
  )
}

/** Loss and metrics over the mini-batches of a dataset, on the workers. */
export function evaluateBatches(
  model: Internals,
  dataset: Batches,
  options?: EvaluateDatasetOptions,
): Promise<Logs> {
  const where = 'evaluateDataset'
  const { batches, prefetch, ...settings } = checkEvaluateDatasetOptions(options)
  checkWorkers(where, settings.workers)
  const limit = batches ?? Number.POSITIVE_INFINITY
  const streamOptions = {
    where,
    mode: 'evaluate',
    accumulate: false,
    prefetch,
    limit,
    signal: undefined,
    maxMemory: null,
  } as const
  return withWorkers(where, model, settings, run =>
    withClaims(model.engine.arena, async claims => {
      const stream = new Stream(claims, model, run, streamOptions)
      const at = (batch: number) => `at batch ${batch}`
      const pass = new Pass(model, dataset, { where })
      const measured = measurePass(stream, pass, run.workers, at)
      const logs = (await measured.catch(error => rethrow(where, stream.stage?.plan, error)))!
      if (model.stateful) model.own()
      return logs
    }),
  )
}
