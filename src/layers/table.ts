import { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
import { randomBrightness, randomContrast, randomErasing } from './appearance.ts'
import { multiHeadAttention } from './attention.ts'
import {
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomWidth,
  randomZoom,
} from './augmentation.ts'
import { bidirectional } from './bidirectional.ts'
import { convLstm2d, convLstm2dCell } from './convLstm.ts'
import { conv1d, conv2d, conv3d } from './convolution.ts'
import { activation, dense, flatten, reshape } from './core.ts'
import { depthwiseConv2d, separableConv2d } from './depthwise.ts'
import { dot } from './dot.ts'
import { embedding } from './embedding.ts'
import { inputLayer } from './input.ts'
import { masking } from './masking.ts'
import { add, average, concatenate, maximum, minimum, multiply, subtract } from './merge.ts'
import { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } from './noise.ts'
import { batchNormalization, layerNormalization } from './normalization.ts'
import {
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
} from './pooling.ts'
import { positionEmbedding, sinePositionEncoding } from './positions.ts'
import { categoryEncoding, centerCrop, rescaling, resizing } from './preprocessing.ts'
import { gru, lstm, simpleRNN } from './recurrent.ts'
import { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from './recurrentCells.ts'
import { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } from './reshaping.ts'
import { rnn } from './rnn.ts'
import { normalization } from './standard.ts'
import { conv2dTranspose, conv3dTranspose } from './transposed.ts'
import { timeDistributed } from './wrappers.ts'

/** Every layer, under TensorFlow.js' name for its factory. */
export const layers = {
  activation,
  add,
  alphaDropout,
  average,
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  batchNormalization,
  bidirectional,
  categoryEncoding,
  centerCrop,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  convLstm2d,
  convLstm2dCell,
  cropping2D,
  dense,
  dot,
  depthwiseConv2d,
  dropout,
  elu,
  embedding,
  flatten,
  gaussianDropout,
  gaussianNoise,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  gru,
  gruCell,
  inputLayer,
  layerNormalization,
  leakyReLU,
  lstm,
  lstmCell,
  masking,
  maximum,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  minimum,
  multiHeadAttention,
  multiply,
  normalization,
  permute,
  positionEmbedding,
  prelu,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomErasing,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomWidth,
  randomZoom,
  reLU,
  repeatVector,
  rescaling,
  reshape,
  resizing,
  rnn,
  separableConv2d,
  simpleRNN,
  simpleRNNCell,
  sinePositionEncoding,
  softmax,
  spatialDropout1d,
  stackedRNNCells,
  subtract,
  thresholdedReLU,
  timeDistributed,
  upSampling2d,
  zeroPadding2d,
}

/** Every layer, also under TensorFlow.js' other names of some factories. */
export const namedLayers = {
  ...layers,
  avgPool1d: averagePooling1d,
  avgPool2d: averagePooling2d,
  avgPool3d: averagePooling3d,
  avgPooling1d: averagePooling1d,
  avgPooling2d: averagePooling2d,
  avgPooling3d: averagePooling3d,
  globalMaxPool1d: globalMaxPooling1d,
  globalMaxPool2d: globalMaxPooling2d,
  maxPool1d: maxPooling1d,
  maxPool2d: maxPooling2d,
}
