import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Plan } from '../plan/plan.ts'
import type { Arena, Block } from './arena.ts'
import type { Bases } from './binding.ts'
import { Control, controlBytes } from './control.ts'
import type { Pool } from './pool.ts'
import type { Steps } from './stepper.ts'
import type { KernelModule } from './tiers.ts'
import type { Command, Report, RunTask } from './worker.ts'

/** A run ended because a value was not finite; `fault` indexes the plan's `faults`. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
  readonly fault: number
  readonly batch: number
  constructor(fault: number, batch: number) {
    super(`a value became infinite or NaN in batch ${batch}`)
    this.fault = fault
    this.batch = batch
  }
}

export interface RunOptions {
  readonly workers: number
  readonly spins: number
  /** A worker that gives no sign for this long is taken for hung. */
  readonly stallMs: number
}

export interface StepsOptions {
  /** Recompute what is derived from parameters first. */
  readonly prologue: boolean
  readonly timed?: boolean
  /** Ranks that take part; all by default. */
  readonly workers?: number
}

interface Pending {
  reports: Report[]
  active: number
  resolve(reports: Report[]): void
  reject(error: Error): void
}

/** How long workers may take to leave an aborted run before their threads are ended. */
const graceMs = 200

/** One use of the pool: workers that obey commands until `end`, watched by the main thread. */
export class Run {
  readonly workers: number
  private readonly options: RunOptions
  private readonly arena: Arena
  private readonly pool: Pool
  private readonly block: Block
  private readonly control: Control
  private readonly ports: MessagePort[] = []
  private readonly tasks: Promise<void>[] = []
  /** Commands are given one at a time, whoever asks. */
  private turn: Promise<void> = Promise.resolve()
  private pending: Pending | undefined
  private failure: Promise<never> | undefined
  private cause: Error | undefined
  private ending = false
  private timer: NodeJS.Timeout | undefined
  private plans = 0
  /** Set once a thread had to be ended: the pool must be replaced. */
  broken = false

  constructor(arena: Arena, pool: Pool, kernels: KernelModule, options: RunOptions) {
    this.options = options
    this.arena = arena
    this.pool = pool
    this.workers = options.workers
    this.block = arena.allocateZeroed(controlBytes(options.workers), 'the control block')
    this.control = new Control(arena.memory, this.block.address, options.workers)
    this.control.clearStop()
    for (let rank = 0; rank < options.workers; rank++) this.startWorker(rank, kernels)
  }

  /** Gives every worker a plan; returns the number by which `steps` calls it. */
  bind(plan: Plan, bases: Bases): number {
    const id = this.plans++
    this.send({ kind: 'bind', id, plan, bases })
    return id
  }

  /**
   * Runs steps on the first `workers` ranks; resolves with their reports, in order of rank, once all have left.
   * @throws FaultError, or an error that names worker, batch and cause; the run is then over.
   */
  steps(id: number, steps: Steps, options: StepsOptions): Promise<Report[]> {
    const result = this.turn.then(() => this.failure ?? this.issue(id, steps, options))
    this.turn = result.then(
      () => {},
      () => {},
    )
    return result
  }

  private issue(id: number, steps: Steps, options: StepsOptions): Promise<Report[]> {
    const { prologue, timed = false, workers = this.workers } = options
    return new Promise((resolve, reject) => {
      this.pending = { reports: [], active: workers, resolve, reject }
      this.watch()
      this.send({ kind: 'steps', id, workers, steps, prologue, timed })
    })
  }

  /** Asks for a stop after the step in progress. */
  requestStop(): void {
    this.control.requestStop()
  }

  clearStop(): void {
    this.control.clearStop()
  }

  /** Batch that is being run. */
  get batch(): number {
    return this.control.batch
  }

  announceFilled(count: number): void {
    this.control.announceFilled(count)
  }

  resetFilled(): void {
    this.control.resetFilled()
  }

  /** Lets the workers go; the run is over when it resolves. */
  async end(): Promise<void> {
    this.ending = true
    if (!this.failure) this.send({ kind: 'end' })
    await this.failure?.catch(() => {})
    await Promise.allSettled(this.tasks)
    for (const port of this.ports) port.close()
    this.arena.free(this.block)
  }

