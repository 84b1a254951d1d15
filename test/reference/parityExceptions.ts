import type { Example, LayerName } from '../cases/example.ts'
import {
  cellsWithin,
  innermost,
  isBilinear,
  isDilated,
  isFirst,
  isLarger,
  leavesOut,
  type Options,
  sizeAlong,
  some,
} from './conditions.ts'
import { type Part, parts } from './theirs.ts'

/** Cases in which TensorFlow.js computes something else, or nothing. */
export interface Exception {
  readonly layers: readonly LayerName[]
  readonly parts: readonly Part[]
  readonly why: string
  /** Whether it holds for an example; all of the layers' where it is left out. */
  when?(options: Options, example: Example): boolean
}

const forward: readonly Part[] = ['inference', 'training']
const learning: readonly Part[] = ['training', 'gradients']
const gradients: readonly Part[] = ['gradients']

/** What TensorFlow.js 4.22 does otherwise. Each is checked: what it can do after all fails a test. */
export const exceptions: readonly Exception[] = [
  {
    layers: ['inputLayer'],
    parts,
    why: 'an input layer cannot be applied: it must have a shape of its own',
  },
  {
    layers: ['dropout', 'gaussianDropout', 'alphaDropout', 'spatialDropout1d', 'gaussianNoise'],
    parts: learning,
    when: ({ rate = 0, stddev = 0 }, { layer }) =>
      rate > 0 || (stddev > 0 && layer.className === 'GaussianNoise'),
    why: 'draws of its own',
  },
  {
    layers: ['gru', 'lstm', 'simpleRNN'],
    parts: learning,
    when: ({ dropout = 0, recurrentDropout = 0 }) => dropout > 0 || recurrentDropout > 0,
    why: 'draws of its own',
  },
  {
    layers: ['randomWidth'],
    parts,
    why: 'a width of its own for each batch, outside training too',
  },
  {
    layers: ['masking'],
    parts: gradients,
    why: 'any has no gradient: masking must be the first layer',
  },
  {
    layers: ['alphaDropout'],
    parts: ['training'],
    when: ({ noiseShape }) => noiseShape?.includes(null) ?? false,
    why: 'null in noiseShape is not understood',
  },
  {
    layers: ['elu'],
    parts,
    when: ({ alpha = 1 }) => alpha !== 1,
    why: 'alpha must be 1',
  },
  {
    layers: ['flatten'],
    parts,
    when: (_, { input }) => input.length < 2,
    why: 'what is flat already is refused',
  },
  {
    layers: ['softmax'],
    parts,
    when: ({ axis = 1 }, { input }) => some(axis, each => each !== -1 && each !== input.length),
    why: 'only the last axis, though the default is 1',
  },
  {
    layers: ['convLstm2d'],
    parts,
    when: (_, { masked = false }) => masked,
    why: 'masks are not understood',
  },
  {
    layers: ['bidirectional'],
    parts,
    when: ({ layer }) => layer?.className === 'RNN',
    why: 'an rnn of a cell within cannot be copied',
  },
  {
    layers: ['softmax'],
    parts,
    when: (_, { masked = false }) => masked,
    why: 'the mask (steps) is added to logits (steps, features) as it is',
  },
  {
    layers: ['dot'],
    parts,
    when: (_, { inner }) => inner!.inputs.some(shape => shape.length > 2),
    why: 'at most two axes a sample',
  },
  {
    layers: ['dot'],
    parts,
    when: ({ axes }) => Array.isArray(axes) && axes.some(axis => axis < 0),
    why: 'a negative axis in a pair is not understood',
  },
  {
    layers: ['dot'],
    parts: gradients,
    when: ({ normalize }, { input }) => normalize === true && String(input) === '1',
    why: 'the cosine of two numbers is constant: gradients are rounding',
  },
  {
    layers: ['concatenate'],
    parts,
    when: ({ axis }) => typeof axis === 'number' && axis < -1,
    why: 'any negative axis is the last one',
  },
  {
    layers: ['maximum', 'minimum'],
    parts: gradients,
    when: (_, { inner }) => new Set(inner!.inputs.map(String)).size > 1,
    why: 'the gradients of inputs that are repeated keep the shape of the output',
  },
  {
    layers: ['batchNormalization'],
    parts: learning,
    when: ({ center, scale }) => center === false || scale === false,
    why: 'without center or scale it reads, in training, a weight that it has not made',
  },
  {
    layers: ['layerNormalization'],
    parts: gradients,
    when: ({ center, scale }) => center === false || scale === false,
    why: 'no gradient without center or scale',
  },
  {
    layers: ['gru'],
    parts,
    when: ({ resetAfter }) => resetAfter === true,
    why: 'resetAfter must be false',
  },
  {
    layers: ['gru', 'lstm', 'simpleRNN'],
    parts: gradients,
    when: (_, { input }) => input[0] === 1,
    why: 'no gradient of a sequence of one step',
  },
  {
    layers: ['conv1d', 'conv2d', 'conv3d', 'separableConv2d'],
    parts: gradients,
    when: isDilated,
    why: 'no gradient of dilated convolutions',
  },
  {
    layers: ['conv1d'],
    parts,
    when: ({ padding }) => padding === 'causal',
    why: 'causal padding is not implemented',
  },
  {
    layers: ['conv1d'],
    parts,
    when: isFirst,
    why: 'channels come out last',
  },
  {
    layers: ['depthwiseConv2d'],
    parts,
    when: options => isDilated(options) && some(options.kernelSize!, size => size > 1),
    why: 'dilationRate is left unread',
  },
  {
    layers: ['separableConv2d'],
    parts,
    when: isFirst,
    why: 'channelsFirst works on channels that are last, and adds the bias to the wrong axis',
  },
  {
    layers: ['averagePooling1d', 'averagePooling2d', 'averagePooling3d'],
    parts: gradients,
    when: ({ padding }) => padding === 'same',
    why: 'the mean is of what lies inside, its gradient that of the whole window',
  },
  {
    layers: ['averagePooling3d', 'maxPooling3d', 'conv3d'],
    parts,
    when: leavesOut,
    why: 'negative padding: the first windows leave out where the volume begins',
  },
  {
    layers: ['maxPooling3d'],
    parts: gradients,
    when: ({ poolSize = 2 }) => sizeAlong(poolSize, 1) !== sizeAlong(poolSize, 2),
    why: 'the gradient mistakes the place of the maximum where height and width of the window differ',
  },
  {
    layers: ['conv3dTranspose'],
    parts: gradients,
    why: 'no gradient of transposed convolutions of volumes',
  },
  {
    layers: ['categoryEncoding'],
    parts: gradients,
    when: ({ outputMode }, { input }) => outputMode !== 'oneHot' || input.length === 1,
    why: 'no gradient of counting',
  },
  {
    layers: ['categoryEncoding'],
    parts,
    when: ({ outputMode }, { input }) => input.length > 1 || (outputMode === 'oneHot' && input[0] !== 1),
    why: 'at most one axis comes out',
  },
  {
    layers: ['centerCrop'],
    parts: gradients,
    when: (options, { input }) => isLarger(options, input),
    why: 'no gradient of cropping',
  },
  {
    layers: ['centerCrop'],
    parts: forward,
    when: (options, { input }) =>
      isLarger(options, input) &&
      ((input[0]! - options.height!) % 2 === 1 || (input[1]! - options.width!) % 2 === 1),
    why: 'where one row or column too many is there, the box lies otherwise',
  },
  {
    layers: ['resizing'],
    parts,
    when: ({ cropToAspectRatio }) => cropToAspectRatio === true,
    why: 'cropToAspectRatio is left unread',
  },
  {
    layers: ['upSampling2d', 'resizing'],
    parts: gradients,
    when: ({ interpolation = 'nearest', size = [2, 2] }) =>
      interpolation === 'nearest' && Math.max(...size) > 1,
    why: 'the gradient of nearest neighbours counts some pixels twice and others not',
  },
  {
    layers: ['upSampling2d', 'resizing', 'centerCrop'],
    parts: gradients,
    when: (options, { layer, input }) => {
      const [height, width] = isFirst(options) ? input.slice(1) : input
      return isBilinear(options, layer.className) && height !== width
    },
    why: 'the gradient of bilinear resizing swaps height and width',
  },
  {
    layers: ['globalAveragePooling1d'],
    parts: forward,
    when: (_, { masked = false }) => masked,
    why: 'masked steps count',
  },
  {
    layers: ['thresholdedReLU'],
    parts: gradients,
    why: 'no gradient of a comparison',
  },
  {
    layers: ['conv3dTranspose'],
    parts: forward,
    when: ({ padding, kernelSize, strides = 1 }) =>
      padding === 'same' && [0, 1, 2].some(axis => sizeAlong(kernelSize!, axis) < sizeAlong(strides!, axis)),
    why: 'negative padding: the first windows leave out where the volume begins',
  },
  {
    layers: ['gruCell', 'lstmCell', 'simpleRNNCell', 'convLstm2dCell', 'stackedRNNCells'],
    parts,
    why: 'cells cannot be applied to symbolic tensors',
  },
  {
    layers: ['rnn'],
    parts,
    when: options => cellsWithin(options).some(({ config }) => config.resetAfter === true),
    why: 'resetAfter must be false',
  },
  {
    layers: ['rnn'],
    parts: learning,
    when: options => cellsWithin(options).some(({ config }) => Number(config.dropout) > 0),
    why: 'draws of its own',
  },
  {
    layers: ['convLstm2d'],
    parts: gradients,
    when: isDilated,
    why: 'no gradient of dilated convolutions',
  },
  {
    layers: ['convLstm2d'],
    parts: learning,
    when: ({ dropout = 0 }) => dropout > 0,
    why: 'draws of its own',
  },
  {
    layers: ['convLstm2d'],
    parts,
    when: ({ unroll }) => unroll === true,
    why: 'unroll must be false',
  },
  {
    layers: ['bidirectional', 'timeDistributed'],
    parts: gradients,
    when: (_, { input }) => input[0] === 1,
    why: 'no gradient of a sequence of one step',
  },
  {
    layers: ['bidirectional'],
    parts,
    when: options => innermost(options).config.resetAfter === true,
    why: 'resetAfter must be false',
  },
  {
    layers: ['bidirectional'],
    parts,
    when: ({ backwardLayer }) => backwardLayer !== undefined,
    why: 'there is no backwardLayer',
  },
  {
    layers: ['timeDistributed'],
    parts: learning,
    when: options => innermost(options).className === 'BatchNormalization',
    why: 'statistics of each step alone: the layer is called for one after the other',
  },
  {
    layers: ['timeDistributed'],
    parts: learning,
    when: options => {
      const { rate = 0, dropout = 0 } = innermost(options).config as Options
      return rate > 0 || dropout > 0
    },
    why: 'draws of its own',
  },
]
