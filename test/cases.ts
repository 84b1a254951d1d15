import { activationNames } from '../src/ops/activation.ts'
import { activationLayerExamples } from './cases/activations.ts'
import { attentionExamples } from './cases/attention.ts'
import { cross, type Example, type LayerName, of } from './cases/example.ts'
import { mergeExamples } from './cases/merge.ts'
import { noiseExamples } from './cases/noise.ts'
import { preprocessingExamples } from './cases/preprocessing.ts'
import { reshapingExamples } from './cases/reshaping.ts'
import { sequences } from './cases/sequences.ts'

export type { Example }

const paddings = ['valid', 'same'] as const

const dense = of('dense')
const denseExamples = [
  ...cross([1, 3, 16, 17, 40], [1, 4, 16, 33]).map(([k, units], i) =>
    dense({ units, useBias: i % 2 === 0 }, [k], { samples: 1 + (i % 5) }),
  ),
  ...activationNames.flatMap(activation => [
    dense({ units: 5, activation }, [7]),
    dense({ units: 17, activation, useBias: false }, [2, 4], { samples: 2 }),
  ]),
  dense({ units: 6 }, [2, 3, 4]),
  dense({ units: 3, activation: 'relu' }, [2, 2, 3, 5], { samples: 2 }),
  // Past the blocks of the weight gradient's product: 256 rows, 192 columns of x, 8 panels of 16 units.
  dense({ units: 5 }, [300, 3], { samples: 1 }),
  dense({ units: 140 }, [200]),
]

const activation = of('activation')
const activationExamples = activationNames.flatMap(name => [
  activation({ activation: name }, [5], { spread: 8, samples: 2 }),
  activation({ activation: name }, [3, 17], { spread: 3, samples: 2 }),
])

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
]

const pools = [
  {},
  { poolSize: 3, strides: 1 },
  { poolSize: 3, strides: 2 },
  { poolSize: 2, strides: 3 },
  { poolSize: [1, 3], strides: [2, 1] },
  { poolSize: [3, 2], strides: null },
]
const poolingExamples = (name: 'averagePooling2d' | 'maxPooling2d') =>
  cross(cross(paddings, pools), [1, 3, 8, 17]).map(([[padding, options], channels]) =>
    of(name)({ ...options, padding }, [5, 6, channels], { samples: 2 }),
  )

const batchNormalization = of('batchNormalization')
const normExamples = cross(
  [{}, { center: false }, { scale: false }, { center: false, scale: false }, { momentum: 0.5, epsilon: 0.1 }],
  [[5], [17], [3, 4, 8], [2, 3, 33]],
).map(([options, input]) => batchNormalization(options, input, { samples: 7 }))

/** Examples of every layer, whose forward values and gradients are proved. A new layer needs some here. */
export const examples = {
  ...attentionExamples,
  ...mergeExamples,
  activation: activationExamples,
  averagePooling2d: poolingExamples('averagePooling2d'),
  batchNormalization: [
    ...normExamples,
    batchNormalization({}, [3], { samples: 150 }),
    batchNormalization({ axis: 3 }, [9, 9, 2], { samples: 2 }),
    batchNormalization({}, [6], { samples: 2 }),
  ],
  conv2d: conv2dExamples,
  dense: denseExamples,
  flatten: [of('flatten')({}, [7]), of('flatten')({}, [2, 3]), of('flatten')({}, [2, 3, 5])],
  globalAveragePooling2d: [1, 3, 8, 17].map(channels => of('globalAveragePooling2d')({}, [4, 5, channels])),
  inputLayer: [of('inputLayer')({}, [3, 4])],
  maxPooling2d: poolingExamples('maxPooling2d'),
  ...sequences,
  reshape: [
    of('reshape')({ targetShape: [3, 4] }, [12]),
    of('reshape')({ targetShape: [-1, 5] }, [2, 3, 5]),
    of('reshape')({ targetShape: [30] }, [2, 3, 5]),
  ],
  ...activationLayerExamples,
  ...noiseExamples,
  ...preprocessingExamples,
  ...reshapingExamples,
} satisfies Record<LayerName, readonly Example[]>
