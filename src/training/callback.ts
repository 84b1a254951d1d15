import type { Tensor } from '../data/tensor.ts'

/** What a moment of training measured: `loss`, `val_loss`, metrics, `batch`, `size`. */
export type Logs = Record<string, number>

/** What callbacks may do with the model that trains. */
export interface TrainingModel {
  /** Set to true, ends training after the step. */
  stopTraining: boolean
  learningRate: number
  getWeights(): Tensor[]
  setWeights(weights: Tensor[]): void
}

export type Awaitable = void | Promise<void>

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
export type Hooks = { [Name in HookName]?: BaseCallback[Name] }

/** Whether a callback listens to this moment. */
export function hasHook(callback: BaseCallback, name: HookName): boolean {
  return typeof callback[name] === 'function' && callback[name] !== BaseCallback.prototype[name]
}
