import type { Run } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import type { Claims } from './claims.ts'
import { ArrayValidation, type CommandOptions, type Course, type Validation } from './course.ts'
import type { FitDatasetSettings } from './datasetOptions.ts'
import { checkColumns, weighted } from './fitData.ts'
import type { Internals } from './internals.ts'
import { type Batches, isBatches, Pass } from './pass.ts'
import { splitSeed } from './randomness.ts'
import type { Stage } from './stage.ts'
import { Stream } from './stream.ts'

const where = 'fitDataset'

/** Batches of a dataset, as it gives them. */
class DatasetCourse implements Course {
  private readonly model: Internals
  private readonly dataset: Batches
  private readonly settings: FitDatasetSettings
  private readonly stream: Stream
  private pass: Pass | undefined

  constructor(
    claims: Claims,
    model: Internals,
    run: Run,
    dataset: Batches,
    settings: FitDatasetSettings,
    signal: AbortSignal,
  ) {
    this.model = model
    this.dataset = dataset
    this.settings = settings
    const { accumulate, prefetch, batchesPerEpoch } = settings
    const limit = batchesPerEpoch ?? Number.POSITIVE_INFINITY
    this.stream = new Stream(claims, model, run, {
      where,
      mode: 'train',
      accumulate,
      prefetch,
      limit,
      signal,
    })
  }

  get params() {
    const { size } = this.dataset as { size?: number | null }
    const steps = this.settings.batchesPerEpoch ?? size ?? null
    return { batchSize: null, samples: null, steps: Number.isFinite(steps) ? steps : null }
  }

  get stage(): Stage {
    return this.stream.stage
  }

  /** With a number of batches an epoch, one pass goes through all epochs. */
  beginEpoch(epoch: number): void {
    const { batchesPerEpoch, classWeight } = this.settings
    const again = this.pass === undefined || batchesPerEpoch === null
    if (again) this.pass = new Pass(this.model, this.dataset, { where, classWeight })
    this.stream.begin(this.pass!, batch => `at epoch ${epoch}, batch ${batch}`)
  }

  nextSize(_batch: number, ahead: number): Promise<number | undefined> {
    return this.stream.nextSize(ahead)
  }

  command(_from: number, to: number, options: CommandOptions) {
    const { optimizer } = this.model.compiled
    const { iterations: stepsBefore } = optimizer
    const rateOf = (batch: number) => optimizer.rateAt(stepsBefore + batch)
    const seed = splitSeed(this.settings.seed)
    const { workers, prologue } = options
    return this.stream.steps({ to, workers, prologue, stepsBefore, seed, rateOf })
  }

  logs(): Logs {
    return this.stream.logs()
  }

  progress() {
    return this.stream.progress()
  }

  async close(): Promise<void> {
    await this.pass?.close()
  }
}

/**
 * Loss and metrics over a pass, which is closed in the end; undefined if the stream's signal ended it early.
 * `at` says in messages where a batch is.
 */
export async function measurePass(
  stream: Stream,
  pass: Pass,
  workers: number,
  at: (batch: number) => string,
): Promise<Logs | undefined> {
  stream.begin(pass, at)
  const steps = {
    to: Number.POSITIVE_INFINITY,
    workers,
    stepsBefore: 0,
    seed: [0, 0],
    rateOf: () => 0,
  } as const
  try {
    for (let prologue = true; (await stream.nextSize()) !== undefined; prologue = false)
      await stream.steps({ ...steps, prologue })
    return stream.interrupted ? undefined : stream.logs()
  } finally {
    await pass.close()
  }
}

/** Batches of a dataset to validate with, from its beginning each time. */
class DatasetValidation implements Validation {
  private readonly model: Internals
  private readonly dataset: Batches
  private readonly stream: Stream

  constructor(
    claims: Claims,
    model: Internals,
    run: Run,
    dataset: Batches,
    { prefetch, validationBatches, signal }: FitDatasetSettings,
  ) {
    this.model = model
    this.dataset = dataset
    const limit = validationBatches ?? Number.POSITIVE_INFINITY
    // As in fit, stopTraining lets the validation be done, and only the caller's signal ends it.
    const ending = { limit, signal: signal ?? undefined }
    const options = { where, mode: 'evaluate', accumulate: false, prefetch, ...ending } as const
    this.stream = new Stream(claims, model, run, options)
  }

  get stage(): Stage {
    return this.stream.stage
  }

  measure(epoch: number, workers: number): Promise<Logs | undefined> {
    const pass = new Pass(this.model, this.dataset, { where })
    const at = (batch: number) => `at epoch ${epoch}, batch ${batch} of validationData`
    return measurePass(this.stream, pass, workers, at)
  }
}

/** Checks validation data that is in memory. */
export function checkValidationArrays(model: Internals, { validationData }: FitDatasetSettings) {
  if (validationData === null || validationData === undefined || isBatches(validationData)) return undefined
  const [x, y, sampleWeight] = validationData as readonly unknown[]
  const columns = checkColumns(where, ['validationData[0]', 'validationData[1]'], model, x, y)
  const { count } = columns.x[0]!
  return { columns: weighted(where, model, columns, { sampleWeight }), start: 0, count }
}

/** Course and validation of `fitDataset`; `part` is validation data in memory. */
export function coursesOfDatasets(
  claims: Claims,
  model: Internals,
  run: Run,
  dataset: Batches,
  part: ReturnType<typeof checkValidationArrays>,
  settings: FitDatasetSettings,
  signal: AbortSignal,
): [Course, Validation | undefined] {
  const course = new DatasetCourse(claims, model, run, dataset, settings, signal)
  const { validationData: data, validationBatchSize } = settings
  const batchSize = model.stateful ? model.batchSize! : validationBatchSize
  if (part) return [course, new ArrayValidation(claims, model, run, part, { batchSize, stream: null })]
  if (!data) return [course, undefined]
  return [course, new DatasetValidation(claims, model, run, data as Batches, settings)]
}
