import { barChart, heatMap, sparkline } from './bars.ts'
import { histogram, lineChart, type Point, type Series, scatterChart } from './charts.ts'
import { bestEpochOf, curveOf, workersOf } from './curves.ts'
import { html, type Markup, type Part } from './markup.ts'
import type { ClassReport, RunReport, TrainingSummary } from './report.ts'
import { figure, percent } from './scales.ts'

const epochAxis = { label: 'epoch', integers: true }
const share = { low: 0, high: 1 }

/** Names that logs have, without those of the validation. */
function metricsOf({ epochs }: TrainingSummary): string[] {
  const names = new Set(epochs.flatMap(({ logs }) => Object.keys(logs)))
  return [...names].filter(
    name => name !== 'gradientNorm' && !(name.startsWith('val_') && names.has(name.slice(4))),
  )
}

/** Positive numbers that go through several sizes are easier to read on a logarithmic axis. */
function spans(points: readonly Point[]): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, 0]
  for (const [, y] of points) if (Number.isFinite(y)) [low, high] = [Math.min(low, y), Math.max(high, y)]
  return low > 0 && high > 50 * low
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

function metricChart({ epochs, monitor = 'val_loss' }: TrainingSummary, name: string): Markup {
  const [training, validation] = [curveOf(epochs, name), curveOf(epochs, `val_${name}`)]
  const isValidated = validation.some(([, y]) => Number.isFinite(y))
  const series: Series[] = [
    { name: 'training', points: training },
    ...(isValidated ? [{ name: 'validation', points: validation }] : []),
  ]
  const best = epochs[bestEpochOf(epochs, monitor)]
  const marks =
    monitor === `val_${name}` && best && epochs.length > 1
      ? [{ x: best.epoch, label: `best: ${best.epoch}` }]
      : []
  const log = spans(series.flatMap(({ points }) => points))
  return lineChart({ title: capital(name), x: epochAxis, y: { log }, series, marks })
}

function paceCharts({ epochs }: TrainingSummary): Part {
  const paces = epochs.flatMap(({ epoch, pace }) => (pace ? [{ epoch, ...pace }] : []))
  if (paces.length === 0) return undefined
  const speed = paces.map(({ epoch, samples, seconds }): Point => [epoch, samples / Math.max(seconds, 1e-9)])
  const workers = workersOf(epochs)
  const waits = Array.from({ length: workers }, (_, rank) => ({
    name: `worker ${rank + 1}`,
    points: paces.map(
      ({ epoch, barrierShares }): Point => [epoch, 100 * (barrierShares[rank] ?? Number.NaN)],
    ),
  }))
  return [
    lineChart({
      title: 'Samples a second',
      x: epochAxis,
      y: { low: 0 },
      series: [{ name: 'all workers', points: speed }],
    }),
    workers > 1 &&
      lineChart({
        title: 'Waiting at barriers',
        note: 'Share of its time that each worker waits for the others, in per cent.',
        x: epochAxis,
        y: { low: 0 },
        series: waits,
      }),
  ]
}

/** Loss and metrics, learning rate, gradients, speed. */
export function trainingSection({ training }: RunReport): Part {
  if (!training || training.epochs.length === 0) return undefined
  const { epochs } = training
  const rates = epochs.map(({ epoch, learningRate }): Point => [epoch, learningRate])
  const norms = curveOf(epochs, 'gradientNorm')
  const hasNorms = norms.some(([, norm]) => Number.isFinite(norm))
  return [
    metricsOf(training).map(name => metricChart(training, name)),
    lineChart({
      title: 'Learning rate',
      x: epochAxis,
      y: { log: spans(rates), ...(spans(rates) ? {} : { low: 0 }) },
      series: [{ name: 'rate', points: rates }],
    }),
    hasNorms &&
      lineChart({
        title: 'Gradient norm',
        note: 'Root mean square over the steps of an epoch.',
        x: epochAxis,
        y: { log: spans(norms) },
        series: [{ name: 'norm', points: norms }],
      }),
    paceCharts(training),
  ]
}

