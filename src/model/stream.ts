import { setTimeout as sleep } from 'node:timers/promises'
import { breath } from '../data/breath.ts'
import type { Block } from '../runtime/arena.ts'
import type { Run } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Report } from '../runtime/worker.ts'
import type { Logs } from '../training/callback.ts'
import type { Claims } from './claims.ts'
import type { CourseState } from './course.ts'
import type { Columns } from './fitData.ts'
import type { Internals } from './internals.ts'
import { Interruption } from './interruption.ts'
import { Tally } from './logs.ts'
import type { Pass } from './pass.ts'
import { countOf, Shelf, type ShelfOptions } from './shelf.ts'
import type { Stage } from './stage.ts'

/** `prefetch`: how many batches are taken ahead of the workers at most. */
export interface StreamOptions extends ShelfOptions {
  /** Batches of an epoch; Infinity for all that a pass has. */
  readonly limit: number
  /** Ends the stream after the step in progress, whatever the dataset does. */
  readonly signal: AbortSignal | undefined
}

interface Failure {
  readonly error: unknown
}

/** What the steps of a command have in common; see `Steps`. */
export interface StreamSteps extends Pick<Steps, 'to' | 'stepsBefore' | 'seed'> {
  /** Recompute what is derived from parameters first: they have changed. */
  readonly prologue: boolean
  readonly workers: number
  /** Ends the command after the step in progress, and no wait for a batch outlasts it. */
  readonly signal?: AbortSignal | undefined
  /** The learning rate of a batch. */
  rateOf(batch: number): number
}

/**
 * Batches of a dataset on their way through the workers. While these run a command, the main thread takes
 * batches ahead and copies them into a ring of slots. A command ends where a batch needs another plan (its
 * sequences have another length, it is larger than any before), since all plans share one workspace.
 */
export class Stream {
  private readonly memory: WebAssembly.Memory
  private readonly model: Internals
  private readonly run: Run
  private readonly options: StreamOptions
  readonly shelf: Shelf
  /** Samples of each slot's batch, then the learning rate of each. */
  private readonly header: Block
  private stale = false
  private pass: Pass | undefined
  private at = (batch: number) => `at batch ${batch}`
  /** The batch that the workers come to next, and the one that the next free slot is for. */
  private next = 0
  private filled = 0
  /** Samples of the batches between them. */
  private sizes: number[] = []
  /** A batch that was asked for and has not come, and one that came and needs another plan. */
  private asked: Promise<Columns | undefined> | undefined
  private held: Columns | undefined
  private ended = false
  /** Whether the workers run a command of this stream, and what ends it. */
  private busy = false
  private signal: AbortSignal | undefined
  private readonly interruption = new Interruption()
  /** What earlier plans summed, and how many samples the current one has seen. */
  private tally = new Tally()
  private seenNow = 0

  constructor(claims: Claims, model: Internals, run: Run, options: StreamOptions) {
    this.memory = claims.arena.memory
    this.model = model
    this.run = run
    this.options = options
    this.shelf = new Shelf(claims, model, run, options)
    this.header = claims.allocate(8 * options.prefetch, 'the sizes of the batches')
  }

  /** Of the current plan: its sums are those since that has its turn. */
  get stage(): Stage {
    return this.shelf.stage!
  }

  /** Whether the pass was not brought to its end. */
  get interrupted(): boolean {
    return !this.ended && this.next !== this.options.limit
  }

  /** Batches of this pass, or this epoch, that are done. */
  get position(): number {
    return this.next
  }

  /** What a checkpoint must hold: the sums so far, and of what size the plans are. */
  getState(): CourseState {
    const sums = this.shelf.stage?.getSums() ?? {}
    return { rows: this.shelf.getRows(), tally: this.tally.getState(), sums, seen: this.seenNow }
  }

  /**
   * In a pass that has begun: takes the first `done` batches, which were trained on before, and goes on behind them with
   * what `getState` gave. False where it was interrupted.
   */
  async setState({ rows, tally, sums, seen }: CourseState, done: number): Promise<boolean> {
    this.shelf.setRows(rows as Record<string, number>)
    let last: Columns | undefined
    for (; this.filled < done; this.filled++) {
      const columns = await this.interruption.unless([this.options.signal], this.ask())
      if (columns === 'interrupted') return false
      if (!columns) throw this.tooFew(done)
      last = columns
    }
    this.next = this.filled
    if (!last) return true
    this.shelf.change(last)
    this.stale = true
    this.tally = Tally.from(tally)
    this.stage.setSums(sums as Record<string, Float64Array>)
    this.seenNow = seen as number
    return true
  }

  /** Samples since `begin`. */
  get seen(): number {
    return this.tally.count + this.seenNow
  }

  /** Loss and metrics of what was seen. */
  logs(): Logs {
    return new Tally(this.tally).add(this.stage, this.seenNow).logs(this.model.compiled)
  }

  /** As `logs`, while the workers run: of the steps that are done, which it counts. */
  progress(): { step: number; logs: Logs } | undefined {
    // While callbacks are called, others may use the run.
    const step = this.busy ? Math.max(this.run.batch, this.next) : this.next
    if (step === 0 || !this.shelf.stage) return undefined
    const running = this.sizes.slice(0, step - this.next).reduce((sum, size) => sum + size, this.seenNow)
    return { step, logs: new Tally(this.tally).add(this.stage, running).logs(this.model.compiled) }
  }

  /** Begins to count anew, at the first batch; `at` says in messages where one is. */
  begin(pass: Pass, at: (batch: number) => string): void {
    this.pass = pass
    this.at = at
    this.next = this.filled = this.seenNow = 0
    this.sizes = []
    this.ended = false
    this.tally = new Tally()
    this.shelf.stage?.clearTotals()
  }

