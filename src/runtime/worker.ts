import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Plan } from '../plan/plan.ts'
import type { Bases } from './binding.ts'
import { Control, RunAborted } from './control.ts'
import { type Pace, Stepper, type Steps } from './stepper.ts'
import { instantiateKernels, type KernelModule, type Kernels } from './tiers.ts'

/** What a Piscina task of a run is given; the task lasts until the run ends. */
export interface RunTask {
  readonly kernels: KernelModule
  readonly memory: WebAssembly.Memory
  /** Address of the control block, laid out for `workers`. */
  readonly control: number
  readonly rank: number
  readonly workers: number
  /** Reads of a counter before a waiting worker sleeps. */
  readonly spins: number
  /** Whether work moves from slow workers to fast ones. */
  readonly balanced: boolean
  /** Commands come in here, reports go out. */
  readonly port: MessagePort
}

/** A plan under a number that later commands use. */
export interface BindCommand {
  readonly kind: 'bind'
  readonly id: number
  readonly plan: Plan
  readonly bases: Bases
}

/** Run some steps of a bound plan with the first `workers` ranks. */
export interface StepsCommand {
  readonly kind: 'steps'
  readonly id: number
  readonly workers: number
  readonly steps: Steps
  /** Recompute what is derived from parameters first: set when they changed since the plan's last step. */
  readonly prologue: boolean
  /** Measure the time at barriers. */
  readonly timed: boolean
}

/** The plan of this number is not needed any more. */
export interface UnbindCommand {
  readonly kind: 'unbind'
  readonly id: number
}

export type Command = BindCommand | UnbindCommand | StepsCommand | { readonly kind: 'end' }

/**
 * What each rank says when it has left a command. Main waits for all: a rank that is late must still find the
 * control block as it was, the decision to stop above all.
 */
export interface Report {
  readonly rank: number
  /** Batch after the last one that was run. */
  readonly next: number
  readonly milliseconds: number
  /** Of the steps that were measured, and how much of that it waited for others. */
  readonly measuredMilliseconds: number
  readonly barrierMilliseconds: number
}

let cached: { module: WebAssembly.Module; memory: WebAssembly.Memory; kernels: Kernels } | undefined

/** Kernels outlive a run: a thread instantiates each module once. */
function kernelsOf({ kernels, memory }: RunTask): Kernels {
  if (cached?.module !== kernels.module || cached.memory !== memory) {
    cached = { module: kernels.module, memory, kernels: instantiateKernels(kernels, memory) }
  }
  return cached.kernels
}

/** A worker of one run: obeys commands until it is told to end or the run is aborted. */
export class Servant implements Pace {
  private readonly task: RunTask
  private readonly kernels: Kernels
  protected readonly control: Control
  private readonly steppers = new Map<number, Stepper>()
  private stepper: Stepper | undefined
  /** Workers that take part in the command. */
  protected active = 1
  private beats = 0
  private generation = 0
  /** Whether this step is measured: when it began, and how long it has waited at barriers. */
  private measured = false
  private stepStart = 0
  private waitedMs = 0
  private measuredMs = 0
  private barrierMs = 0
  private readonly onArrived = () => this.balance()

  constructor(task: RunTask, kernels: Kernels = kernelsOf(task)) {
    this.task = task
    this.kernels = kernels
    this.control = new Control(task.memory, task.control, task.workers)
  }

  /** @throws RunAborted, or whatever a kernel throws. */
  serve(): void {
    const { port, spins } = this.task
    this.beat()
    for (let seen = 0; ; ) {
      this.control.setWaiting(this.task.rank, true)
      seen = this.control.awaitCommand(seen, spins)
      this.rejoin()
      for (let message = receiveMessageOnPort(port); message; message = receiveMessageOnPort(port)) {
        const command = message.message as Command
        if (command.kind === 'end') return
        if (command.kind === 'bind') this.bind(command)
        else if (command.kind === 'unbind') this.steppers.delete(command.id)
        else if (this.task.rank < command.workers) this.runSteps(command)
      }
    }
  }

  beat(): void {
    this.control.beat(this.task.rank, ++this.beats)
  }

