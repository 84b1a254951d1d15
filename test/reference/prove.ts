import { noise, relativeError } from '../bed.ts'
import { type Array64, type Context, zeros } from './arrays.ts'
import { referenceOf } from './layers.ts'
import type { RowLoss } from './losses.ts'
import { isMasked, reversed, stepsOf } from './masks.ts'
import { build, type Inputs, measure, type Outputs, type Setup } from './measure.ts'

/** Step of central differences; their own error is then about 1e-9 of the loss. */
const step = 1e-6
/** Inputs are drawn again until every value lies so far from a place without derivative: 1000 steps. */
const margin = 1e-3
/** Elements of a tensor that are differenced one by one. */
const mostElements = 48

export type Draw = (seed: number) => Inputs

export interface Inputs64 {
  readonly x: Array64
  readonly target: Float64Array
  readonly weight: Float64Array | undefined
  readonly weights: Record<string, Float64Array>
}

/** The inputs in float64. */
export const wide = ({ x, target, weight, weights }: Inputs, { samples, input }: Setup): Inputs64 => ({
  x: { shape: [samples, ...input], values: Float64Array.from(x) },
  target: Float64Array.from(target),
  weight: weight && Float64Array.from(weight),
  weights: Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, Float64Array.from(w)])),
})

/** The layers in float64, and which steps of their output count. */
function forward({ layers }: Setup, { x, weights }: Inputs64, context: Context): Predicted {
  let masked = false
  let { steps } = context
  const y = layers.reduce((value, layer) => {
    const own = layer.weights.map(({ name }) => [name.slice(layer.name.length + 1), weights[name]!] as const)
    const becomes = (name: string, w: Float64Array) => context.becomes(`${layer.name}/${name}`, w)
    const { className, config } = layer
    const told = { ...context, becomes, masked, steps }
    masked = isMasked(className, config, masked)
    if (masked && steps && config.goBackwards) steps = reversed(steps, value.shape[1]!)
    return referenceOf(layer)(value, Object.fromEntries(own), config as never, told)
  }, x)
  return { ...y, steps: masked ? steps : undefined }
}

/** Which steps of the input are no padding, if a layer masks some. */
function paddingOf({ layers }: Setup, { x }: Inputs64): Float64Array | undefined {
  const first = layers.find(({ className, config }) => isMasked(className, config, false))
  return first && stepsOf(x, (first.config.maskValue as number) ?? 0)
}

/** A prediction, and which of its steps count (all where that is left out). */
export interface Predicted extends Array64 {
  readonly steps?: Float64Array | undefined
}

/** Losses of the rows and their weighted mean, in float64; masked rows have the loss 0 and do not count. */
export function lossesOf(
  setup: Setup,
  rowLoss: RowLoss,
  y: Predicted,
  inputs: Inputs64,
  near: (d: number) => void,
) {
  const { samples, loss } = setup
  const n = y.shape.at(-1) ?? 1
  const rows = y.values.length / n
  const m = loss.sparse ? 1 : n
  const values = new Float64Array(rows)
  const { steps } = y
  const isCounted = (row: number) => !steps || steps[Math.floor((row * steps.length) / rows)] === 1
  const counted = Array.from({ length: rows }, (_, row) => row).filter(isCounted)
  let mean = 0
  for (const row of counted) {
    const target = inputs.target.subarray(row * m, row * m + m)
    values[row] = rowLoss(y.values.subarray(row * n, row * n + n), target, near)
    const sample = Math.floor((row * samples) / rows)
    mean += (values[row]! * (inputs.weight?.[sample] ?? 1)) / counted.length
  }
  return { values, mean }
}

/** Central difference of f as `values` moves along `direction` (pairs of index and factor). */
function difference(
  f: () => number,
  values: Float64Array,
  direction: readonly (readonly [number, number])[],
) {
  const before = values.slice()
  for (const [i, factor] of direction) values[i] = before[i]! + step * factor
  const above = f()
  for (const [i, factor] of direction) values[i] = before[i]! - step * factor
  const below = f()
  values.set(before)
  return (above - below) / (2 * step)
}

/**
 * Error of a gradient against central differences of f: of single elements (all, or 48 spread out), and of
 * sums over all elements with random signs, which no wrong element escapes.
 */
