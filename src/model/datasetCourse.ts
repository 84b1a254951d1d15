import type { Run } from '../runtime/run.ts'
import type { Logs } from '../training/callback.ts'
import { CheckpointCallback } from '../training/checkpointing.ts'
import type { Claims } from './claims.ts'
import {
  ArrayValidation,
  type CommandOptions,
  type Course,
  type CourseState,
  type Courses,
  type Validation,
} from './course.ts'
import type { FitDatasetSettings } from './datasetOptions.ts'
import { mustStream, Residents } from './feed.ts'
import { byName, type Columns, checkColumns, weighted } from './fitData.ts'
import type { Internals } from './internals.ts'
import { type Batches, isBatches, Pass } from './pass.ts'
import { prepare } from './program.ts'
import { splitSeed } from './randomness.ts'
import type { Stage } from './stage.ts'
import { Stream } from './stream.ts'
import { Witness } from './witness.ts'

const where = 'fitDataset'

/** What a checkpoint holds of a pass over a dataset: how far it came, and hashes of what it gave. */
interface SavedCourse {
  readonly passes: number | undefined
  readonly firsts: string
  readonly taken: number
  readonly seen: string
  readonly stream: CourseState
  readonly validation: { readonly passes: number; readonly rows: Record<string, number> } | null
}

const otherBatches = (at: string) =>
  new RangeError(
    `${where}: the dataset must give the batches that it gave before, got others ${at}; ` +
      "give its shuffle() a seed, or set allowChange: ['data']",
  )

/** Batches of a dataset, as it gives them. */
class DatasetCourse implements Course {
  private readonly model: Internals
  private readonly dataset: Batches
  private readonly settings: FitDatasetSettings
  private readonly stream: Stream
  private readonly validation: DatasetValidation | undefined
  private readonly witness: Witness | undefined
  private pass: Pass | undefined
  /** Passes before this one, and batches of this one before this epoch. */
  private passes = -1
  private offset = 0

