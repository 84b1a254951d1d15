import { inRange, positiveInteger } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { attention } from '../ops/attention.ts'
import { dense } from '../ops/dense.ts'
import { allOf } from '../ops/masks.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { type Builder, defineJoin } from './define.ts'
import { required, weightOptions } from './options.ts'

/** What attends to what. */
interface Sequences {
  readonly query: Value
  readonly value: Value
  readonly key: Value
  /** (queries, keys) of 1 where a query may attend to a key, else 0. */
  readonly mask: Value | undefined
}

/** The inputs by their meaning. */
function sequencesOf({ refuse }: Builder, inputs: readonly Value[], withMask: boolean): Sequences {
  const mask = withMask ? inputs.at(-1) : undefined
  const sequences = withMask ? inputs.slice(0, -1) : inputs
  const wanted = withMask ? 'query, value, key and the mask' : 'query, value and key'
  if (sequences.length < 1 || sequences.length > 3)
    refuse(`it must have ${wanted}, got ${inputs.length} inputs; value and key may be left out`)
  for (const { shape } of sequences)
    if (shape.length !== 2) refuse(`an input must have shape [time, features], got [${shape}]; reshape it`)
  const [query, value = query!, key = value] = sequences as [Value, Value?, Value?]
  if (key.shape[0] !== value.shape[0])
    refuse(`value and key must have the same time, got ${value.shape[0]} and ${key.shape[0]}; correct one`)
  const pairs = [query.shape[0], key.shape[0]]
  if (mask && String(mask.shape) !== String(pairs))
    refuse(`the mask must have shape [queries, keys], [${pairs}], got [${mask.shape}]; give it last`)
  return { query, value, key, mask }
}

/** The mask of keys: steps that count both in the value and in the key. */
const keyMaskOf = (g: Graph, { value, key }: Sequences): Value | undefined =>
  allOf(
    g,
    [value, key].flatMap(x => g.masks.of(x) ?? []),
  )

/**
 * Attention of several heads: (time, features) → (time, outputShape). Inputs are the query alone (which is then
 * value and key as well), query and value, or query, value and key, as in Keras; behind them the mask of
 * `useAttentionMask`. Each head projects them to keyDim and valueDim features; the projections of all heads lie
 * side by side, kernels (features, numHeads·keyDim). Masked steps of the value and key are not attended to, masked
 * queries attend to nothing. A query that may attend to nothing makes zeros (before the output's projection), where
 * Keras takes the mean of all values.
 *
 * Memory a sample, with a = numHeads·keyDim and b = numHeads·valueDim: queries·(a + b + 2·numHeads) + keys·(a + b)
 * floats, and as many again for the gradients; never the queries·keys scores, nor what was dropped of them. A worker
 * needs about keys·(2·keyDim + valueDim + 129) floats more, for one head. Source: Vaswani et al., "Attention Is
 * All You Need" (2017).
 */
export const multiHeadAttention = defineJoin(
  'MultiHeadAttention',
  {
    numHeads: required<number>(),
    /** Features of query and key in each head. */
    keyDim: required<number>(),
    /** Features of the value in each head; keyDim by default. */
    valueDim: null as number | null,
    /** Probability with which an attention weight is dropped in training. */
    dropout: 0,
    useBias: true,
    /** Features of the output; those of the query by default. */
    outputShape: null as number | null,
    /** Whether position i sees positions 0 to i only. */
    useCausalMask: false,
    /**
     * Whether the last input says who may attend to whom: (queries, keys) of 1 and 0 a sample, Keras' attentionMask.
     * No gradient flows into it.
     */
    useAttentionMask: false,
    kernelInitializer: 'glorotUniform' as InitializerIdentifier,
    biasInitializer: 'zeros' as InitializerIdentifier,
    kernelRegularizer: null as RegularizerIdentifier | null,
    biasRegularizer: null as RegularizerIdentifier | null,
    kernelConstraint: null as ConstraintIdentifier | null,
    biasConstraint: null as ConstraintIdentifier | null,
  },
  (where, { numHeads, keyDim, valueDim, dropout, outputShape }) => {
    positiveInteger(where, 'numHeads', numHeads)
    positiveInteger(where, 'keyDim', keyDim)
    if (valueDim !== null) positiveInteger(where, 'valueDim', valueDim)
    if (outputShape !== null) positiveInteger(where, 'outputShape', outputShape)
    inRange(where, 'dropout', dropout, '[0, 1)')
  },
  (builder, inputs, { numHeads: heads, keyDim, valueDim, outputShape, dropout, ...config }) => {
    const sequences = sequencesOf(builder, inputs, config.useAttentionMask)
    const { query, value, key, mask } = sequences
    const { g, weight } = builder
    const kernel = weightOptions('kernel', config)
    const bias = weightOptions('bias', config)
    const project = (name: string, x: Value, units: number): Value => {
      const w = weight(`${name}/kernel`, [x.shape.at(-1)!, units], kernel)
      return dense(g, x, w, config.useBias ? weight(`${name}/bias`, [units], bias) : undefined)
    }
    const q = project('query', query, heads * keyDim)
    const k = project('key', key, heads * keyDim)
    const v = project('value', value, heads * (valueDim ?? keyDim))
    const masks = { queryMask: g.masks.of(query), keyMask: keyMaskOf(g, sequences), mask }
    const y = attention(g, q, k, v, { heads, causal: config.useCausalMask, dropout, ...masks })
    return project('attention_output', y, outputShape ?? query.shape.at(-1)!)
  },
  'passes',
)
