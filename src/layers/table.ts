import { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, flatten, reshape } from './core.ts'
import { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } from './noise.ts'
import { batchNormalization } from './normalization.ts'
import { categoryEncoding, centerCrop, rescaling, resizing } from './preprocessing.ts'
import { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } from './reshaping.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  alphaDropout,
  averagePooling2d,
  batchNormalization,
  categoryEncoding,
  centerCrop,
  conv2d,
  cropping2D,
  dense,
  dropout,
  elu,
  flatten,
  gaussianDropout,
  gaussianNoise,
  globalAveragePooling2d,
  leakyReLU,
  maxPooling2d,
  permute,
  prelu,
  reLU,
  repeatVector,
  rescaling,
  reshape,
  resizing,
  softmax,
  spatialDropout1d,
  thresholdedReLU,
  upSampling2d,
  zeroPadding2d,
}
