import { positiveInteger, show } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import { embed } from '../ops/embedding.ts'
import { stepMask } from '../ops/masks.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { defineLayer, type Layer } from './define.ts'
import { type ConfigOf, required, weightOptions } from './options.ts'

/** Integers reach the kernels as float32, which holds all of them up to here. */
const mostRows = 2 ** 24

const defaults = {
  /** Size of the vocabulary: inputs are integers from 0 to inputDim − 1. */
  inputDim: required<number>(),
  /** Length of the vector of each integer. */
  outputDim: required<number>(),
  embeddingsInitializer: 'randomUniform' as InitializerIdentifier,
  embeddingsRegularizer: null as RegularizerIdentifier | null,
  embeddingsConstraint: null as ConstraintIdentifier | null,
  /** Whether 0 is padding: where the input is 0, the step is masked. */
  maskZero: false,
  /** Integers a sample, all sizes if there are several; says inputShape where that is left out. */
  inputLength: null as number | readonly (number | null)[] | null,
}

const define = defineLayer(
  'Embedding',
  defaults,
  (where, { inputDim, outputDim, inputLength }) => {
    positiveInteger(where, 'inputDim', inputDim)
    positiveInteger(where, 'outputDim', outputDim)
    if (inputDim > mostRows) {
      throw new RangeError(
        `${where}: inputDim must be at most ${mostRows}, got ${inputDim}; merge rare values into one`,
      )
    }
    for (const size of [inputLength].flat()) if (size !== null) positiveInteger(where, 'inputLength', size)
  },
  ({ g, name, weight, refuse }, x, { inputDim, outputDim, maskZero, inputLength, ...config }) => {
    if (sizeOf(x.shape) === 0)
      refuse(
        `the input must have at least one integer, got shape [${x.shape}]; give inputLength or inputShape`,
      )
    const lengths = inputLength === null ? x.shape : [inputLength].flat()
    if (lengths.length !== x.shape.length || lengths.some((n, i) => n !== null && n !== x.shape[i])) {
      refuse(
        `inputLength must be the input's [${x.shape}], got ${show(inputLength)}; correct it or leave it out`,
      )
    }
    if (maskZero && x.shape.length !== 1)
      refuse(
        `with maskZero the input must have shape [steps], got [${x.shape}]; reshape it or leave maskZero out`,
      )
    const w = weight('embeddings', [inputDim, outputDim], weightOptions('embeddings', config))
    const y = embed(g, x, w, name)
    if (maskZero) g.masks.set(y, stepMask(g, x, 0))
    return y
  },
)

/** The vector that each integer of the input names in a table that is learnt: (…) → (…, outputDim). */
export const embedding = Object.assign(
  (config: ConfigOf<typeof defaults>): Layer => {
    const { inputLength = null, inputShape, batchInputShape } = config ?? {}
    const sizes = [inputLength].flat()
    return define(inputShape || batchInputShape ? config : { ...config, inputShape: sizes })
  },
  { className: define.className, defaults },
)
