import type { Point } from './charts.ts'
import type { RegressionReport } from './report.ts'

const mostPoints = 500
const binCount = 24

/** Counts of numbers in equal intervals; the outermost also hold what lies beyond them, one in a hundred. */
export function countsOf(values: ArrayLike<number>, bins = binCount): RegressionReport['residuals'] {
  const sorted = Float64Array.from(values)
    .filter(value => Number.isFinite(value))
    .sort()
  if (sorted.length === 0) return { edges: [0, 1], counts: [0] }
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  const [low, high] = sorted.length < 200 ? [at(0), at(1)] : [at(0.005), at(0.995)]
  if (!(high > low)) return { edges: [low - 0.5, low + 0.5], counts: [sorted.length] }
  const counts = new Array<number>(bins).fill(0)
  for (const value of sorted) {
    const bin = Math.floor(((value - low) / (high - low)) * bins)
    counts[Math.max(0, Math.min(bins - 1, bin))]!++
  }
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins), counts }
}

/** What predictions of a number came to. */
export function regressionReport(predictions: ArrayLike<number>, truth: ArrayLike<number>): RegressionReport {
  const residuals = Float64Array.from(truth, (value, i) => predictions[i]! - value)
  const step = Math.max(1, truth.length / mostPoints)
  const points: Point[] = []
  for (let i = 0; Math.floor(i) < truth.length; i += step)
    points.push([truth[Math.floor(i)]!, Number(predictions[Math.floor(i)]!.toPrecision(5))])
  return { points, residuals: countsOf(residuals) }
}
