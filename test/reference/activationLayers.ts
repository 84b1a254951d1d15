import { type Array64, type Context, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'
import { indexIn } from './shapes.ts'

/** Options of the layers in src/layers/activations.ts. */
export interface ActivationLayerOptions {
  alpha: number
  axis: number | readonly number[]
  maxValue: number | null
  sharedAxes: number | readonly number[] | null
  theta: number
}

/** x with f applied to each element, told how far it lies from the kinks. */
function map(x: Array64, f: (x: number) => number, kinks: readonly number[], { near }: Context): Array64 {
  for (const kink of kinks) for (const value of x.values) near(Math.abs(value - kink))
  return { shape: x.shape, values: x.values.map(f) }
}

const prelu: Reference = (x, { alpha }, { sharedAxes }, context) => {
  const shared = [sharedAxes ?? []].flat()
  const sample = x.shape.slice(1)
  const size = sample.reduce((product, n) => product * n, 1)
  const smaller = sample.map((n, axis) => (shared.includes(axis + 1) ? 1 : n))
  for (const value of x.values) context.near(Math.abs(value))
  const slope = (i: number) => alpha![indexIn(sample, i % size, smaller)]!
  return { shape: x.shape, values: x.values.map((value, i) => (value > 0 ? value : slope(i) * value)) }
}

const softmax: Reference = (x, _, { axis }) => {
  const axes = [axis].flat().map(each => (each < 0 ? x.shape.length + each : each))
  const groups = x.shape.map((n, i) => (axes.includes(i) ? 1 : n))
  const exponentials = x.values.map(Math.exp)
  const sums = zeros(groups).values
  exponentials.forEach((value, i) => (sums[indexIn(x.shape, i, groups)]! += value))
  return {
    shape: x.shape,
    values: exponentials.map((value, i) => value / sums[indexIn(x.shape, i, groups)]!),
  }
}

export const activationLayerReferences = {
  elu: (x, _, { alpha }, context) => map(x, z => (z > 0 ? z : alpha * Math.expm1(z)), [0], context),
  leakyReLU: (x, _, { alpha }, context) => map(x, z => (z > 0 ? z : alpha * z), [0], context),
  prelu,
  reLU: (x, _, { maxValue }, context) => {
    const limit = maxValue ?? Number.POSITIVE_INFINITY
    return map(x, z => Math.min(Math.max(z, 0), limit), [0, limit], context)
  },
  softmax,
  thresholdedReLU: (x, _, { theta }, context) => map(x, z => (z > theta ? z : 0), [theta], context),
} satisfies Record<string, Reference>
