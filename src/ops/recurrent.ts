import type { Graph } from '../graph/graph.ts'
import { bytesOf, unitsOf } from '../graph/parameter.ts'
import { samples, slices, update, type Value, write } from '../graph/value.ts'
import { denseBackward, productBackward, transposed } from './dense.ts'
import { dropoutMask, dropoutSteps } from './dropout.ts'
import { extract, sliceAxis } from './moves.ts'
import { productGradientScratch, recurrentScratch } from './scratch.ts'

/** Activations that the recurrent kernels know, by their numbers in assembly/recurrent.ts. */
export const recurrentActivations = [
  'linear',
  'tanh',
  'sigmoid',
  'hardSigmoid',
  'relu',
  'relu6',
  'elu',
  'selu',
  'softplus',
] as const
export type RecurrentActivation = (typeof recurrentActivations)[number]

const codeOf = (name: RecurrentActivation): number => recurrentActivations.indexOf(name)

/** How a recurrence goes through its input. */
export interface Course {
  /** Whether y holds the outputs of all steps, or that of the last one. */
  readonly sequences: boolean
  /** Whether the first step takes the end of x; y is in the order of the steps. */
  readonly backwards: boolean
  /** (time) of 1 where a step counts, and 0 where the states stay and y is as before; all count if undefined. */
  readonly steps: Value | undefined
  /** The states before the first step; none for zeros. */
  readonly initial: readonly Value[]
}

export interface Recurrence extends Course {
  /** (features, gates·units), (units, gates·units), (gates·units) or none. */
  readonly w: Value
  readonly u: Value
  readonly b: Value | undefined
  readonly activation: RecurrentActivation
  /** Of the gates; a simple recurrence has none. */
  readonly recurrentActivation: RecurrentActivation
  /** Shares of x and of the state that are dropped in training, the same ones at all steps. */
  readonly dropout: number
  readonly recurrentDropout: number
}

/** What a recurrence makes: y, and the states after the last step. */
export interface Recurred {
  readonly y: Value
  readonly states: readonly Value[]
}

/** Records a recurrence: states are (units), and the first one after the last step is the last of y. */
export type RecurrentOp = (g: Graph, x: Value, options: Recurrence) => Recurred

/**
 * What all recurrences begin with: gates x·w + b of all steps in one product, room for the states before each
 * step, the mask of the states, and y. The kernels turn the gates into activations, and into gradients later.
 */
function begin(g: Graph, input: Value, { w, u, b, sequences, initial, ...options }: Recurrence) {
  const x = dropoutSteps(g, input, options.dropout)
  const [time, features] = x.shape as [number, number]
  const [units, n] = u.shape as [number, number]
  const mask = dropoutMask(g, units, options.recurrentDropout)
  const z = g.batch(`gates of ${w.storage.label}`, [time, n])
  g.call('product', samples(time), x, w, b ?? 0, write(z), n, features, Number.NEGATIVE_INFINITY)
  const each = (label: string) => g.batch(`${label} of ${w.storage.label}`, [time, units])
  const sources = [x, w, u, ...(b ? [b] : []), ...initial]
  const y = g.batch(w.storage.label, sequences ? [time, units] : [units], ...sources)
  const flags = [Number(sequences), Number(options.backwards)] as const
  const masks = [options.steps ?? 0, mask ?? 0] as const
  const [h0 = 0, c0 = 0] = initial
  return { x, z, h: each('states'), h0, c0, y, masks, time, units, flags, each }
}

/** Where a kernel puts the gradient of an initial state, or 0; `settle` hands it on. */
function gradientOf(g: Graph, state: Value | number) {
  const dx =
    typeof state !== 'number' && state.differentiable
      ? g.batch(`d ${state.storage.label}`, state.shape)
      : undefined
  return { to: dx ? write(dx) : 0, settle: () => dx && g.contributeValue(state as Value, dx) }
}

/** The state after the last step: y, or the last step of it. */
function lastOf(g: Graph, y: Value, time: number, units: number): Value {
  return g.view(y.shape.length === 1 ? y : sliceAxis(g, y, 0, time - 1, 1), [units])
}

/** h = activation(x·w + b + h'·u): x (time, features), y (time, units) or (units). */
export function simpleRnn(g: Graph, input: Value, options: Recurrence): Recurred {
  const { x, z, h, h0, y, masks, time, units, flags } = begin(g, input, options)
  const { w, u, b } = options
  const sizes = [time, units, codeOf(options.activation), ...flags] as const
  g.call('simpleRnn', samples(), update(z), u, ...masks, h0, write(h), write(y), ...sizes)
  g.onBackward(y, dy => {
    const scratch = write(g.scratch(recurrentScratch(units, 1, 0)))
    const dh0 = gradientOf(g, h0)
    const ut = transposed(g, u)
    g.call('simpleRnnGradient', samples(), update(z), ut, ...masks, dy, dh0.to, scratch, ...sizes)
    dh0.settle()
    denseBackward(g, x, w, b, z)
    productBackward(g, h, u, z)
  })
  return { y, states: [lastOf(g, y, time, units)] }
}

/**
 * i, f, o = recurrentActivation(·), g = activation(·) of the quarters i, f, g, o of x·w + b + h'·u; c = f·c' +
 * i·g; h = o·activation(c). Shapes as simpleRnn. Source: Hochreiter & Schmidhuber (1997); Gers et al. (2000).
 */