  phaseDone(batch: number, last: boolean): void {
    const fault = this.stepper!.fault
    const { rank, spins, balanced } = this.task
    if (fault !== 0) this.control.raiseFault(rank, fault)
    if (last && rank === 0) this.control.decideStop(batch)
    if (this.active === 1) {
      this.control.checkAbort()
      return
    }
    const { measured } = this
    const start = measured ? performance.now() : 0
    if (measured && last) this.control.shares.setBusy(rank, start - this.stepStart - this.waitedMs)
    this.control.setWaiting(rank, true)
    const balances = measured && last && balanced
    this.control.barrier(rank, this.active, this.generation++, spins, balances ? this.onArrived : undefined)
    this.rejoin()
    if (measured) this.waitedMs += performance.now() - start
  }

  /** Called on rank 0 while all others stand still. */
  protected balance(): void {
    const { rows, grain } = this.stepper!.cutRows
    this.control.shares.balance(this.active, rows, grain)
  }

  /** Beats before it is seen to wait no more, so that the time of the wait is not held against it. */
  private rejoin(): void {
    this.beat()
    this.control.setWaiting(this.task.rank, false)
  }

  private runSteps(command: StepsCommand): void {
    const { id, workers, steps, prologue } = command
    const { rank, port } = this.task
    this.active = workers
    this.generation = this.control.generation
    this.measuredMs = 0
    this.barrierMs = 0
    this.stepper = this.steppers.get(id)!
    this.stepper.clearFault()
    const start = performance.now()
    this.control.setBatch(rank, steps.from)
    this.measured = false
    let next = steps.from
    try {
      if (prologue) this.stepper.prologue(this)
      next = this.runBatches(this.stepper, command)
    } catch (error) {
      // Of a fault the main thread hears from the control block, once all have left.
      if (!(error instanceof RunAborted && this.control.aborted?.kind === 'fault')) throw error
    }
    const report: Report = {
      rank,
      next,
      milliseconds: performance.now() - start,
      measuredMilliseconds: this.measuredMs,
      barrierMilliseconds: this.barrierMs,
    }
    port.postMessage(report)
  }

  /** Returns the batch after the last one that was run. */
  private runBatches(stepper: Stepper, { workers, steps, timed }: StepsCommand): number {
    const { rank, spins, balanced } = this.task
    const { shares } = this.control
    for (let batch = steps.from; batch < steps.to; batch++) {
      if (this.control.stopsAt(batch)) return batch
      this.control.setBatch(rank, batch)
      if (steps.slots > 0) this.control.awaitFilled(batch, spins, () => this.beat())
      if (stepper.endsBefore(batch, steps)) return batch
      this.startStep(timed || (balanced && workers > 1 && batch % shares.interval === 0))
      stepper.step(batch, steps, this)
      if (this.measured) this.endMeasured()
    }
    return steps.to
  }

  private startStep(measured: boolean): void {
    this.measured = measured
    this.waitedMs = 0
    if (measured) this.stepStart = performance.now()
  }

  private endMeasured(): void {
    this.measuredMs += performance.now() - this.stepStart
    this.barrierMs += this.waitedMs
  }

  private bind({ id, plan, bases }: BindCommand): void {
    const { memory, rank } = this.task
    const { shares } = this.control
    // V8 may miss that the memory grows while a thread receives it (20 of 10,000 that grew just then, for good), but not this.
    memory.grow(0)
    this.steppers.set(id, new Stepper(plan, bases, { kernels: this.kernels, memory, rank, shares }))
  }
}

/**
 * Serves one run; a failure is announced to the other workers before it is passed on, so that nobody waits
 * for ever.
 */
export function serveRun(task: RunTask, servant: (task: RunTask) => Servant = t => new Servant(t)): void {
  try {
    servant(task).serve()
  } catch (error) {
    if (error instanceof RunAborted) return
    new Control(task.memory, task.control, task.workers).abort('worker', task.rank)
    // Piscina would take null for success.
    throw error instanceof Error ? error : new Error(String(error))
  } finally {
    task.port.close()
  }
}

export default (task: RunTask): void => serveRun(task)
