import { FaultError, type Run, WorkerError } from '../runtime/run.ts'
import { type BaseCallback, type HookName, hasHook, type Logs } from '../training/callback.ts'
import { toCallbacks } from '../training/callbacks.ts'
import type { Course, Validation } from './course.ts'
import { faultMessage } from './faults.ts'
import type { Internals } from './internals.ts'
import { logsOf, sumsNow } from './logs.ts'
import type { TrainingSettings } from './options.ts'
import { finalizeWeights } from './weights.ts'
import { WorkerChoice } from './workerChoice.ts'

/** Why training ended. */
export type Ending = 'epochs' | 'stopTraining' | 'aborted'

/** What `fit` and `fitDataset` resolve with. */
export interface History {
  /** Numbers of the epochs that were finished. */
  epoch: number[]
  /** Loss and metrics of each epoch, by the names that callbacks see. */
  history: Record<string, number[]>
  params: Record<string, unknown>
  /** The seed that decided every random choice. */
  seed: number
  /** Threads that trained. */
  workers: number
  stopped: Ending
}

/** Milliseconds between two reports. */
const defaultProgressMs = 100
/** TensorFlow.js'. */
const defaultYieldMs = 125

/** Hears of training at intervals. */
interface Watcher {
  readonly intervalMs: number
  report(step: number, logs: Logs): void | Promise<void>
}

/** The main thread's side of one training: it gives the workers their commands and tells the callbacks. */
export class Training {
  private readonly where: string
  private readonly model: Internals
  private readonly settings: TrainingSettings
  private readonly callbacks: BaseCallback[]
  private readonly course: Course
  private readonly validation: Validation | undefined
  private readonly choice: WorkerChoice
  private readonly history: History
  /** Ends the command in progress after its step. */
  private readonly stop: AbortController
  /** Whether the workers must derive what they keep of the weights anew. */
  private stale = true
  private epoch = 0
  private validating = false
  private ending: Ending = 'epochs'
  private progressError: unknown

  /** `where` names the method in messages; `stop` ends what is in progress. */
  constructor(
    where: string,
    model: Internals,
    run: Run,
    [course, validation]: readonly [Course, Validation | undefined],
    settings: TrainingSettings,
    stop: AbortController,
  ) {
    this.where = where
    this.model = model
    this.settings = settings
    this.callbacks = toCallbacks(settings.callbacks)
    this.course = course
    this.validation = validation
    this.choice = new WorkerChoice(settings.workers, run.workers)
    this.stop = stop
    const { epochs, seed, verbose } = settings
    const params = { epochs, ...course.params, verbose }
    this.history = { epoch: [], history: {}, params, seed, workers: run.workers, stopped: 'epochs' }
  }

  /** @throws Error that names epoch and step; the weights are then the last snapshot's. */
  async train(): Promise<History> {
    const { model, settings } = this
    const stop = () => this.stop.abort()
    if (settings.signal?.aborted) stop()
    settings.signal?.addEventListener('abort', stop)
    model.whenStopped = stop
    try {
      model.state.takeSnapshot()
      model.own()
      await this.begin()
      for (this.epoch = settings.initialEpoch; this.epoch < settings.epochs && !this.over; this.epoch++)
        await this.trainEpoch()
      await this.course.close()
      finalizeWeights(model)
      await this.tell('onTrainEnd')
      model.own()
      return { ...this.history, workers: this.choice.workers, stopped: this.ending }
    } catch (error) {
      model.state.restoreSnapshot()
      model.own()
      // What went wrong first is told; the dataset's own trouble in ending adds nothing to it.
      await this.course.close().catch(() => {})
      throw this.translated(error)
    } finally {
      settings.signal?.removeEventListener('abort', stop)
      model.whenStopped = undefined
      model.stepsOfEpoch = 0
    }
  }

  private async begin(): Promise<void> {
    this.model.stopTraining = false
    for (const callback of this.callbacks) {
      callback.setParams(this.history.params)
      callback.setModel(this.model)
    }
    await this.tell('onTrainBegin')
  }

  /** Whether training must end, and why. */
  private get over(): boolean {
    if (this.settings.signal?.aborted) this.ending = 'aborted'
    else if (this.model.stopTraining) this.ending = 'stopTraining'
    return this.ending !== 'epochs' || this.progressError !== undefined
  }

