import { inRange, oneOf, positiveInteger } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { type ActivationName, activate, activationNames } from '../ops/activation.ts'
import { dense } from '../ops/dense.ts'
import { dropoutMask, maskSteps } from '../ops/dropout.ts'
import { combine } from '../ops/merge.ts'
import { concat, repeat, split } from '../ops/moves.ts'
import {
  gruAfter,
  gru as gruOp,
  lstm as lstmOp,
  type RecurrentActivation,
  type RecurrentOp,
  recurrentActivations,
  simpleRnn as simpleRnnOp,
} from '../ops/recurrent.ts'
import { opposite, zeros } from '../ops/steps.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import { getInitializer, type Initializer, type InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import {
  type Cell,
  type CellBuild,
  type CellSteps,
  checkCells,
  defineCell,
  lazily,
  outputOf,
  type Shape,
  stepOf,
} from './cells.ts'
import { checkActivation } from './core.ts'
import type { Builder } from './define.ts'
import { type FullConfig, required, weightOptions } from './options.ts'

export const cellDefaults = {
  /** Size of the state. */
  units: required<number>(),
  activation: 'tanh' as ActivationName,
  useBias: true,
  kernelInitializer: 'glorotNormal' as InitializerIdentifier,
  recurrentInitializer: 'orthogonal' as InitializerIdentifier,
  biasInitializer: 'zeros' as InitializerIdentifier,
  kernelRegularizer: null as RegularizerIdentifier | null,
  recurrentRegularizer: null as RegularizerIdentifier | null,
  biasRegularizer: null as RegularizerIdentifier | null,
  kernelConstraint: null as ConstraintIdentifier | null,
  recurrentConstraint: null as ConstraintIdentifier | null,
  biasConstraint: null as ConstraintIdentifier | null,
  /** Share of the input's features that is dropped in training, the same ones at all steps. */
  dropout: 0,
  /** The same of the state. */
  recurrentDropout: 0,
}

export const gatedCellDefaults = {
  ...cellDefaults,
  recurrentActivation: 'hardSigmoid' as ActivationName,
  /** Changes nothing, as in TensorFlow.js. */
  implementation: null as number | null,
}

type CellConfig = FullConfig<typeof cellDefaults>

/** Of the state and the candidate, and of the gates, where there are some. */
interface Curves {
  readonly activation: ActivationName
  readonly recurrentActivation?: ActivationName
}

type Rates = { dropout: number; recurrentDropout: number }

export function checkCurves(where: string, config: Rates & Curves): void {
  checkActivation(where, config.activation)
  if (config.recurrentActivation !== undefined)
    oneOf(where, 'recurrentActivation', config.recurrentActivation, activationNames)
  inRange(where, 'dropout', config.dropout, '[0, 1)')
  inRange(where, 'recurrentDropout', config.recurrentDropout, '[0, 1)')
}

export function checkCell(where: string, config: CellConfig & Curves): void {
  positiveInteger(where, 'units', config.units)
  checkCurves(where, config)
}

/** Ones for the forget gate, the second quarter; `others` fills the rest. */
function forgetOnes(others: Initializer): Initializer {
  return {
    ...others,
    apply: ([size], random) => {
      const units = size! / 4
      const quarters = [others.apply([units], random), new Float32Array(units).fill(1)]
      const values = [...quarters, others.apply([2 * units], random)].flatMap(part => [...part])
      return Float32Array.from(values)
    },
  }
}

type BiasConfig = Parameters<typeof weightOptions<'bias'>>[1] & { useBias: boolean; unitForgetBias?: boolean }

/** The bias of the gates, if there is one. */
export function biasOf({ weight }: Builder, config: BiasConfig, shape: Shape): Value | undefined {
  if (!config.useBias) return undefined
  const own = getInitializer(config.biasInitializer)
  const initializer = config.unitForgetBias ? forgetOnes(own) : own
  return weight('bias', shape, { ...weightOptions('bias', config), initializer })
}

