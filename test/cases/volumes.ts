import { activationNames } from '../../src/ops/activation.ts'
import { cross, of, weightSettings } from './example.ts'

const paddings = ['valid', 'same'] as const
const kernelSizes = [1, 2, [1, 3, 2], [3, 1, 2], [2, 2, 3]]
const channelCounts = [1, 3, 16, 17, 8]
const filterCounts = [1, 4, 17, 3]

const conv3d = of('conv3d')
const moves = [{}, { strides: 2 }, { strides: [1, 2, 3] }, { dilationRate: 2 }, { dilationRate: [2, 1, 3] }]
const conv3dExamples = [
  ...cross(cross(paddings, moves), kernelSizes).map(([[padding, move], kernelSize], i) => {
    const options = { filters: filterCounts[i % 4]!, kernelSize, padding, ...move, useBias: i % 3 > 0 }
    return conv3d(options, [5, 5, 7, channelCounts[(i + Math.floor(i / 5)) % 5]!], { samples: 1 + (i % 2) })
  }),
  ...cross(paddings, moves).map(([padding, move]) =>
    conv3d({ filters: 3, kernelSize: 2, padding, dataFormat: 'channelsFirst', ...move }, [2, 4, 5, 6]),
  ),
  ...activationNames.map(activation => conv3d({ filters: 5, kernelSize: 2, activation }, [3, 2, 3, 2])),
  conv3d({ filters: 33, kernelSize: [3, 2, 2], activation: 'relu', padding: 'same' }, [3, 4, 3, 2]),
  // Longer than the 256 pixels that the weight gradient packs at once.
  conv3d({ filters: 2, kernelSize: [2, 3, 3], padding: 'same' }, [2, 18, 17, 1], { samples: 1 }),
  conv3d({ filters: 5, kernelSize: 2, ...weightSettings('conv3d') }, [3, 2, 3, 2]),
]

const conv3dTranspose = of('conv3dTranspose')
const transposedExamples = [
  ...cross(cross(paddings, [1, 2, [2, 1, 3]]), kernelSizes).map(([[padding, strides], kernelSize], i) => {
    const options = { filters: filterCounts[i % 4]!, kernelSize, strides, padding, useBias: i % 3 > 0 }
    return conv3dTranspose(options, [2, 3, 3, channelCounts[i % 5]!], { samples: 2 })
  }),
  ...paddings.flatMap(padding => [
    conv3dTranspose({ filters: 3, kernelSize: 2, padding, dataFormat: 'channelsFirst' }, [2, 3, 2, 4]),
    conv3dTranspose({ filters: 17, kernelSize: 3, strides: 2, padding, activation: 'relu' }, [2, 2, 2, 2]),
    conv3dTranspose({ filters: 2, kernelSize: 2, padding, activation: 'softmax' }, [2, 2, 3, 3]),
  ]),
  ...activationNames.map(activation =>
    conv3dTranspose({ filters: 5, kernelSize: 2, activation }, [2, 1, 2, 3], { samples: 2 }),
  ),
  conv3dTranspose({ filters: 5, kernelSize: 2, ...weightSettings('conv3dTranspose') }, [2, 1, 2, 3]),
]

const pools = [
  {},
  { poolSize: 3, strides: 1 },
  { poolSize: 2, strides: [3, 2, 1] },
  { poolSize: [1, 3, 2], strides: [2, 2, 1] },
  { poolSize: [3, 1, 1], strides: null },
  { poolSize: [1, 2, 2], strides: [1, 2, 2] },
]
const pooling = (name: 'averagePooling3d' | 'maxPooling3d') => [
  ...cross(cross(paddings, pools), [1, 8, 17]).map(([[padding, options], channels]) =>
    of(name)({ ...options, padding }, [5, 3, 4, channels], { samples: 2 }),
  ),
  ...cross(paddings, pools).map(([padding, options]) =>
    of(name)({ ...options, padding, dataFormat: 'channelsFirst' }, [2, 3, 5, 4], { samples: 2 }),
  ),
]

/** Examples of the three-dimensional convolutions and poolings. */
export const volumeExamples = {
  averagePooling3d: pooling('averagePooling3d'),
  conv3d: conv3dExamples,
  conv3dTranspose: transposedExamples,
  maxPooling3d: pooling('maxPooling3d'),
}
