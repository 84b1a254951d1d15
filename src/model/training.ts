import type { Run } from '../runtime/run.ts'
import { type BaseCallback, type HookName, hasHook, type Logs } from '../training/callback.ts'
import { toCallbacks } from '../training/callbacks.ts'
import { type Counters, countersOf } from './capture.ts'
import type { Continuity } from './continuity.ts'
import type { Course, Validation } from './course.ts'
import { translated } from './faults.ts'
import { addWork, beginHistory, type History, remember, type StopReason } from './history.ts'
import type { Internals } from './internals.ts'
import { SaveError } from './keeper.ts'
import { logsOf, sumsNow } from './logs.ts'
import type { TrainingSettings } from './options.ts'
import { Pace } from './pace.ts'
import { watched, watchersOf } from './watching.ts'
import { finalizeWeights } from './weights.ts'
import { WorkerChoice } from './workerChoice.ts'

/** The main thread's side of one training: it gives the workers their commands and tells the callbacks. */
export class Training {
  private readonly where: string
  private readonly model: Internals
  private readonly settings: TrainingSettings
  private readonly callbacks: BaseCallback[]
  private readonly course: Course
  private readonly validation: Validation | undefined
  private readonly continuity: Continuity
  private readonly choice: WorkerChoice
  private readonly pace = new Pace()
  private readonly history: History
  /** Ends the command in progress after its step. */
  private readonly stop: AbortController
  /** Whether the workers must derive what they keep of the weights anew. */
  private stale = true
  private epoch: number
  /** Batches of the first epoch that were made before training was resumed, until the optimizer counts them. */
  private uncounted: number
  private validating = false
  private outOfTime = false
  private ending: StopReason = 'epochs'
  private progressError: unknown
  /** Whether the epoch in progress was cut short, and saved so. */
  private cut = false

  /** `where` names the method in messages; `stop` ends what is in progress. */
  constructor(
    where: string,
    model: Internals,
    run: Run,
    [course, validation]: readonly [Course, Validation | undefined],
    settings: TrainingSettings,
    stop: AbortController,
    continuity: Continuity,
  ) {
    this.where = where
    this.model = model
    this.settings = settings
    this.callbacks = toCallbacks(settings.callbacks)
    this.course = course
    this.validation = validation
    this.continuity = continuity
    this.choice = new WorkerChoice(settings.workers, run.workers)
    this.stop = stop
    const { epochs, seed, verbose } = settings
    this.history = beginHistory({ epochs, ...course.params, verbose }, seed, run.workers)
    this.epoch = continuity.state?.epoch ?? settings.initialEpoch
    this.uncounted = continuity.state?.batch ?? 0
  }

  /** @throws Error that names epoch and step; the weights are then the last snapshot's, unless a save failed. */
  async train(): Promise<History> {
    const { model, settings } = this
    const stop = () => this.stop.abort()
    if (settings.signal?.aborted) stop()
    settings.signal?.addEventListener('abort', stop)
    model.whenStopped = stop
    const timer = this.startTimer()
    this.keeper?.start()
    const first = this.epoch
    try {
      this.continuity.putBack()
      model.state.takeSnapshot()
      model.own()
      await this.begin()
      for (; this.epoch < settings.epochs && !this.over; this.epoch++)
        await this.trainEpoch(this.epoch === first)
      return await this.end()
    } catch (error) {
      // What went wrong first is told; the dataset's own trouble in ending adds nothing to it.
      await this.course.close().catch(() => {})
      if (!(error instanceof SaveError)) {
        model.state.restoreSnapshot()
        model.compiled.optimizer.iterations += this.uncounted
      }
      model.own()
      throw this.translated(error)
    } finally {
      clearTimeout(timer)
      settings.signal?.removeEventListener('abort', stop)
      model.whenStopped = undefined
      model.stepsOfEpoch = 0
    }
  }

  private startTimer(): NodeJS.Timeout | undefined {
    if (this.settings.maxSeconds === null) return undefined
    return setTimeout(() => {
      this.outOfTime = true
      this.stop.abort()
    }, 1000 * this.settings.maxSeconds)
  }

  private async begin(): Promise<void> {
    this.model.stopTraining = false
    this.model.pace = undefined
    for (const callback of this.callbacks) {
      callback.setParams(this.history.params)
      callback.setModel(this.model)
    }
    await this.tell('onTrainBegin')
    this.continuity.putBack()
    const { state } = this.continuity
    if (!state) return
    const { epoch, columns } = state.history
    Object.assign(this.history, { epoch: [...epoch], history: structuredClone(columns) })
    if (state.stopCause !== null) this.model.stopTraining = state.stopCause
  }

  /** Whether training must end, and why. */
  private get over(): boolean {
    if (this.settings.signal?.aborted) this.ending = 'aborted'
    else if (this.outOfTime) this.ending = 'maxSeconds'
    else if (this.model.stopCause !== undefined) this.ending = this.model.stopCause
    return this.ending !== 'epochs' || this.progressError !== undefined || this.keeper?.failure !== undefined
  }

  /** Whether training ends wherever it is: the epoch in progress does not count. */
  private get cutShort(): boolean {
    return this.over && (this.ending === 'aborted' || this.ending === 'maxSeconds')
  }

  private get keeper() {
    return this.continuity.keeper
  }

