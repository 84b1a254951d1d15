import { randomNumbers } from '../data/random.ts'
import type { Point } from './parzen.ts'

/** A box of the cube [0, 1]^d and the mean value in it. */
interface Leaf {
  readonly low: readonly number[]
  readonly high: readonly number[]
  readonly value: number
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Σ (value − mean)² on both sides of each cut of sorted values; the cut where it is least. */
function bestCut(pairs: readonly (readonly [u: number, value: number])[]): { cut: number; error: number } {
  const total = pairs.reduce((sum, [, value]) => sum + value, 0)
  let best = { cut: Number.NaN, error: Number.POSITIVE_INFINITY }
  let left = 0
  for (let i = 1; i < pairs.length; i++) {
    left += pairs[i - 1]![1]
    if (pairs[i - 1]![0] === pairs[i]![0]) continue
    // Σ value² is the same for all cuts.
    const error = -(left ** 2) / i - (total - left) ** 2 / (pairs.length - i)
    if (error < best.error) best = { cut: (pairs[i - 1]![0] + pairs[i]![0]) / 2, error }
  }
  return best
}

type Sample = readonly [point: readonly number[], value: number]

/** Fewest samples that are cut again. */
const fewest = 4

/** The leaves of a regression tree that takes the best cut of some dimensions, chosen at each node. */
function growTree(samples: readonly Sample[], width: number, draw: () => number): Leaf[] {
  const leaves: Leaf[] = []
  const grow = (inside: readonly Sample[], low: readonly number[], high: readonly number[]): void => {
    let [axis, cut, error] = [-1, 0, Number.POSITIVE_INFINITY]
    if (inside.length >= fewest)
      for (let d = 0; d < width; d++) {
        if (width > 2 && draw() > 2 / 3) continue
        const pairs = inside.map(([point, value]) => [point[d]!, value] as const).sort(([a], [b]) => a - b)
        const found = bestCut(pairs)
        if (found.error < error) [axis, cut, error] = [d, found.cut, found.error]
      }
    if (axis === -1) {
      leaves.push({ low, high, value: mean(inside.map(([, value]) => value)) })
      return
    }
    const below = inside.filter(([point]) => point[axis]! < cut)
    const above = inside.filter(([point]) => point[axis]! >= cut)
    grow(below, low, high.with(axis, cut))
    grow(above, low.with(axis, cut), high)
  }
  grow(samples, new Array(width).fill(0), new Array(width).fill(1))
  return leaves
}

const volume = ({ low, high }: Leaf, without = -1) =>
  low.reduce((product, from, d) => (d === without ? product : product * (high[d]! - from)), 1)

/** Variance over the cube of the tree, and of its mean over all dimensions but one. */
function variances(leaves: readonly Leaf[], width: number): { total: number; alone: number[] } {
  const middle = leaves.reduce((sum, leaf) => sum + volume(leaf) * leaf.value, 0)
  const total = leaves.reduce((sum, leaf) => sum + volume(leaf) * (leaf.value - middle) ** 2, 0)
  const alone = Array.from({ length: width }, (_, d) => {
    const cuts = [...new Set(leaves.flatMap(({ low, high }) => [low[d]!, high[d]!]))].sort((a, b) => a - b)
    return cuts.slice(1).reduce((sum, to, i) => {
      const from = cuts[i]!
      const across = leaves.filter(({ low, high }) => low[d]! <= from && high[d]! >= to)
      const value = across.reduce((all, leaf) => all + volume(leaf, d) * leaf.value, 0)
      return sum + (to - from) * (value - middle) ** 2
    }, 0)
  })
  return { total, alone }
}

const trees = 64

/**
 * The part of the variance of values that each dimension explains by itself: functional analysis of variance of a
 * forest of 64 regression trees on resampled points, by the method of F. Hutter, H. Hoos and K. Leyton-Brown 2014,
 * http://proceedings.mlr.press/v32/hutter14.html. It is of ranks, so that a few trials that went wrong do not decide
 * all. A dimension that a point leaves out counts as its middle. What is missing to 1 comes from dimensions together.
 */
export function explainedVariance(
  points: readonly Point[],
  values: readonly number[],
  width: number,
): number[] {
  const sorted = values.toSorted((a, b) => a - b)
  const samples = points.map(
    (point, i): Sample => [
      Array.from({ length: width }, (_, d) => point[d] ?? 0.5),
      (sorted.indexOf(values[i]!) + sorted.lastIndexOf(values[i]!)) / 2,
    ],
  )
  const shares: number[][] = []
  const draw = randomNumbers(1)
  for (let tree = 0; tree < trees && samples.length > 0; tree++) {
    const resampled = samples.map(() => samples[Math.floor(draw() * samples.length)]!)
    const { total, alone } = variances(growTree(resampled, width, draw), width)
    if (total > 0) shares.push(alone.map(part => part / total))
  }
  return Array.from({ length: width }, (_, d) =>
    shares.length > 0 ? mean(shares.map(share => share[d]!)) : 0,
  )
}
