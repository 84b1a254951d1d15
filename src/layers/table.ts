import { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
import { averagePooling2d, conv2d, globalAveragePooling2d, maxPooling2d } from './convolution.ts'
import { activation, dense, dropout, flatten, reshape } from './core.ts'
import { batchNormalization } from './normalization.ts'
import { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } from './reshaping.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  averagePooling2d,
  batchNormalization,
  conv2d,
  cropping2D,
  dense,
  dropout,
  elu,
  flatten,
  globalAveragePooling2d,
  leakyReLU,
  maxPooling2d,
  permute,
  prelu,
  reLU,
  repeatVector,
  reshape,
  softmax,
  thresholdedReLU,
  upSampling2d,
  zeroPadding2d,
}