  /**
   * Samples of the next batch, undefined at the end; waits until up to `ahead` batches of its kind are there.
   * @throws what the dataset throws, and RangeError where it has too few batches
   */
  async nextSize(ahead = 1): Promise<number | undefined> {
    if (this.filled === this.next) {
      await this.fillOne()
      if (this.held) this.changePlan(this.held)
    }
    const most = Math.min(ahead, this.shelf.stage ? this.shelf.slots.count : 1)
    while (this.filled < this.next + most && (await this.fillOne()));
    return this.sizes[0]
  }

  /** Has the workers run batches up to `to`, those of the current plan; `next` says how far they came. */
  async steps({ to, prologue, workers, rateOf, signal, ...steps }: StreamSteps): Promise<readonly Report[]> {
    const { run, next: from, header } = this
    this.signal = signal ?? this.options.signal
    const { count: slots, rows: batchSize } = this.shelf.slots
    let served: Promise<Failure | undefined> | undefined
    const begin = () => {
      run.startStream(from, this.filled)
      for (let batch = from; batch < this.filled; batch++) this.writeRate(batch, rateOf)
      this.busy = true
      served = this.serve(rateOf)
    }
    const place = { from, to: Math.min(to, this.options.limit), batchSize, count: 0, start: 0, slots }
    const memory = { sizes: header.address, rates: header.address + 4 * this.options.prefetch }
    const options = { prologue: prologue || this.stale, workers, begin, signal: this.signal ?? null }
    this.stale = false
    const command = run.steps(this.shelf.id, { ...steps, ...place, ...memory }, options)
    const reports = await command.finally(() => {
      this.busy = false
      this.signal = undefined
      this.interruption.interrupt()
    })
    const failure = await served
    if (failure) throw failure.error
    this.next = reports[0]!.next
    this.seenNow += this.sizes.splice(0, this.next - from).reduce((sum, size) => sum + size, 0)
    return reports
  }

  /** Fills slots as long as the workers run; what goes wrong ends the stream, and is returned. */
  private async serve(rateOf: StreamSteps['rateOf']): Promise<Failure | undefined> {
    let failure: Failure | undefined
    while (this.busy) {
      if (this.filled - Math.max(this.run.batch, this.next) >= this.shelf.slots.count) {
        await sleep(1)
        continue
      }
      try {
        if (!(await this.fillOne())) break
        this.writeRate(this.filled - 1, rateOf)
        this.run.announceFilled(this.filled)
      } catch (error) {
        failure = { error }
        break
      }
    }
    if (this.busy) this.endCommand()
    return failure
  }

  /** The workers leave when they come to the first batch that is not there. */
  private endCommand(): void {
    this.sizesOfSlots[this.filled % this.shelf.slots.count] = 0
    this.run.announceFilled(this.filled + 1)
  }

  /**
   * Takes a batch and puts it into its slot; false where there is none, none may be waited for any longer, or
   * it needs another plan and is held.
   */
  private async fillOne(): Promise<boolean> {
    if (this.held || this.ended || this.filled === this.options.limit) return false
    this.asked ??= this.ask()
    const columns = await this.interruption.unless([this.options.signal, this.signal], this.asked)
    if (columns === 'interrupted') return false
    await breath()
    this.asked = undefined
    if (!columns) this.ended = true
    else if (this.shelf.fits(columns)) this.put(columns)
    else this.held = columns
    return !this.ended && !this.held
  }

  private tooFew(needed: number): RangeError {
    const few = `the dataset must have ${needed} batches an epoch, got only ${this.filled}`
    return new RangeError(
      `${this.options.where} ${this.at(this.filled)}: ${few}; ask for fewer, or repeat() it`,
    )
  }

  private ask(): Promise<Columns | undefined> {
    const { where, limit } = this.options
    const batch = this.filled
    const asked = this.pass!.next(this.at(batch)).then(columns => {
      if (columns) return columns
      const hint = 'give a function, or an object that can be iterated anew'
      if (batch === 0 && limit === Number.POSITIVE_INFINITY)
        throw new RangeError(`${where} ${this.at(0)}: the dataset must have batches, got none; ${hint}`)
      if (limit === Number.POSITIVE_INFINITY) return undefined
      throw this.tooFew(limit)
    })
    // Whoever waits for it hears of the error; after an interruption nobody does.
    asked.catch(() => {})
    return asked
  }

  /** Copies a batch into the next slot, which is free. */
  private put(columns: Columns): void {
    const slot = this.filled % this.shelf.slots.count
    this.shelf.write(slot, columns)
    this.sizesOfSlots[slot] = countOf(columns)
    this.sizes.push(countOf(columns))
    this.filled++
  }

  private get sizesOfSlots(): Int32Array {
    return new Int32Array(this.memory.buffer, this.header.address, this.options.prefetch)
  }

  private writeRate(batch: number, rateOf: StreamSteps['rateOf']): void {
    const { prefetch } = this.options
    const rates = new Float32Array(this.memory.buffer, this.header.address + 4 * prefetch, prefetch)
    rates[batch % this.shelf.slots.count] = rateOf(batch)
  }

  /** While the workers stand still and all slots are empty: goes on with the plan for the held batch. */
  private changePlan(columns: Columns): void {
    if (this.shelf.stage) this.tally.add(this.stage, this.seenNow)
    this.seenNow = 0
    this.shelf.change(columns)
    this.stale = true
    this.held = undefined
    this.put(columns)
  }
}
