import type { Point } from './charts.ts'
import type { ClassCurves, ClassReport } from './report.ts'

/** Classes of which each gets a curve, at most. */
const mostCurves = 6
const binCount = 10

/** Probabilities of the classes, row by row, and the number of the true one. */
export interface Predicted {
  readonly names: readonly string[]
  readonly outputs: ArrayLike<number>
  readonly truth: ArrayLike<number>
}

/** Of a curve in the unit square, points that are apart by what can be seen. */
function seen(points: readonly Point[]): Point[] {
  const kept: Point[] = []
  for (const [i, point] of points.entries()) {
    const [x, y] = kept.at(-1) ?? [-1, -1]
    const isApart = Math.abs(point[0] - x) + Math.abs(point[1] - y) > 0.008
    if (isApart || i === points.length - 1) kept.push([round(point[0]), round(point[1])])
  }
  return kept
}

const round = (value: number) => Math.round(1e4 * value) / 1e4

/**
 * ROC and precision over recall of "it is class c", from the surest row down, rows of one probability at once. The area
 * under ROC is by trapezia, that under the other curve the mean precision: Σ (recall − recall before)·precision.
 */
export function curvesOf({ names, outputs, truth }: Predicted, c: number): ClassCurves | undefined {
  const scores = Float64Array.from(truth, (_, row) => outputs[row * names.length + c]!)
  const order = Uint32Array.from(truth, (_, row) => row).sort((a, b) => scores[b]! - scores[a]!)
  let positives = 0
  for (let row = 0; row < truth.length; row++) if (truth[row] === c) positives++
  const negatives = truth.length - positives
  if (positives === 0 || negatives === 0) return undefined
  const [roc, pr]: [Point[], Point[]] = [[[0, 0]], []]
  let [hits, misses, rocArea, prArea] = [0, 0, 0, 0]
  for (let i = 0; i < order.length; ) {
    const [hitsBefore, missesBefore] = [hits, misses]
    for (const score = scores[order[i]!]; i < order.length && scores[order[i]!] === score; i++)
      if (truth[order[i]!] === c) hits++
      else misses++
    rocArea += ((misses - missesBefore) * (hits + hitsBefore)) / (2 * positives * negatives)
    prArea += (((hits - hitsBefore) / positives) * hits) / (hits + misses)
    roc.push([misses / negatives, hits / positives])
    pr.push([hits / positives, hits / (hits + misses)])
  }
  return { name: names[c]!, rocArea, roc: seen(roc), prArea, pr: seen([[0, pr[0]![1]], ...pr]) }
}

/** How often what is said with a probability is true: of the second of two classes, else of the class that is said. */
export function binsOf({
  names,
  outputs,
  truth,
}: Predicted): Pick<ClassReport['calibration'], 'of' | 'bins'> {
  const count = names.length
  const bins = Array.from({ length: binCount }, () => ({ rows: 0, sum: 0, hits: 0 }))
  for (let row = 0; row < truth.length; row++) {
    let said = 0
    for (let c = 1; c < count; c++) if (outputs[row * count + c]! > outputs[row * count + said]!) said = c
    if (count === 2) said = 1
    const probability = outputs[row * count + said]!
    const bin = bins[Math.max(0, Math.min(binCount - 1, Math.floor(probability * binCount)))]!
    bin.rows++
    bin.sum += probability
    if (truth[row] === said) bin.hits++
  }
  const filled = bins.filter(({ rows }) => rows > 0)
  return {
    of: count === 2 ? names[1]! : 'the class that is predicted',
    bins: filled.map(({ rows, sum, hits }) => ({ predicted: sum / rows, actual: hits / rows, rows })),
  }
}

/** What predictions of classes came to; scores are of all rows, `predicted` may be of some. */
export function classReport(
  predicted: Predicted,
  scores: Pick<ClassReport, 'confusion'> & {
    readonly calibrationError: number
    readonly uncalibratedError: number
  },
): ClassReport {
  const { names } = predicted
  const shown = names.length === 2 ? [1] : names.length <= mostCurves ? [...names.keys()] : []
  return {
    names,
    confusion: scores.confusion,
    curves: shown.flatMap(c => curvesOf(predicted, c) ?? []),
    calibration: {
      ...binsOf(predicted),
      error: scores.calibrationError,
      before: scores.uncalibratedError,
    },
  }
}
