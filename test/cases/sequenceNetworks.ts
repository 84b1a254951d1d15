import type { Recipe } from '../reference/tfjs.ts'

/** A model to compare with TensorFlow.js, and the shape of its samples. */
export interface Network {
  readonly recipe: Recipe
  readonly input: readonly number[]
  /** Inputs are integers from 0 to `integers` − 1 instead of numbers in ±1. */
  readonly integers?: number
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
  'normalised rows': {
    input: [4, 6],
    recipe: [
      ['dense', { units: 17, activation: 'tanh' }],
      ['layerNormalization', { epsilon: 0.01 }],
      ['flatten'],
      ['dense', { units: 3, activation: 'softmax' }],
    ],
  },
}