export function gradientError(f: () => number, values: Float64Array, gradient: Float32Array): number {
  const size = values.length
  if (gradient.length !== size) return Number.POSITIVE_INFINITY
  const count = Math.min(size, mostElements)
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(((i + (i % 7) / 7) * size) / count))
  const slopes = chosen.map(i => difference(f, values, [[i, 1]]))
  const singles = relativeError(
    chosen.map(i => gradient[i]!),
    slopes,
  )
  if (count === size) return singles
  const scale = Math.sqrt(size) * Math.max(...slopes.map(Math.abs))
  const sums = [1, 2, 3].map(seed => {
    const signs = Array.from(noise(size, seed), (x, i) => [i, Math.sign(x) || 1] as const)
    const sum = signs.reduce((total, [i, sign]) => total + sign * gradient[i]!, 0)
    return Math.abs(sum - difference(f, values, signs)) / scale
  })
  return Math.max(singles, ...sums)
}

/** What the layers predict outside of training, in float64. */
export const predictionOf = (setup: Setup, inputs: Inputs64): Predicted =>
  forward(setup, inputs, { ...silent, training: false, steps: paddingOf(setup, inputs) })

export interface Errors {
  readonly inputs: Inputs
  /** Of predictions and losses, in training and outside. */
  readonly forward: number
  /** Of dx and of each weight's gradient, by name. */
  readonly gradients: Readonly<Record<string, number>>
  /** Of weights that the step itself changes (moving statistics). */
  readonly moved: number
}

const silent = { near() {}, becomes() {}, observed: [] }

/** Inputs whose float64 values keep away from kinks. */
export function drawClear(setup: Setup, rowLoss: RowLoss, draw: Draw): Inputs {
  for (let seed = 1; seed <= 500; seed++) {
    const inputs = draw(seed)
    const narrow = wide(inputs, setup)
    let nearest = Number.POSITIVE_INFINITY
    const near = (distance: number) => {
      nearest = Math.min(nearest, distance)
    }
    const steps = paddingOf(setup, narrow)
    const y = forward(setup, narrow, { ...silent, steps, near, training: true })
    lossesOf(setup, rowLoss, y, narrow, near)
    if (nearest >= margin) return inputs
  }
  throw new Error(`no inputs found that keep ${margin} away from kinks; use fewer samples`)
}

/** Compares one step of training, and one of inference, with the float64 reference. */
export function prove(setup: Setup, rowLoss: RowLoss, draw: Draw): Errors {
  build(setup)
  const inputs = drawClear(setup, rowLoss, draw)
  const outputs = measure(setup, inputs)
  const inference = measure({ ...setup, training: false }, inputs)
  const reference = wide(inputs, setup)
  const moved = new Map<string, Float64Array>()
  const context: Context = {
    ...silent,
    training: true,
    observed: outputs.y,
    steps: paddingOf(setup, reference),
    becomes: (name, values) => moved.set(name, values),
  }
  const run = (training: boolean) => {
    const y = forward(setup, reference, { ...context, training })
    return { y, ...lossesOf(setup, rowLoss, y, reference, () => {}) }
  }
  const [expected, plain] = [run(true), run(false)]
  const f = () => run(true).mean
  const gradients: Record<string, number> = {}
  if (!setup.discrete) gradients.x = gradientError(f, reference.x.values, outputs.dx)
  for (const [name, gradient] of Object.entries(outputs.gradients))
    gradients[name] = gradientError(f, reference.weights[name]!, gradient)
  const forwardErrors = [
    relativeError(outputs.y, expected.y.values),
    relativeError(outputs.losses, expected.values),
    relativeError(inference.y, plain.y.values),
    relativeError(inference.losses, plain.values),
  ]
  const movedBy = movedError(outputs, inputs, moved)
  return { inputs, forward: Math.max(...forwardErrors), gradients, moved: movedBy }
}

/** Moving statistics as the reference says, all other weights untouched. */
function movedError(
  { after }: Outputs,
  { weights }: Inputs,
  moved: ReadonlyMap<string, Float64Array>,
): number {
  const errors = Object.entries(after).map(([name, w]) => {
    const expected = moved.get(name)
    if (expected) return relativeError(w, expected)
    return w.every((value, i) => value === weights[name]![i]) ? 0 : Number.POSITIVE_INFINITY
  })
  return Math.max(0, ...errors)
}

/** Random weights of a size that keeps values near 1. */
export function drawWeights({ layers, input }: Pick<Setup, 'layers' | 'input'>, seed: number) {
  const { weights } = build({ layers, input })
  const drawn = weights.map(({ name, shape }, i) => {
    const size = zeros(shape).values.length
    const values = noise(size, 1000 * seed + i)
    const fanIn = size / (shape.at(-1) ?? 1)
    const scaled = values.map(x => {
      if (name.endsWith('variance')) return 0.5 + Math.abs(x)
      if (name.endsWith('gamma')) return 1 + x / 2
      return shape.length > 1 ? x * Math.sqrt(3 / fanIn) : x
    })
    return [name, scaled] as const
  })
  return Object.fromEntries(drawn)
}