  private async trainEpoch(): Promise<void> {
    const { model, course } = this
    course.beginEpoch(this.epoch)
    await this.tell('onEpochBegin', this.epoch)
    const done = await this.watched(() => this.trainBatches())
    if (this.progressError !== undefined) throw this.progressError
    model.compiled.optimizer.iterations += done
    model.stepsOfEpoch = 0
    model.epochsTrained++
    if (done === 0) return
    model.state.takeSnapshot()
    const logs = course.logs()
    if (this.validation && !this.settings.signal?.aborted) Object.assign(logs, await this.validate())
    this.remember(logs)
    await this.tell('onEpochEnd', this.epoch, logs)
  }

  /** Who hears at intervals what the workers have summed so far. */
  private get watchers(): Watcher[] {
    const { onProgress, yieldEvery } = this.settings
    const intervalMs = yieldEvery === 'auto' ? defaultYieldMs : yieldEvery
    const watchers: Watcher[] = []
    if (onProgress) {
      const report = (step: number, logs: Logs) => onProgress.report(step, logs)
      watchers.push({ intervalMs: onProgress.intervalMs ?? defaultProgressMs, report })
    }
    if (typeof intervalMs !== 'number') return watchers
    const yielding = this.callbacks.filter(callback => hasHook(callback, 'onYield'))
    return [...watchers, ...yielding.map(callback => this.watcher(callback, intervalMs))]
  }

  /** Tells a callback, but not while it is still busy. */
  private watcher(callback: BaseCallback, intervalMs: number): Watcher {
    let busy = false
    const report = async (step: number, logs: Logs) => {
      if (busy) return
      busy = true
      await callback.onYield(this.epoch, step - 1, logs)
      busy = false
    }
    return { intervalMs, report }
  }

  /** Reports to the watchers while `run` goes on; the workers are not asked to wait. */
  private async watched<T>(run: () => Promise<T>): Promise<T> {
    const reports = new Set<Promise<void>>()
    const report = async (watcher: Watcher) => {
      try {
        const progress = this.course.progress()
        if (progress) await watcher.report(progress.step, progress.logs)
      } catch (error) {
        this.progressError = error
        this.stop.abort()
      }
    }
    const timers = this.watchers.map(watcher =>
      setInterval(() => {
        const reported = report(watcher).finally(() => reports.delete(reported))
        reports.add(reported)
      }, watcher.intervalMs),
    )
    try {
      return await run()
    } finally {
      timers.forEach(clearInterval)
      await Promise.all(reports)
    }
  }

  /** Runs the epoch's steps; returns how many were made. */
  private async trainBatches(): Promise<number> {
    const each = this.callbacks.some(
      callback => hasHook(callback, 'onBatchBegin') || hasHook(callback, 'onBatchEnd'),
    )
    let next = 0
    while (!this.over) {
      const most = each ? 1 : this.choice.stepsAtOnce
      const size = await this.course.nextSize(next, Number.isFinite(most) ? most : 1)
      if (this.over || size === undefined) break
      const reached = each ? await this.trainOneBatch(next, size) : await this.command(next, next + most)
      if (reached === next) break
      next = reached
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
    const { signal } = this.stop
    const { next, milliseconds } = await this.course.command(from, to, { prologue, workers, signal })
    this.choice.learn(next - from, milliseconds)
    return next
  }

  private async validate(): Promise<Logs> {
    const { workers } = this.choice
    this.validating = true
    const logs = await this.validation!.measure(this.epoch, workers)
    this.validating = false
    return Object.fromEntries(Object.entries(logs ?? {}).map(([key, value]) => [`val_${key}`, value]))
  }

  private remember(logs: Logs): void {
    this.history.epoch.push(this.epoch)
    for (const [key, value] of Object.entries(logs)) (this.history.history[key] ??= []).push(value)
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

  /** An error of the run in the words of training. */
  private translated(error: unknown): unknown {
    if (!(error instanceof FaultError || error instanceof WorkerError)) return error
    const where = `at epoch ${this.epoch}, step ${error.batch}${this.validating ? ' of the validation' : ''}`
    if (error instanceof WorkerError)
      return new Error(`${this.where}: ${error.worker} failed ${where}: ${error.reason}`, { cause: error })
    const { stage } = this.validating ? this.validation! : this.course
    const rate = this.model.compiled.optimizer.learningRate
    return new Error(faultMessage(this.where, stage.plan, error, where, rate))
  }
}
