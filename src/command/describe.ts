import type { Scores } from '../tables/scores.ts'
import { aligned } from './terminal.ts'

/** Four significant digits. */
export const figure = (value: number | undefined): string =>
  value === undefined ? '' : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))

export const percent = (value: number): string => `${(100 * value).toFixed(2)} %`

/** Scores in one line. */
export function headline(scores: Scores): string {
  if (scores.task === 'text')
    return `${scores.nats.toFixed(4)} nats (${scores.bits.toFixed(4)} bits) a character, perplexity ${figure(scores.perplexity)}`
  if (scores.task === 'regression')
    return (
      `R² ${scores.r2.toFixed(4)}, root mean squared error ${figure(scores.rootMeanSquaredError)}, ` +
      `mean absolute error ${figure(scores.meanAbsoluteError)}`
    )
  return (
    `accuracy ${percent(scores.accuracy)}, balanced ` +
    `${percent(scores.balancedAccuracy)}, log loss ${scores.logLoss.toFixed(4)}`
  )
}

/** Most classes of which a table is shown. */
const mostShown = 20

/** Scores of each class, and what it was taken for. */
export function details(scores: Scores): string[] {
  if (scores.task !== 'class') return []
  const calibration =
    `calibration error ${percent(scores.calibrationError)}, before calibration ` +
    percent(scores.uncalibratedError)
  if (scores.classes.length > mostShown) return [calibration]
  const rows = scores.classes.map(({ name, rows, precision, recall }, i) => {
    const taken = scores.confusion[i]!.map(count => String(count))
    return [name, String(rows), percent(precision), percent(recall), ...taken]
  })
  const table = aligned([
    ['class', 'rows', 'precision', 'recall', ...scores.classes.map(({ name }) => `as ${name}`)],
    ...rows,
  ])
  return [calibration, ...table]
}
