import type { Layer } from '../../src/layers/define.ts'
import { type Array64, zeros } from './arrays.ts'
import { type Reference, referenceOf } from './layers.ts'

/** Options of the layers in src/layers/wrappers.ts. */
export interface WrapperOptions {
  layer: Layer
  backwardLayer: Layer | null
  mergeMode: 'sum' | 'mul' | 'concat' | 'ave'
}

/** The layer's own reference, with the steps of all samples as samples. */
const timeDistributed: Reference = (x, weights, { layer }, context) => {
  const [samples, steps, ...shape] = x.shape as [number, number, ...number[]]
  const rows = { shape: [samples * steps, ...shape], values: x.values }
  const y = referenceOf(layer)(rows, weights, layer.config as never, { ...context, masked: false })
  return { shape: [samples, steps, ...y.shape.slice(1)], values: y.values }
}

type Weights = Readonly<Record<string, Float64Array>>

/** The weights of the layer that stands there. */
const under = (weights: Weights, place: string): Weights =>
  Object.fromEntries(
    Object.entries(weights).flatMap(([name, w]) =>
      name.startsWith(`${place}/`) ? [[name.slice(place.length + 1), w]] : [],
    ),
  )

/** Rows (samples, steps, …) with the steps from last to first. */
function reversed({ shape, values }: Array64): Array64 {
  const [samples, steps] = shape as [number, number]
  const n = values.length / (samples * steps)
  const y = zeros(shape)
  for (let row = 0; row < samples * steps; row++) {
    const other = row - (row % steps) + (steps - 1 - (row % steps))
    y.values.set(values.subarray(other * n, (other + 1) * n), row * n)
  }
  return y
}

const merges = {
  sum: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  ave: (a: number, b: number) => (a + b) / 2,
}

const bidirectional: Reference = (x, weights, { layer, backwardLayer, mergeMode }, context) => {
  const through = (each: Layer, way: string, goBackwards: unknown) => {
    const config = { ...each.config, goBackwards } as never
    return referenceOf(each)(x, under(weights, `${way}_${each.name}`), config, context)
  }
  const y = through(layer, 'forward', layer.config.goBackwards)
  const other = through(backwardLayer ?? layer, 'backward', !layer.config.goBackwards)
  const z = layer.config.returnSequences ? reversed(other) : other
  if (mergeMode !== 'concat')
    return { shape: y.shape, values: y.values.map((value, i) => merges[mergeMode](value, z.values[i]!)) }
  const [m, n] = [y, z].map(({ shape }) => shape.at(-1)!) as [number, number]
  const rows = Array.from({ length: y.values.length / m }, (_, row) => [
    ...y.values.subarray(row * m, (row + 1) * m),
    ...z.values.subarray(row * n, (row + 1) * n),
  ])
  return { shape: [...y.shape.slice(0, -1), m + n], values: Float64Array.from(rows.flat()) }
}

export const wrapperReferences = { bidirectional, timeDistributed } satisfies Record<string, Reference>
