import type { Tensor } from '../data/tensor.ts'

/** What a moment of training measured: `loss`, `val_loss`, metrics, `batch`, `size`. */
export type Logs = Record<string, number>

/** What an epoch took, validation and callbacks left out. */
export interface EpochPace {
  readonly samples: number
  readonly seconds: number
  /** Share of the time that each worker waited for the others, measured in some of the steps; of one worker none. */
  readonly barrierShares: readonly number[]
}

/** What callbacks may do with the model that trains. */
export interface TrainingModel {
  get stopTraining(): boolean
  /** Set to true, ends training after the step; set to a text, the history says so: 'converged'. */
  set stopTraining(stop: boolean | string)
  learningRate: number
  /** Of the last epoch that was finished in the training in progress. */
  readonly pace?: EpochPace | undefined
  getWeights(): Tensor[]
  setWeights(weights: Tensor[]): void
}

export type Awaitable = void | Promise<void>

/** What a checkpoint may hold of a callback: plain data, numbers of every kind, typed arrays and tensors. */
export type CallbackState = Readonly<Record<string, unknown>>

/**
 * Moments of training that a callback is told about; training waits for a promise. Epochs and batches count
 * from 0. A hook that a callback leaves alone costs nothing (`hasHook`).
 */
export class BaseCallback {
  params: Record<string, unknown> = {}
  validationData: unknown = null

  setParams(params: Record<string, unknown>): void {
    this.params = params
  }

  setModel(_model: TrainingModel): void {}
  onTrainBegin(_logs?: Logs): Awaitable {}
  onTrainEnd(_logs?: Logs): Awaitable {}
  onEpochBegin(_epoch: number, _logs?: Logs): Awaitable {}
  onEpochEnd(_epoch: number, _logs?: Logs): Awaitable {}
  onBatchBegin(_batch: number, _logs?: Logs): Awaitable {}
  onBatchEnd(_batch: number, _logs?: Logs): Awaitable {}
  onYield(_epoch: number, _batch: number, _logs?: Logs): Awaitable {}

  /** What a checkpoint must hold of this callback, so that a resumed training goes on as if it had never ended. */
  getState(): CallbackState | undefined {
    return undefined
  }

  /**
   * Takes over what `getState` gave: in a training that is resumed, after onTrainBegin and, in the middle of an
   * epoch, after onEpochBegin.
   */
  setState(_state: CallbackState): void {}
}

/** A callback that knows its model: the class to extend. */
export class Callback extends BaseCallback {
  model!: TrainingModel

  override setModel(model: TrainingModel): void {
    this.model = model
  }
}

export const hookNames = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onBatchBegin',
  'onBatchEnd',
  'onYield',
] as const
export type HookName = (typeof hookNames)[number]
export type Hooks = { [Name in HookName | 'getState' | 'setState']?: BaseCallback[Name] }

/** Whether a callback listens to this moment. */
export function hasHook(callback: BaseCallback, name: HookName): boolean {
  return typeof callback[name] === 'function' && callback[name] !== BaseCallback.prototype[name]
}
