import { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
import { multiHeadAttention, positionEmbedding } from './attention.ts'
import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, flatten, reshape } from './core.ts'
import { embedding } from './embedding.ts'
import { inputLayer } from './input.ts'
import { add, average, concatenate, maximum, minimum, multiply, subtract } from './merge.ts'
import { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } from './noise.ts'
import { batchNormalization, layerNormalization } from './normalization.ts'
import { categoryEncoding, centerCrop, rescaling, resizing } from './preprocessing.ts'
import { gru, lstm, simpleRNN } from './recurrent.ts'
import { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } from './reshaping.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  add,
  alphaDropout,
  average,
  averagePooling2d,
  batchNormalization,
  categoryEncoding,
  centerCrop,
  concatenate,
  conv2d,
  cropping2D,
  dense,
  dropout,
  elu,
  embedding,
  flatten,
  gaussianDropout,
  gaussianNoise,
  globalAveragePooling2d,
  gru,
  inputLayer,
  layerNormalization,
  leakyReLU,
  lstm,
  maximum,
  maxPooling2d,
  minimum,
  multiHeadAttention,
  multiply,
  permute,
  positionEmbedding,
  prelu,
  reLU,
  repeatVector,
  rescaling,
  reshape,
  resizing,
  simpleRNN,
  softmax,
  spatialDropout1d,
  subtract,
  thresholdedReLU,
  upSampling2d,
  zeroPadding2d,
}
