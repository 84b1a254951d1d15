import type { Tensor } from '../data/tensor.ts'
import type { Trainable } from '../model/trainable.ts'
import { decided, probabilities } from './calibration.ts'
import type { Target } from './encoding.ts'
import type { Field } from './source.ts'
import type { Warnings } from './warnings.ts'

/** Samples that are predicted at once. */
export const predictedRows = 4096

/** What a network says of samples, in the calling thread's memory. */
export async function outputsOf(
  model: Trainable,
  x: Tensor | Tensor[],
  workers: number | 'auto' = 'auto',
): Promise<Float32Array> {
  const outputs = (await model.predictAsync(x, { batchSize: predictedRows, workers })) as Tensor
  return outputs.dataSync() as Float32Array
}

/** What is predicted for a row: what was kept of it, `prediction`, and of classes `probability NAME`. */
export type PredictedRow = Record<string, Field>

/** Predictions as they are made; the warnings are complete once all rows are taken. */
export interface Prediction {
  readonly names: readonly string[]
  readonly rows: AsyncIterable<PredictedRow>
  readonly warnings: Warnings
}

export const predictionNames = (target: Target): string[] => [
  'prediction',
  ...(target.task === 'class' ? target.classes.map(name => `probability ${name}`) : []),
]

/** What a network's outputs for a row say, in the order of `predictionNames`. */
export function valuesOf(target: Target, outputs: ArrayLike<number>, row: number): Field[] {
  if (target.task === 'regression') return [target.mean + target.deviation * outputs[row]!]
  const count = target.classes.length
  const own = Array.from({ length: count }, (_, c) => outputs[row * count + c]!)
  const p = Array.from(probabilities(target, own))
  return [target.classes[decided(target, p, 0)]!, ...p]
}
