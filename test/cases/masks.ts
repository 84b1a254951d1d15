import { cross, of } from './example.ts'
import { gated, seededExamples } from './sequences.ts'

/** Steps and features. */
const shapes = [
  [1, 1],
  [4, 3],
  [7, 8],
  [5, 17],
  [3, 40],
] as const
/** Options and the layers that they are for, behind a masking layer. */
const behind = (name: Parameters<typeof of>[0], options: object = {}) =>
  shapes.slice(1, 4).map((input, i) => of(name)(options, input, { samples: 3 + i, masked: true }))

/** Examples of what masks, of what masks do to the layers behind, and of positions. */
export const maskExamples = {
  masking: [
    ...cross([0, -1.5], shapes).map(([maskValue, input]) =>
      of('masking')({ maskValue }, input, { samples: 4 }),
    ),
    ...behind('masking'),
  ],
  sinePositionEncoding: cross([{}, { maxWavelength: 100 }], [...shapes, [70, 5]] as const).map(
    ([options, input]) => of('sinePositionEncoding')(options, input, { samples: 2 }),
  ),
}

/** Recurrent layers whose steps do not all count. */
const recurrentBehind = (name: 'gru' | 'lstm' | 'simpleRNN', options: object = {}) => [
  ...cross([false, true], [false, true]).flatMap(([returnSequences, goBackwards]) =>
    behind(name, { ...options, units: 5, returnSequences, goBackwards }),
  ),
  ...behind(name, { ...options, units: 17, recurrentDropout: 0.4 }),
  ...behind(name, { ...options, units: 3, recurrentDropout: 0.4, dropout: 0.2, returnSequences: true }),
  ...seededExamples(name, options, true),
]

/** Examples of the layers of other files behind a masking layer. */
export const maskedExamples = {
  alphaDropout: behind('alphaDropout', { rate: 0.4 }),
  activation: [
    ...behind('activation', { activation: 'tanh' }),
    ...behind('activation', { activation: 'softmax' }),
  ],
  batchNormalization: behind('batchNormalization'),
  dense: [...behind('dense', { units: 5 }), ...behind('dense', { units: 17, activation: 'sigmoid' })],
  averagePooling1d: behind('averagePooling1d'),
  conv1d: behind('conv1d', { filters: 5, kernelSize: 2 }),
  dropout: behind('dropout', { rate: 0.4 }),
  embedding: shapes.map(([steps, outputDim], i) =>
    of('embedding')({ inputDim: 3, outputDim, maskZero: true }, [steps], { integers: 3, samples: 3 + i }),
  ),
  flatten: behind('flatten'),
  gaussianDropout: behind('gaussianDropout', { rate: 0.4 }),
  gaussianNoise: behind('gaussianNoise', { stddev: 0.5 }),
  globalAveragePooling1d: behind('globalAveragePooling1d'),
  gru: [...recurrentBehind('gru', gated), ...recurrentBehind('gru', { ...gated, resetAfter: true })],
  lstm: recurrentBehind('lstm', gated),
  simpleRNN: recurrentBehind('simpleRNN'),
  inputLayer: behind('inputLayer'),
  layerNormalization: behind('layerNormalization', { epsilon: 0.1 }),
  multiHeadAttention: [
    ...behind('multiHeadAttention', { numHeads: 2, keyDim: 4, useBias: false }),
    ...behind('multiHeadAttention', { numHeads: 3, keyDim: 5, useCausalMask: true, useBias: false }),
    ...behind('multiHeadAttention', { numHeads: 2, keyDim: 3, dropout: 0.3, useBias: false }),
  ],
  normalization: behind('normalization', { mean: 0.5, variance: 2 }),
  permute: behind('permute', { dims: [2, 1] }),
  positionEmbedding: behind('positionEmbedding'),
  rescaling: behind('rescaling', { scale: 0.5, offset: 0.25 }),
  reshape: behind('reshape', { targetShape: [-1, 1] }),
  sinePositionEncoding: behind('sinePositionEncoding'),
  softmax: behind('softmax'),
  spatialDropout1d: behind('spatialDropout1d', { rate: 0.4 }),
  thresholdedReLU: behind('thresholdedReLU', { theta: 0.3 }),
}
