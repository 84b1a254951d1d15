import type { Recipe } from '../reference/tfjs.ts'

/** A model to compare with TensorFlow.js, and the shape of its samples. */
export interface Network {
  readonly recipe: Recipe
  readonly input: readonly number[]
  /** Inputs are integers from 0 to `integers` − 1 instead of numbers in ±1. */
  readonly integers?: number
  /** What some steps of the input consist of. */
  readonly padding?: number
}

/** Models of the layers that sequences are made for. */
export const sequenceNetworks: Record<string, Network> = {
  'embedded integers': {
    input: [7],
    integers: 11,
    recipe: [
      ['embedding', { inputDim: 11, outputDim: 18 }],
      ['dense', { units: 5, activation: 'relu' }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'recurrent networks': {
    input: [6, 5],
    recipe: [
      ['lstm', { units: 9, returnSequences: true }],
      ['gru', { units: 7, returnSequences: true, goBackwards: true, recurrentActivation: 'sigmoid' }],
      ['simpleRNN', { units: 6, returnSequences: true, activation: 'relu', unroll: true }],
      ['lstm', { units: 4, unitForgetBias: true, useBias: true, activation: 'elu', implementation: 2 }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'words in order': {
    input: [5],
    integers: 9,
    recipe: [
      ['embedding', { inputDim: 9, outputDim: 6, inputLength: 5 }],
      ['gru', { units: 17, useBias: false }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'masked steps': {
    input: [5, 4],
    padding: 0.25,
    recipe: [
      // TensorFlow.js passes masks on as long as layers take them; what these do is the same.
      ['masking', { maskValue: 0.25 }],
      ['dense', { units: 6, activation: 'tanh' }],
      ['layerNormalization'],
      ['dropout', { rate: 0 }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'recurrent layers behind masks': {
    input: [6, 4],
    padding: 0.25,
    recipe: [
      ['masking', { maskValue: 0.25 }],
      ['lstm', { units: 5, returnSequences: true }],
      ['gru', { units: 4, returnSequences: true, recurrentActivation: 'sigmoid' }],
      ['simpleRNN', { units: 6, goBackwards: true }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'a recurrent layer behind words with padding': {
    input: [6],
    integers: 4,
    recipe: [
      ['embedding', { inputDim: 4, outputDim: 7, maskZero: true, inputLength: 6 }],
      ['lstm', { units: 5, goBackwards: true }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'words with padding': {
    input: [6],
    integers: 4,
    recipe: [
      ['embedding', { inputDim: 4, outputDim: 7, maskZero: true, inputLength: 6 }],
      ['activation', { activation: 'tanh' }],
      ['dense', { units: 5 }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'normalised rows': {
    input: [4, 6],
    recipe: [
      ['dense', { units: 17, activation: 'tanh' }],
      ['layerNormalization', { epsilon: 0.01 }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'layers applied step by step': {
    input: [4, 6, 5, 2],
    recipe: [
      ['timeDistributed', { layer: ['conv2d', { filters: 3, kernelSize: 3, activation: 'tanh' }] }],
      ['timeDistributed', { layer: ['maxPooling2d', { poolSize: 2 }] }],
      ['timeDistributed', { layer: ['flatten', {}] }],
      ['timeDistributed', { layer: ['dense', { units: 5, activation: 'relu' }] }],
      ['timeDistributed', { layer: ['dropout', { rate: 0 }] }],
      ['gru', { units: 4, recurrentActivation: 'sigmoid' }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'sequences of sequences': {
    input: [3, 4, 5],
    recipe: [
      ['timeDistributed', { layer: ['timeDistributed', { layer: ['dense', { units: 6 }] }] }],
      ['timeDistributed', { layer: ['lstm', { units: 5, returnSequences: true }] }],
      ['timeDistributed', { layer: ['globalAveragePooling1d', {}] }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'sequences read both ways': {
    input: [5, 4],
    recipe: [
      ['bidirectional', { layer: ['lstm', { units: 6, returnSequences: true }] }],
      [
        'bidirectional',
        { layer: ['gru', { units: 5, returnSequences: true, goBackwards: true }], mergeMode: 'sum' },
      ],
      ['bidirectional', { layer: ['simpleRNN', { units: 4, returnSequences: true }], mergeMode: 'mul' }],
      ['bidirectional', { layer: ['gru', { units: 5 }], mergeMode: 'ave' }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
  'sequences of sequences read both ways': {
    input: [3, 4, 2],
    recipe: [
      ['timeDistributed', { layer: ['bidirectional', { layer: ['lstm', { units: 3 }] }] }],
      ['bidirectional', { layer: ['lstm', { units: 4 }] }],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
}