  private async trainEpoch(first: boolean): Promise<void> {
    const { model, course } = this
    course.beginEpoch(this.epoch)
    await this.tell('onEpochBegin', this.epoch)
    const counters = countersOf(model)
    const from = first ? await this.continuity.takeUp(course) : 0
    this.pace.begin(course.seen)
    const failed = (error: unknown) => {
      this.progressError = error
      this.stop.abort()
    }
    const watchers = watchersOf(this.settings, this.callbacks, this.epoch)
    const progress = () => course.progress()
    const done = await watched(watchers, progress, failed, () => this.trainBatches(from))
    if (this.progressError !== undefined) throw this.progressError
    model.compiled.optimizer.iterations += done
    model.stepsOfEpoch = 0
    model.epochsTrained++
    this.uncounted = 0
    if (done > 0) model.state.takeSnapshot()
    if (this.keeper?.failure) throw this.keeper.failure
    const logs = done > 0 && !this.cutShort ? await this.measured() : undefined
    if (!logs) return this.cutShort ? this.keepCut(done, counters) : undefined
    remember(this.history, this.epoch, logs)
    model.pace = this.pace.taken(course.seen)
    await this.tell('onEpochEnd', this.epoch, logs)
    const best = this.keeper?.isBest(logs) ?? false
    if (best || this.keeper?.isDueAfter(this.epoch))
      await this.keep({ epoch: this.epoch + 1, batch: 0, best })
  }

  /** Runs the epoch's steps from this batch on; returns at which it ended. */
  private async trainBatches(from: number): Promise<number> {
    const { course, choice, keeper } = this
    const each = this.callbacks.some(
      callback => hasHook(callback, 'onBatchBegin') || hasHook(callback, 'onBatchEnd'),
    )
    const { iterations } = this.model.compiled.optimizer
    let next = from
    while (!this.over) {
      const atOnce = each ? 1 : choice.stepsAtOnce
      const most = Math.min(atOnce, keeper?.stepsLeft(iterations + next) ?? atOnce)
      const size = await course.nextSize(next, Number.isFinite(atOnce) ? most : 1)
      if (this.over || size === undefined) break
      const reached = each ? await this.trainOneBatch(next, size) : await this.command(next, next + most)
      if (reached === next && !keeper?.timeIsUp) break
      next = reached
      if (keeper?.isDue(iterations + next)) await this.keep({ epoch: this.epoch, batch: next })
    }
    return next
  }

  private async trainOneBatch(batch: number, size: number): Promise<number> {
    const { model, course } = this
    await this.tell('onBatchBegin', batch, { batch, size })
    const before = sumsNow(course.stage)
    const reached = await this.command(batch, batch + 1)
    if (reached === batch) return batch
    model.stepsOfEpoch = reached
    const logs = logsOf(course.stage, model.compiled, size, before)
    await this.tell('onBatchEnd', batch, { batch, size, ...logs })
    return reached
  }

  /** Has the workers run batches [from, to); returns the batch they reached. */
  private async command(from: number, to: number): Promise<number> {
    const { workers } = this.choice
    const prologue = this.stale
    this.stale = false
    const pause = new AbortController()
    const end = () => pause.abort()
    this.stop.signal.addEventListener('abort', end)
    if (this.stop.signal.aborted) end()
    if (this.keeper) this.keeper.interrupt = () => (this.keeper!.failure ? this.stop : pause).abort()
    try {
      const { signal } = pause
      const reports = await this.course.command(from, to, { prologue, workers, signal })
      const { next, milliseconds } = reports[0]!
      this.pace.add(reports)
      this.choice.learn(next - from, milliseconds)
      addWork(this.history, next - from, milliseconds)
      return next
    } finally {
      this.stop.signal.removeEventListener('abort', end)
    }
  }

  /** Loss and metrics of the epoch; undefined if the validation was interrupted. */
  private async measured(): Promise<Logs | undefined> {
    const { course, validation } = this
    const logs = course.logs()
    if (!validation) return logs
    this.validating = true
    const held = await validation.measure(this.epoch, this.choice.workers)
    this.validating = false
    if (!held) return undefined
    return {
      ...logs,
      ...Object.fromEntries(Object.entries(held).map(([key, value]) => [`val_${key}`, value])),
    }
  }

  /** Saves an epoch that is cut short, as it was after its last step. */
  private async keepCut(batch: number, counters: Counters): Promise<void> {
    this.cut = true
    await this.keep({ epoch: this.epoch, batch, counters, snapshot: batch > 0 })
  }

  private keep(moment: Parameters<Continuity['keep']>[0]): Promise<void> {
    return this.continuity.keep(moment, this.course, this.history)
  }

  /** The last checkpoint is saved before averages and best weights take the place of the weights. */
  private async end(): Promise<History> {
    const { model, keeper } = this
    if (!this.cut) await this.keep({ epoch: this.epoch, batch: 0 })
    await this.course.close()
    await keeper?.settle()
    finalizeWeights(model)
    await this.tell('onTrainEnd')
    model.own()
    const { resumption } = this.continuity
    return {
      ...this.history,
      workers: this.choice.workers,
      stopReason: this.ending,
      ...(keeper?.path !== undefined && { checkpoint: keeper.path }),
      ...(resumption && { resumed: resumption.told }),
    }
  }

  /** Calls a hook of every callback that has it, one after the other, while the workers stand still. */
  private async tell(hook: HookName, ...args: unknown[]): Promise<void> {
    const listeners = this.callbacks.filter(callback => hasHook(callback, hook))
    if (listeners.length === 0) return
    const { model } = this
    model.use = 'callback'
    model.own()
    try {
      await model.engine.park(async () => {
        for (const listener of listeners) await (listener[hook] as (...args: unknown[]) => unknown)(...args)
      })
    } finally {
      // Callbacks may have changed the weights in another model, or the states.
      model.state.sync()
      model.use = 'training'
      this.stale = true
    }
  }

  private translated(error: unknown): unknown {
    const part = this.validating ? this.validation! : this.course
    const moment = { epoch: this.epoch, validating: this.validating }
    return translated(this.where, error, moment, part, this.model.compiled.optimizer.learningRate)
  }
}
