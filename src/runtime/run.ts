import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Plan } from '../plan/plan.ts'
import type { Arena, Block } from './arena.ts'
import type { Bases } from './binding.ts'
import { Control, controlBytes } from './control.ts'
import type { Pool } from './pool.ts'
import type { Steps } from './stepper.ts'
import type { KernelModule } from './tiers.ts'
import type { Command, Report, RunTask } from './worker.ts'

/** A command ended because a value was not finite; `fault` indexes the plan's `faults`. */
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

/** A run ended because a worker threw, died or hung; `reason` says which. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
  /** Such as `worker 1 of 2`. */
  readonly worker: string
  readonly batch: number
  readonly reason: string
  constructor(worker: string, batch: number, reason: string, options?: ErrorOptions) {
    super(`${worker} failed in batch ${batch}: ${reason}`, options)
    this.worker = worker
    this.batch = batch
    this.reason = reason
  }
}

export interface RunOptions {
  readonly workers: number
  readonly spins: number
  /** Whether work moves from slow workers to fast ones. */
  readonly balanced: boolean
  /** A worker that gives no sign for this long is taken for hung. */
  readonly stallMs: number
}

export interface StepsOptions {
  /** Recompute what is derived from parameters first. */
  readonly prologue: boolean
  readonly timed?: boolean
  /** Ranks that take part; all by default. */
  readonly workers?: number
  /** Ends the command after the step in progress. */
  readonly signal?: AbortSignal | null
  /** Called right before the workers begin, while all stand still: the place for `startStream`. */
  begin?(): void
}

interface Pending {
  reports: Report[]
  active: number
  settled(): void
  resolve(reports: Report[]): void
  reject(error: Error): void
}

/** How long workers may take to leave an aborted run before their threads are ended. */
const graceMs = 200
/** How long a thread may take to start before it is taken for hung, if that is more than `stallMs`. */
const startMs = 30_000

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
    for (let rank = 0; rank < options.workers; rank++) this.startWorker(rank, kernels)
  }

  /** Gives every worker a plan; returns the number by which `steps` calls it. */
  bind(plan: Plan, bases: Bases): number {
    const id = this.plans++
    this.send({ kind: 'bind', id, plan, bases })
    return id
  }

  /** Lets the workers forget a plan. */
  unbind(id: number): void {
    this.send({ kind: 'unbind', id })
  }

  /**
   * Runs steps on the first `workers` ranks; resolves with their reports, in order of rank, once all have
   * left.
   * @throws FaultError; WorkerError, and the run is then over.
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
    const { prologue, timed = false, workers = this.workers, signal } = options
    const { control } = this
    const stop = () => control.requestStop()
    const settled = () => signal?.removeEventListener('abort', stop)
    // All workers have left the command before: none can miss a stop that is cleared here.
    control.clearStop()
    control.setBatch(0, steps.from)
    control.shares.divide(workers)
    options.begin?.()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    return new Promise((resolve, reject) => {
      this.pending = { reports: [], active: workers, settled, resolve, reject }
      this.watch()
      this.send({ kind: 'steps', id, workers, steps, prologue, timed })
    })
  }

  /** Batch that is being run. */
  get batch(): number {
    return this.control.batchOf(0)
  }

  announceFilled(count: number): void {
    this.control.announceFilled(count)
  }

  /** In `begin`: the command streams from this batch on; those before `filled` lie in their slots. */
  startStream(batch: number, filled = batch): void {
    this.control.startStream(batch, filled)
  }

  /** Lets the workers go; the run is over when it resolves. */
  async end(): Promise<void> {
    this.ending = true
    if (!this.failure) this.send({ kind: 'end' })
    await Promise.allSettled(this.tasks)
    await this.failure?.catch(() => {})
    for (const port of this.ports) port.close()
    this.arena.free(this.block)
  }

  private startWorker(rank: number, kernels: KernelModule): void {
    const { port1, port2 } = new MessageChannel()
    const { workers, spins, balanced } = this.options
    const task: RunTask = {
      kernels,
      memory: this.arena.memory,
      control: this.block.address,
      rank,
      workers,
      spins,
      balanced,
      port: port2,
    }
    port1.on('message', (report: Report) => this.report(report))
    port1.unref()
    this.ports.push(port1)
    this.tasks.push(
      this.pool.run(task).then(
        () => this.left(rank),
        error => this.fail(this.workerError(rank, messageOf(error), { cause: error })),
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
    const fault = this.takeFault()
    this.settle()
    if (fault) pending.reject(fault)
    else pending.resolve(pending.reports.sort((a, b) => a.rank - b.rank))
  }

  /** The fault that ended the command, which others that share the run need not hear of. */
  private takeFault(): FaultError | undefined {
    const { control } = this
    const { aborted } = control
    if (aborted?.kind !== 'fault') return undefined
    control.forgetFault()
    return new FaultError(control.faultOf(aborted.rank), control.batchOf(aborted.rank))
  }

  /** A task ended without having been told to: it saw an abort, so the control block knows why. */
  private left(rank: number): void {
    if (this.ending || this.cause) return
    if (this.control.aborted?.kind !== 'worker') this.fail(this.workerError(rank, 'it left the run'))
  }

  private workerError(rank: number, reason: string, options?: ErrorOptions): WorkerError {
    return new WorkerError(`worker ${rank} of ${this.workers}`, this.control.batchOf(rank), reason, options)
  }

  /** The first cause wins. Workers get `graceMs` to leave; then their threads are ended. */
  private fail(error: Error): void {
    if (this.cause) return
    this.cause = error
    this.broken = error instanceof WorkerError
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
    if (outcome === 'late') this.broken = true
    if (this.broken) await this.pool.close()
  }

  /** Compares heartbeats; a tick that is late itself (a stopped or sleeping process) starts the clocks anew. */
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

  /** Workers behind a hung one wait at a barrier and beat no more either: the one that does not is to blame. */
  private checkStall(seen: readonly { beat: number; at: number }[], now: number): void {
    const { stallMs } = this.options
    const stale = seen.slice(0, this.pending?.active ?? 0).map(({ beat, at }) => {
      return now - at > (beat === 0 ? Math.max(stallMs, startMs) : stallMs)
    })
    const hung = stale.findIndex((isStale, rank) => isStale && !this.control.isWaiting(rank))
    if (hung === -1 && !stale.every(Boolean)) return
    const advice = 'if single kernel calls take that long, raise stallMs'
    this.fail(this.workerError(Math.max(0, hung), `it gave no sign of life for ${stallMs} ms; ${advice}`))
  }

  private settle(): void {
    clearInterval(this.timer)
    this.pending?.settled()
    this.pending = undefined
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
