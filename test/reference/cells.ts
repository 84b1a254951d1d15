import type { Layer } from '../../src/layers/define.ts'
import type { ActivationName } from '../../src/ops/activation.ts'
import { activate } from './activations.ts'
import { type Array64, type Context, product, zeros } from './arrays.ts'
import { type ConvolutionOptions, geometryOf } from './convolution.ts'
import type { Reference } from './layers.ts'
import { maskOf } from './recurrent.ts'
import { permuted } from './reshaping.ts'
import { convolve } from './windows.ts'

/** Options of the layers in src/layers/recurrentCells.ts, convLstm.ts and rnn.ts. */
export interface CellOptions {
  cell: Layer | readonly Layer[]
  cells: readonly Layer[]
  /** Of an example of a cell: how many elements of x its states are made from. */
  states?: number
}

interface Options extends CellOptions, ConvolutionOptions {
  units: number
  recurrentActivation: ActivationName | null
  dropout: number
  recurrentDropout: number
  returnSequences: boolean
  goBackwards: boolean
  resetAfter: boolean
}

type Row = Float64Array
type Weights = Readonly<Record<string, Float64Array>>
type Shape = readonly number[]

/** A cell in float64, ready for steps of single samples. */
interface Begun {
  readonly states: readonly Shape[]
  readonly output: Shape
  step(sample: number, x: Row, states: readonly Row[]): readonly Row[]
}

/** What all cells of a network share: the call sites of dropout masks count on through them. */
interface Surroundings {
  readonly samples: number
  readonly context: Context
  sites: number
}

type Begin = (shape: Shape, weights: Weights, options: Options, around: Surroundings) => Begun

const sizeOf = (shape: Shape) => shape.reduce((size, n) => size * n, 1)
const plus = (a: Row, b: Row): Row => a.map((value, i) => value + b[i]!)
const times = (a: Row, b: ArrayLike<number>): Row => a.map((value, i) => value * b[i]!)

/** A sample's row of the mask that is drawn next. */
function drawn(size: number, rate: number, around: Surroundings): (sample: number) => Float32Array {
  const mask = maskOf(around.sites++, around.samples, size, rate, around.context.training)
  return sample => mask.subarray(sample * size, (sample + 1) * size)
}

/** The activation of rows of n. */
const curveOf = (name: ActivationName | null, n: number, { context }: Surroundings) => {
  return (row: Row): Row => activate({ shape: [row.length / n, n], values: row }, name, context).values
}

/** What the gates make of x and h, each multiplied by its kernel: (units) states. */
function products(
  [features]: Shape,
  { kernel, recurrent_kernel, bias }: Weights,
  options: Options,
  around: Surroundings,
) {
  const { units, dropout, recurrentDropout } = options
  const n = kernel!.length / features!
  const inner = bias && bias.length > n ? bias.subarray(n) : undefined
  const row = (x: Row, w: Row, b?: Row): Row => product({ shape: [1, x.length], values: x }, w, b, n).values
  const [xMask, hMask] = [drawn(features!, dropout, around), drawn(units, recurrentDropout, around)]
  return {
    fromX: (sample: number, x: Row) => row(times(x, xMask(sample)), kernel!, bias),
    masked: (sample: number, h: Row) => times(h, hMask(sample)),
    fromH: (h: Row) => row(h, recurrent_kernel!, inner),
    f: curveOf(options.activation, units, around),
    gate: curveOf(options.recurrentActivation, units, around),
  }
}

const simpleRNN: Begin = (shape, weights, options, around) => {
  const { fromX, masked, fromH, f } = products(shape, weights, options, around)
  return {
    states: [[options.units]],
    output: [options.units],
    step(sample, x, [h]) {
      const y = f(plus(fromX(sample, x), fromH(masked(sample, h!))))
      return [y, y]
    },
  }
}

