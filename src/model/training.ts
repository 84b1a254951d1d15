import type { Block } from '../runtime/arena.ts'
import { FaultError, type Run, WorkerError } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import { type BaseCallback, type HookName, hasHook, type Logs } from '../training/callback.ts'
import { toCallbacks } from '../training/callbacks.ts'
import type { Claims } from './claims.ts'
import { faultMessage } from './faults.ts'
import type { FitData } from './fitData.ts'
import type { Internals } from './internals.ts'
import { inOrder } from './local.ts'
import { logsOf, sumsNow } from './logs.ts'
import type { FitSettings } from './options.ts'
import { Program } from './program.ts'
import { splitSeed } from './randomness.ts'
import { finalizeWeights } from './weights.ts'
import { WorkerChoice } from './workerChoice.ts'

/** Why training ended. */
export type Ending = 'epochs' | 'stopTraining' | 'aborted'

/** What `fit` resolves with. */
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

/** The main thread's side of one `fit`: it gives the workers their commands and tells the callbacks. */
export class Training {
  private readonly model: Internals
  private readonly run: Run
  private readonly data: FitData
  private readonly settings: FitSettings
  private readonly callbacks: BaseCallback[]
  private readonly program: Program
  private readonly validation: Program | undefined
  private readonly order: Block
  private readonly rates: Block
  private readonly choice: WorkerChoice
  private readonly history: History
  /** Whether the workers must derive what they keep of the weights anew. */
  private stale = true
  private epoch = 0
  private validating = false
  private ending: Ending = 'epochs'
  /** Ends the command in progress after its step. */
  private readonly stop = new AbortController()
  private progressError: unknown

  constructor(claims: Claims, model: Internals, run: Run, data: FitData, settings: FitSettings) {
    this.model = model
    this.run = run
    this.data = data
    this.settings = settings
    this.callbacks = toCallbacks(settings.callbacks)
    this.order = claims.allocate(4 * data.training.count, 'the order of the samples')
    this.rates = claims.allocate(4 * this.stepsPerEpoch, 'the learning rates')
    this.choice = new WorkerChoice(settings.workers, run.workers)
    const { batchSize, accumulate } = settings
    const shared = { batchSize, stream: settings.stream ?? undefined }
    const order = this.order.address
    this.program = new Program(claims, model, run, data.training, {
      ...shared,
      mode: 'train',
      order,
      accumulate,
    })
    const held = { ...shared, mode: 'evaluate', order: undefined, accumulate: false } as const
    this.validation = data.validation && new Program(claims, model, run, data.validation, held)
    const { epochs, seed, verbose } = settings
    const samples = data.training.count
    const params = { epochs, batchSize, samples, steps: this.stepsPerEpoch, verbose }
    this.history = { epoch: [], history: {}, params, seed, workers: run.workers, stopped: 'epochs' }
  }

