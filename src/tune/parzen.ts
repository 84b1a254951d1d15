import { cos, exp, log } from '../training/elementary.ts'
import type { Dimension, Values } from './space.ts'

/** Integral of the standard normal density up to x, within 1e-7 (Abramowitz & Stegun 1964, 26.2.17). */
function normalBelow(x: number): number {
  if (x < 0) return 1 - normalBelow(-x)
  const t = 1 / (1 + 0.2316419 * x)
  const sum = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return 1 - (exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum
}

/** Place of each dimension in [0, 1]; undefined where it is left out. */
export type Point = readonly (number | undefined)[]

export const pointOf = (dimensions: readonly Dimension[], values: Readonly<Values>): Point =>
  dimensions.map(({ name, unit }) => (name in values ? unit(values[name]!) : undefined))

/** A normal distribution of mean `mean`, cut to [0, 1]. */
function cutNormal(mean: number, sigma: number, draw: () => number): number {
  for (let tries = 0; tries < 100; tries++) {
    const radius = Math.sqrt(-2 * log(1 - draw()))
    const u = mean + sigma * radius * cos(2 * Math.PI * draw())
    if (u >= 0 && u < 1) return u
  }
  return mean
}

/**
 * A density over a space: the mean of a kernel around each point and of the even density. A kernel is a product over
 * dimensions, so that it keeps what goes together: normal, cut to [0, 1], for numbers; for choices the point's own has
 * the weight 1 + 1/n and every other one 1/n. Where the point leaves a dimension out it is the even density. Standard
 * deviation: n^(−1/(d+4)) / 5 for n kernels and d dimensions (Scott's rule), at least 1 / min(100, n + 1), at least half a
 * cell. After J. Bergstra et al. 2011, https://papers.nips.cc/paper/4443, section 4; its product kernels are those of S.
 * Falkner, A. Klein and F. Hutter 2018, https://arxiv.org/abs/1807.01774.
 */
export class Parzen {
  private readonly dimensions: readonly Dimension[]
  private readonly points: readonly Point[]
  private readonly sigmas: readonly number[]
  /** 1 / (σ·√2π·mass in [0, 1]) of each kernel in each dimension. */
  private readonly scales: readonly (readonly number[])[]

  constructor(dimensions: readonly Dimension[], points: readonly Point[]) {
    this.dimensions = dimensions
    this.points = points
    const n = points.length + 1
    const width = 0.2 * exp(-log(n) / (dimensions.length + 4))
    this.sigmas = dimensions.map(({ count }) => Math.max(width, 1 / Math.min(100, n + 1), 0.5 / count))
    this.scales = points.map(point =>
      point.map((mean, d) => {
        const sigma = this.sigmas[d]!
        if (mean === undefined || dimensions[d]!.kind === 'choice') return 1
        const mass = normalBelow((1 - mean) / sigma) - normalBelow(-mean / sigma)
        return 1 / (sigma * Math.sqrt(2 * Math.PI) * mass)
      }),
    )
  }

  /** Draws a point: a kernel, then each dimension that is there. */
  draw(draw: () => number): Values {
    const kernel = this.points[Math.floor(draw() * (this.points.length + 1))]
    const values: Values = {}
    for (const [d, dimension] of this.dimensions.entries()) {
      if (!dimension.isActive(values)) continue
      const mean = kernel?.[d]
      values[dimension.name] = dimension.at(mean === undefined ? draw() : this.around(mean, d, draw))
    }
    return values
  }

  private around(mean: number, d: number, draw: () => number): number {
    const { kind, count } = this.dimensions[d]!
    if (kind !== 'choice') return cutNormal(mean, this.sigmas[d]!, draw)
    const n = this.points.length + 1
    return draw() < count / (n + count) ? draw() : mean
  }

  /** The density at a point. */
  at(point: Point): number {
    const n = this.points.length + 1
    let sum = this.even(point)
    for (const [i, kernel] of this.points.entries()) sum += this.kernelAt(i, kernel, point)
    return sum / n
  }

  private even(point: Point): number {
    let product = 1
    for (const [d, { kind, count }] of this.dimensions.entries())
      if (kind === 'choice' && point[d] !== undefined) product /= count
    return product
  }

  private kernelAt(i: number, kernel: Point, point: Point): number {
    const n = this.points.length + 1
    const scales = this.scales[i]!
    let squares = 0
    let product = 1
    for (const [d, { kind, count }] of this.dimensions.entries()) {
      const u = point[d]
      if (u === undefined) continue
      const mean = kernel[d]
      if (kind === 'choice') {
        const hit = mean === undefined ? 1 / count : (1 / n + (mean === u ? 1 : 0)) / (1 + count / n)
        product *= hit
      } else if (mean !== undefined) {
        squares += ((u - mean) / this.sigmas[d]!) ** 2
        product *= scales[d]!
      }
    }
    return product * exp(-squares / 2)
  }
}
