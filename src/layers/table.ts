import * as core from './core.ts'

const { dense, activation, leakyReLU, dropout, flatten, reshape } = core

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = { activation, dense, dropout, flatten, leakyReLU, reshape }
