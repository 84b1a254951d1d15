import { positiveInteger } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { sizeOf, type Value } from '../graph/value.ts'
import { activate } from '../ops/activation.ts'
import { convolution, ones } from '../ops/convolution.ts'
import { dropoutMask, maskSteps } from '../ops/dropout.ts'
import { combine } from '../ops/merge.ts'
import { permute } from '../ops/moves.ts'
import { type Padding, spread, windowOf } from '../ops/window.ts'
import { type CellSteps, defineCell, type Shape } from './cells.ts'
import { checkRates, onesAlong } from './convolution.ts'
import { courseDefaults, recur } from './course.ts'
import { type Builder, defineNetwork } from './define.ts'
import { type FullConfig, required, weightOptions } from './options.ts'
import { biasOf, checkCurves, gatedCellDefaults, longShortStep } from './recurrentCells.ts'
import { RecurrentLayer } from './recurrentLayer.ts'
import type { DataFormat } from './reshaping.ts'
import { checkFit, checkFormat, checkPadding, checkSizes, type Sizes, tripleOf } from './windows.ts'

const { units: _, ...shared } = gatedCellDefaults

const cellDefaults = {
  /** Number of output channels. */
  filters: required<number>(),
  /** Height and width of the windows on input and state, or one number for both. */
  kernelSize: required<Sizes>(),
  /** Of the window on the input; that on the state moves by 1. */
  strides: onesAlong(2),
  /** Of the input; that of the state is `same`. */
  padding: 'valid' as Padding,
  dataFormat: 'channelsLast' as DataFormat,
  /** Distance between neighbouring taps on the input; strides must be 1 where it is not. */
  dilationRate: onesAlong(2),
  ...shared,
  /** Whether the bias of the forget gate starts as 1; false by default, as in TensorFlow.js. */
  unitForgetBias: false,
  /** Share of a step's input that is dropped in training, the same at all steps and for all gates. */
  dropout: 0,
}

type Config = FullConfig<typeof cellDefaults>

function check(where: string, config: Config): void {
  positiveInteger(where, 'filters', config.filters)
  checkSizes(where, 'kernelSize', config.kernelSize, 2)
  checkSizes(where, 'strides', config.strides, 2)
  checkRates(where, config.strides, config.dilationRate, 2)
  checkPadding(where, config.padding)
  checkFormat(where, config.dataFormat)
  checkCurves(where, config)
}

/** Refuses an input of other axes than those of a step, and of `before` before it. */
function checkAxes({ refuse }: Builder, { dataFormat }: Config, shape: Shape, before = ''): void {
  if (shape.length === (before === '' ? 3 : 4)) return
  const form = dataFormat === 'channelsLast' ? 'height, width, channels' : 'channels, height, width'
  refuse(`the input must have shape [${before}${form}], got [${shape}]; add layers.reshape() before it`)
}

/** The steps with channels last: z = x ⋆ kernel + bias of all steps at once, h ⋆ recurrent_kernel step by step. */
function stepsLast(builder: Builder, shape: Shape, config: Config): CellSteps {
  const { g, weight, refuse } = builder
  const { filters, padding } = config
  const [height, width, channels] = shape as [number, number, number]
  const size = tripleOf(config.kernelSize, 2)
  const strides = tripleOf(config.strides, 2)
  const rates = tripleOf(config.dilationRate, 2)
  checkFit(refuse, { shape: [1, ...shape] }, { size, strides, rates, padding }, { shape })
  const [rows, columns] = [height, width].map(
    (n, axis) => windowOf(n, spread(size[axis + 1]!, rates[axis + 1]!), strides[axis + 1]!, padding).out,
  ) as [number, number]
  const taps = (name: string, from: number, prefix: 'kernel' | 'recurrent') => {
    const own = weight(name, [...size.slice(1), from, 4 * filters], weightOptions(prefix, config))
    return g.view(own, [...size, from, 4 * filters])
  }
  const w = taps('kernel', channels, 'kernel')
  const u = taps('recurrent_kernel', filters, 'recurrent')
  const b = biasOf(builder, config, [4 * filters])
  const mask = dropoutMask(g, sizeOf(shape), config.dropout)
  const state = [rows, columns, filters]
  const stateMask = dropoutMask(g, sizeOf(state), config.recurrentDropout)
  const curve = (x: Value) => activate(g, x, config.activation)
  const gate = (x: Value) => activate(g, x, config.recurrentActivation)
  return {
    states: [state, state],
    ahead: xs => convolution(g, maskSteps(g, xs, mask), w, b, { strides, padding, rates }),
    step(z, [h, c]) {
      const before = g.view(maskSteps(g, h!, stateMask), [1, ...state])
      const recurrent = convolution(g, before, u, undefined, { strides: ones, padding: 'same' })
      const gates = combine(g, 'add', z, g.view(recurrent, z.shape))
      const [y, next] = longShortStep(g, gates, c!, curve, gate)
      return [y, y, next]
    },
  }
}

/** x (…, channels, height, width) with its channels last, and the way back. */
const axesOf = (x: Value) => [...x.shape.keys()]
const toLast = (g: Graph, x: Value): Value =>
  permute(g, x, [...axesOf(x).toSpliced(-3, 1), x.shape.length - 3])
const toFirst = (g: Graph, x: Value): Value =>
  permute(
    g,
    x,
    axesOf(x)
      .slice(0, -1)
      .toSpliced(-2, 0, x.shape.length - 1),
  )

const lastShape = ([channels, ...places]: Shape) => [...places, channels!]
const firstShape = (shape: Shape) => [shape.at(-1)!, ...shape.slice(0, -1)]

/** The steps as the user sees input and states. */
function stepsOf(builder: Builder, shape: Shape, config: Config): CellSteps {
  checkAxes(builder, config, shape)
  if (config.dataFormat === 'channelsLast') return stepsLast(builder, shape, config)
  const { g } = builder
  const { states, ahead, step } = stepsLast(builder, lastShape(shape), config)
  return {
    states: states.map(firstShape),
    ahead: xs => ahead!(toLast(g, xs)),
    step(z, before) {
      const [y, , c] = step(
        z,
        before.map(state => toLast(g, state)),
      )
      const h = toFirst(g, y)
      return [h, h, toFirst(g, c!)]
    },
  }
}

/**
 * One step of `layers.convLstm2d`: (height, width, channels) and the states h and c, (outHeight, outWidth, filters)
 * each → h, and the new h and c.
 */
export const convLstm2dCell = defineCell('ConvLSTM2DCell', cellDefaults, check, stepsOf)

/**
 * Long short-term memory whose products are convolutions: (time, height, width, channels) → (outHeight, outWidth,
 * filters), or (time, outHeight, outWidth, filters) with returnSequences; states h and c, (outHeight, outWidth,
 * filters) each. Dropout takes one mask for all gates, as Keras 3; TensorFlow.js draws one for each. The steps are
 * recorded one by one: plan and memory grow with them. Source: Shi et al. (2015), "Convolutional LSTM network".
 */
export const convLstm2d = defineNetwork(
  'ConvLSTM2D',
  { ...cellDefaults, ...courseDefaults },
  check,
  (builder, inputs, config) => {
    if (inputs[0]) checkAxes(builder, config, inputs[0].shape, 'time, ')
    return recur(builder, inputs, config, [shape => stepsOf(builder, shape, config)])
  },
  'drops',
  RecurrentLayer,
)
