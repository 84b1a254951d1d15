import { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
import { multiHeadAttention, positionEmbedding } from './attention.ts'
import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, flatten, reshape } from './core.ts'
import { inputLayer } from './input.ts'
import { add, average, concatenate, maximum, minimum, multiply, subtract } from './merge.ts'
import { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } from './noise.ts'
import { batchNormalization } from './normalization.ts'
import { categoryEncoding, centerCrop, rescaling, resizing } from './preprocessing.ts'
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
  flatten,
  gaussianDropout,
  gaussianNoise,
  globalAveragePooling2d,
  inputLayer,
  leakyReLU,
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
  softmax,
  spatialDropout1d,
  subtract,
  thresholdedReLU,
  upSampling2d,
  zeroPadding2d,
}
