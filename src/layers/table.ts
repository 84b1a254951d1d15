// Every layer, under TensorFlow.js' name for its factory.
export { elu, leakyReLU, prelu, reLU, softmax, thresholdedReLU } from './activations.ts'
export { randomBrightness, randomContrast, randomErasing } from './appearance.ts'
export { multiHeadAttention } from './attention.ts'
export {
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomWidth,
  randomZoom,
} from './augmentation.ts'
export { bidirectional } from './bidirectional.ts'
export { convLstm2d, convLstm2dCell } from './convLstm.ts'
export { conv1d, conv2d, conv3d } from './convolution.ts'
export { activation, dense, flatten, reshape } from './core.ts'
export { depthwiseConv2d, separableConv2d } from './depthwise.ts'
export { dot } from './dot.ts'
export { embedding } from './embedding.ts'
export { inputLayer } from './input.ts'
export { masking } from './masking.ts'
export { add, average, concatenate, maximum, minimum, multiply, subtract } from './merge.ts'
export { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } from './noise.ts'
export { batchNormalization, layerNormalization } from './normalization.ts'
export {
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
export { positionEmbedding, sinePositionEncoding } from './positions.ts'
export { categoryEncoding, centerCrop, rescaling, resizing } from './preprocessing.ts'
export { gru, lstm, simpleRNN } from './recurrent.ts'
export { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from './recurrentCells.ts'
export { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } from './reshaping.ts'
export { rnn } from './rnn.ts'
export { normalization } from './standard.ts'
export { conv2dTranspose, conv3dTranspose } from './transposed.ts'
export { timeDistributed } from './wrappers.ts'
