export {
  relu,
  reluGradient,
  relu6,
  relu6Gradient,
  clippedRelu,
  clippedReluGradient,
  thresholdedRelu,
  thresholdedReluGradient,
  leakyRelu,
  leakyReluGradient,
  elu,
  eluGradient,
  selu,
  seluGradient,
  sigmoid,
  sigmoidGradient,
  hardSigmoid,
  hardSigmoidGradient,
  softplus,
  softplusGradient,
  softsign,
  softsignGradient,
  tanh,
  tanhGradient,
  swish,
  swishWithSlope,
  mish,
  mishWithSlope,
  gelu,
  geluWithSlope,
  geluNew,
  geluNewWithSlope,
} from './activations';
export {
  absolute,
  absoluteGradient,
  clip,
  cosine,
  cosineGradient,
  exponential,
  exponentialGradient,
  logarithm,
  logarithmGradient,
  power,
  powerGradient,
  reciprocal,
  reciprocalGradient,
  signs,
  sine,
  sineGradient,
  square,
  squareGradient,
  squareRoot,
  squareRootGradient,
} from './functions';
export { choose, divide, divideGradient, equal, greater, greaterOrEqual } from './comparisons';
export { fill, fillWith, keepColumns, repeatPanels, setFour, stepNumber } from './spread';
export { rowArgMax, rowMaximum, rowMaximumGradient, rowSums } from './reductions';
export { lossFactors } from './losses';
export { softmax, logSoftmax, softmaxGradient, logSoftmaxGradient } from './softmax';
export {
  meanSquaredError,
  meanAbsoluteError,
  binaryCrossentropy,
  sigmoidCrossentropy,
  hinge,
  logcosh,
  huber,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  squaredHinge,
  poisson,
} from './losses';
export { kullbackLeiblerDivergence, categoricalHinge, cosineProximity } from './divergence';
export {
  binaryFocalCrossentropy,
  sigmoidFocalCrossentropy,
  categoricalFocalCrossentropy,
  softmaxFocalCrossentropy,
} from './focal';
export { softmaxCrossentropy, sparseSoftmaxCrossentropy } from './crossentropy';
export { categoricalCrossentropy, sparseCategoricalCrossentropy } from './categorical';
export {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  binaryCounts,
  accumulate,
  checkFinite,
} from './metrics';
export {
  markMaximum,
  keepLargest,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  countScores,
  accumulateMoments,
} from './scores';
export { sgd, momentum, adagrad, adadelta, rmsprop } from './optimizers';
export { adamCorrection, adam, adamw, adamax, nadamCorrection, nadam, lion } from './adam';
export { clampNegative, constrainColumns, constrainRows } from './constraints';
export { decayWeights, averageWeights } from './upkeep';
export { activityPenalty } from './activity';
export { regularize, penalty, squaredNorm, norm, clipValue, clipNorm } from './gradients';
export { add, addInto, copy, scaleShift, putNumber } from './arrays';
export { attention, attentionGradient } from './attention';
export { addPositions, sinePositions, sumPositions } from './positions';
export { maximum, minimum, subtract, whereLess, whereNotLess } from './merge';
export { countSteps, keepSteps, maskedAverage, maskedAverageGradient, stepMask, weighSteps } from './masks';
export { clear, move } from './moves';
export { prelu, preluGradient, preluSlopes } from './prelu';
export { encode, rescale } from './preprocessing';
export { product } from './product';
export { transposePanels, flipPanels } from './panels';
export { productGradient, sumRowPairs, sumRows, sumSample } from './gradient';
export { convolve, convolveGradient } from './convolution';
export { depthwise, depthwiseGradient } from './depthwise';
export { depthwiseWeightGradient } from './depthwiseWeights';
export { gather, gatherBytes } from './gather';
export { randomUniform, randomNormal, truncatedNormal } from './random';
export { alphaDropout, dropout, dropoutMask, multiply, normalRows } from './dropout';
export { dropout, dropoutMask, multiply, multiplySteps } from './dropout';
export { shuffle } from './shuffle';
export {
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  globalAverage,
  globalAverageGradient,
} from './pooling';
export { batchMoments, batchGradientSums } from './moments';
export {
  batchStatistics,
  movingAverage,
  inferenceScale,
  normalize,
  batchGradientCombine,
  batchGradient,
} from './normalization';
export { embed, embedGradient } from './embedding';
export { gru, gruGradient, gruWeightGradient } from './gru';
export { gruAfter, gruAfterGradient, splitRows } from './gruAfter';
export { layerNorm, layerNormGradient, layerNormGammaGradient } from './layerNorm';
export { lstm, lstmGradient } from './lstm';
export { simpleRnn, simpleRnnGradient } from './simpleRnn';
export { accumulatePenalty, scatter } from './totals';
export { crops, flips, rotations, translations, widths, zooms } from './transforms';
export { warp, warpGradient } from './warp';
export { adjust, clipGradient, erase, eraseBoxes, eraseNoise, uniformRows } from './appearance';
export { rowProducts, rowProductsLeft, rowProductsRight, unitRows, unitRowsGradient } from './dot';
export { standardScale, standardize } from './standard';
export { chooseRows, drawMixes, mixRows } from './mixup';
export { resizeBilinear, resizeBilinearGradient, resizeNearest, resizeNearestGradient } from './resize';
