import { inRange, oneOf, positiveInteger, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import {
  gruAfter,
  gru as gruOp,
  lstm as lstmOp,
  type Recurrence,
  type RecurrentActivation,
  recurrentActivations,
  simpleRnn as simpleRnnOp,
} from '../ops/recurrent.ts'
import { getInitializer, type Initializer, type InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { type Builder, defineLayer, type FullConfig, required, weightOptions } from './define.ts'

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
  /** Share of the input's features that is dropped in training, the same ones at all steps. */
  dropout: 0,
  /** The same of the state. */
  recurrentDropout: 0,
  /** Whether the output holds the states of all steps, or that of the last one. */
  returnSequences: false,
  /** Only false. */
  returnState: false,
  /** Whether the steps go from the end of the input to its begin; the output is in the order of the steps. */
  goBackwards: false,
  /** Only false: each sequence begins with a state of zeros. */
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

function refuseTrue(where: string, name: string, value: boolean, hint: string): void {
  if (value) throw new RangeError(`${where}: ${name} must be false, got ${show(value)}; ${hint}`)
}

function checkRecurrent(where: string, config: Config): void {
  positiveInteger(where, 'units', config.units)
  oneOf(where, 'activation', config.activation, recurrentActivations)
  inRange(where, 'dropout', config.dropout, '[0, 1)')
  inRange(where, 'recurrentDropout', config.recurrentDropout, '[0, 1)')
  refuseTrue(where, 'returnState', config.returnState, 'use returnSequences for the states of all steps')
  refuseTrue(where, 'stateful', config.stateful, 'give whole sequences')
}

function checkGated(where: string, config: Config & { recurrentActivation: RecurrentActivation }): void {
  checkRecurrent(where, config)
  oneOf(where, 'recurrentActivation', config.recurrentActivation, recurrentActivations)
}

/** Refuses an input that is no sequence; makes the weights of `gates` gates; `rows` of a bias that has several. */
function recurrenceOf(
  { weight, refuse }: Builder,
  x: Value,
  config: Config & { recurrentActivation?: RecurrentActivation },
  gates: number,
  { initializer = config.biasInitializer, rows = [] as number[] } = {},
): Recurrence {
  if (x.shape.length !== 2 || x.shape.includes(0)) {
    refuse(`the input must have shape [time, features], got [${x.shape}]; add layers.reshape() before it`)
  }
  const { units, activation, recurrentActivation = 'linear', dropout, recurrentDropout } = config
  const kernel = weightOptions('kernel', config)
  const recurrent = weightOptions('recurrent', config)
  const bias = { initializer, regularizer: config.biasRegularizer }
  return {
    w: weight('kernel', [x.shape[1]!, gates * units], kernel),
    u: weight('recurrent_kernel', [units, gates * units], recurrent),
    b: config.useBias ? weight('bias', [...rows, gates * units], bias) : undefined,
    activation,
    recurrentActivation,
    sequences: config.returnSequences,
    backwards: config.goBackwards,
    dropout,
    recurrentDropout,
  }
}

/**
 * Each step's state is activation(x·kernel + h·recurrent_kernel + bias), h the state before: (time, features) →
 * (units), or (time, units) with returnSequences.
 */
export const simpleRNN = defineLayer('SimpleRNN', recurrentDefaults, checkRecurrent, (builder, x, config) =>
  simpleRnnOp(builder.g, x, recurrenceOf(builder, x, config, 1)),
)

/** Ones for the forget gate, the second quarter; `others` fills the rest. */
export function forgetOnes(others: Initializer): Initializer {
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
 * units) with returnSequences. Source: Hochreiter & Schmidhuber (1997).
 */
export const lstm = defineLayer(
  'LSTM',
  {
    ...gatedDefaults,
    /** Whether the bias of the forget gate starts as 1; false by default, as in TensorFlow.js. */
    unitForgetBias: false,
  },
  checkGated,
  (builder, x, config) => {
    const initializer = getInitializer(config.biasInitializer)
    const bias = { initializer: config.unitForgetBias ? forgetOnes(initializer) : initializer }
    return lstmOp(builder.g, x, recurrenceOf(builder, x, config, 4, bias))
  },
)

/**
 * Gated recurrent unit, gates in the order update, reset, candidate: (time, features) → (units), or (time,
 * units) with returnSequences. Source: Cho et al. (2014).
 */
export const gru = defineLayer(
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
  (builder, x, config) => {
    const op = config.resetAfter ? gruAfter : gruOp
    return op(builder.g, x, recurrenceOf(builder, x, config, 3, { rows: config.resetAfter ? [2] : [] }))
  },
)
