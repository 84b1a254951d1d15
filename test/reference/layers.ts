import type { Layer } from '../../src/layers/define.ts'
import type * as layers from '../../src/layers/table.ts'
import { nameOf } from '../cases/example.ts'
import { type ActivationLayerOptions, activationLayerReferences } from './activationLayers.ts'
import { activate } from './activations.ts'
import { type Array64, type Context, mapRows, product, zeros } from './arrays.ts'
import { multiHeadAttention } from './attention.ts'
import { type AugmentationOptions, augmentationReferences } from './augmentation.ts'
import { type CellOptions, cellReferences } from './cells.ts'
import { type ConvolutionOptions, convolutionReferences } from './convolution.ts'
import { type JoinOptions, joins } from './joins.ts'
import { type MaskingOptions, maskReferences } from './masks.ts'
import { type NoiseOptions, noiseReferences } from './noise.ts'
import { type PreprocessingOptions, preprocessingReferences } from './preprocessing.ts'
import { gru, lstm, type RecurrentOptions, simpleRNN } from './recurrent.ts'
import { permuted, type ReshapingOptions, reshapingReferences } from './reshaping.ts'
import { type StandardOptions, standardReferences } from './standard.ts'
import { type WrapperOptions, wrapperReferences } from './wrappers.ts'

/** The options of every layer, defaults filled in. */
export interface Options
  extends ActivationLayerOptions,
    AugmentationOptions,
    CellOptions,
    ConvolutionOptions,
    JoinOptions,
    MaskingOptions,
    NoiseOptions,
    PreprocessingOptions,
    RecurrentOptions,
    ReshapingOptions,
    StandardOptions,
    WrapperOptions {
  outputDim: number
  momentum: number
  epsilon: number
  targetShape: readonly number[]
  numHeads: number
  keyDim: number
  valueDim: number | null
  outputShape: number | null
  useCausalMask: boolean
  dropout: number
  /** Of an example: value and key differ from the query. */
  crossed?: boolean
}

/** A layer in float64: y from x (batch first), the weights by name, the layer's saved options. */
export type Reference = (
  x: Array64,
  weights: Readonly<Record<string, Float64Array>>,
  options: Options,
  context: Context,
) => Array64

/** Mean and biased variance of each feature of the last axis. */
function moments({ values }: Array64, n: number): [mean: Float64Array, variance: Float64Array] {
  const rows = values.length / n
  const mean = new Float64Array(n)
  const variance = new Float64Array(n)
  values.forEach((x, i) => (mean[i % n]! += x / rows))
  values.forEach((x, i) => (variance[i % n]! += (x - mean[i % n]!) ** 2 / rows))
  return [mean, variance]
}

const batchNormalization: Reference = (x, weights, { momentum, epsilon }, { training, becomes }) => {
  const n = x.shape.at(-1)!
  const { gamma, beta, moving_mean, moving_variance } = weights
  const [mean, variance] = training ? moments(x, n) : [moving_mean!, moving_variance!]
  if (training) {
    const moved = (old: Float64Array, now: Float64Array) =>
      old.map((value, j) => momentum * value + (1 - momentum) * now[j]!)
    becomes('moving_mean', moved(moving_mean!, mean))
    becomes('moving_variance', moved(moving_variance!, variance))
  }
  const values = x.values.map((value, i) => {
    const j = i % n
    const normalised = (value - mean[j]!) / Math.sqrt(variance[j]! + epsilon)
    return normalised * (gamma ? gamma[j]! : 1) + (beta ? beta[j]! : 0)
  })
  return { shape: x.shape, values }
}

const layerNormalization: Reference = (x, { gamma, beta }, { epsilon }) =>
  mapRows(x, row => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
    return row.map((value, j) => {
      return ((value - mean) / Math.sqrt(variance + epsilon)) * (gamma?.[j] ?? 1) + (beta?.[j] ?? 0)
    })
  })

const embedding: Reference = (x, { embeddings }, { outputDim }) => {
  const y = zeros([...x.shape, outputDim])
  x.values.forEach((row, i) => {
    y.values.set(embeddings!.subarray(row * outputDim, (row + 1) * outputDim), i * outputDim)
  })
  return y
}

const reshape = ({ values, shape: [batch = 0] }: Array64, shape: readonly number[]): Array64 => {
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1)
  return { values, shape: [batch, ...shape.map(n => (n === -1 ? values.length / batch / known : n))] }
}

/** Every layer, naively, in float64. */
export const references: Record<keyof typeof layers, Reference> = {
  ...joins,
  activation: (x, _, { activation }, context) => activate(x, activation, context),
  batchNormalization,
  dense: (x, { kernel, bias }, { units, activation }, context) =>
    activate(product(x, kernel!, bias, units), activation, context),
  embedding,
  flatten(x, _, { dataFormat }) {
    const [batch, first, ...rest] = [...x.shape.keys()]
    return reshape(dataFormat === 'channelsFirst' ? permuted(x, [batch!, ...rest, first!]) : x, [-1])
  },
  gru,
  inputLayer: x => x,
  layerNormalization,
  multiHeadAttention,
  lstm,
  positionEmbedding: (x, { embeddings }) => ({
    shape: x.shape,
    values: x.values.map((value, i) => value + embeddings![i % embeddings!.length]!),
  }),
  reshape: (x, _, { targetShape }) => reshape(x, targetShape),
  ...activationLayerReferences,
  ...augmentationReferences,
  ...cellReferences,
  ...convolutionReferences,
  ...noiseReferences,
  ...maskReferences,
  ...preprocessingReferences,
  ...reshapingReferences,
  ...standardReferences,
  ...wrapperReferences,
  simpleRNN,
}

/** The reference of a layer's kind. */
export const referenceOf = (layer: Layer): Reference => references[nameOf(layer)]
