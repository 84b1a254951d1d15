import { multiHeadAttention, positionEmbedding } from './attention.ts'
import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, dropout, flatten, leakyReLU, reshape } from './core.ts'
import { inputLayer } from './input.ts'
import { add, average, maximum, minimum, multiply, subtract } from './merge.ts'
import { batchNormalization } from './normalization.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  add,
  average,
  averagePooling2d,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  inputLayer,
  leakyReLU,
  maximum,
  maxPooling2d,
  minimum,
  multiHeadAttention,
  multiply,
  positionEmbedding,
  reshape,
  subtract,
}