  constructor(
    claims: Claims,
    model: Internals,
    run: Run,
    dataset: Batches,
    settings: FitDatasetSettings,
    signal: AbortSignal,
    validation: DatasetValidation | undefined,
  ) {
    this.model = model
    this.validation = validation
    const kept = (settings.callbacks as readonly unknown[]).some(each => each instanceof CheckpointCallback)
    if (kept || settings.resume !== null) this.witness = new Witness()
    this.dataset = dataset
    this.settings = settings
    const { accumulate, prefetch, batchesPerEpoch, maxMemory } = settings
    const limit = batchesPerEpoch ?? Number.POSITIVE_INFINITY
    this.stream = new Stream(claims, model, run, {
      where,
      mode: 'train',
      accumulate,
      prefetch,
      limit,
      signal,
      maxMemory,
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

  get seen(): number {
    return this.stream.seen
  }

  /** With a number of batches an epoch, one pass goes through all epochs. */
  beginEpoch(epoch: number): void {
    const again = this.pass === undefined || this.settings.batchesPerEpoch === null
    this.offset = again ? 0 : this.offset + this.stream.position
    if (again) this.beginPass()
    this.stream.begin(this.pass!, batch => `at epoch ${epoch}, batch ${batch}`)
  }

  private beginPass(): Pass {
    const { witness } = this
    const { classWeight } = this.settings
    const seen = witness && ((columns: Columns) => witness.see(columns))
    this.passes++
    witness?.nextPass()
    this.pass = new Pass(this.model, this.dataset, { where, classWeight, seen })
    return this.pass
  }

  /** Between two epochs, the pass is over, unless one goes through all of them. */
  getState(done: number): CourseState {
    const { stream, validation, witness } = this
    const over = done === 0 && stream.position > 0 && this.settings.batchesPerEpoch === null
    const taken = over ? 0 : this.offset + stream.position
    return {
      passes: over ? this.passes + 1 : this.passes,
      firsts: (over ? witness?.withThis : witness?.before) ?? '',
      taken,
      seen: taken === 0 ? '' : (witness?.upTo(taken) ?? ''),
      stream: stream.getState(),
      validation: validation?.getState() ?? null,
    }
  }

  /**
   * Datasets may count their passes (to shuffle each in another way), so those before are begun again. @throws
   * RangeError where other batches come than those that were trained on
   */
  async setState(state: CourseState, done: number): Promise<boolean> {
    const { passes, firsts, taken, seen, stream, validation } = state as unknown as SavedCourse
    if (passes === undefined) return true
    const { witness } = this
    if (validation) this.validation?.setState(validation)
    for (let pass = 0; pass < passes; pass++) {
      await this.pass!.next(`at pass ${pass}`)
      await this.pass!.close()
      await this.validation?.passAgain()
      this.beginPass()
    }
    const at = `after ${this.passes} passes`
    if (witness!.before !== firsts) throw otherBatches(at)
    if (this.settings.batchesPerEpoch !== null && validation)
      for (let pass = 0; pass < validation.passes; pass++) await this.validation?.passAgain()
    this.offset = taken - done
    for (let batch = 0; batch < this.offset; batch++) await this.pass!.next(`at batch ${batch}`)
    this.stream.begin(this.pass!, batch => `${at}, batch ${this.offset + batch}`)
    if (!(await this.stream.setState(stream, done))) return false
    if (taken > 0 && witness!.upTo(taken) !== seen) throw otherBatches(`in its first ${taken} batches`)
    return true
  }

  nextSize(_batch: number, ahead: number): Promise<number | undefined> {
    return this.stream.nextSize(ahead)
  }

  command(_from: number, to: number, options: CommandOptions) {
    const { optimizer } = this.model.compiled
    const { iterations: stepsBefore } = optimizer
    const rateOf = (batch: number) => optimizer.rateAt(stepsBefore + batch)
    const seed = splitSeed(this.settings.seed)
    const { workers, prologue, signal } = options
    return this.stream.steps({ to, workers, prologue, signal, stepsBefore, seed, rateOf })
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
  private passes = 0
  private readonly model: Internals
  private readonly dataset: Batches
  private readonly stream: Stream

  constructor(
    claims: Claims,
    model: Internals,
    run: Run,
    dataset: Batches,
    { prefetch, validationBatches, signal, maxMemory }: FitDatasetSettings,
  ) {
    this.model = model
    this.dataset = dataset
    const limit = validationBatches ?? Number.POSITIVE_INFINITY
    // As in fit, stopTraining lets the validation be done, and only the caller's signal ends it.
    const ending = { limit, signal: signal ?? undefined, maxMemory }
    const options = { where, mode: 'evaluate', accumulate: false, prefetch, ...ending } as const
    this.stream = new Stream(claims, model, run, options)
  }

  get stage(): Stage {
    return this.stream.stage
  }

  getState(): NonNullable<SavedCourse['validation']> {
    return { passes: this.passes, rows: this.stream.shelf.getRows() }
  }

  setState({ rows }: NonNullable<SavedCourse['validation']>): void {
    this.stream.shelf.setRows(rows)
  }

  /** Begins a pass and leaves it: it was made before. */
  async passAgain(): Promise<void> {
    this.passes++
    const pass = new Pass(this.model, this.dataset, { where })
    await pass.next('at its first batch')
    await pass.close()
  }

  measure(epoch: number, workers: number): Promise<Logs | undefined> {
    this.passes++
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
export async function coursesOfDatasets(
  claims: Claims,
  model: Internals,
  run: Run,
  dataset: Batches,
  part: ReturnType<typeof checkValidationArrays>,
  settings: FitDatasetSettings,
  signal: AbortSignal,
): Promise<Courses> {
  const courseWith = (validation?: DatasetValidation) =>
    new DatasetCourse(claims, model, run, dataset, settings, signal, validation)
  const { validationData: data, validationBatchSize } = settings
  const batchSize = model.stateful ? model.batchSize! : validationBatchSize
  if (part) {
    const stream = mustStream(claims.arena, byName(part.columns))
    const options = { mode: 'evaluate', batchSize, ordered: false, accumulate: false, stream } as const
    const prepared = prepare(model, model.compiled, part, options)
    const residents = new Residents(claims)
    const courses = [courseWith(), new ArrayValidation(claims, residents, model, run, prepared)] as const
    await residents.load()
    return courses
  }
  if (!data) return [courseWith(), undefined]
  const validation = new DatasetValidation(claims, model, run, data as Batches, settings)
  return [courseWith(validation), validation]
}