const gru: Begin = (shape, weights, options, around) => {
  const n = options.units
  const { fromX, masked, fromH, f, gate } = products(shape, weights, options, around)
  return {
    states: [[n]],
    output: [n],
    step(sample, x, [state]) {
      const [h, own] = [masked(sample, state!), fromX(sample, x)]
      const gates = gate(plus(own.slice(0, 2 * n), fromH(h).slice(0, 2 * n)))
      const r = gates.slice(n)
      const recurrent = options.resetAfter ? times(fromH(h).slice(2 * n), r) : fromH(times(h, r)).slice(2 * n)
      const candidate = f(plus(own.slice(2 * n), recurrent))
      const y = h.map((value, j) => gates[j]! * value + (1 - gates[j]!) * candidate[j]!)
      return [y, y]
    },
  }
}

/** The new h and c from the gates, whose n channels each lie side by side at every place. */
function longShort(
  z: Row,
  c: Row,
  n: number,
  f: (row: Row) => Row,
  gate: (row: Row) => Row,
): [h: Row, c: Row] {
  const part = (k: number) => z.filter((_, i) => Math.floor((i % (4 * n)) / n) === k)
  const next = plus(times(gate(part(1)), c), times(gate(part(0)), f(part(2))))
  return [times(gate(part(3)), f(next)), next]
}

const lstm: Begin = (shape, weights, options, around) => {
  const { fromX, masked, fromH, f, gate } = products(shape, weights, options, around)
  const n = options.units
  return {
    states: [[n], [n]],
    output: [n],
    step(sample, x, [h, c]) {
      const [y, next] = longShort(plus(fromX(sample, x), fromH(masked(sample, h!))), c!, n, f, gate)
      return [y, y, next]
    },
  }
}

const convLstm: Begin = (shape, { kernel, recurrent_kernel, bias }, options, around) => {
  const { filters, dataFormat } = options
  const isFirst = dataFormat === 'channelsFirst'
  const toLast = (row: Row, [channels, height, width]: Shape): Row =>
    isFirst ? permuted({ shape: [1, channels!, height!, width!], values: row }, [0, 2, 3, 1]).values : row
  const toFirst = (row: Row, [height, width, channels]: Shape): Row =>
    isFirst ? permuted({ shape: [1, height!, width!, channels!], values: row }, [0, 3, 1, 2]).values : row
  const last = isFirst ? [...shape.slice(1), shape[0]!] : shape
  const forth = (x: Row) => {
    const values: Array64 = { shape: [1, ...last], values: x }
    return convolve(values, kernel!, bias, 4 * filters, geometryOf(values, options))
  }
  const [rows, columns] = forth(new Float64Array(sizeOf(last))).shape.slice(1) as [number, number]
  const state = [rows, columns, filters]
  const size = geometryOf({ shape: [1, ...state], values: new Float64Array() }, options).size
  const back = (h: Row) =>
    convolve({ shape: [1, ...state], values: h }, recurrent_kernel!, undefined, 4 * filters, {
      size,
      strides: [1, 1],
      padding: 'same',
    }).values
  const xMask = drawn(sizeOf(last), options.dropout, around)
  const hMask = drawn(sizeOf(state), options.recurrentDropout, around)
  const seen = isFirst ? [filters, rows, columns] : state
  const [f, gate] = [
    curveOf(options.activation, filters, around),
    curveOf(options.recurrentActivation, filters, around),
  ]
  return {
    states: [seen, seen],
    output: seen,
    step(sample, x, [h, c]) {
      const fromX = forth(times(toLast(x, shape), xMask(sample))).values
      const z = plus(fromX, back(times(toLast(h!, seen), hMask(sample))))
      const [y, next] = longShort(z, toLast(c!, seen), filters, f, gate)
      return [toFirst(y, state), toFirst(y, state), toFirst(next, state)]
    },
  }
}

