import type { Reference } from './layers.ts'
import { indexIn } from './shapes.ts'

/** Options of the layer in src/layers/standard.ts; `axis` is shared with other layers. */
export interface StandardOptions {
  invert: boolean
}

const normalization: Reference = (x, { mean, variance }, options) => {
  const axes = [options.axis as number | readonly number[]].flat()
  const kept = axes.map(axis => (axis < 0 ? axis + x.shape.length : axis))
  const shape = x.shape.map((n, axis) => (kept.includes(axis) ? n : 1))
  const values = x.values.map((value, i) => {
    const place = indexIn(x.shape, i, shape)
    const deviation = Math.max(Math.sqrt(variance![place]!), 1e-7)
    return options.invert ? value * deviation + mean![place]! : (value - mean![place]!) / deviation
  })
  return { shape: x.shape, values }
}

export const standardReferences = { normalization } satisfies Record<string, Reference>
