import { leafBegin, type Plan } from '../plan/plan.ts'
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
}

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
  private rateView: Int32Array | undefined
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

  /** Runs batch `batch` of `steps`. */
  step(batch: number, steps: Steps, pace: Pace): void {
    const rows = Math.min(steps.batchSize, steps.count - batch * steps.batchSize)
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
    ints[cells.rows / 4] = rows
    ints[cells.position / 4] =
      steps.slots > 0 ? (batch % steps.slots) * steps.batchSize : steps.start + batch * steps.batchSize
    ints[cells.step / 4] = step
    floats[cells.scale / 4] = 1 / rows
    if (steps.rates !== 0) ints[cells.rate / 4] = this.rates(steps.rates)[batch]!
    const key = cells.key / 4
    ints[key] = steps.seed[0]
    ints[key + 1] = steps.seed[1]
    ints[key + 2] = step
    const leaves = cells.spans.length
    for (let leaf = 0; leaf < leaves; leaf++) {
      const first = leafBegin(rows, leaf, leaves)
      const last = leafBegin(rows, leaf + 1, leaves)
      const span = cells.spans[leaf]! / 4
      ints[span] = first
      ints[span + 1] = last
      ints[cells.leafRows[leaf]! / 4] = last - first
    }
  }

  /** The learning rates as raw words, so that they pass through unchanged. */
  private rates(address: number): Int32Array {
    if (this.rateView?.byteOffset !== address)
      this.rateView = new Int32Array(this.thread.memory.buffer, address)
    return this.rateView
  }

  private bound(rows: number): BoundCall[][] {
    const { version } = this.thread.shares
    let bound = this.byRows.get(rows)
    if (bound?.version !== version)
      this.byRows.set(rows, (bound = { phases: this.bind(this.plan.phases, rows), version }))
    return bound.phases
  }

  private bind(phases: Plan['phases'], rows: number): BoundCall[][] {
    const { kernels, rank, shares } = this.thread
    return bindPhases(phases, this.plan, this.bases, kernels, { rank, bounds: shares.bounds, rows })
  }
}
