import { Graph } from '../../src/graph/graph.ts'
import { sizeOf } from '../../src/graph/value.ts'
import type { Cell } from '../../src/layers/cells.ts'
import { Composite } from '../../src/layers/composite.ts'
import type { Recorder } from '../../src/layers/define.ts'
import * as layers from '../../src/layers/table.ts'
import { activate, activationNames } from '../../src/ops/activation.ts'
import { scaled } from '../../src/ops/merge.ts'
import { concat, sliceAxis } from '../../src/ops/moves.ts'
import { cross, type Example, of, weightSettings } from './example.ts'

const { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } = layers

class Alone extends Composite {
  protected override contents() {
    return [this.config.cell as Cell]
  }
}

/** One step of a cell as a layer of one input: states are made from x, all outputs lie one after the other. */
function single(cell: Cell, options: object, input: readonly number[], samples = 3): Example {
  const { states } = cell.begin(new Graph({ training: false, leaves: 1, rows: 1 }), input)
  const record: Recorder = ({ g }, [x]) => {
    const flat = g.view(x!, [sizeOf(x!.shape)])
    const given = states.map((shape, i) => {
      const part = sliceAxis(g, flat, 0, 0, sizeOf(shape))
      return g.view(activate(g, scaled(g, part, 1 / (i + 1)), 'tanh'), shape)
    })
    const outputs = cell.buildAll(g, [x!, ...given]).map(y => g.view(y, [sizeOf(y.shape)]))
    return [concat(g, outputs, 0)]
  }
  return {
    title: `${cell.className} ${JSON.stringify(options)} [${input}]`,
    layer: new Alone(cell.className, { ...cell.config, cell }, { name: cell.name }, record),
    options,
    inner: { layer: cell, inputs: [input, ...states] },
    input,
    samples,
    spread: 1,
  }
}

/** Features and units, and options. */
const sizes = [
  [1, 1],
  [5, 3],
  [17, 16],
  [18, 17],
] as const
const smooth = { recurrentActivation: 'sigmoid' } as const
type CellName = 'gruCell' | 'lstmCell' | 'simpleRNNCell'
const singles = (name: CellName, options: object = {}): Example[] => {
  const make = (own: object, ...rest: [input: number[], samples?: number]) => {
    const given = { units: 3, ...options, ...own }
    return single(layers[name](given) as Cell, given, ...rest)
  }
  const gates = activationNames.filter(() => name !== 'simpleRNNCell')
  return [
    ...sizes.map(([features, units], i) => make({ units, useBias: i % 2 > 0 }, [features])),
    ...activationNames.map(activation => make({ activation }, [4], 2)),
    ...gates.map(recurrentActivation => make({ recurrentActivation }, [4], 2)),
    make({ dropout: 0.3, recurrentDropout: 0.4 }, [6], 5),
    make(weightSettings(name), [6]),
  ]
}

const convLstm2d = of('convLstm2d')
const windows = [
  { kernelSize: 3 },
  { kernelSize: [2, 3], padding: 'same' },
  { kernelSize: [1, 2], strides: [2, 1] },
  { kernelSize: 2, dilationRate: [1, 2] },
  { kernelSize: 3, strides: 2, padding: 'same', dataFormat: 'channelsFirst' },
] as const
const convExamples = [
  ...cross(windows, [true, false]).map(([options, returnSequences], i) => {
    const given = {
      ...options,
      ...smooth,
      filters: [1, 4, 3, 5][i % 4]!,
      returnSequences,
      goBackwards: i % 3 === 0,
    }
    const input = 'dataFormat' in options ? [3, 2, 5, 4] : [3, 5, 4, [2, 1, 17][i % 3]!]
    return convLstm2d({ ...given, useBias: i % 4 > 0, unitForgetBias: true }, input, {
      samples: 2,
      spread: 1,
    })
  }),
  convLstm2d({ filters: 2, kernelSize: 2, ...smooth, dropout: 0.3, recurrentDropout: 0.2 }, [3, 3, 3, 2]),
  convLstm2d({ filters: 2, kernelSize: 1, activation: 'relu', recurrentActivation: null }, [2, 2, 1, 3]),
  convLstm2d(
    { filters: 2, kernelSize: 2, activation: 'softsign', recurrentActivation: 'hardSigmoid' },
    [2, 3, 3, 1],
  ),
]

