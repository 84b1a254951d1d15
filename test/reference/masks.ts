import { type Array64, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'
import type { RecurrentOptions } from './recurrent.ts'
import type { WrapperOptions } from './wrappers.ts'

/** Options of the layers in src/layers/masking.ts and src/layers/positions.ts. */
export interface MaskingOptions {
  maskValue: number
  maskZero: boolean
  maxWavelength: number
}

/** All options that decide whether an output is masked. */
type MaskedOptions = MaskingOptions &
  Pick<RecurrentOptions, 'returnSequences' | 'returnState' | 'seeded'> &
  Pick<WrapperOptions, 'layer'>

/** Class names of the layers that hand a mask on. */
const passing = new Set([
  ...['Activation', 'AlphaDropout', 'BatchNormalization', 'Dense', 'Dropout', 'ELU', 'GaussianDropout'],
  ...[
    'GaussianNoise',
    'InputLayer',
    'LayerNormalization',
    'LeakyReLU',
    'MultiHeadAttention',
    'Normalization',
  ],
  ...[
    'PReLU',
    'PositionEmbedding',
    'ReLU',
    'Rescaling',
    'SinePositionEncoding',
    'Softmax',
    'SpatialDropout1D',
  ],
  ...['ThresholdedReLU', 'TimeDistributed'],
])

/** Whether a layer's output is masked. */
export function isMasked(className: string, options: Partial<MaskedOptions>, before: boolean): boolean {
  const { maskZero, returnState, seeded, layer } = options
  const { returnSequences } = className === 'Bidirectional' ? (layer!.config as typeof options) : options
  if (className === 'Masking' || (className === 'Embedding' && maskZero === true)) return true
  return before && (passing.has(className) || (returnSequences === true && !(seeded && returnState)))
}

/** Which steps of x (samples, steps, …) hold something else than `value`. */
export function stepsOf({ values, shape }: Array64, value: number): Float64Array {
  const n = values.length / (shape[0]! * shape[1]!)
  return Float64Array.from({ length: values.length / n }, (_, step) =>
    Number(values.subarray(step * n, (step + 1) * n).some(x => x !== value)),
  )
}

/** Which steps of each sample count, from its end to its begin. */
export function reversed(steps: Float64Array, time: number): Float64Array {
  return steps.map((_, i) => steps[i - (i % time) + time - 1 - (i % time)]!)
}

/** x where a step counts, else 0. */
const masking: Reference = (x, _weights, _options, { steps }) => {
  const n = x.shape[2]!
  return { shape: x.shape, values: x.values.map((value, i) => (steps![Math.floor(i / n)] === 1 ? value : 0)) }
}

/** The mean of the steps that count; 0 of none. */
const globalAveragePooling1d: Reference = (x, _weights, _options, { steps, masked }) => {
  const [samples, time, channels] = x.shape as [number, number, number]
  const y = zeros([samples, channels])
  for (let s = 0; s < samples; s++) {
    const counted = Array.from({ length: time }, (_, t) => t).filter(
      t => !masked || steps![s * time + t] === 1,
    )
    for (const t of counted) {
      for (let c = 0; c < channels; c++)
        y.values[s * channels + c]! += x.values[(s * time + t) * channels + c]! / counted.length
    }
  }
  return y
}

const sinePositionEncoding: Reference = (x, _weights, { maxWavelength }) => {
  const [time, n] = x.shape.slice(1) as [number, number]
  const values = x.values.map((value, at) => {
    const [i, j] = [Math.floor(at / n) % time, at % n]
    const angle = i / maxWavelength ** ((2 * Math.floor(j / 2)) / n)
    return value + (j % 2 === 0 ? Math.sin(angle) : Math.cos(angle))
  })
  return { shape: x.shape, values }
}

export const maskReferences = { globalAveragePooling1d, masking, sinePositionEncoding } satisfies Record<
  string,
  Reference
>