export function lstm(g: Graph, input: Value, options: Recurrence): Recurred {
  const { x, z, h, h0, c0, y, masks, time, units, flags, each } = begin(g, input, options)
  const { w, u, b } = options
  const curves = [codeOf(options.activation), codeOf(options.recurrentActivation)] as const
  const sizes = [time, units, ...curves, ...flags] as const
  const c = each('cells')
  const row = write(g.scratch(recurrentScratch(units, 0, 1)))
  g.call('lstm', samples(), update(z), u, ...masks, h0, c0, write(h), write(c), write(y), row, ...sizes)
  const cell = g.batch(`cell of ${w.storage.label}`, [1, units], y)
  extract(g, c, write(cell), [time - 1, 0])
  g.onBackwardOf([y, cell], ([dy, dc]) => {
    const scratch = write(g.scratch(recurrentScratch(units, 2, 3)))
    const [dh0, dc0] = [gradientOf(g, h0), gradientOf(g, c0)]
    const ut = transposed(g, u)
    const gradients = [dy ?? 0, dc ?? 0, dh0.to, dc0.to] as const
    g.call('lstmGradient', samples(), update(z), ut, ...masks, c0, c, ...gradients, scratch, ...sizes)
    dh0.settle()
    dc0.settle()
    denseBackward(g, x, w, b, z)
    productBackward(g, h, u, z)
  })
  return { y, states: [lastOf(g, y, time, units), g.view(cell, [units])] }
}

/**
 * z, r = recurrentActivation(·) of two thirds of x·w + b + h'·u, g = activation(·) of the last of x·w + b +
 * (r·h')·u; h = z·h' + (1 − z)·g. Shapes as simpleRnn. Source: Cho et al. (2014).
 */
export function gru(g: Graph, input: Value, options: Recurrence): Recurred {
  const { x, z, h, h0, y, masks, time, units, flags, each } = begin(g, input, options)
  const { w, u, b } = options
  const curves = [codeOf(options.activation), codeOf(options.recurrentActivation)] as const
  const sizes = [time, units, ...curves, ...flags] as const
  const reset = each('reset states')
  // A row of the candidate's product may begin with 15 columns of another gate.
  const rows = write(g.scratch(recurrentScratch(units + 15, 1, 1)))
  g.call('gru', samples(), update(z), u, ...masks, h0, write(h), write(reset), write(y), rows, ...sizes)
  g.onBackward(y, dy => {
    const scratch = write(g.scratch(recurrentScratch(units, 2, 2)))
    const dh0 = gradientOf(g, h0)
    const ut = transposed(g, u)
    g.call('gruGradient', samples(), update(z), ut, ...masks, h0, h, dy, dh0.to, scratch, ...sizes)
    dh0.settle()
    denseBackward(g, x, w, b, z)
    g.contributeParameter(u, (du, span) => {
      const scratch = write(g.scratch(productGradientScratch() + 64 * units))
      const cut = slices(unitsOf(u.shape))
      g.call('gruWeightGradient', cut, h, reset, z, du, span, time, units, scratch)
    })
  })
  return { y, states: [lastOf(g, y, time, units)] }
}

/** The two rows of the bias (2, n): what is added to x·w, and to h'·u. */
function biasRows(g: Graph, b: Value): [input: Value, recurrent: Value] {
  const bytes = bytesOf([b.shape[1]!])
  return g.derive(b, 'rows', [bytes, bytes], (first, second) =>
    g.call('splitRows', slices(unitsOf(b.shape)), b, first!, second!),
  ) as [Value, Value]
}

/**
 * As gru, but g = activation(x·w + b₀ + r·(h'·u + b₁)): the reset gate works after the product, and the bias (2,
 * 3·units) has a row b₁ for it. Source: Keras 3, `reset_after`.
 */
export function gruAfter(g: Graph, input: Value, options: Recurrence): Recurred {
  const { w, u, b } = options
  const [first, second] = b ? biasRows(g, b) : []
  const { x, z, h, h0, y, masks, time, units, flags } = begin(g, input, { ...options, b: first })
  const curves = [codeOf(options.activation), codeOf(options.recurrentActivation)] as const
  const sizes = [time, units, ...curves, ...flags] as const
  const inner = g.batch(`inner ${z.storage.label}`, z.shape)
  const row = write(g.scratch(recurrentScratch(units, 0, 1)))
  const given = [second ?? 0, ...masks, h0] as const
  g.call('gruAfter', samples(), update(z), u, ...given, write(h), write(inner), write(y), row, ...sizes)
  g.onBackward(y, dy => {
    const scratch = write(g.scratch(recurrentScratch(units, 1, 2)))
    const dh0 = gradientOf(g, h0)
    const arrays = [transposed(g, u), ...masks, h, update(inner), dy, dh0.to, scratch] as const
    g.call('gruAfterGradient', samples(), update(z), ...arrays, ...sizes)
    dh0.settle()
    denseBackward(g, x, w, undefined, z)
    productBackward(g, h, u, inner)
    if (b)
      g.contributeParameter(b, (db, span) =>
        g.call('sumRowPairs', slices(unitsOf(b.shape)), z, inner, db, span, time, 3 * units),
      )
  })
  return { y, states: [lastOf(g, y, time, units)] }
}