const convOthers = [
  { returnState: true },
  { unroll: true },
  { implementation: 1 },
  ...activationNames.flatMap(activation => [{ activation }, { recurrentActivation: activation }]),
  weightSettings('convLstm2d'),
].map(options =>
  convLstm2d({ filters: 2, kernelSize: [1, 2], ...smooth, ...options }, [2, 2, 3, 2], {
    samples: 2,
    spread: 1,
  }),
)

const rnn = of('rnn')
const cells = {
  simple: () => simpleRNNCell({ units: 4, activation: 'gelu' }),
  long: () => lstmCell({ units: 5, ...smooth, activation: 'softsign' }),
  gated: () => gruCell({ units: 3, ...smooth, activation: 'mish' }),
  fused: () => lstmCell({ units: 6, ...smooth }),
  gatedAfter: () => gruCell({ units: 4, ...smooth, activation: 'softsign', resetAfter: true }),
  dropped: () => gruCell({ units: 3, ...smooth, dropout: 0.3, recurrentDropout: 0.2 }),
  stack: () => stackedRNNCells({ cells: [lstmCell({ units: 3, ...smooth }), simpleRNNCell({ units: 2 })] }),
}
const courses = [
  {},
  { returnSequences: true },
  { goBackwards: true },
  { goBackwards: true, returnSequences: true },
]
/** What else an option may be. */
const others = [{ returnState: true }, { unroll: true }]
const rnnExamples = (masked: boolean) => [
  ...cross(Object.entries(cells), courses).map(([[name, make], options]) => ({
    ...rnn({ ...options, cell: make() }, [4, 3], { spread: 1, masked }),
    title: `${name} ${JSON.stringify(options)}${masked ? ', masked' : ''}`,
  })),
  ...others.map(options => rnn({ ...options, cell: cells.long() }, [4, 3], { spread: 1, masked })),
  ...courses.map(options => {
    const all = stackedRNNCells({ cells: [cells.simple(), cells.stack(), cells.dropped(), cells.long()] })
    const title = `all ${JSON.stringify(options)}${masked ? ', masked' : ''}`
    return { ...rnn({ ...options, cell: all }, [3, 2], { spread: 1, samples: 4, masked }), title }
  }),
]

const convCells = [
  ...windows,
  { kernelSize: 2, useBias: false, dropout: 0.3, recurrentDropout: 0.2 },
  { kernelSize: 2, unitForgetBias: true, implementation: 1, ...weightSettings('convLstm2dCell') },
  ...activationNames.flatMap(activation => [
    { kernelSize: 1, activation },
    { kernelSize: 1, recurrentActivation: activation },
  ]),
].map(options => {
  const given = { filters: 2, ...smooth, ...options }
  return single(layers.convLstm2dCell(given), given, 'dataFormat' in options ? [3, 5, 4] : [5, 4, 3])
})

const stack = () => [lstmCell({ units: 3, ...smooth }), simpleRNNCell({ units: 2 })]

/** Examples of the layers in src/layers/recurrentCells.ts, convLstm.ts and rnn.ts. */
export const cellExamples = {
  convLstm2d: [...convExamples, ...convOthers],
  convLstm2dCell: convCells,
  gruCell: [
    ...singles('gruCell', smooth),
    ...singles('gruCell', { ...smooth, resetAfter: true, implementation: 2 }),
  ],
  lstmCell: [
    ...singles('lstmCell', smooth),
    ...singles('lstmCell', { unitForgetBias: true, implementation: 1 }),
  ],
  rnn: rnnExamples(false),
  simpleRNNCell: singles('simpleRNNCell'),
  stackedRNNCells: [stack(), [...stack(), gruCell({ units: 4, ...smooth })]].map(cells =>
    single(stackedRNNCells({ cells }), { cells }, [8]),
  ),
}

/** The same behind a masking layer. */
export const maskedCellExamples = {
  convLstm2d: [{}, { returnSequences: true }, { goBackwards: true, dropout: 0.3, recurrentDropout: 0.2 }].map(
    options =>
      convLstm2d({ filters: 3, kernelSize: [2, 1], ...smooth, ...options }, [4, 3, 2, 2], {
        masked: true,
        spread: 1,
      }),
  ),
  rnn: rnnExamples(true),
}