function classCharts({ names, confusion, curves, calibration }: ClassReport): Part {
  const totals = confusion.map(row => row.reduce((sum, count) => sum + count, 0))
  const curve = (pick: (one: ClassReport['curves'][number]) => [string, readonly Point[]]) =>
    curves.map((one): Series => {
      const [name, points] = pick(one)
      return { name, points }
    })
  const area = (value: number) => value.toFixed(3)
  const single = curves.length === 1 ? curves[0] : undefined
  return [
    names.length <= 24 &&
      heatMap({
        title: 'Confusion',
        note: 'Rows are true classes, columns what they were taken for; shades are shares of the row.',
        x: { label: 'predicted →' },
        y: { label: 'true ↓' },
        rows: names,
        columns: names,
        shades: confusion.map((row, r) => row.map(count => count / Math.max(1, totals[r]!))),
        texts: confusion.map(row => row.map(count => count.toLocaleString('en'))),
      }),
    curves.length > 0 &&
      lineChart({
        title: single ? `ROC, area ${area(single.rocArea)}` : 'ROC',
        ...(single
          ? { note: `Of "${single.name}".` }
          : { note: 'Each class against the others, with the area.' }),
        x: { label: 'share of the others taken for it', ...share },
        y: { label: 'share found', ...share },
        series: curve(one => [`${one.name} ${area(one.rocArea)}`, one.roc]),
        diagonal: true,
      }),
    curves.length > 0 &&
      lineChart({
        title: single ? `Precision and recall, area ${area(single.prArea)}` : 'Precision and recall',
        ...(single
          ? { note: `Of "${single.name}".` }
          : { note: 'Each class against the others, with the area.' }),
        x: { label: 'recall', ...share },
        y: { label: 'precision', ...share },
        series: curve(one => [`${one.name} ${area(one.prArea)}`, one.pr]),
      }),
    lineChart({
      title: 'Calibration',
      note:
        `Probability of ${calibration.of} as predict says it, and how often it was so. ` +
        `Calibration error ${percent(calibration.error)}, before calibration ${percent(calibration.before)}.`,
      x: { label: 'probability', ...share },
      y: { label: 'share', ...share },
      series: [
        { name: 'bins', points: calibration.bins.map(({ predicted, actual }): Point => [predicted, actual]) },
      ],
      diagonal: true,
      dots: true,
    }),
  ]
}

/** What was predicted of rows that were not trained on. */
export function resultsSection({ classes, regression, importance }: RunReport): Part {
  const important = importance && importance.columns.length > 0 && importance
  if (!classes && !regression && !important) return undefined
  return [
    classes && classCharts(classes),
    regression && [
      scatterChart({
        title: 'Predicted and true',
        x: { label: 'true' },
        y: { label: 'predicted' },
        series: [{ name: 'rows', points: regression.points }],
        diagonal: true,
      }),
      histogram({
        title: 'Residuals',
        note: 'Prediction − truth; the outermost columns also hold what lies beyond.',
        ...regression.residuals,
      }),
    ],
    important &&
      barChart({
        title: 'What columns tell',
        note: `Increase of ${important.measure} where a column is shuffled among ${figure(important.rows)} rows.`,
        bars: important.columns
          .slice(0, 16)
          .map(({ name, increase, deviation }) => ({ name, value: increase, spread: deviation })),
      }),
  ]
}

const isNumber = (text: string) => /^[−-]?[\d,.]+( %)?$/.test(text)

/** A table; columns of numbers are to the right. */
export function tableOf(names: readonly string[], rows: readonly (readonly Part[])[]): Markup {
  const right = names.map((_, c) =>
    rows.every(row => typeof row[c] === 'string' && (row[c] === '' || isNumber(row[c]))),
  )
  const kind = (c: number) => (right[c] && rows.length > 0 ? 'n' : 't')
  const heads = names.map((name, c) => html`<th class="${kind(c)}">${name}</th>`)
  const lines = rows.map(
    row => html`<tr>${row.map((cell, c) => html`<td class="${kind(c)}">${cell}</td>`)}</tr>`,
  )
  return html`<div class="table"><table><thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>`
}

/** The rows that were predicted worst; of images with pictures. */
export function worstTable({ worst }: RunReport): Part {
  if (!worst) return undefined
  const { names, rows, pictures } = worst
  if (!pictures) return tableOf(names, rows)
  const shown = pictures.map(png => html`<img alt="" src="data:image/png;base64,${png}">`)
  return tableOf(
    ['', ...names],
    rows.map((row, i) => [shown[i], ...row]),
  )
}

export function columnsTable({ data }: RunReport): Part {
  if (!data) return undefined
  const rows = data.columns.map(({ name, type, role, missing, distinct, values, counts }) => [
    name,
    type,
    counts.length > 0 && sparkline(counts),
    missing === 0 ? '' : figure(missing),
    distinct >= 10_000 ? '10,000+' : figure(distinct),
    values,
    role,
  ])
  return tableOf(['column', 'type', 'distribution', 'missing', 'distinct', 'values', 'use'], rows)
}

export const layersTable = ({ network }: RunReport): Part =>
  network &&
  tableOf(
    ['layer', 'type', 'output of a sample', 'weights'],
    network.map(({ name, type, shape, weights }) => [name, type, shape, figure(weights)]),
  )