/**
 * What the cells below share: inputs times the kernel, ahead, and states times the recurrent one; `rows` of the bias.
 * `kernels` does all steps by an op that knows the activations.
 */
function products(
  builder: Builder,
  shape: Shape,
  config: CellConfig & Curves & { unitForgetBias?: boolean },
  gates: number,
  rows: Shape = [],
) {
  const { g, weight, refuse } = builder
  const { units, activation, recurrentActivation = 'linear', dropout, recurrentDropout } = config
  if (shape.length !== 1 || shape.includes(0))
    refuse(`a step's input must have shape [features], got [${shape}]; add layers.reshape() before it`)
  const n = gates * units
  const w = weight('kernel', [shape[0]!, n], weightOptions('kernel', config))
  const u = weight('recurrent_kernel', [units, n], weightOptions('recurrent', config))
  const b = biasOf(builder, config, [...rows, n])
  const mask = lazily(() => dropoutMask(g, shape[0]!, dropout))
  const stateMask = lazily(() => dropoutMask(g, units, recurrentDropout))
  return {
    b,
    ahead: (xs: Value) => dense(g, maskSteps(g, xs, mask()), w, rows.length === 0 ? b : undefined),
    masked: (h: Value) => maskSteps(g, h, stateMask()),
    recurrent: (h: Value) => dense(g, h, u, undefined),
    curve: (x: Value) => activate(g, x, activation),
    gate: (x: Value) => activate(g, x, recurrentActivation),
    kernels: (op: RecurrentOp): Pick<CellSteps, 'whole'> => {
      if (!isKnown(activation) || !isKnown(recurrentActivation)) return {}
      const own = { w, u, b, activation, recurrentActivation, dropout, recurrentDropout }
      return { whole: (x, course) => op(g, x, { ...own, ...course }) }
    },
  }
}

const isKnown = (name: ActivationName): name is RecurrentActivation =>
  (recurrentActivations as readonly ActivationName[]).includes(name)

export const simpleSteps: CellBuild<typeof cellDefaults> = (builder, shape, config) => {
  const { g } = builder
  const { ahead, masked, recurrent, curve, kernels } = products(builder, shape, config, 1)
  return {
    states: [[config.units]],
    ahead,
    step(z, [h]) {
      const y = curve(combine(g, 'add', z, recurrent(masked(h!))))
      return [y, y]
    },
    ...kernels(simpleRnnOp),
  }
}

/** One step of `layers.simpleRNN`: (features) and the state (units) → (units), the output and the new state. */
export const simpleRNNCell = defineCell('SimpleRNNCell', cellDefaults, checkCell, simpleSteps)

/** The new h and c from the gates input, forget, cell, output side by side, and the c before. */
export function longShortStep(
  g: Graph,
  z: Value,
  c: Value,
  curve: (x: Value) => Value,
  gate: (x: Value) => Value,
): [h: Value, c: Value] {
  const [i, f, candidate, o] = split(g, z, z.shape.length - 1, 4) as [Value, Value, Value, Value]
  const times = (a: Value, b: Value) => combine(g, 'multiply', a, b)
  const next = combine(g, 'add', times(gate(f), c), times(gate(i), curve(candidate)))
  return [times(gate(o), curve(next)), next]
}

export const lstmDefaults = {
  ...gatedCellDefaults,
  /** Whether the bias of the forget gate starts as 1; false by default, as in TensorFlow.js. */
  unitForgetBias: false,
}

export const lstmSteps: CellBuild<typeof lstmDefaults> = (builder, shape, config) => {
  const { g } = builder
  const { ahead, masked, recurrent, curve, gate, kernels } = products(builder, shape, config, 4)
  return {
    states: [[config.units], [config.units]],
    ahead,
    step(z, [h, c]) {
      const [y, next] = longShortStep(g, combine(g, 'add', z, recurrent(masked(h!))), c!, curve, gate)
      return [y, y, next]
    },
    ...kernels(lstmOp),
  }
}

