import { activationNames } from '../../src/ops/activation.ts'
import { cross, of, weightSettings } from './example.ts'

const paddings = ['valid', 'same'] as const
const conv2d = of('conv2d')
const kernelSizes = [1, 2, 3, [1, 3], [3, 2]] as const
const filterCounts = [1, 4, 17, 8, 3, 16, 5]
const convolutions = cross(cross(paddings, [1, 2]), cross(kernelSizes, [1, 3, 8, 17]))
const conv2dExamples = [
  ...convolutions.map(([[padding, strides], [kernelSize, channels]], i) => {
    const filters = filterCounts[i % filterCounts.length]!
    return conv2d({ filters, kernelSize, strides, padding, useBias: i % 3 > 0 }, [5, 6, channels], {
      samples: 2,
    })
  }),
  ...paddings.flatMap(padding => [
    conv2d({ filters: 33, kernelSize: 3, padding, activation: 'relu' }, [4, 5, 3], { samples: 2 }),
    conv2d({ filters: 6, kernelSize: [2, 3], strides: [1, 2], padding }, [6, 7, 2], { samples: 5 }),
    conv2d({ filters: 4, kernelSize: 2, strides: 3, padding }, [7, 8, 2]),
    conv2d({ filters: 2, kernelSize: [4, 5], padding }, [4, 5, 3]),
    // Longer than the 256 pixels that the weight gradient packs at once, in lines and in one line.
    conv2d({ filters: 3, kernelSize: 3, padding }, [20, 18, 1], { samples: 1 }),
    conv2d({ filters: 2, kernelSize: [2, 3], padding }, [3, 270, 1], { samples: 1 }),
  ]),
  ...activationNames.map(activation =>
    conv2d({ filters: 5, kernelSize: 2, activation }, [3, 4, 2], { samples: 2 }),
  ),
  conv2d({ filters: 5, kernelSize: 2, ...weightSettings('conv2d') }, [3, 4, 2]),
]

const stepPools = [{}, { poolSize: 3, strides: 1 }, { poolSize: [2], strides: [3] }]
const pools = [
  {},
  { poolSize: 3, strides: 1 },
  { poolSize: 3, strides: 2 },
  { poolSize: 2, strides: 3 },
  { poolSize: [1, 3], strides: [2, 1] },
  { poolSize: [3, 2], strides: null },
]
type Pooling = `${'average' | 'max'}Pooling${'1d' | '2d'}`
const poolingExamples = (name: Pooling) =>
  cross(cross(paddings, pools), [1, 3, 8, 17]).map(([[padding, options], channels]) =>
    of(name)({ ...options, padding }, [5, 6, channels], { samples: 2 }),
  )
const firstPooling = (name: Pooling) =>
  cross(paddings, pools).map(([padding, options]) =>
    of(name)({ ...options, padding, dataFormat: 'channelsFirst' }, [3, 5, 6], { samples: 2 }),
  )
const stepPooling = (name: Pooling) =>
  cross(cross(paddings, stepPools), [1, 8, 17]).map(([[padding, options], channels]) =>
    of(name)({ ...options, padding }, [7, channels], { samples: 2 }),
  )

const conv1d = of('conv1d')
const conv1dExamples = [
  ...cross(cross([...paddings, 'causal'], [{}, { strides: 2 }, { dilationRate: 2 }]), [1, 3, 17]).map(
    ([[padding, options], channels], i) => {
      const filters = filterCounts[i % filterCounts.length]!
      return conv1d({ filters, kernelSize: 1 + (i % 4), padding, ...options }, [11, channels], { samples: 2 })
    },
  ),
  conv1d({ filters: 5, kernelSize: [3], strides: [1], dilationRate: [5], padding: 'same' }, [9, 2]),
  conv1d({ filters: 5, kernelSize: 3, activation: 'relu', dataFormat: 'channelsFirst' }, [2, 9]),
  conv1d(
    { filters: 3, kernelSize: 2, activation: 'softmax', useBias: false, dataFormat: 'channelsFirst' },
    [4, 6],
  ),
  conv1d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: 'causal' }, [300, 2], { samples: 1 }),
  ...activationNames.map(activation => conv1d({ filters: 5, kernelSize: 2, activation }, [4, 3])),
  conv1d({ filters: 5, kernelSize: 2, ...weightSettings('conv1d') }, [4, 3]),
]

