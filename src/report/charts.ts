import {
  box,
  type ChartOptions,
  colour,
  type Frame,
  figureOf,
  frameOf,
  place,
  width,
  words,
} from './frame.ts'
import { html, type Markup } from './markup.ts'
import { figure, scaleOf } from './scales.ts'

export type Point = readonly [x: number, y: number]

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
  readonly dashed?: boolean
}

export interface LineOptions extends ChartOptions {
  readonly series: readonly Series[]
  /** Vertical lines with a word each. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[]
  /** A line on which both axes say the same, for comparison. */
  readonly diagonal?: boolean
  /** Whether each point is shown. */
  readonly dots?: boolean
}

/** Points that a line is drawn through, at most; what sticks out of the others stays. */
const mostPoints = 400

/** Of neighbours that lie closer than a line can show, the lowest and the highest. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= mostPoints) return points
  const size = Math.ceil((2 * points.length) / mostPoints)
  const kept: Point[] = []
  for (let from = 0; from < points.length; from += size) {
    const piece = points.slice(from, from + size).filter(([, y]) => !Number.isNaN(y))
    if (piece.length === 0) continue
    const low = piece.reduce((a, b) => (b[1] < a[1] ? b : a))
    const high = piece.reduce((a, b) => (b[1] > a[1] ? b : a))
    const inOrder = piece.indexOf(low) < piece.indexOf(high) ? [low, high] : [high, low]
    kept.push(...(low === high ? [low] : inOrder))
  }
  const last = points.at(-1)!
  return kept.at(-1) === last ? kept : [...kept, last]
}

function pathOf(frame: Frame, points: readonly Point[]): string {
  let isDown = false
  return thinned(points)
    .map(([x, y]) => {
      const [u, v] = [frame.x(x), frame.y(y)]
      const step = isDown ? 'L' : 'M'
      isDown = Number.isFinite(u) && Number.isFinite(v)
      return isDown ? `${step}${place(u)} ${place(v)}` : ''
    })
    .join('')
}

const dotsOf = (frame: Frame, points: readonly Point[], radius: number) =>
  points.map(([x, y]) => {
    const [u, v] = [frame.x(x), frame.y(y)]
    const isThere = Number.isFinite(u) && Number.isFinite(v)
    return isThere && html`<circle cx="${place(u)}" cy="${place(v)}" r="${radius}"/>`
  })

function diagonalOf(frame: Frame): Markup {
  const { xScale, yScale } = frame
  const ends = [Math.max(xScale.low, yScale.low), Math.min(xScale.high, yScale.high)]
  const path = pathOf(
    frame,
    ends.map(end => [end, end]),
  )
  return html`<path class="aside" d="${path}"/>`
}

function markOf(frame: Frame, x: number, label: string): Markup {
  const u = frame.x(x)
  const isLate = u > width - 110
  const text = words('marked', u + (isLate ? -4 : 4), frame.top + 9, label, isLate ? 'end' : 'start')
  return html`<path class="mark" d="M${place(u)} ${frame.top}V${frame.bottom}"/>${text}`
}

/** Lines over a common axis. Gaps are left where a value is not finite. */
export function lineChart(options: LineOptions): Markup {
  const { series, marks = [], diagonal = false, dots = false } = options
  const all = series.flatMap(({ points }) => points)
  const frame = frameOf(
    scaleOf([...all.map(([x]) => x), ...marks.map(({ x }) => x)], options.x),
    scaleOf(
      all.map(([, y]) => y),
      { rounded: true, ...options.y },
    ),
    options,
  )
  const lines = series.map(({ points, dashed }, i) => {
    const line = html`<path class="${dashed ? 'line dashed' : 'line'}" d="${pathOf(frame, points)}"/>`
    const circles = (dots || points.length === 1) && dotsOf(frame, points, 2.2)
    return html`<g class="${colour(i)}">${line}${circles}</g>`
  })
  const drawn = [diagonal && diagonalOf(frame), lines, marks.map(({ x, label }) => markOf(frame, x, label))]
  const names = series.map(({ name }) => name)
  return figureOf(options, names, frame.draw(drawn))
}

/** Points, in a colour for each series. */
export function scatterChart(options: Omit<LineOptions, 'dots' | 'marks'>): Markup {
  const { series, diagonal = false } = options
  const all = series.flatMap(({ points }) => points)
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)]
  const frame = frameOf(
    scaleOf(xs, { rounded: true, ...options.x }),
    scaleOf(ys, { rounded: true, ...options.y }),
    options,
  )
  const clouds = series.map(
    ({ points }, i) => html`<g class="cloud ${colour(i)}">${dotsOf(frame, points, 2.4)}</g>`,
  )
  const names = series.map(({ name }) => name)
  return figureOf(options, names, frame.draw([diagonal && diagonalOf(frame), clouds]))
}

export interface HistogramOptions extends ChartOptions {
  /** Of the intervals: one more than there are counts. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
}

/** Columns over intervals. */
export function histogram(options: HistogramOptions): Markup {
  const { edges, counts } = options
  const height = scaleOf(counts, { low: 0, rounded: true, ...options.y })
  const frame = frameOf(scaleOf(edges, options.x), height, options)
  const columns = counts.map((count, i) => {
    const [left, right, top] = [frame.x(edges[i]!), frame.x(edges[i + 1]!), frame.y(count)]
    const said = `${figure(edges[i])} to ${figure(edges[i + 1])}: ${figure(count)}`
    return box(left, top, Math.max(1, right - left - 1), frame.bottom - top, said, 0.85)
  })
  return figureOf(options, [], frame.draw(html`<g class="c1">${columns}</g>`))
}