/** One step of `layers.lstm`: (features) and the states h and c, (units) each → h, and the new h and c. */
export const lstmCell = defineCell('LSTMCell', lstmDefaults, checkCell, lstmSteps)

/** The rows of a weight (2, n), for each sample: its product with the unit matrix. */
function rowsOf(g: Graph, b: Value): [first: Value, second: Value] {
  const one = opposite(g, zeros(g, [1]))
  const unit = g.view(concat(g, [one, zeros(g, [2]), one], 0), [2, 2])
  const rows = split(g, dense(g, unit, b, undefined), 0, 2)
  return rows.map(row => g.view(row, [b.shape[1]!])) as [Value, Value]
}

export const gruDefaults = {
  ...gatedCellDefaults,
  /**
   * Whether the reset gate works after the product with the state, and the bias is (2, 3·units), as Keras has it;
   * false by default, as in TensorFlow.js, which has only that.
   */
  resetAfter: false,
}

export const gruSteps: CellBuild<typeof gruDefaults> = (builder, shape, config) => {
  const { g } = builder
  const { units, resetAfter } = config
  const { b, ahead, masked, recurrent, curve, gate, kernels } = products(
    builder,
    shape,
    config,
    3,
    resetAfter ? [2] : [],
  )
  const biases = lazily(() => (b && resetAfter ? rowsOf(g, b) : []))
  const times = (a: Value, b: Value) => combine(g, 'multiply', a, b)
  const sum = (a: Value, b: Value | undefined) => (b ? combine(g, 'add', a, b) : a)
  const thirds = (z: Value) => split(g, z, 0, 3) as [Value, Value, Value]
  return {
    states: [[units]],
    ahead: xs => sum(ahead(xs), biases()[0] && repeat(g, biases()[0]!, 0, xs.shape[0]!)),
    step(x, [state]) {
      const h = masked(state!)
      const [updateX, resetX, candidateX] = thirds(x)
      const [updateH, resetH, innerH] = thirds(sum(recurrent(h), biases()[1]))
      const [z, r] = [gate(sum(updateX, updateH)), gate(sum(resetX, resetH))]
      // All columns of the product, of which only the last third is wanted: weights cannot be cut.
      const candidateH = resetAfter ? times(r, innerH) : thirds(recurrent(times(r, h)))[2]
      const candidate = curve(sum(candidateX, candidateH))
      const y = sum(times(z, h), times(opposite(g, z), candidate))
      return [y, y]
    },
    ...kernels(resetAfter ? gruAfter : gruOp),
  }
}

/** One step of `layers.gru`: (features) and the state (units) → (units), the output and the new state. */
export const gruCell = defineCell('GRUCell', gruDefaults, checkCell, gruSteps)

/** Where the weights of a cell of a stack are. */
export const scopeOf = (scope: string, cell: number): string => `${scope}/RNNCell_${cell}`

/**
 * Cells on top of each other as one: each takes the output of the one below. The states are those of the last cell
 * first, as in TensorFlow.js. Weights are called `RNNCell_0/kernel` and so on.
 */
export const stackedRNNCells = defineCell(
  'StackedRNNCells',
  {
    /** From the input on; or several in an array as the `cell` of `rnn`. */
    cells: required<readonly Cell[]>(),
  },
  (where, { cells }) => checkCells(where, 'cells', cells),
  ({ g, scope }, shape, { cells }) => {
    let input = shape
    const all = cells.map((cell, i) => {
      const steps = cell.begin(g, input, scopeOf(scope, i))
      input = outputOf(steps)
      return steps
    })
    return {
      states: all.toReversed().flatMap(({ states }) => states),
      output: input,
      step(x, states) {
        let [y, rest] = [x, states]
        const next = all.map(steps => {
          const own = rest.slice(rest.length - steps.states.length)
          rest = rest.slice(0, rest.length - steps.states.length)
          const [output, ...after] = stepOf(g, steps, y, own)
          y = output
          return after
        })
        return [y, ...next.toReversed().flat()]
      },
    } satisfies CellSteps
  },
)