const stacked: Begin = (shape, weights, { cells }, around) => {
  let output = shape
  const all = cells.map((cell, i) => {
    const prefix = `RNNCell_${i}/`
    const own = Object.entries(weights).filter(([name]) => name.startsWith(prefix))
    const named = Object.fromEntries(own.map(([name, w]) => [name.slice(prefix.length), w]))
    const begun = begin(cell, output, named, around)
    output = begun.output
    return begun
  })
  return {
    states: all.toReversed().flatMap(({ states }) => states),
    output,
    step(sample, x, states) {
      let [y, end] = [x, states.length]
      const after = all.map(({ step, states: { length } }) => {
        const [own, ...next] = step(sample, y, states.slice(end - length, end)) as [Row, ...Row[]]
        ;[y, end] = [own, end - length]
        return next
      })
      return [y, ...after.toReversed().flat()]
    },
  }
}

const kinds: Readonly<Record<string, Begin>> = {
  SimpleRNNCell: simpleRNN,
  GRUCell: gru,
  LSTMCell: lstm,
  ConvLSTM2DCell: convLstm,
  StackedRNNCells: stacked,
}

const begin = ({ className, config }: Layer, shape: Shape, weights: Weights, around: Surroundings): Begun =>
  kinds[className]!(shape, weights, config as unknown as Options, around)

/** The cell's steps over x (samples, time, …), padding left out. */
function through(
  begun: Begun,
  x: Array64,
  { returnSequences, goBackwards }: Options,
  context: Context,
): Array64 {
  const [samples, time, ...shape] = x.shape as [number, number, ...number[]]
  const [size, n] = [sizeOf(shape), sizeOf(begun.output)]
  const y = zeros([samples, ...(returnSequences ? [time] : []), ...begun.output])
  for (let sample = 0; sample < samples; sample++) {
    let output: Row = new Float64Array(n)
    let states: readonly Row[] = begun.states.map(own => new Float64Array(sizeOf(own)))
    for (let s = 0; s < time; s++) {
      const t = sample * time + (goBackwards ? time - 1 - s : s)
      if (!context.masked || context.steps![t] === 1)
        [output, ...states] = begun.step(sample, x.values.subarray(t * size, (t + 1) * size), states) as [Row]
      if (returnSequences) y.values.set(output, (sample * time + s) * n)
      else y.values.set(output, sample * n)
    }
  }
  return y
}

const rnn: Reference = (x, weights, options, context) => {
  const { cell } = options
  const around = { samples: x.shape[0]!, context, sites: 0 }
  const shape = x.shape.slice(2)
  const begun = Array.isArray(cell)
    ? stacked(shape, weights, { ...options, cells: cell } as Options, around)
    : begin(cell as Layer, shape, weights, around)
  return through(begun, x, options as Options, context)
}

const convLstm2d: Reference = (x, weights, options, context) => {
  const around = { samples: x.shape[0]!, context, sites: 0 }
  return through(
    convLstm(x.shape.slice(2), weights, options as Options, around),
    x,
    options as Options,
    context,
  )
}

/** One step, whose states are made from x as the examples in test/cases/cells.ts do it: all outputs, one after the other. */
const step =
  (kind: Begin): Reference =>
  (x, weights, options, context) => {
    const [samples, ...shape] = x.shape as [number, ...number[]]
    const begun = kind(shape, weights, options as Options, { samples, context, sites: 0 })
    const size = sizeOf(shape)
    const rows = Array.from({ length: samples }, (_, sample) => {
      const row = x.values.subarray(sample * size, (sample + 1) * size)
      const states = begun.states.map((own, i) =>
        row.slice(0, sizeOf(own)).map(value => Math.tanh(value / (i + 1))),
      )
      return begun.step(sample, row, states).flatMap(part => [...part])
    })
    return { shape: [samples, rows[0]!.length], values: Float64Array.from(rows.flat()) }
  }

export const cellReferences = {
  convLstm2d,
  convLstm2dCell: step(convLstm),
  gruCell: step(gru),
  lstmCell: step(lstm),
  rnn,
  simpleRNNCell: step(simpleRNN),
  stackedRNNCells: step(stacked),
} satisfies Record<string, Reference>