  private startWorker(rank: number, kernels: KernelModule): void {
    const { port1, port2 } = new MessageChannel()
    const { workers, spins } = this.options
    const task: RunTask = {
      kernels,
      memory: this.arena.memory,
      control: this.block.address,
      rank,
      workers,
      spins,
      port: port2,
    }
    port1.on('message', (report: Report) => this.report(report))
    port1.unref()
    this.ports.push(port1)
    this.tasks.push(
      this.pool.run(task).then(
        () => this.left(),
        error => this.fail(this.workerError(rank, error)),
      ),
    )
  }

  private send(command: Command): void {
    for (const port of this.ports) port.postMessage(command)
    this.control.announceCommand()
  }

  private report(report: Report): void {
    const { pending } = this
    if (!pending) return
    pending.reports.push(report)
    if (pending.reports.length < pending.active) return
    this.settle()
    pending.resolve(pending.reports.sort((a, b) => a.rank - b.rank))
  }

  /** A task ended without having been told to: it saw an abort, so the control block knows why. */
  private left(): void {
    if (this.ending || this.cause) return
    const aborted = this.control.aborted
    if (aborted?.kind === 'fault') this.fail(new FaultError(aborted.subject, this.control.batch))
    else if (aborted?.kind !== 'worker')
      this.fail(new Error(`a worker left the run in batch ${this.control.batch}`))
  }

  private workerError(rank: number, error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error)
    return new Error(`worker ${rank} of ${this.workers} failed in batch ${this.control.batch}: ${reason}`, {
      cause: error,
    })
  }

  /** The first cause wins. Workers get `graceMs` to leave; then their threads are ended. */
  private fail(error: Error): void {
    if (this.cause) return
    this.cause = error
    this.control.abort('main', 0)
    const { pending } = this
    this.settle()
    const over = this.cleanUp().then((): never => {
      throw error
    })
    this.failure = over
    over.catch(failure => pending?.reject(failure))
  }

  private async cleanUp(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), graceMs)
    })
    const outcome = await Promise.race([Promise.allSettled(this.tasks), late])
    clearTimeout(timer)
    const died = !(this.cause instanceof FaultError)
    if (outcome === 'late' || died) {
      this.broken = true
      await this.pool.close()
    }
  }

  /** Compares heartbeats; a tick that comes late itself (a stopped or sleeping process) starts the clocks anew. */
  private watch(): void {
    const { stallMs } = this.options
    const tickMs = Math.max(10, Math.min(1000, stallMs / 5))
    const seen = Array.from({ length: this.workers }, (_, rank) => ({
      beat: this.control.heartbeat(rank),
      at: performance.now(),
    }))
    let lastTick = performance.now()
    this.timer = setInterval(() => {
      const now = performance.now()
      const late = now - lastTick > 2 * tickMs + 100
      lastTick = now
      for (let rank = 0; rank < (this.pending?.active ?? 0); rank++) {
        const beat = this.control.heartbeat(rank)
        const clock = seen[rank]!
        if (late || beat !== clock.beat) Object.assign(clock, { beat, at: now })
      }
      this.checkStall(seen, now)
    }, tickMs)
  }

  /** Workers behind a hung one wait at a barrier and beat no more either: the one that stopped first is to blame. */
  private checkStall(seen: readonly { at: number }[], now: number): void {
    const active = seen.slice(0, this.pending?.active ?? 0)
    const stalest = active.reduce((worst, clock, rank) => (clock.at < active[worst]!.at ? rank : worst), 0)
    if (active.length === 0 || !active.every(clock => now - clock.at > this.options.stallMs)) return
    const { stallMs } = this.options
    this.fail(
      new Error(
        `worker ${stalest} of ${this.workers} gave no sign of life for ${stallMs} ms in batch ${this.control.batch}; ` +
          'if single kernel calls take that long, raise stallMs',
      ),
    )
  }

  private settle(): void {
    clearInterval(this.timer)
    this.pending = undefined
  }
}
