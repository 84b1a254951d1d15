import { nonNegativeInteger, show } from '../errors.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'

/** Options that every layer takes. */
export interface CommonConfig {
  /** Unique in its model; made from the class name where it is not given. */
  name?: string
  /** Shape of one sample, null for a size that comes with the data; needed on the first layer. */
  inputShape?: readonly (number | null)[]
  /** As inputShape, with the batch axis (null) before it. */
  batchInputShape?: readonly (number | null)[]
  /** Whether the optimizer changes the weights; true by default. */
  trainable?: boolean
  /** Penalty on the outputs, the mean over the samples of which is added to the loss. */
  activityRegularizer?: RegularizerIdentifier | null
  dtype?: string
}

export const commonKeys = [
  'name',
  'inputShape',
  'batchInputShape',
  'trainable',
  'activityRegularizer',
  'dtype',
] as const

/** @throws TypeError or RangeError for a wrong one */
export function checkCommon(where: string, { inputShape, batchInputShape, dtype }: CommonConfig): void {
  const shape = inputShape ?? batchInputShape?.slice(1)
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new TypeError(
      `${where}: inputShape must be an array of sizes, got ${show(shape)}; write inputShape: [784]`,
    )
  }
  for (const size of shape ?? []) if (size !== null) nonNegativeInteger(where, 'a size of inputShape', size)
  if (dtype !== undefined && dtype !== null && dtype !== 'float32') {
    throw new RangeError(`${where}: dtype must be "float32", got ${show(dtype)}; leave it out`)
  }
}
