import { sizeOf } from '../../src/graph/value.ts'
import { type Cell, stepOf } from '../../src/layers/cells.ts'
import { Composite } from '../../src/layers/composite.ts'
import type { Layer, Recorder } from '../../src/layers/define.ts'
import { layers } from '../../src/layers/table.ts'
import { activate, activationNames } from '../../src/ops/activation.ts'
import { scaled } from '../../src/ops/merge.ts'
import { concat, sliceAxis } from '../../src/ops/moves.ts'
import { cross, type Example, of } from './example.ts'

const { convLstm2dCell, gruCell, lstmCell, simpleRNNCell, stackedRNNCells } = layers

class Alone extends Composite {
  protected override contents() {
    return [this.config.cell as Cell]
  }
}

/** One step of a cell as a layer of one input: states are made from x, all outputs lie one after the other. */
function alone(cell: Cell): Layer {
  const record: Recorder = ({ g, scope }, [x]) => {
    const steps = cell.begin(g, x!.shape, scope)
    const flat = g.view(x!, [sizeOf(x!.shape)])
    const given = steps.states.map((shape, i) => {
      const part = sliceAxis(g, flat, 0, 0, sizeOf(shape))
      return g.view(activate(g, scaled(g, part, 1 / (i + 1)), 'tanh'), shape)
    })
    const outputs = stepOf(g, steps, x!, given).map(y => g.view(y, [sizeOf(y.shape)]))
    return [concat(g, outputs, 0)]
  }
  return new Alone(cell.className, { ...cell.config, cell }, {}, record)
}

const single = (cell: Cell, input: readonly number[], samples = 3): Example => ({
  title: `${cell.className} ${JSON.stringify(cell.config)} [${input}]`,
  options: cell.config,
  layer: alone(cell),
  input,
  samples,
  spread: 1,
})

/** Features and units, and options. */
const sizes = [
  [1, 1],
  [5, 3],
  [17, 16],
  [18, 17],
] as const
const smooth = { recurrentActivation: 'sigmoid' } as const
type Make = (options: { units: number; recurrentActivation?: 'sigmoid'; activation?: 'mish' }) => Cell
const singles = (make: Make, options: object = {}): Example[] => [
  ...sizes.map(([features, units], i) =>
    single(make({ units, ...options, useBias: i % 2 > 0 } as never), [features]),
  ),
  ...activationNames.map(activation => single(make({ units: 3, ...options, activation } as never), [4], 2)),
  single(make({ units: 4, ...options, dropout: 0.3, recurrentDropout: 0.4 } as never), [6], 5),
]

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
const rnnExamples = (masked: boolean) => [
  ...cross(Object.entries(cells), courses).map(([[name, make], options]) => ({
    ...rnn({ ...options, cell: make() }, [4, 3], { spread: 1, masked }),
    title: `${name} ${JSON.stringify(options)}${masked ? ', masked' : ''}`,
  })),
  ...courses.map(options => {
    const all = [cells.simple(), cells.stack(), cells.dropped(), cells.long()]
    const title = `all ${JSON.stringify(options)}${masked ? ', masked' : ''}`
    return { ...rnn({ ...options, cell: all }, [3, 2], { spread: 1, samples: 4, masked }), title }
  }),
]

/** Examples of the layers in src/layers/recurrentCells.ts, convLstm.ts and rnn.ts. */
export const cellExamples = {
  convLstm2d: convExamples,
  convLstm2dCell: windows.map(options =>
    single(
      convLstm2dCell({ ...options, ...smooth, filters: 2 }),
      'dataFormat' in options ? [3, 5, 4] : [5, 4, 3],
    ),
  ),
  gruCell: [
    ...singles(gruCell as Make, smooth),
    ...singles(gruCell as Make, { ...smooth, resetAfter: true }),
  ],
  lstmCell: [...singles(lstmCell as Make, smooth), single(lstmCell({ units: 2, unitForgetBias: true }), [3])],
  rnn: rnnExamples(false),
  simpleRNNCell: singles(simpleRNNCell as Make),
  stackedRNNCells: [single(cells.stack(), [8])],
}

/** The same behind a masking layer. */
export const maskedCellExamples = {
  rnn: rnnExamples(true),
}