const dilatedExamples = [
  ...cross(cross(paddings, [2, [1, 3], [2, 1], [3, 2]]), [1, 3, 17]).map(
    ([[padding, dilationRate], channels], i) => {
      const filters = filterCounts[i % filterCounts.length]!
      const options = { filters, kernelSize: [3, 2], dilationRate, padding }
      return conv2d({ ...options, useBias: i % 3 > 0 }, [8, 7, channels], { samples: 2 })
    },
  ),
  conv2d({ filters: 5, kernelSize: 2, dilationRate: 2, activation: 'relu' }, [5, 6, 3]),
]
const firstExamples = cross(paddings, [{}, { strides: 2 }, { dilationRate: 2 }]).map(([padding, options]) =>
  conv2d({ filters: 5, kernelSize: 2, padding, dataFormat: 'channelsFirst', ...options }, [3, 5, 6]),
)

const conv2dTranspose = of('conv2dTranspose')
const transposedExamples = [
  ...cross(cross(paddings, [1, 2, [1, 3]]), cross([1, 2, [3, 2], 4], [1, 3, 17])).map(
    ([[padding, strides], [kernelSize, channels]], i) => {
      const filters = filterCounts[i % filterCounts.length]!
      const options = { filters, kernelSize, strides, padding, useBias: i % 3 > 0 }
      return conv2dTranspose(options, [3, 4, channels], { samples: 2 })
    },
  ),
  ...paddings.flatMap(padding => [
    conv2dTranspose({ filters: 33, kernelSize: 3, strides: 2, padding, activation: 'relu' }, [3, 3, 2]),
    conv2dTranspose({ filters: 3, kernelSize: 3, padding, dataFormat: 'channelsFirst' }, [2, 3, 4]),
    conv2dTranspose({ filters: 2, kernelSize: 3, padding, activation: 'softmax' }, [17, 18, 1], {
      samples: 1,
    }),
  ]),
  ...activationNames.map(activation =>
    conv2dTranspose({ filters: 5, kernelSize: 2, activation }, [3, 2, 3], { samples: 2 }),
  ),
  conv2dTranspose({ filters: 5, kernelSize: 2, ...weightSettings('conv2dTranspose') }, [3, 2, 3]),
]

const globals = (name: `global${'Average' | 'Max'}Pooling2d`) => [
  ...[1, 3, 8, 17].map(channels => of(name)({}, [4, 5, channels])),
  of(name)({ dataFormat: 'channelsFirst' }, [5, 2, 3]),
]
const stepGlobals = (name: `global${'Average' | 'Max'}Pooling1d`) =>
  [1, 3, 8, 17].map(channels => of(name)({}, [7, channels]))

/** Examples of the layers in src/layers/convolution.ts and pooling.ts. */
export const convolutionExamples = {
  averagePooling1d: stepPooling('averagePooling1d'),
  averagePooling2d: [...poolingExamples('averagePooling2d'), ...firstPooling('averagePooling2d')],
  conv1d: conv1dExamples,
  conv2d: [...conv2dExamples, ...dilatedExamples, ...firstExamples],
  conv2dTranspose: transposedExamples,
  globalAveragePooling1d: stepGlobals('globalAveragePooling1d'),
  globalAveragePooling2d: globals('globalAveragePooling2d'),
  globalMaxPooling1d: stepGlobals('globalMaxPooling1d'),
  globalMaxPooling2d: globals('globalMaxPooling2d'),
  maxPooling1d: stepPooling('maxPooling1d'),
  maxPooling2d: [...poolingExamples('maxPooling2d'), ...firstPooling('maxPooling2d')],
}
