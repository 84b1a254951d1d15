import type { ActivationName } from '../../src/ops/activation.ts'
import { Bed } from '../bed.ts'
import { activate } from './activations.ts'
import { type Array64, type Context, zeros } from './arrays.ts'

export interface RecurrentOptions {
  units: number
  /** Recurrent layers have one that is not null. */
  activation: ActivationName | null
  recurrentActivation: ActivationName
  returnSequences: boolean
  goBackwards: boolean
  resetAfter?: boolean
  dropout: number
  recurrentDropout: number
  returnState?: boolean
  /** Masks of the state instead of drawn ones. */
  stateMask?: Float32Array
  /** Which steps count, and states (samples, units) to begin with, instead of all and of zeros. */
  steps?: ArrayLike<number> | undefined
  initial?: readonly Float64Array[]
  /** Of an example: its initial states are parts of x, and with returnState all that the layer returns lies side by side. */
  seeded?: boolean
}

/** What a recurrence makes: y, and its states (samples, units) after the last step. */
export interface Recurred64 extends Array64 {
  readonly states: readonly Float64Array[]
}

type Weights = Readonly<Record<string, Float64Array>>
type Row = Float64Array

/** One step of a sample: pre-activations of x, the state before and the rest of the memory. */
type Cell = (z: Row, h: Row, memory: Row, tools: Tools) => Row

interface Tools {
  /** h·u for columns from … to − 1. */
  product(h: Row, from: number, to: number): Row
  readonly resetAfter: boolean | undefined
  /** The bias of h·u, zeros where there is none. */
  readonly innerBias: Row
  f(row: Row): Row
  gate(row: Row): Row
}

let sharedBed: Bed | undefined

/** The mask that the kernel draws in the tests' first step at a call site, or ones. */
export function maskOf(
  site: number,
  samples: number,
  size: number,
  rate: number,
  training: boolean,
): Float32Array {
  if (!training || rate === 0) return new Float32Array(samples * size).fill(1)
  const bed = (sharedBed ??= new Bed('simd128'))
  bed.reset()
  const mask = bed.out(samples * size)
  bed.kernels.dropoutMask(0, samples, mask, bed.putInts([7, 8, 1]), site, size, rate, 1 / (1 - rate), 0)
  return bed.floats(mask, samples * size)
}

/** A recurrence in float64, step by step. */
const steps =
  (cell: Cell) =>
  (
    x: Array64,
    { kernel, recurrent_kernel, bias }: Weights,
    options: RecurrentOptions,
    context: Context,
  ): Recurred64 => {
    const { units, returnSequences, goBackwards, dropout, recurrentDropout } = options
    const [samples, time, features] = x.shape as [number, number, number]
    const n = recurrent_kernel!.length / units
    const xMask = maskOf(0, samples, features, dropout, context.training)
    const hMask = options.stateMask ?? maskOf(1, samples, units, recurrentDropout, context.training)
    const curve = (name: ActivationName | null) => (row: Row) =>
      activate({ shape: [row.length], values: row }, name, context).values
    const tools: Tools = {
      resetAfter: options.resetAfter,
      innerBias: options.resetAfter && bias ? bias.subarray(n) : new Float64Array(n),
      product: (h, from, to) =>
        Float64Array.from({ length: to - from }, (_, j) =>
          h.reduce((sum, value, i) => sum + value * recurrent_kernel![i * n + from + j]!, 0),
        ),
      f: curve(options.activation),
      gate: curve(options.recurrentActivation),
    }
    const y = zeros(returnSequences ? [samples, time, units] : [samples, units])
    const counted = options.steps ?? (context.masked ? context.steps : undefined)
    const states = [0, 1].map(i => options.initial?.[i]?.slice() ?? new Float64Array(samples * units))
    for (let sample = 0; sample < samples; sample++) {
      let [h, memory] = states.map(all => all.slice(sample * units, (sample + 1) * units)) as [Row, Row]
      for (let s = 0; s < time; s++) {
        const t = goBackwards ? time - 1 - s : s
        const row = x.values.subarray((sample * time + t) * features, (sample * time + t + 1) * features)
        // Without a kernel, x holds the pre-activations.
        const gate = (j: number) => {
          const masked = (sum: number, value: number, i: number) =>
            sum + value * xMask[sample * features + i]! * kernel![i * n + j]!
          return row.reduce(masked, bias ? bias[j]! : 0)
        }
        const z = kernel ? Float64Array.from({ length: n }, (_, j) => gate(j)) : row
        const before = h.map((value, i) => value * hMask[sample * units + i]!)
        if (!counted || counted[sample * time + t] === 1) h = cell(z, before, memory, tools)
        if (returnSequences) y.values.set(h, (sample * time + s) * units)
        else if (s + 1 === time) y.values.set(h, sample * units)
      }
      for (const [i, state] of [h, memory].entries()) states[i]!.set(state, sample * units)
    }
    return { ...y, states }
  }

/** The recurrence of a cell with so many states. */
const recurrence =
  (cell: Cell, count: number) =>
  (x: Array64, weights: Weights, options: RecurrentOptions, context: Context): Recurred64 => {
    const { units, seeded, returnState } = options
    if (!seeded) return steps(cell)(x, weights, options, context)
    const [samples, time, features] = x.shape as [number, number, number]
    const initial = Array.from({ length: count }, (_, state) =>
      Float64Array.from({ length: samples * units }, (_, i) => {
        const [sample, unit] = [Math.floor(i / units), i % units]
        return Math.tanh(x.values[(sample * time + state) * features + unit]!)
      }),
    )
    const { states, ...y } = steps(cell)(x, weights, { ...options, initial }, context)
    if (!returnState) return { ...y, states }
    const parts = [y.values, ...states.slice(0, count)]
    const sizes = parts.map(part => part.length / samples)
    const row = (sample: number) =>
      parts.flatMap((part, i) => [...part.subarray(sample * sizes[i]!, (sample + 1) * sizes[i]!)])
    const values = Float64Array.from(Array.from({ length: samples }, (_, sample) => row(sample)).flat())
    return { shape: [samples, sizes.reduce((a, b) => a + b)], values, states }
  }

const sum = (a: Row, b: Row): Row => a.map((value, i) => value + b[i]!)

export const simpleRNN = recurrence((z, h, _, { product, f }) => f(sum(z, product(h, 0, z.length))), 1)

export const lstm = recurrence((z, h, c, { product, f, gate }) => {
  const n = h.length
  const all = sum(z, product(h, 0, 4 * n))
  const [i, forget, g, o] = [0, 1, 2, 3].map(k => all.slice(k * n, (k + 1) * n)) as [Row, Row, Row, Row]
  const [input, kept, candidate, output] = [gate(i), gate(forget), f(g), gate(o)]
  c.set(c.map((value, j) => kept[j]! * value + input[j]! * candidate[j]!))
  return f(c).map((value, j) => output[j]! * value)
}, 2)

export const gru = recurrence((z, h, _, { product, f, gate, resetAfter, innerBias }) => {
  const n = h.length
  const inner = sum(product(h, 0, 3 * n), innerBias)
  const part = (from: number) => gate(sum(z.slice(from, from + n), inner.slice(from, from + n)))
  const gates = Float64Array.from([...part(0), ...part(n)])
  const reset = (row: Row) => row.map((value, j) => gates[n + j]! * value)
  const recurrent = resetAfter ? reset(inner.slice(2 * n)) : product(reset(h), 2 * n, 3 * n)
  const candidate = f(sum(z.slice(2 * n), recurrent))
  return h.map((value, j) => gates[j]! * value + (1 - gates[j]!) * candidate[j]!)
}, 1)
