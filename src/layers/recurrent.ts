import { inRange, oneOf, positiveInteger } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { reverse } from '../ops/moves.ts'
import {
  gruAfter,
  gru as gruOp,
  lstm as lstmOp,
  type Recurred,
  type Recurrence,
  type RecurrentActivation,
  recurrentActivations,
  simpleRnn as simpleRnnOp,
} from '../ops/recurrent.ts'
import { keep } from '../ops/state.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import { getInitializer, type Initializer, type InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { type Builder, defineNetwork } from './define.ts'
import { type FullConfig, required, weightOptions } from './options.ts'
import { RecurrentLayer } from './recurrentLayer.ts'

const recurrentDefaults = {
  /** Size of the state. */
  units: required<number>(),
  activation: 'tanh' as RecurrentActivation,
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
  /** Whether the output holds the states of all steps, or that of the last one. */
  returnSequences: false,
  /**
   * Whether the states after the last step are put out as well, behind the output: in an LSTM, state and cell. Another
   * layer begins with them by `apply(x, { initialState })`.
   */
  returnState: false,
  /** Whether the steps go from the end of the input to its begin; the output is in the order of the steps. */
  goBackwards: false,
  /**
   * Whether each sample of a mini-batch begins with the states that the one at its place in the mini-batch before
   * ended with, in training, evaluation and prediction alike, until `resetStates()` of the layer or the model. Needs
   * batchInputShape (or batchShape) with the number of samples of all mini-batches; `shuffle: false` keeps them at
   * their places. No gradient flows from one mini-batch to another.
   */
  stateful: false,
  /** Changes nothing, as in TensorFlow.js. */
  unroll: false,
}

const gatedDefaults = {
  ...recurrentDefaults,
  recurrentActivation: 'hardSigmoid' as RecurrentActivation,
  /** Changes nothing, as in TensorFlow.js. */
  implementation: null as number | null,
}

type Config = FullConfig<typeof recurrentDefaults>

function checkRecurrent(where: string, config: Config): void {
  positiveInteger(where, 'units', config.units)
  oneOf(where, 'activation', config.activation, recurrentActivations)
  inRange(where, 'dropout', config.dropout, '[0, 1)')
  inRange(where, 'recurrentDropout', config.recurrentDropout, '[0, 1)')
}

function checkGated(where: string, config: Config & { recurrentActivation: RecurrentActivation }): void {
  checkRecurrent(where, config)
  oneOf(where, 'recurrentActivation', config.recurrentActivation, recurrentActivations)
}

/** A kind of recurrence: how it is recorded, and its number of gates and of states. */
interface Kind {
  readonly op: (g: Graph, x: Value, options: Recurrence) => Recurred
  readonly gates: number
  readonly states: readonly string[]
  readonly biasInitializer?: InitializerIdentifier
  /** Rows of a bias that has several. */
  readonly rows?: readonly number[]
}

/** The states that the inputs behind x are, or those that are kept; none for zeros. */
function initialOf(builder: Builder, given: readonly Value[], names: readonly string[], config: Config) {
  const { units, stateful } = config
  const { refuse, state } = builder
  if (given.length === 0) return stateful ? names.map(name => state(name, [units])) : []
  if (given.length !== names.length)
    refuse(`initialState must be ${names.length}, got ${given.length}; give those that returnState returns`)
  const other = given.find(({ shape }) => String(shape) !== `${units}`)
  if (other) refuse(`a state of initialState must have shape [${units}], got [${other.shape}]; correct it`)
  return given
}

/** The mask of a layer's output, which is in the order of the steps; none where the output is one state. */
function maskOutput(g: Graph, y: Value, steps: Value | undefined, config: Config): void {
  if (steps && config.returnSequences) g.masks.set(y, config.goBackwards ? reverse(g, steps, 0) : steps)
}

/** Refuses an input that is no sequence; makes the weights; records the layer. */
function recur(
  builder: Builder,
  [x, ...given]: readonly Value[],
  config: Config & { recurrentActivation?: RecurrentActivation },
  { op, gates, states: names, biasInitializer = config.biasInitializer, rows = [] }: Kind,
): readonly Value[] {
  const { g, weight, refuse } = builder
  if (!x) return refuse('it must have an input, got none; give it one')
  if (x.shape.length !== 2 || x.shape.includes(0)) {
    refuse(`the input must have shape [time, features], got [${x.shape}]; add layers.reshape() before it`)
  }
  const { units, activation, recurrentActivation = 'linear', dropout, recurrentDropout } = config
  const bias = weightOptions('bias', { ...config, biasInitializer })
  const steps = g.masks.of(x)
  const { y, states } = op(g, x, {
    w: weight('kernel', [x.shape[1]!, gates * units], weightOptions('kernel', config)),
    u: weight('recurrent_kernel', [units, gates * units], weightOptions('recurrent', config)),
    b: config.useBias ? weight('bias', [...rows, gates * units], bias) : undefined,
    activation,
    recurrentActivation,
    sequences: config.returnSequences,
    backwards: config.goBackwards,
    dropout,
    recurrentDropout,
    steps,
    initial: initialOf(builder, given, names, config),
  })
  maskOutput(g, y, steps, config)
  if (config.stateful)
    for (const [i, name] of names.entries()) keep(g, builder.state(name, [units]), states[i]!)
  return config.returnState ? [y, ...states] : [y]
}

/**
 * Each step's state is activation(x·kernel + h·recurrent_kernel + bias), h the state before: (time, features) →
 * (units), or (time, units) with returnSequences. Steps that a mask does not count leave the state as it is.
 */
export const simpleRNN = defineNetwork(
  'SimpleRNN',
  recurrentDefaults,
  checkRecurrent,
  (builder, inputs, config) => recur(builder, inputs, config, { op: simpleRnnOp, gates: 1, states: ['h'] }),
  'drops',
  RecurrentLayer,
)

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

/**
 * Long short-term memory, gates in the order input, forget, cell, output: (time, features) → (units), or (time,
 * units) with returnSequences; states h and c. Steps that a mask does not count leave them as they are. Source:
 * Hochreiter & Schmidhuber (1997).
 */
export const lstm = defineNetwork(
  'LSTM',
  {
    ...gatedDefaults,
    /** Whether the bias of the forget gate starts as 1; false by default, as in TensorFlow.js. */
    unitForgetBias: false,
  },
  checkGated,
  (builder, inputs, config) => {
    const initializer = getInitializer(config.biasInitializer)
    const biasInitializer = config.unitForgetBias ? forgetOnes(initializer) : initializer
    return recur(builder, inputs, config, { op: lstmOp, gates: 4, states: ['h', 'c'], biasInitializer })
  },
  'drops',
  RecurrentLayer,
)

/**
 * Gated recurrent unit, gates in the order update, reset, candidate: (time, features) → (units), or (time,
 * units) with returnSequences. Steps that a mask does not count leave the state as it is. Source: Cho et al. (2014).
 */
export const gru = defineNetwork(
  'GRU',
  {
    ...gatedDefaults,
    /**
     * Whether the reset gate works after the product with the state, and the bias is (2, 3·units), as Keras has it;
     * false by default, as in TensorFlow.js, which has only that.
     */
    resetAfter: false,
  },
  checkGated,
  (builder, inputs, config) => {
    const [op, rows] = config.resetAfter ? ([gruAfter, [2]] as const) : ([gruOp, []] as const)
    return recur(builder, inputs, config, { op, gates: 3, states: ['h'], rows })
  },
  'drops',
  RecurrentLayer,
)
