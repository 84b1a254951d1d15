import type { Parameter } from '../graph/parameter.ts'
import type { Weight } from '../layers/define.ts'
import type { OpenShape } from '../layers/shapes.ts'
import type { Engine } from '../runtime/engine.ts'
import type { EpochPace, TrainingModel } from '../training/callback.ts'
import type { Architecture, Compiled } from './record.ts'
import type { ModelState } from './state.ts'

/** Who uses a model's memory at the moment. */
export type Use = 'idle' | 'training' | 'callback'

/** What training, evaluation and prediction work with: a model seen from inside. */
export interface Internals extends TrainingModel, Architecture {
  readonly name: string
  readonly engine: Engine
  readonly outputShapes: readonly OpenShape[]
  outputShapesFor(inputShapes: readonly (readonly number[])[]): readonly (readonly number[])[]
  readonly inputNames: readonly string[]
  readonly state: ModelState
  readonly weights: readonly Weight[]
  readonly states: readonly Parameter[]
  /** Whether layers keep states from one mini-batch to the next. */
  readonly stateful: boolean
  /** Declares weights and states changed by this model. */
  own(): void
  readonly compiled: Compiled
  use: Use
  /** What `stopTraining` was set to: why training must end. */
  readonly stopCause: string | undefined
  /** Called when `stopTraining` is set to true. */
  whenStopped: (() => void) | undefined
  pace: EpochPace | undefined
  /** Epochs over the life of the model: each is shuffled anew. */
  epochsTrained: number
  /** Updates of the epoch in progress, as far as callbacks hear of them: its end adds them to the optimizer's. */
  stepsOfEpoch: number
}

/** Where predictions read the weights: the last snapshot while workers change them, else the truth. */
export function readableState(model: Internals): number {
  return model.use === 'training' ? model.state.snapshotAddress : model.state.address
}
