import * as layers from '../../src/layers/table.ts'
import { of } from './example.ts'

const timeDistributed = (layer: object, input: readonly number[], extra = {}) =>
  of('timeDistributed')({ layer }, input, extra)
const { activation, batchNormalization, conv2d, dense, dropout, embedding, flatten, gru, lstm } = layers
const { convLstm2d, gruCell, lstmCell, maxPooling2d, prelu, rnn, simpleRNN, simpleRNNCell } = layers

const bidirectional = (layer: object, options: object, input: readonly number[], extra = {}) =>
  of('bidirectional')({ layer, ...options }, input, { spread: 1, ...extra })
const gated = { recurrentActivation: 'sigmoid' } as const
const sequences = { returnSequences: true }

/** Examples of layers that contain layers. */
export const wrapperExamples = {
  bidirectional: [
    bidirectional(gru({ units: 3, ...gated }), {}, [4, 5]),
    bidirectional(lstm({ units: 17, ...gated, ...sequences }), {}, [3, 4]),
    bidirectional(simpleRNN({ units: 4, goBackwards: true, ...sequences }), { mergeMode: 'sum' }, [5, 2]),
    bidirectional(gru({ units: 5, resetAfter: true, ...gated }), { mergeMode: 'mul' }, [2, 3], {
      samples: 9,
    }),
    bidirectional(lstm({ units: 3, ...gated, ...sequences }), { mergeMode: 'ave' }, [1, 3]),
    bidirectional(lstm({ units: 5, ...gated }), { mergeMode: 'sum' }, [4, 3]),
    bidirectional(
      gru({ units: 3, ...gated, ...sequences }),
      { backwardLayer: simpleRNN({ units: 4, goBackwards: true, ...sequences }) },
      [3, 4],
    ),
    bidirectional(rnn({ cell: gruCell({ units: 3, ...gated }) }), { mergeMode: 'sum' }, [4, 5]),
    bidirectional(
      rnn({ cell: [lstmCell({ units: 3, ...gated }), simpleRNNCell({ units: 2 })], ...sequences }),
      {},
      [3, 4],
    ),
    bidirectional(convLstm2d({ filters: 2, kernelSize: [2, 1], ...gated }), {}, [3, 4, 2, 2]),
    bidirectional(
      convLstm2d({ filters: 3, kernelSize: 1, ...gated, ...sequences }),
      { mergeMode: 'ave' },
      [4, 2, 3, 1],
    ),
  ],
  timeDistributed: [
    timeDistributed(dense({ units: 5 }), [3, 4]),
    timeDistributed(dense({ units: 17, activation: 'softmax' }), [1, 3], { samples: 1 }),
    timeDistributed(dense({ units: 3, useBias: false, activation: 'relu' }), [5, 2, 3]),
    timeDistributed(activation({ activation: 'tanh' }), [3, 17]),
    timeDistributed(flatten({}), [3, 2, 4]),
    timeDistributed(prelu({}), [3, 4]),
    timeDistributed(embedding({ inputDim: 7, outputDim: 5 }), [4, 3], { integers: 7 }),
    timeDistributed(conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }), [3, 4, 5, 2]),
    timeDistributed(maxPooling2d({}), [2, 4, 4, 3]),
    timeDistributed(batchNormalization({}), [3, 5], { samples: 7 }),
    timeDistributed(batchNormalization({ momentum: 0.5 }), [12, 3], { samples: 70 }),
    timeDistributed(batchNormalization({ scale: false }), [2, 3, 4], { samples: 33 }),
    timeDistributed(dropout({ rate: 0.4 }), [4, 6], { samples: 4 }),
    timeDistributed(simpleRNN({ units: 4, returnSequences: true }), [2, 3, 4], { spread: 1 }),
    timeDistributed(lstm({ units: 3, recurrentActivation: 'sigmoid' }), [3, 2, 4], { spread: 1 }),
    timeDistributed(
      gru({ units: 3, recurrentActivation: 'sigmoid', dropout: 0.3, recurrentDropout: 0.3 }),
      [3, 2, 4],
      { spread: 1, samples: 4 },
    ),
    timeDistributed(layers.timeDistributed({ layer: dense({ units: 5, activation: 'tanh' }) }), [2, 3, 4]),
    timeDistributed(layers.timeDistributed({ layer: batchNormalization({}) }), [2, 3, 4], { samples: 9 }),
  ],
}

/** The same behind a masking layer. */
export const maskedWrapperExamples = {
  bidirectional: [
    bidirectional(gru({ units: 3, ...gated, ...sequences }), {}, [5, 4], { masked: true }),
    bidirectional(lstm({ units: 4, ...gated }), { mergeMode: 'sum' }, [7, 3], { masked: true, samples: 4 }),
    bidirectional(simpleRNN({ units: 4, ...sequences }), { mergeMode: 'ave' }, [5, 3], { masked: true }),
    bidirectional(rnn({ cell: gruCell({ units: 3, ...gated }) }), {}, [5, 4], { masked: true }),
  ],
  timeDistributed: [
    of('timeDistributed')({ layer: dense({ units: 5 }) }, [4, 3], { masked: true }),
    of('timeDistributed')({ layer: dropout({ rate: 0.4 }) }, [7, 8], { masked: true, samples: 4 }),
  ],
}
