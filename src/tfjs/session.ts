import * as tf from '@tensorflow/tfjs'
import { type Hooks, type Logs, BaseCallback as Ours } from '../training/callback.ts'
import type { Core } from './core.ts'
import type { Twin } from './twin.ts'

/** Above tf.Callback: TensorFlow.js does not export it. */
const BaseCallback = Object.getPrototypeOf(tf.Callback) as new () => tf.Callback

type YieldEvery = ConstructorParameters<typeof tf.CustomCallback>[1]
type HookName = 'onBatchBegin' | 'onBatchEnd'
const fieldOf = { onBatchBegin: 'batchBegin', onBatchEnd: 'batchEnd' } as const

/** Whether a callback listens to batches. */
function hearsBatches(callback: tf.Callback): boolean {
  const names: HookName[] = ['onBatchBegin', 'onBatchEnd']
  if (!(callback instanceof tf.CustomCallback))
    return names.some(name => callback[name] !== BaseCallback.prototype[name])
  const hooks = callback as unknown as Record<string, unknown>
  return [...names.map(name => fieldOf[name]), 'yield'].some(field => hooks[field])
}

/** Callbacks as TensorFlow.js takes them: its own, or objects of functions. */
function standardized(given: unknown, yieldEvery: YieldEvery | undefined): tf.Callback[] {
  const list = [given ?? []].flat() as tf.Callback[]
  const ours = list.find(callback => callback instanceof Ours)
  if (ours)
    throw new TypeError(
      `fit: callbacks of an accelerated model must be those of TensorFlow.js or objects of functions, got ` +
        `Lockstep's ${ours.constructor.name}; take tf.callbacks.earlyStopping(), say`,
    )
  if (list[0] instanceof BaseCallback) return list
  return list.map(
    hooks => new tf.CustomCallback(hooks as tf.CustomCallbackArgs, yieldEvery) as unknown as tf.Callback,
  )
}

/**
 * Callbacks that every run of TensorFlow.js has, progress bars say. Only its own loop makes them, and gives them to
 * a list: it is stopped there.
 */
function registered(core: Core, verbose: number): tf.Callback[] {
  const { prototype } = tf.CallbackList
  const { setParams } = prototype
  let made: tf.Callback[] = []
  prototype.setParams = function (this: tf.CallbackList) {
    made = this.callbacks as tf.Callback[]
    throw new Error('stopped')
  }
  try {
    core.fitLoop(null, [{ shape: [0] }], [], 1, 0, verbose, [], null, []).catch(() => {})
  } finally {
    prototype.setParams = setParams
  }
  // The first keeps means of the logs, the last is a History.
  return made.slice(1, -1)
}

/** What callbacks are told of a run. */
export interface RunParams {
  readonly epochs: number
  readonly initialEpoch: number | null
  readonly samples: number | null
  readonly steps: number | null
  readonly batchSize: number | null
  readonly doValidation: boolean
}

interface Listening {
  readonly callbacks?: unknown
  readonly yieldEvery?: YieldEvery
  readonly verbose?: number
}

/** One training: between Lockstep's hooks and the callbacks of TensorFlow.js, which see its model as it is. */
export class Session {
  private readonly twin: Twin
  private readonly core: Core
  private readonly params: RunParams & { verbose: number; metrics: string[] }
  private readonly labels: readonly string[]
  private readonly history = new tf.History()
  private readonly list: tf.CallbackList
  private readonly each: boolean
  /** Whether logs hold scalars: callbacks of the caller's own classes may call their methods. */
  private readonly scalars: boolean
  private readonly lastBatch: number
  private epoch = 0
  private began = false
  /** Whether the epoch was ended before its last batch. */
  private cut = false

  /** `lastBatch` is the number of the batch after which TensorFlow.js validates, whatever comes; NaN for none. */
  constructor(
    twin: Twin,
    params: RunParams,
    lastBatch: number,
    { callbacks, yieldEvery, verbose }: Listening,
  ) {
    const { core } = twin
    const listeners = [...registered(core, verbose ?? 1), ...standardized(callbacks, yieldEvery)]
    this.twin = twin
    this.core = core
    this.lastBatch = lastBatch
    this.labels = core.getDedupedMetricsNames()
    const measured = params.doValidation
      ? [...this.labels, ...this.labels.map(ofValidation)]
      : [...this.labels]
    this.params = { ...params, verbose: verbose ?? 1, metrics: measured }
    this.list = new tf.CallbackList([...listeners, this.history as unknown as tf.Callback])
    this.each = listeners.some(hearsBatches)
    const own = [tf.CustomCallback, tf.EarlyStopping]
    this.scalars = listeners.some(callback => !own.some(kind => callback instanceof kind))
  }

