import * as convolution from './convolution.ts'
import * as core from './core.ts'
import * as normalization from './normalization.ts'

const { dense, activation, leakyReLU, dropout, flatten, reshape } = core
const { conv2d, maxPooling2d, averagePooling2d, globalAveragePooling2d } = convolution
const { batchNormalization } = normalization

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  averagePooling2d,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  leakyReLU,
  maxPooling2d,
  reshape,
}
