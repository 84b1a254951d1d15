import { Tensor } from '../data/tensor.ts'
import { checkOptions, finiteNumber, inRange, nonNegativeInteger, show, withDefaults } from '../errors.ts'
import { announcingCallbacks } from './announcing.ts'
import {
  type Awaitable,
  BaseCallback,
  Callback,
  type CallbackState,
  type HookName,
  type Hooks,
  hookNames,
  type Logs,
} from './callback.ts'
import { CheckpointCallback, type CheckpointOptions } from './checkpointing.ts'
import { Convergence, type ConvergenceOptions } from './convergence.ts'
import { epochCallbacks } from './epochCallbacks.ts'
import { checkWatch, improves, type Mode, monitored, worst } from './watch.ts'

class LambdaCallback extends BaseCallback {
  constructor(hooks: Hooks) {
    super()
    checkOptions('lambda', hooks, [...hookNames, 'getState', 'setState'])
    for (const [name, hook] of Object.entries(hooks)) {
      if (hook === undefined || hook === null) continue
      if (typeof hook !== 'function')
        throw new TypeError(`lambda: ${name} must be a function, got ${show(hook)}`)
      this[name as HookName] = hook as () => Awaitable
    }
  }
}

const earlyStoppingDefaults = {
  monitor: 'val_loss',
  minDelta: 0,
  patience: 0,
  verbose: 0 as number | boolean,
  mode: 'auto' as Mode,
  baseline: null as number | null,
  restoreBestWeights: false,
}
export type EarlyStoppingOptions = Partial<typeof earlyStoppingDefaults>

export class EarlyStopping extends Callback {
  readonly options: typeof earlyStoppingDefaults
  private wait = 0
  private best = 0
  private bestForWeights = 0
  private bestWeights: Tensor[] | null = null
  private stoppedEpoch: number | null = null

  constructor(options?: EarlyStoppingOptions) {
    super()
    this.options = withDefaults('earlyStopping', earlyStoppingDefaults, options)
    checkWatch('earlyStopping', this.options)
    nonNegativeInteger('earlyStopping', 'patience', this.options.patience)
    if (this.options.baseline !== null) finiteNumber('earlyStopping', 'baseline', this.options.baseline)
  }

  override onTrainBegin(): void {
    this.wait = 0
    this.stoppedEpoch = null
    this.bestWeights = null
    this.bestForWeights = worst(this.options)
    this.best = this.options.baseline ?? this.bestForWeights
  }

  override onEpochEnd(epoch: number, logs?: Logs): void {
    const current = monitored('earlyStopping', this.options.monitor, logs)
    if (this.options.restoreBestWeights && improves(this.options, current, this.bestForWeights)) {
      this.bestForWeights = current
      this.bestWeights = this.model.getWeights().map(copy)
    }
    if (improves(this.options, current, this.best)) {
      this.best = current
      this.wait = 0
      return
    }
    this.wait++
    if (this.wait < this.options.patience) return
    this.stoppedEpoch = epoch
    this.model.stopTraining = 'earlyStopping'
  }

  override getState(): CallbackState {
    const { wait, best, bestForWeights, bestWeights, stoppedEpoch } = this
    return { wait, best, bestForWeights, bestWeights, stoppedEpoch }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }

  override onTrainEnd(): void {
    if (this.stoppedEpoch !== null && this.options.verbose) {
      console.log(`Epoch ${this.stoppedEpoch}: early stopping.`)
    }
    if (this.bestWeights) this.model.setWeights(this.bestWeights)
    this.bestWeights = null
  }
}

const copy = (weight: Tensor) => new Tensor(weight.values.slice(), weight.shape, weight.dtype, weight.scale)

const plateauDefaults = {
  monitor: 'val_loss',
  factor: 0.1,
  patience: 10,
  verbose: 0 as number | boolean,
  mode: 'auto' as Mode,
  minDelta: 1e-4,
  cooldown: 0,
  minLR: 0,
}
export type ReduceLROnPlateauOptions = Partial<typeof plateauDefaults>

export class ReduceLROnPlateau extends Callback {
  readonly options: typeof plateauDefaults
  private wait = 0
  private cooling = 0
  private best = 0

  constructor(options?: ReduceLROnPlateauOptions) {
    super()
    const where = 'reduceLROnPlateau'
    this.options = withDefaults(where, plateauDefaults, options)
    checkWatch(where, this.options)
    inRange(where, 'factor', this.options.factor, '(0, 1)')
    nonNegativeInteger(where, 'patience', this.options.patience)
    nonNegativeInteger(where, 'cooldown', this.options.cooldown)
    inRange(where, 'minLR', this.options.minLR, '[0, Infinity)')
  }

