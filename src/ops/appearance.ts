import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import type { Range } from './warp.ts'

/** One number a sample, even in a range, for the key and row that `dropout` draws for. */
function drawn(g: Graph, site: number, [low, high]: Range): Value {
  const y = g.batch('drawn', [1])
  g.call('uniformRows', samples(), write(y), g.cells.key, site, 1, low, high)
  return y
}

/** dz = dy where y, which was clipped, is not at an end of the range. */
function insideOnly(g: Graph, y: Value, dy: Value, range: Range): Value {
  const dz = g.batch('d unclipped', y.shape)
  g.call('clipGradient', samples(sizeOf(y.shape)), y, dy, write(dz), ...range)
  return dz
}

/** In training y = x + d, clipped to `values`, d even in `shifts` for each sample; elsewhere x. Drawn as `dropout`. */
export function brighten(g: Graph, x: Value, shifts: Range, values: Range): Value {
  const site = g.site()
  if (!g.training) return x
  const y = g.batch('brighten', x.shape, x)
  const scratch = write(g.scratch(32))
  g.call('adjust', samples(), x, 0, drawn(g, site, shifts), write(y), sizeOf(x.shape), 1, ...values, scratch)
  g.onBackward(y, dy =>
    g.contribute(x, dx => g.call('clipGradient', samples(sizeOf(x.shape)), y, dy, dx, ...values)),
  )
  return y
}

/**
 * In training y = mean + f·(x − mean), clipped to `values`, for the mean of each channel of each image, f even in
 * `factors` for each image; elsewhere x. dx = f·dy + (1 − f)·mean(dy). Drawn as `dropout`.
 */
export function contrast(g: Graph, x: Value, factors: Range, values: Range): Value {
  const site = g.site()
  if (!g.training) return x
  const channels = x.shape.at(-1)!
  const pixels = sizeOf(x.shape) / channels
  const factor = drawn(g, site, factors)
  const scratch = write(g.scratch(32 * channels))
  const meanOf = (z: Value): Value => {
    const mean = g.batch('mean', [channels])
    g.call('globalAverage', samples(), z, write(mean), pixels, channels)
    return mean
  }
  const y = g.batch('contrast', x.shape, x)
  g.call('adjust', samples(), x, factor, meanOf(x), write(y), pixels, channels, ...values, scratch)
  g.onBackward(y, dy => {
    const dz = insideOnly(g, y, dy, values)
    const mean = meanOf(dz)
    g.contribute(x, dx =>
      g.call('adjust', samples(), dz, factor, mean, dx, pixels, channels, -Infinity, Infinity, scratch),
    )
  })
  return y
}

/** What is erased, and what comes there. */
export interface Erasing {
  /** Probability that an image loses a box. */
  readonly chance: Range
  /** Squares of the shares of the image's sides that the box takes. */
  readonly scale: Range
  /** null for normal noise of deviation values[1], clipped to `values`. */
  readonly fillValue: number | null
  readonly values: Range
}

/**
 * In training y = x with a box of each image filled; elsewhere x. dx = dy, 0 in the box. Drawn as `dropout`.
 * Source: Zhong et al., "Random Erasing Data Augmentation" (2020).
 */
export function eraseBox(g: Graph, x: Value, { chance, scale, fillValue, values }: Erasing): Value {
  const [boxSite, noiseSite] = [g.site(), g.site()]
  if (!g.training) return x
  const [height, width, channels] = x.shape as [number, number, number]
  const { key } = g.cells
  const boxes = g.batch('boxes', [8])
  g.call('eraseBoxes', samples(), write(boxes), key, boxSite, height, width, ...scale, ...chance)
  const y = g.batch('erase', x.shape, x)
  const sizes = [height, width, channels] as const
  const constant = fillValue === null ? 0 : Math.min(Math.max(fillValue, values[0]), values[1])
  g.call('erase', samples(), x, boxes, write(y), ...sizes, constant)
  if (fillValue === null)
    g.call('eraseNoise', samples(), boxes, update(y), key, noiseSite, ...sizes, values[1], ...values)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('erase', samples(), dy, boxes, dx, ...sizes, 0)))
  return y
}
