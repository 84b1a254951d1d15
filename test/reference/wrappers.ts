import type { Layer } from '../../src/layers/define.ts'
import { type Reference, referenceOf } from './layers.ts'

/** Options of the layers in src/layers/wrappers.ts. */
export interface WrapperOptions {
  layer: Layer
}

/** The layer's own reference, with the steps of all samples as samples. */
const timeDistributed: Reference = (x, weights, { layer }, context) => {
  const [samples, steps, ...shape] = x.shape as [number, number, ...number[]]
  const rows = { shape: [samples * steps, ...shape], values: x.values }
  const y = referenceOf(layer)(rows, weights, layer.config as never, { ...context, masked: false })
  return { shape: [samples, steps, ...y.shape.slice(1)], values: y.values }
}

export const wrapperReferences = { timeDistributed } satisfies Record<string, Reference>