  override onTrainBegin(): void {
    this.wait = 0
    this.cooling = 0
    this.best = worst(this.options)
  }

  override onEpochEnd(epoch: number, logs?: Logs): void {
    const current = monitored('reduceLROnPlateau', this.options.monitor, logs)
    if (this.cooling > 0) {
      this.cooling--
      this.wait = 0
    }
    if (improves(this.options, current, this.best)) {
      this.best = current
      this.wait = 0
    } else if (this.cooling === 0 && ++this.wait >= this.options.patience) this.reduce(epoch)
  }

  override getState(): CallbackState {
    const { wait, cooling, best } = this
    return { wait, cooling, best }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }

  private reduce(epoch: number): void {
    const rate = this.model.learningRate
    if (!(rate > this.options.minLR)) return
    this.model.learningRate = Math.max(rate * this.options.factor, this.options.minLR)
    this.cooling = this.options.cooldown
    this.wait = 0
    if (this.options.verbose) {
      console.log(`Epoch ${epoch}: learning rate reduced to ${this.model.learningRate}.`)
    }
  }
}

/** Ready-made callbacks for `fit(x, y, { callbacks })`. */
export const callbacks = {
  /**
   * Ends training once `monitor` has not improved by more than `minDelta` for `patience` epochs (or on
   * `baseline`, until it is first beaten). With `restoreBestWeights` the model ends with the weights of its
   * best epoch, whether it stopped early or not. Source: Keras 3. Deviation: TF.js only warns about a missing
   * monitor, and throws for restoreBestWeights.
   * @throws TypeError or RangeError for wrong options; Error at the end of an epoch whose logs lack `monitor`
   */
  earlyStopping: (options?: EarlyStoppingOptions): EarlyStopping => new EarlyStopping(options),
  /**
   * Multiplies the learning rate by `factor`, never below `minLR`, once `monitor` has not improved by more
   * than `minDelta` for `patience` epochs; then waits `cooldown` epochs before it counts again. Source: Keras
   * 3, ReduceLROnPlateau.
   * @throws TypeError or RangeError for wrong options; Error at the end of an epoch whose logs lack `monitor`
   */
  reduceLROnPlateau: (options?: ReduceLROnPlateauOptions): ReduceLROnPlateau =>
    new ReduceLROnPlateau(options),
  /**
   * Ends training once `monitor` stands still: once it has changed by at most `tolerance`·|monitor| from epoch to epoch,
   * `patience` times in a row. The history then says `converged`.
   * @throws TypeError or RangeError for wrong options; Error at the end of an epoch whose logs lack `monitor`
   */
  convergence: (options?: ConvergenceOptions): Callback => new Convergence(options),
  /**
   * Saves all that training is made of into `directory`, from where `fit(x, y, { resume: directory })` goes on to the
   * bits of a training that never ended: every so many `steps`, `epochs` or `seconds` (`every`; each epoch if left
   * out), and at the end. The newest `keep` stay, and with `best: { monitor, mode }` the best one. Training stops only
   * while the weights are copied (`docs/checkpoints.md`).
   * @throws TypeError or RangeError for wrong options; Error from `fit`, after the step, where one cannot be saved
   */
  checkpoint: (options: CheckpointOptions): CheckpointCallback => new CheckpointCallback(options),
  /**
   * Calls functions of yours: `lambda({ onEpochEnd: (epoch, logs) => … })`.
   * @throws TypeError for an unknown hook
   */
  lambda: (hooks: Hooks): BaseCallback => new LambdaCallback(hooks),
  ...epochCallbacks,
  ...announcingCallbacks,
}

/** Any object with hooks will do: callbacks of TF.js extend classes of its own. */
const isCallback = (value: unknown): value is BaseCallback =>
  value instanceof BaseCallback || typeof (value as BaseCallback | null)?.setParams === 'function'

/**
 * What `fit` is given as `callbacks`: one or several callbacks or objects with hooks.
 * @throws TypeError for anything else
 */
export function toCallbacks(
  given: BaseCallback | Hooks | readonly (BaseCallback | Hooks)[] | null | undefined,
): BaseCallback[] {
  if (given === null || given === undefined) return []
  const list = (Array.isArray(given) ? given : [given]) as readonly (BaseCallback | Hooks)[]
  return list.map(item => {
    if (isCallback(item)) return item
    if (typeof item === 'object' && item !== null) return new LambdaCallback(item as Hooks)
    throw new TypeError(`callbacks: each must be a callback or an object with hooks, got ${show(item)}`)
  })
}
