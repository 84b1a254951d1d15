import type { Block } from '../runtime/arena.ts'
import type { Run } from '../runtime/run.ts'
import type { Report } from '../runtime/worker.ts'
import type { Logs } from '../training/callback.ts'
import type { Claims } from './claims.ts'
import { Residents } from './feed.ts'
import type { FitData, Part } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder } from './local.ts'
import { logsOf } from './logs.ts'
import { planFit, stepsOf } from './memory.ts'
import type { FitSettings } from './options.ts'
import type { Packable } from './packing.ts'
import { type Prepared, Program } from './program.ts'
import { splitSeed } from './randomness.ts'
import type { Stage } from './stage.ts'

/** How a command is run. */
export interface CommandOptions {
  readonly workers: number
  /** Recompute what is derived from parameters first: they have changed. */
  readonly prologue: boolean
  readonly signal: AbortSignal
}

export type CourseState = { readonly [key: string]: Packable }

/** Batches to train on, epoch by epoch, and how they get to the workers. */
export interface Course {
  /** What callbacks are told of it; null for what is not known before. */
  readonly params: {
    readonly batchSize: number | null
    readonly samples: number | null
    readonly steps: number | null
  }
  /** Samples of the epoch so far. */
  readonly seen: number
  /** Whose sums are those of the current steps. */
  readonly stage: Stage
  beginEpoch(epoch: number): void
  /** Samples of batch number `batch`, undefined at the epoch's end; `ahead` may be commanded at once. */
  nextSize(batch: number, ahead: number): number | undefined | Promise<number | undefined>
  /** Has the workers run batches [from, to), or the first of them; each says how far they came. */
  command(from: number, to: number, options: CommandOptions): Promise<readonly Report[]>
  /** What a checkpoint must hold of the epochs before and, unless `done` is 0, the one in progress. */
  getState(done: number): CourseState
  /**
   * Goes on after the first `done` batches of an epoch, the first that has begun, from what `getState` gave then;
   * false where it was interrupted before.
   */
  setState(state: CourseState, done: number): Promise<boolean>
  /** Loss and metrics of the epoch so far. */
  logs(): Logs
  /** As `logs`, while the workers run. */
  progress(): { step: number; logs: Logs } | undefined
  close(): Promise<void>
}

/** Samples that are in memory, as a whole, in an order that is new every epoch. */
export class ArrayCourse implements Course {
  private readonly model: Internals
  private readonly run: Run
  private readonly data: Part
  private readonly settings: FitSettings
  private readonly program: Program
  private readonly order: Block
  private readonly rates: Block
  private done = 0
  /** Whether the workers run a command of this course. */
  private busy = false

  constructor(
    claims: Claims,
    residents: Residents,
    model: Internals,
    run: Run,
    training: Prepared,
    settings: FitSettings,
  ) {
    this.model = model
    this.run = run
    this.data = training.part
    this.settings = settings
    this.order = claims.allocate(4 * this.data.count, 'the order of the samples')
    this.rates = claims.allocate(4 * this.steps, 'the learning rates')
    this.program = new Program(claims, residents, model, run, training, this.order.address)
  }

  get params() {
    return { batchSize: this.settings.batchSize, samples: this.data.count, steps: this.steps }
  }

  get stage(): Stage {
    return this.program.stage
  }

  get seen(): number {
    return this.seenAt(this.done)
  }

  /** Samples of the first `steps` batches. */
  private seenAt(steps: number): number {
    return Math.min(steps * this.settings.batchSize, this.data.count)
  }

  beginEpoch(): void {
    this.done = 0
    this.shuffle()
    this.stage.clearTotals()
  }

  nextSize(batch: number): number | undefined {
    const { batchSize } = this.settings
    return batch < this.steps ? Math.min(batchSize, this.data.count - batch * batchSize) : undefined
  }

