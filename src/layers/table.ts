import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, dropout, flatten, leakyReLU, reshape } from './core.ts'
import { embedding } from './embedding.ts'
import { batchNormalization, layerNormalization } from './normalization.ts'
import { gru, lstm, simpleRNN } from './recurrent.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  averagePooling2d,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling2d,
  gru,
  layerNormalization,
  leakyReLU,
  lstm,
  maxPooling2d,
  reshape,
  simpleRNN,
}
