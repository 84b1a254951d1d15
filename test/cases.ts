import { activationNames } from '../src/ops/activation.ts'
import { activationLayerExamples } from './cases/activations.ts'
import { attentionExamples } from './cases/attention.ts'
import { augmentationExamples } from './cases/augmentation.ts'
import { cellExamples, maskedCellExamples } from './cases/cells.ts'
import { convolutionExamples } from './cases/convolution.ts'
import { depthwiseExamples } from './cases/depthwise.ts'
import { cross, type Example, type LayerName, of, weightSettings } from './cases/example.ts'
import { maskExamples, maskedExamples } from './cases/masks.ts'
import { mergeExamples } from './cases/merge.ts'
import { noiseExamples } from './cases/noise.ts'
import { preprocessingExamples } from './cases/preprocessing.ts'
import { reshapingExamples } from './cases/reshaping.ts'
import { sequences } from './cases/sequences.ts'
import { standardExamples } from './cases/standard.ts'
import { volumeExamples } from './cases/volumes.ts'
import { maskedWrapperExamples, wrapperExamples } from './cases/wrappers.ts'

export type { Example }

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
  dense({ units: 5, ...weightSettings('dense') }, [7]),
]

const activation = of('activation')
const activationExamples = activationNames.flatMap(name => [
  activation({ activation: name }, [5], { spread: 8, samples: 2 }),
  activation({ activation: name }, [3, 17], { spread: 3, samples: 2 }),
])

const batchNormalization = of('batchNormalization')
const normExamples = cross(
  [{}, { center: false }, { scale: false }, { center: false, scale: false }, { momentum: 0.5, epsilon: 0.1 }],
  [[5], [17], [3, 4, 8], [2, 3, 33]],
).map(([options, input]) => batchNormalization(options, input, { samples: 7 }))

/** Examples of every layer, whose forward values and gradients are proved. A new layer needs some here. */
export const examples = {
  ...attentionExamples,
  ...cellExamples,
  ...augmentationExamples,
  ...maskExamples,
  ...mergeExamples,
  activation: activationExamples,
  batchNormalization: [
    ...normExamples,
    batchNormalization({}, [3], { samples: 150 }),
    batchNormalization({ axis: 3 }, [9, 9, 2], { samples: 2 }),
    batchNormalization({}, [6], { samples: 2 }),
    batchNormalization(weightSettings('batchNormalization'), [2, 5]),
  ],
  dense: denseExamples,
  flatten: [
    of('flatten')({}, [7]),
    of('flatten')({}, [2, 3]),
    of('flatten')({}, [2, 3, 5]),
    of('flatten')({ dataFormat: 'channelsFirst' }, [2, 3, 5]),
  ],
  inputLayer: [of('inputLayer')({}, [3, 4]), of('inputLayer')({ sparse: true }, [5])],
  ...sequences,
  reshape: [
    of('reshape')({ targetShape: [3, 4] }, [12]),
    of('reshape')({ targetShape: [-1, 5] }, [2, 3, 5]),
    of('reshape')({ targetShape: [30] }, [2, 3, 5]),
  ],
  ...activationLayerExamples,
  ...convolutionExamples,
  ...depthwiseExamples,
  ...noiseExamples,
  ...preprocessingExamples,
  ...reshapingExamples,
  ...standardExamples,
  ...volumeExamples,
  ...wrapperExamples,
} satisfies Record<LayerName, readonly Example[]>

/** The same of layers whose input is masked. */
export const masked: Partial<Record<LayerName, readonly Example[]>> = {
  ...maskedExamples,
  ...maskedCellExamples,
  ...maskedWrapperExamples,
}

/** All examples by layer. */
export const cases = Object.entries(examples as Record<LayerName, readonly Example[]>).map(
  ([name, list]) => [name as LayerName, [...list, ...(masked[name as LayerName] ?? [])]] as const,
)