  async command(from: number, most: number, options: CommandOptions) {
    const to = Math.min(most, this.steps)
    this.writeRates(from, to)
    const { batchSize, seed } = this.settings
    const { count } = this.data
    const { address: rates } = this.rates
    const stepsBefore = this.model.compiled.optimizer.iterations
    const own = { from, to, batchSize, count, start: 0, stepsBefore, seed: splitSeed(seed), rates, slots: 0 }
    this.busy = true
    try {
      const reports = await this.program.steps(own, options, this.orderNow)
      this.done = reports[0]!.next
      return reports
    } finally {
      this.busy = false
    }
  }

  getState(): CourseState {
    return { sums: this.stage.getSums() }
  }

  async setState({ sums }: CourseState, done: number): Promise<boolean> {
    // Between two epochs, they are those of the one before.
    if (done > 0) this.stage.setSums(sums as Record<string, Float64Array>)
    this.done = done
    return true
  }

  logs(): Logs {
    return logsOf(this.stage, this.model.compiled, this.seen)
  }

  progress() {
    // While callbacks are called, others may use the run.
    const step = this.busy ? Math.max(this.run.batch, this.done) : this.done
    if (step === 0) return undefined
    return { step, logs: logsOf(this.stage, this.model.compiled, this.seenAt(step)) }
  }

  async close(): Promise<void> {}

  private get steps(): number {
    return stepsOf(this.data.count, this.settings)
  }

  private writeRates(from: number, to: number): void {
    const { optimizer } = this.model.compiled
    const { buffer } = this.model.engine.arena.memory
    const rates = new Float32Array(buffer, this.rates.address, this.steps)
    for (let batch = from; batch < to; batch++) rates[batch] = optimizer.rateAt(optimizer.iterations + batch)
  }

  /** The samples in the order of this epoch. */
  private get orderNow(): Int32Array {
    return new Int32Array(this.model.engine.arena.memory.buffer, this.order.address, this.data.count)
  }

  /** Orders the samples anew, keyed by seed and lifetime epoch. */
  private shuffle(): void {
    const { engine, epochsTrained } = this.model
    const { count } = this.data
    if (!this.settings.shuffle) {
      const order = this.orderNow
      for (let i = 0; i < count; i++) order[i] = i
      return
    }
    const key = engine.arena.allocate(12, 'a key')
    new Int32Array(engine.arena.memory.buffer, key.address, 3).set([
      ...splitSeed(this.settings.seed),
      epochsTrained,
    ])
    engine.kernels.shuffle(0, 1, this.order.address, count, key.address, 0)
    engine.arena.free(key)
  }
}

/** What training is validated on after each epoch. */
export interface Validation {
  readonly stage: Stage
  /** Loss and metrics, under the names that they have in training; undefined if it was interrupted. */
  measure(epoch: number, workers: number): Promise<Logs | undefined>
}

/** Samples in memory to validate with. */
export class ArrayValidation implements Validation {
  private readonly model: Internals
  private readonly program: Program

  constructor(claims: Claims, residents: Residents, model: Internals, run: Run, prepared: Prepared) {
    this.model = model
    this.program = new Program(claims, residents, model, run, prepared)
  }

  get stage(): Stage {
    return this.program.stage
  }

  async measure(_epoch: number, workers: number): Promise<Logs> {
    const { stage, part } = this.program
    stage.clearTotals()
    await this.program.steps(inOrder(part.count, stage.plan.rows, part.start), { prologue: true, workers })
    return logsOf(stage, this.model.compiled, part.count)
  }
}

/** What a training makes its steps of. */
export type Courses = readonly [Course, Validation | undefined]

/** Course and validation of `fit`. @throws RangeError where they do not fit into memory, before they take any */
export async function coursesOfArrays(
  claims: Claims,
  model: Internals,
  run: Run,
  data: FitData,
  settings: FitSettings,
): Promise<Courses> {
  const { training, validation } = planFit(model, data, settings, run.workers)
  const residents = new Residents(claims)
  const course = new ArrayCourse(claims, residents, model, run, training, settings)
  const held = validation && new ArrayValidation(claims, residents, model, run, validation)
  // Nobody else may take the place of the snapshot meanwhile.
  model.state.takeSnapshot()
  await residents.load()
  return [course, held]
}
