import { barChart } from './bars.ts'
import { lineChart, type Point, scatterChart } from './charts.ts'
import { drawing, figureOf, place, words } from './frame.ts'
import { html, type Markup, type Part } from './markup.ts'
import type { RunReport, StudyAxis, StudyReport } from './report.ts'
import { figure, percent, scaleOf } from './scales.ts'

const [across, down] = [960, 260]

const labelOf = ({ choices, bounds, log }: StudyAxis, height: number): string => {
  if (choices.length > 0) return choices[Math.min(choices.length - 1, Math.floor(height * choices.length))]!
  const [low, high] = bounds
  return figure(log ? low * (high / low) ** height : low + (high - low) * height)
}

/** Each trial as a line across the axes of the parameters; the stronger, the better. */
function parallelCoordinates({ axes, lines, direction }: StudyReport): Markup {
  const values = lines.map(({ value }) => value)
  const sorted = values.toSorted((a, b) => (direction === 'minimize' ? b - a : a - b))
  const rank = (value: number) => sorted.lastIndexOf(value) / Math.max(1, sorted.length - 1)
  const x = (axis: number) => 60 + (axis * (across - 120)) / Math.max(1, axes.length)
  const y = (height: number) => 226 - 190 * height
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const paths = lines
    .toSorted((a, b) => rank(a.value) - rank(b.value))
    .map(({ value, heights }) => {
      const places = [...heights, (value - low) / (high - low || 1)]
      let isDown = false
      const path = places.map((height, axis) => {
        const step = isDown ? 'L' : 'M'
        isDown = height !== null
        return height === null ? '' : `${step}${place(x(axis))} ${place(y(height))}`
      })
      return html`<path class="line" stroke-opacity="${place(0.08 + 0.82 * rank(value) ** 3)}" d="${path.join('')}"/>`
    })
  const posts = [...axes, undefined].map((axis, i) => {
    const ends = axis ? [labelOf(axis, 0), labelOf(axis, 1)] : [figure(low), figure(high)]
    return [
      html`<path class="axis" d="M${place(x(i))} ${y(0)}V${y(1)}"/>`,
      words('name', x(i), 14, axis?.name ?? 'value', 'middle'),
      words('tick', x(i), 30, ends[1], 'middle'),
      words('tick', x(i), 242, ends[0], 'middle'),
    ]
  })
  const title = 'Parameters and value of each trial'
  const note = 'A line for each trial that has a value; the better it is, the stronger.'
  return figureOf(
    { title, note },
    [],
    drawing(title, down, html`<g class="c1">${paths}</g>${posts}`, across),
    true,
  )
}

function sliceOf(axis: StudyAxis): Markup {
  const { name, log, choices, points } = axis
  const isChoice = choices.length > 0
  const format = (value: number) => choices[value] ?? ''
  const x = isChoice
    ? { low: -0.5, high: choices.length - 0.5, integers: true, format }
    : { log, rounded: !log }
  return scatterChart({ title: name, x, y: { label: 'value' }, series: [{ name: 'trials', points }] })
}

/** The pictures of a search. */
export function studySection({ study }: RunReport): Part {
  if (!study || study.lines.length === 0) return undefined
  const points = (pick: (one: StudyReport['history'][number]) => number) =>
    study.history.map((one): Point => [one.number, pick(one)])
  const values = study.history.map(({ value }) => value)
  const log = scaleOf(values).low > 0 && Math.max(...values) > 50 * Math.min(...values)
  return [
    study.history.length > 0 &&
      lineChart({
        title: 'Value of each trial',
        x: { label: 'trial', integers: true },
        y: { log },
        series: [
          { name: 'best so far', points: points(({ best }) => best) },
          { name: 'value', points: points(({ value }) => value), dashed: true },
        ],
      }),
    study.importance.length > 0 &&
      barChart({
        title: 'What parameters decide',
        note: 'Share of the variation of values that each explains by itself.',
        bars: study.importance.map(({ name, share }) => ({ name, value: share, text: percent(share, 0) })),
      }),
    parallelCoordinates(study),
    study.axes.filter(({ points }) => points.length > 0).map(sliceOf),
  ]
}
