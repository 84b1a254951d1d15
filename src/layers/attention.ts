import { inRange, positiveInteger, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { attention } from '../ops/attention.ts'
import { dense } from '../ops/dense.ts'
import { addPositions } from '../ops/position.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { type Builder, defineJoin, defineLayer, required, weightOptions } from './define.ts'

function checkSequences({ refuse }: Builder, inputs: readonly Value[]): void {
  if (inputs.length > 3)
    refuse(`it must have query, value and key, got ${inputs.length} inputs; give at most three`)
  for (const { shape } of inputs) {
    if (shape.length !== 2) refuse(`an input must have shape [time, features], got [${shape}]; reshape it`)
  }
  const [, value, key] = inputs
  if (key && value && key.shape[0] !== value.shape[0])
    refuse(`value and key must have the same time, got ${value.shape[0]} and ${key.shape[0]}; correct one`)
}

/**
 * Attention of several heads: (time, features) → (time, outputShape). Inputs are the query alone (which is then
 * value and key as well), query and value, or query, value and key, as in Keras. Each head projects them to
 * keyDim and valueDim features; the projections of all heads lie side by side, kernels (features,
 * numHeads·keyDim). Memory for training, a sample: the projections, their gradients and two numbers a query and
 * head; never the scores. Source: Vaswani et al., "Attention Is All You Need" (2017).
 */
export const multiHeadAttention = defineJoin(
  'MultiHeadAttention',
  {
    numHeads: required<number>(),
    /** Features of query and key in each head. */
    keyDim: required<number>(),
    /** Features of the value in each head; keyDim by default. */
    valueDim: null as number | null,
    /** Must be 0: the attention weights are not dropped. */
    dropout: 0,
    useBias: true,
    /** Features of the output; those of the query by default. */
    outputShape: null as number | null,
    /** Whether position i sees positions 0 to i only. */
    useCausalMask: false,
    kernelInitializer: 'glorotUniform' as InitializerIdentifier,
    biasInitializer: 'zeros' as InitializerIdentifier,
    kernelRegularizer: null as RegularizerIdentifier | null,
    biasRegularizer: null as RegularizerIdentifier | null,
  },
  (where, { numHeads, keyDim, valueDim, dropout, outputShape }) => {
    positiveInteger(where, 'numHeads', numHeads)
    positiveInteger(where, 'keyDim', keyDim)
    if (valueDim !== null) positiveInteger(where, 'valueDim', valueDim)
    if (outputShape !== null) positiveInteger(where, 'outputShape', outputShape)
    inRange(where, 'dropout', dropout, '[0, 1)')
    if (dropout !== 0)
      throw new RangeError(
        `${where}: dropout must be 0, got ${show(dropout)}; put layers.dropout() behind it`,
      )
  },
  (builder, inputs, { numHeads: heads, keyDim, valueDim, outputShape, useCausalMask, ...config }) => {
    checkSequences(builder, inputs)
    const { g, weight } = builder
    const [query, value = query!, key = value] = inputs
    const kernel = weightOptions('kernel', config)
    const bias = weightOptions('bias', config)
    const project = (name: string, x: Value, units: number): Value => {
      const w = weight(`${name}/kernel`, [x.shape.at(-1)!, units], kernel)
      return dense(g, x, w, config.useBias ? weight(`${name}/bias`, [units], bias) : undefined)
    }
    const q = project('query', query!, heads * keyDim)
    const k = project('key', key, heads * keyDim)
    const v = project('value', value, heads * (valueDim ?? keyDim))
    const y = attention(g, q, k, v, { heads, causal: useCausalMask })
    return project('attention_output', y, outputShape ?? query!.shape.at(-1)!)
  },
)

/**
 * y = x + p: a learned vector for each position is added to every sample, (time, features) → the same. (KerasHub's
 * layer of this name returns p alone, to be added.)
 */
export const positionEmbedding = defineLayer(
  'PositionEmbedding',
  { initializer: 'glorotUniform' as InitializerIdentifier },
  () => {},
  ({ g, weight, refuse }, x, { initializer }) => {
    if (x.shape.length !== 2)
      refuse(`the input must have shape [time, features], got [${x.shape}]; reshape it`)
    return addPositions(g, x, weight('embeddings', x.shape, { initializer }))
  },
)