  /** @throws Error while the model is training; what `train` throws, the model then as at the last epoch's end */
  async run(train: (hooks: Hooks) => Promise<unknown>): Promise<tf.History> {
    const { core, twin } = this
    if (core.isTraining)
      throw new Error(`accelerate: ${core.name} must not be training, got another fit(); wait for it to end`)
    core.isTraining = true
    this.watchStopTraining()
    try {
      twin.pull()
      await train(this.hooks)
    } catch (error) {
      if (this.began) twin.publish()
      throw error
    } finally {
      delete (core as { stopTraining?: boolean }).stopTraining
      core.isTraining = false
    }
    await this.history.syncData()
    return this.history
  }

  /** Ends an epoch that had no batch, and training. */
  async endEmpty(): Promise<void> {
    await this.list.onEpochEnd(this.epoch, {})
    await this.list.onTrainEnd()
    this.twin.forget()
  }

  private get hooks(): Hooks {
    const { list } = this
    const hooks: Hooks = {
      onTrainBegin: () => this.beginTraining(),
      onTrainEnd: () => list.onTrainEnd(),
      onEpochBegin: epoch => this.beginEpoch(epoch),
      onEpochEnd: (epoch, logs) => this.endEpoch(epoch, logs!),
    }
    if (!this.each) return hooks
    return {
      ...hooks,
      onBatchBegin: async (batch, logs) => {
        // In fit, TensorFlow.js fills them in later.
        await list.onBatchBegin(batch, this.params.samples === null ? { ...logs } : {})
        this.twin.pull()
      },
      onBatchEnd: (batch, logs) => this.endBatch(batch, logs!),
    }
  }

  private async beginTraining(): Promise<void> {
    const { list, core } = this
    this.began = true
    list.setParams(this.params as unknown as Parameters<typeof list.setParams>[0])
    list.setModel(core as never)
    core.history = this.history
    await list.onTrainBegin()
    core.stopTraining_ = false
    this.twin.pull()
  }

  private async beginEpoch(epoch: number): Promise<void> {
    this.epoch = epoch
    this.cut = false
    await this.list.onEpochBegin(epoch)
    this.twin.pull()
    // TensorFlow.js makes a step before it looks whether it is to stop.
    if (this.core.stopTraining_ && !this.each) setImmediate(() => this.stop())
  }

  private async endBatch(batch: number, { batch: _, size, ...measured }: Logs): Promise<void> {
    const { list, twin, core } = this
    twin.publishWeights(twin.iterations + batch + 1)
    const logs = { batch, size: size!, ...this.named(Object.values(measured), this.labels) }
    await list.onBatchEnd(batch, logs)
    tf.dispose(logs)
    twin.pull()
    if (!core.stopTraining_) return
    this.cut = batch !== this.lastBatch
    this.stop()
  }

  private async endEpoch(epoch: number, measured: Logs): Promise<void> {
    const { list, twin, core, labels } = this
    const cut = this.cut || (!this.each && core.stopTraining_)
    const values = Object.values(measured)
    const [loss, ...others] = values.slice(labels.length)
    const held = loss === undefined || cut ? [] : [loss - twin.penalty, ...others]
    twin.publish()
    const logs = { ...this.named(held, labels.map(ofValidation)), ...this.named(values, labels) }
    await list.onEpochEnd(epoch, logs)
    twin.pull()
    if (core.stopTraining_) this.stop()
  }

  /** Numbers under as many of the names, as TensorFlow.js gives them to its callbacks. */
  private named(values: readonly number[], labels: readonly string[]): Record<string, number> {
    const count = Math.min(values.length, labels.length)
    const entries = labels
      .slice(0, count)
      .map((label, i) => [label, this.scalars ? tf.scalar(values[i]!) : values[i]!])
    return Object.fromEntries(entries) as Record<string, number>
  }

  /** While workers train, a stop takes effect at once; in a hook, where TensorFlow.js looks for it. */
  private watchStopTraining(): void {
    const { core, twin } = this
    Object.defineProperty(core, 'stopTraining', {
      configurable: true,
      get: () => core.stopTraining_,
      set: (stop: boolean) => {
        core.stopTraining_ = stop
        if (stop && twin.model.use === 'training') this.stop()
      },
    })
  }

  private stop(): void {
    this.twin.model.stopTraining = true
  }
}

const ofValidation = (label: string): string => `val_${label}`