  /** @throws Error that names epoch and step; the weights are then the last snapshot's. */
  async train(): Promise<History> {
    const { model, settings } = this
    const stop = () => this.stop.abort()
    settings.signal?.addEventListener('abort', stop)
    model.whenStopped = stop
    try {
      model.state.takeSnapshot()
      model.state.own(model.weights)
      await this.begin()
      for (this.epoch = settings.initialEpoch; this.epoch < settings.epochs && !this.over; this.epoch++)
        await this.trainEpoch()
      finalizeWeights(model)
      await this.tell('onTrainEnd')
      model.state.own(model.weights)
      return { ...this.history, workers: this.choice.workers, stopped: this.ending }
    } catch (error) {
      model.state.restoreSnapshot()
      model.state.own(model.weights)
      throw this.translated(error)
    } finally {
      settings.signal?.removeEventListener('abort', stop)
      model.whenStopped = undefined
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

  private get stepsPerEpoch(): number {
    const all = Math.ceil(this.data.training.count / this.settings.batchSize)
    return Math.min(all, this.settings.stepsPerEpoch ?? all)
  }

  private async trainEpoch(): Promise<void> {
    const { model } = this
    const { stage } = this.program
    this.shuffle()
    stage.clearTotals()
    await this.tell('onEpochBegin', this.epoch)
    const progress = this.reportProgress()
    const done = await this.trainBatches().finally(() => clearInterval(progress))
    if (this.progressError !== undefined) throw this.progressError
    const seen = Math.min(done * this.settings.batchSize, this.data.training.count)
    model.compiled.optimizer.iterations += done
    model.epochsTrained++
    if (seen === 0) return
    model.state.takeSnapshot()
    const logs = logsOf(stage, model.compiled, seen)
    if (this.validation && !this.settings.signal?.aborted) Object.assign(logs, await this.validate())
    this.remember(logs)
    await this.tell('onEpochEnd', this.epoch, logs)
  }

  /** Reports at intervals what the workers have summed so far; they are not asked to wait. */
  private reportProgress(): NodeJS.Timeout | undefined {
    const { onProgress, batchSize } = this.settings
    if (!onProgress) return undefined
    return setInterval(() => {
      const step = this.run.batch
      if (step === 0) return
      try {
        onProgress.report(step, logsOf(this.program.stage, this.model.compiled, step * batchSize))
      } catch (error) {
        this.progressError = error
        this.stop.abort()
      }
    }, onProgress.intervalMs ?? 100)
  }

  /** Runs the epoch's steps; returns how many were made. */
  private async trainBatches(): Promise<number> {
    const each = this.callbacks.some(
      callback => hasHook(callback, 'onBatchBegin') || hasHook(callback, 'onBatchEnd'),
    )
    let next = 0
    while (next < this.stepsPerEpoch && !this.over) {
      if (each) await this.trainOneBatch(next++)
      else {
        const reached = await this.command(next, next + this.choice.stepsAtOnce(this.stepsPerEpoch - next))
        if (reached === next) break
        next = reached
      }
    }
    return next
  }

  private async trainOneBatch(batch: number): Promise<void> {
    const { model } = this
    const { stage } = this.program
    const { batchSize } = this.settings
    const size = Math.min(batchSize, this.data.training.count - batch * batchSize)
    await this.tell('onBatchBegin', batch, { batch, size })
    const before = sumsNow(stage)
    await this.command(batch, batch + 1)
    await this.tell('onBatchEnd', batch, { batch, size, ...logsOf(stage, model.compiled, size, before) })
  }

  /** Has the workers run batches [from, to); returns the batch they reached. */
  private async command(from: number, to: number): Promise<number> {
    this.writeRates(from, to)
    const { workers } = this.choice
    const prologue = this.stale
    this.stale = false
    const { signal } = this.stop
    const [report] = await this.program.steps(
      this.steps(from, to),
      { prologue, workers, signal },
      this.orderNow,
    )
    this.choice.learn(to - from, report!.milliseconds)
    return report!.next
  }

  private steps(from: number, to: number): Steps {
    const { batchSize, seed } = this.settings
    const { count } = this.data.training
    const stepsBefore = this.model.compiled.optimizer.iterations
    const { address: rates } = this.rates
    return { from, to, batchSize, count, start: 0, stepsBefore, seed: splitSeed(seed), rates, slots: 0 }
  }

  private writeRates(from: number, to: number): void {
    const { optimizer } = this.model.compiled
    const rates = new Float32Array(
      this.model.engine.arena.memory.buffer,
      this.rates.address,
      this.stepsPerEpoch,
    )
    for (let batch = from; batch < to; batch++) rates[batch] = optimizer.rateAt(optimizer.iterations + batch)
  }

  /** The samples in the order of this epoch. */
  private get orderNow(): Int32Array {
    return new Int32Array(this.model.engine.arena.memory.buffer, this.order.address, this.data.training.count)
  }

  /** Orders the samples anew, keyed by seed and lifetime epoch. */
  private shuffle(): void {
    const { engine, epochsTrained } = this.model
    const { count } = this.data.training
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

  private async validate(): Promise<Logs> {
    const validation = this.validation!
    const { stage, part } = validation
    stage.clearTotals()
    const { workers } = this.choice
    this.validating = true
    await validation.steps(inOrder(part.count, stage.plan.rows, part.start), { prologue: true, workers })
    this.validating = false
    const logs = logsOf(stage, this.model.compiled, part.count)
    return Object.fromEntries(Object.entries(logs).map(([key, value]) => [`val_${key}`, value]))
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
    model.state.own(model.weights)
    try {
      await model.engine.park(async () => {
        for (const listener of listeners) await (listener[hook] as (...args: unknown[]) => unknown)(...args)
      })
    } finally {
      model.use = 'training'
      this.stale = true
    }
  }

  /** An error of the run in the words of training. */
  private translated(error: unknown): unknown {
    if (!(error instanceof FaultError || error instanceof WorkerError)) return error
    const where = `at epoch ${this.epoch}, step ${error.batch}${this.validating ? ' of the validation' : ''}`
    if (error instanceof WorkerError)
      return new Error(`fit: ${error.worker} failed ${where}: ${error.reason}`, { cause: error })
    const program = this.validating ? this.validation! : this.program
    const rate = this.model.compiled.optimizer.learningRate
    return new Error(faultMessage('fit', program.stage.plan, error, where, rate))
  }
}
