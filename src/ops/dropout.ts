import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { stretch } from './moves.ts'

/** What is dropped together: the elements along axes of size 1, and with `together` all samples alike. */
export interface NoiseShape {
  readonly shape: readonly number[]
  readonly together: boolean
}

/** y = x·factors, the factors without gradient. */
function times(g: Graph, x: Value, factors: Value, y: Value): void {
  const elements = samples(sizeOf(x.shape))
  g.call('multiply', elements, x, factors, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiply', elements, dy, factors, dx)))
}

/** 0 with probability `rate`, else `scale`, in x's shape; drawn once for what is dropped together. */
function maskOf(g: Graph, x: Value, site: number, rate: number, scale: number, noise?: NoiseShape): Value {
  const { shape, together } = noise ?? { shape: x.shape, together: false }
  const mask = g.batch('dropout mask', shape)
  const size = sizeOf(shape)
  g.call('dropoutMask', samples(), write(mask), g.cells.key, site, size, rate, scale, together ? 1 : 0)
  return stretch(g, mask, x.shape)
}

/**
 * Inverted dropout: y = x·mask, mask = 0 with probability `rate`, else 1 / (1 − rate); y = x outside
 * training. The mask is drawn for (seed, lifetime step, call site, row of the mini-batch, element): it does
 * not depend on workers. Source: Srivastava et al., "Dropout", JMLR 15 (2014).
 */
export function dropout(g: Graph, x: Value, rate: number, noise?: NoiseShape): Value {
  const site = g.site()
  if (!g.training || rate === 0) return x
  const size = sizeOf(x.shape)
  const y = g.batch('dropout', x.shape, x)
  if (noise) {
    times(g, x, maskOf(g, x, site, rate, 1 / (1 - rate), noise), y)
    return y
  }
  const mask = g.batch('dropout mask', x.shape)
  g.call('dropout', samples(), x, write(y), write(mask), g.cells.key, site, size, rate)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiply', samples(size), dy, mask, dx)))
  return y
}

/** The limit of SELU at −∞. */
const saturation = -1.7580993408473766

/**
 * With probability `rate` an element becomes SELU's limit p = −1.758, then y = a·x + b with a = ((1 − rate)·(1
 * + rate·p²))^−½ and b = −a·p·rate keep mean 0 and variance 1; y = x outside training. Drawn as `dropout`.
 * Source: Klambauer et al., "Self-Normalizing Neural Networks" (2017), section 2.
 */
export function alphaDropout(g: Graph, x: Value, rate: number, noise?: NoiseShape): Value {
  const site = g.site()
  if (!g.training || rate === 0) return x
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * saturation * saturation))
  const b = -a * saturation * rate
  const elements = samples(sizeOf(x.shape))
  const y = g.batch('alphaDropout', x.shape, x)
  const mask = maskOf(g, x, site, rate, a, noise)
  g.call('alphaDropout', elements, x, mask, write(y), b, a * saturation + b)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiply', elements, dy, mask, dx)))
  return y
}

/** mean + deviation·z in x's shape, z normal, |z| ≤ 5.77; drawn for the key and row that `dropout` draws for. */
function normals(g: Graph, x: Value, site: number, mean: number, deviation: number): Value {
  const noise = g.batch('noise', x.shape)
  const size = sizeOf(x.shape)
  g.call('normalRows', samples(), write(noise), g.cells.key, site, size, mean, deviation)
  return noise
}

/** y = x + z, z normal with mean 0 and the given deviation; y = x outside training. Drawn as `dropout`. */
export function gaussianNoise(g: Graph, x: Value, deviation: number): Value {
  const site = g.site()
  if (!g.training || deviation === 0) return x
  const y = g.batch('gaussianNoise', x.shape, x)
  g.call('add', samples(sizeOf(x.shape)), x, normals(g, x, site, 0, deviation), write(y))
  g.onBackward(y, dy => g.contributeValue(x, dy))
  return y
}

/**
 * y = x·z, z normal with mean 1 and deviation √(rate / (1 − rate)); y = x outside training. Drawn as
 * `dropout`. Source: Srivastava et al., "Dropout", JMLR 15 (2014), section 10.
 */
export function gaussianDropout(g: Graph, x: Value, rate: number): Value {
  const site = g.site()
  if (!g.training || rate === 0) return x
  const y = g.batch('gaussianDropout', x.shape, x)
  times(g, x, normals(g, x, site, 1, Math.sqrt(rate / (1 - rate))), y)
  return y
}

/** The mask of `dropout`, one row of `size` a sample; undefined where nothing is dropped. */
export function dropoutMask(g: Graph, size: number, rate: number): Value | undefined {
  const site = g.site()
  if (!g.training || rate === 0) return undefined
  const mask = g.batch('dropout mask', [size])
  g.call('dropoutMask', samples(), write(mask), g.cells.key, site, size, rate, 1 / (1 - rate), 0)
  return mask
}

/** y = x·mask in each step, the mask without gradient, or x where there is none: x (time, …), mask (size of a step). */
export function maskSteps(g: Graph, x: Value, mask: Value | undefined): Value {
  if (!mask) return x
  const size = sizeOf(mask.shape)
  const time = sizeOf(x.shape) / size
  const y = g.batch('dropout', x.shape, x)
  g.call('multiplySteps', samples(), x, mask, write(y), time, size)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiplySteps', samples(), dy, mask, dx, time, size)))
  return y
}

/** `dropout` of x (time, size) with one mask for all times. Source: Gal & Ghahramani (2016). */
export const dropoutSteps = (g: Graph, x: Value, rate: number): Value =>
  maskSteps(g, x, dropoutMask(g, x.shape[1]!, rate))
