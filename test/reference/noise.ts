import type { Array64, Context } from './arrays.ts'
import type { Reference } from './layers.ts'
import { Draws } from './random.ts'
import { indexIn } from './shapes.ts'

/** Options of the layers in src/layers/noise.ts. */
export interface NoiseOptions {
  noiseShape: readonly (number | null)[] | null
  rate: number
  stddev: number
}

/** The first step of `measure`; the layer under test is the first to draw. */
const draws = new Draws([7, 8], 1, 0)
const known = { uniform: new Map<string, number>(), normal: new Map<string, number>() }

export function drawn(kind: 'uniform' | 'normal', element: number, row: number): number {
  const key = `${element} ${row}`
  if (!known[kind].has(key)) known[kind].set(key, draws[kind](element, row))
  return known[kind].get(key)!
}

/** f of each element and its draw, in training; draws of the given sample shape, or of x's. */
function noisy(
  x: Array64,
  kind: 'uniform' | 'normal',
  f: (x: number, draw: number) => number,
  { training }: Context,
  shape?: readonly (number | null)[] | null,
): Array64 {
  if (!training) return x
  const sample = x.shape.slice(1)
  const size = sample.reduce((product, n) => product * n, 1)
  const smaller = (shape ?? x.shape).slice(1).map((n, axis) => n ?? sample[axis]!)
  const rowOf = (i: number) => (shape?.[0] === 1 ? 0 : Math.floor(i / size))
  const values = x.values.map((value, i) =>
    f(value, drawn(kind, indexIn(sample, i % size, smaller), rowOf(i))),
  )
  return { shape: x.shape, values }
}

const dropped = (x: Array64, rate: number, context: Context, noiseShape: NoiseOptions['noiseShape']) =>
  noisy(x, 'uniform', (z, u) => (u >= Math.fround(rate) ? z / (1 - rate) : 0), context, noiseShape)

const alphaDropout: Reference = (x, _, { rate, noiseShape }, context) => {
  const limit = -1.0507009873554805 * 1.6732632423543772
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * limit ** 2))
  const f = (z: number, u: number) => a * (u >= Math.fround(rate) ? z : limit) - a * limit * rate
  return noisy(x, 'uniform', f, context, noiseShape)
}

export const noiseReferences = {
  alphaDropout,
  dropout: (x, _, { rate, noiseShape }, context) => dropped(x, rate, context, noiseShape),
  gaussianDropout: (x, _, { rate }, context) =>
    noisy(x, 'normal', (z, normal) => z * (1 + Math.sqrt(rate / (1 - rate)) * normal), context),
  gaussianNoise: (x, _, { stddev }, context) =>
    noisy(x, 'normal', (z, normal) => z + stddev * normal, context),
  spatialDropout1d: (x, _, { rate }, context) => dropped(x, rate, context, [null, 1, null]),
} satisfies Record<string, Reference>
