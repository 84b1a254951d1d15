import { leafBegin, type Plan, type RowCellOffsets } from '../plan/plan.ts'
import { type Bases, type BoundCall, bindPhases } from './binding.ts'
import type { Kernels } from './tiers.ts'

/** The steps that one command covers; the same for every worker. */
export interface Steps {
  /** Batches [from, to) of the epoch. */
  readonly from: number
  readonly to: number
  readonly batchSize: number
  /** Samples of the epoch; the last batch may be shorter. */
  readonly count: number
  /**
   * Where the epoch's first sample stands in the order (a validation split starts behind the training part).
   */
  readonly start: number
  /** Updates over the life of the model before batch 0 of this epoch. */
  readonly stepsBefore: number
  /** Two unsigned 32-bit halves. */
  readonly seed: readonly [number, number]
  /** Address of one float32 learning rate a batch of the epoch, or 0. */
  readonly rates: number
  /** Slots of the ring through which batches are streamed; 0 if the data is resident. */
  readonly slots: number
  /**
   * Address of one int32 a slot: the samples of its batch, or 0 where the stream ends there. Given for batches
   * of any size up to batchSize; `count` says nothing then, and the rates lie by slot, too.
   */
  readonly sizes?: number
}

/** Batch sizes that a stepper stays bound for; a stream may have any number of them. */
const mostSizes = 16

/** What happens between the calls of a step: heartbeats, barriers. */
export interface Pace {
  beat(): void
  /** After each phase; `last` in a step. May throw to leave. */
  phaseDone(batch: number, last: boolean): void
}

/** One of several threads that run a plan together. */
export interface Thread {
  readonly kernels: Kernels
  readonly memory: WebAssembly.Memory
  readonly rank: number
  /** Whose work is what; see `Shares`. */
  readonly shares: { readonly bounds: ArrayLike<number>; readonly version: number }
}

interface Bound {
  readonly phases: BoundCall[][]
  /** Of the shares. */
  readonly version: number
}

/** Runs the steps of one plan on one thread. Nothing is allocated while it steps, except for a new cut. */
export class Stepper {
  private readonly plan: Plan
  private readonly bases: Bases
  private readonly thread: Thread
  private readonly views = new Map<number, Int32Array>()
  private readonly byRows = new Map<number, Bound>()
  private readonly ints: Int32Array
  private readonly floats: Float32Array

  constructor(plan: Plan, bases: Bases, thread: Thread) {
    const { memory, rank } = thread
    this.plan = plan
    this.bases = bases
    this.thread = thread
    const block = bases.worker + rank * plan.workerBytes
    this.ints = new Int32Array(memory.buffer, block, plan.workerBytes / 4)
    this.floats = new Float32Array(memory.buffer, block, plan.workerBytes / 4)
  }

  /** Samples of a leaf in the last step, and at which multiples they are cut. */
  get cutRows(): { rows: number; grain: number } {
    const { cells, grain } = this.plan
    return { rows: this.ints[cells.leafRows[0]! / 4]!, grain }
  }

  /** The fault number of this worker, 0 while all is finite. */
  get fault(): number {
    return this.ints[this.plan.cells.fault / 4]!
  }

  clearFault(): void {
    this.ints[this.plan.cells.fault / 4] = 0
  }

  /** Computes what is derived from parameters alone. */
  prologue(pace: Pace): void {
    const phases = this.bind(this.plan.prologue, this.plan.rows)
    for (const calls of phases) this.phase(calls, 0, false, pace)
  }

  /** Whether a stream ends before this batch. */
  endsBefore(batch: number, steps: Steps): boolean {
    return this.rowsOf(batch, steps) === 0
  }

  private rowsOf(batch: number, { sizes, slots, batchSize, count }: Steps): number {
    return sizes ? this.wordsAt(sizes)[batch % slots]! : Math.min(batchSize, count - batch * batchSize)
  }

  /** Runs batch `batch` of `steps`. */
  step(batch: number, steps: Steps, pace: Pace): void {
    const rows = this.rowsOf(batch, steps)
    const phases = this.bound(rows)
    this.setCells(batch, rows, steps)
    const last = phases.length - 1
    for (let p = 0; p <= last; p++) this.phase(phases[p]!, batch, p === last, pace)
  }

  private phase(calls: BoundCall[], batch: number, last: boolean, pace: Pace): void {
    for (let c = 0; c < calls.length; c++) {
      const { kernel, args } = calls[c]!
      kernel.apply(undefined, args)
      pace.beat()
    }
    pace.phaseDone(batch, last)
  }

  private setCells(batch: number, rows: number, steps: Steps): void {
    const { cells } = this.plan
    const { ints, floats } = this
    const step = steps.stepsBefore + batch + 1
    const slot = steps.slots > 0 ? batch % steps.slots : batch
    ints[cells.position / 4] = (steps.slots > 0 ? 0 : steps.start) + slot * steps.batchSize
    ints[cells.step / 4] = step
    floats[cells.scale / 4] = 1 / rows
    if (steps.rates !== 0) ints[cells.rate / 4] = this.wordsAt(steps.rates)[steps.sizes ? slot : batch]!
    const key = cells.key / 4
    ints[key] = steps.seed[0]
    ints[key + 1] = steps.seed[1]
    ints[key + 2] = step
    this.setRows(cells, rows, 1)
    for (const fold of this.plan.folds) this.setRows(fold.cells, rows, fold.times)
  }

  private setRows(cells: RowCellOffsets, samples: number, times: number): void {
    const { ints } = this
    const leaves = cells.spans.length
    ints[cells.rows / 4] = samples * times
    for (let leaf = 0; leaf < leaves; leaf++) {
      const first = leafBegin(samples, leaf, leaves) * times
      const last = leafBegin(samples, leaf + 1, leaves) * times
      const span = cells.spans[leaf]! / 4
      ints[span] = first
      ints[span + 1] = last
      ints[cells.leafRows[leaf]! / 4] = last - first
    }
  }

  /** Memory as words: learning rates are read as such, so that they pass through unchanged. */
  private wordsAt(address: number): Int32Array {
    const known = this.views.get(address)
    if (known) return known
    const view = new Int32Array(this.thread.memory.buffer, address)
    this.views.set(address, view)
    return view
  }

  private bound(rows: number): BoundCall[][] {
    const { version } = this.thread.shares
    let bound = this.byRows.get(rows)
    if (!bound && this.byRows.size === mostSizes) this.byRows.clear()
    if (bound?.version !== version)
      this.byRows.set(rows, (bound = { phases: this.bind(this.plan.phases, rows), version }))
    return bound.phases
  }

  private bind(phases: Plan['phases'], rows: number): BoundCall[][] {
    const { kernels, rank, shares } = this.thread
    return bindPhases(phases, this.plan, this.bases, kernels, { rank, bounds: shares.bounds, rows })
  }
}
