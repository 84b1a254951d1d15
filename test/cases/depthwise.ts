import { activationNames } from '../../src/ops/activation.ts'
import { cross, of, weightSettings } from './example.ts'

const paddings = ['valid', 'same'] as const
const moves = [
  {},
  { strides: 2 },
  { strides: [3, 2] },
  { strides: [1, 4] },
  { dilationRate: 2 },
  { dilationRate: [1, 3] },
]
const kernelSizes = [1, 2, 3, [1, 4], [3, 1], [2, 5]]
const geometries = cross(cross(paddings, moves), kernelSizes)

const depthwiseConv2d = of('depthwiseConv2d')
const channelCounts = [1, 3, 16, 17, 33, 8]
const filterExamples = [
  ...geometries.map(([[padding, move], kernelSize], i) => {
    const options = { kernelSize, padding, ...move, depthMultiplier: 1 + (i % 3), useBias: i % 4 > 0 }
    return depthwiseConv2d(options, [8, 13, channelCounts[i % channelCounts.length]!], {
      samples: 1 + (i % 2),
    })
  }),
  ...cross(cross(paddings, [1, 2, 3, 20]), channelCounts).map(([[padding, depthMultiplier], channels]) =>
    depthwiseConv2d({ kernelSize: 3, padding, depthMultiplier }, [5, 6, channels], { samples: 2 }),
  ),
  ...cross(paddings, moves).map(([padding, move]) =>
    depthwiseConv2d({ kernelSize: 2, padding, dataFormat: 'channelsFirst', ...move }, [3, 7, 9]),
  ),
  ...activationNames.map(activation => depthwiseConv2d({ kernelSize: 2, activation }, [3, 4, 5])),
  // Windows all of whose taps may lie outside, and images smaller than a window.
  depthwiseConv2d({ kernelSize: 2, dilationRate: 5, padding: 'same' }, [3, 3, 4]),
  depthwiseConv2d({ kernelSize: 5, padding: 'same', depthMultiplier: 2 }, [2, 3, 9]),
  depthwiseConv2d({ kernelSize: 1, strides: 3, padding: 'same' }, [8, 8, 17]),
  depthwiseConv2d({ kernelSize: 2, ...weightSettings('depthwiseConv2d') }, [3, 4, 5]),
]

const separableConv2d = of('separableConv2d')
const separableExamples = [
  ...geometries.map(([[padding, move], kernelSize], i) => {
    const options = { filters: 1 + ((i * 7) % 20), kernelSize, padding, ...move, useBias: i % 4 > 0 }
    const channels = channelCounts[i % channelCounts.length]!
    return separableConv2d({ ...options, depthMultiplier: 1 + (i % 3) }, [8, 13, channels], { samples: 1 })
  }),
  ...cross(paddings, moves).map(([padding, move]) =>
    separableConv2d({ filters: 4, kernelSize: 2, padding, dataFormat: 'channelsFirst', ...move }, [3, 7, 9]),
  ),
  ...activationNames.map(activation =>
    separableConv2d({ filters: 6, kernelSize: 2, activation, depthMultiplier: 2 }, [3, 4, 5]),
  ),
  separableConv2d({ filters: 6, kernelSize: 2, ...weightSettings('separableConv2d') }, [3, 4, 5]),
]

/** Examples of the layers in src/layers/depthwise.ts. */
export const depthwiseExamples = {
  depthwiseConv2d: filterExamples,
  separableConv2d: separableExamples,
}
