import { nonNegativeInteger, show } from '../errors.ts'
import { defineLayer } from './define.ts'
import { type CommonConfig, checkBatchSize } from './options.ts'
import { addNode, type SymbolicTensor } from './symbolic.ts'

/** Where data enters a model. */
export const inputLayer = defineLayer(
  'InputLayer',
  { sparse: false },
  () => {},
  (_, x) => x,
  'passes',
)

export interface InputConfig {
  /** Shape of one sample, null for a size that comes with the data. */
  shape?: readonly (number | null)[]
  /** As shape, with the batch axis before it: null, or the size of all mini-batches. */
  batchShape?: readonly (number | null)[]
  name?: string
  dtype?: string
}

/** The beginning of a functional model. @throws TypeError or RangeError for a missing or wrong shape */
export function input({ shape, batchShape, ...rest }: InputConfig): SymbolicTensor {
  const sample = shape ?? batchShape?.slice(1)
  if (!Array.isArray(sample))
    throw new TypeError(`input: shape must be given, got ${show(sample)}; write shape: [784]`)
  for (const size of sample) if (size !== null) nonNegativeInteger('input', 'a size of shape', size)
  checkBatchSize('input', 'batchShape', batchShape)
  const batchSize = batchShape?.[0] ?? null
  const common: CommonConfig = { ...rest, batchInputShape: [batchSize, ...sample] }
  return addNode(inputLayer(common), [], [sample], batchSize)[0]!
}
