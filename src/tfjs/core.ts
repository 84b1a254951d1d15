import * as tf from '@tensorflow/tfjs'

/** What TensorFlow.js 4.22 keeps in a model and does not declare. */
export interface Core {
  readonly name: string
  readonly layers: tf.layers.Layer[]
  readonly weights: tf.LayerVariable[]
  readonly inputNames: string[]
  readonly outputNames: string[]
  readonly internalOutputShapes: (number | null)[][]
  readonly optimizer: tf.Optimizer | undefined
  /** As `compile` was given them. */
  readonly loss: unknown
  readonly metrics: unknown
  /** Those that `compile` found; made anew by each. */
  readonly collectedTrainableWeights: tf.LayerVariable[]
  history: tf.History
  isTraining: boolean
  stopTraining_: boolean
  getDedupedMetricsNames(): string[]
  fitLoop(...args: unknown[]): Promise<unknown>
}

/** The model that trains: a Sequential has one within, made when it is built. */
export function coreOf(model: tf.LayersModel): Core | undefined {
  const inner = model instanceof tf.Sequential ? (model as unknown as { model?: Core }).model : model
  return inner as unknown as Core | undefined
}

/** What Lockstep cannot take over from TensorFlow.js. */
export class Refusal extends RangeError {}

/** The end of such a message. */
export const wayOut = 'or give { fallback: true } to train in TensorFlow.js'

export const nameOf = (value: unknown): string =>
  typeof value === 'function' ? value.name || 'a function without a name' : String(value)
