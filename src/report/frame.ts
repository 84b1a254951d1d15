import { html, type Markup, type Part } from './markup.ts'
import type { Scale, ScaleOptions } from './scales.ts'

export interface AxisOptions extends ScaleOptions {
  readonly label?: string
}

export interface ChartOptions {
  readonly title: string
  /** A sentence under the chart. */
  readonly note?: string
  readonly x?: AxisOptions
  readonly y?: AxisOptions
}

/** Units of a drawing: about pixels on a telephone, where a chart is as wide as the screen. */
export const width = 360
const height = 210

/** Two digits of a coordinate are enough. */
export const place = (value: number): number => Math.round(100 * value) / 100

/** The class that sets the colour of series number i. */
export const colour = (i: number): string => `c${(i % 6) + 1}`

/** Words of a drawing: those of an axis, a name, a value. */
export const words = (
  kind: string,
  x: number,
  y: number,
  text: Part,
  anchor: 'start' | 'middle' | 'end' = 'start',
): Markup =>
  html`<text class="${kind}" x="${place(x)}" y="${place(y)}" text-anchor="${anchor}">${text}</text>`

/** A box, and what is said of it where the pointer rests on it. */
export const box = (x: number, y: number, across: number, down: number, said: Part, shade = 1): Markup =>
  html`<rect x="${place(x)}" y="${place(y)}" width="${place(across)}" height="${place(down)}" fill-opacity="${place(
    shade,
  )}"><title>${said}</title></rect>`

export const drawing = (title: string, down: number, content: Part, across = width): Markup =>
  html`<svg viewBox="0 0 ${across} ${place(down)}" role="img" aria-label="${title}">${content}</svg>`

/** A chart with its title, legend and note; the names of several series stand in their colours. */
export function figureOf(
  { title, note }: ChartOptions,
  names: readonly string[],
  content: Markup,
  isWide = false,
): Markup {
  const keys = names.map((name, i) => html`<span class="key ${colour(i)}">${name}</span>`)
  const legend = names.length > 1 && html` <span class="legend">${keys}</span>`
  const said = note !== undefined && html`<p class="note">${note}</p>`
  const kind = isWide ? 'chart wide' : 'chart'
  return html`<figure class="${kind}"><figcaption><b>${title}</b>${legend}</figcaption>${content}${said}</figure>`
}

/** Two axes with ticks and lines, and where values lie between them. */
export interface Frame {
  readonly xScale: Scale
  readonly yScale: Scale
  readonly top: number
  readonly bottom: number
  x(value: number): number
  y(value: number): number
  /** The drawing, axes included. */
  draw(content: Part): Markup
}

export function frameOf(xScale: Scale, yScale: Scale, { title, x = {}, y = {} }: ChartOptions): Frame {
  const yTexts = yScale.ticks.map(tick => yScale.format(tick))
  const left = 12 + 6.3 * Math.max(2, ...yTexts.map(text => text.length))
  const right = width - 12
  const top = y.label ? 20 : 8
  const bottom = height - (x.label ? 34 : 20)
  const across = (value: number) => left + xScale.at(value) * (right - left)
  const up = (value: number) => bottom - yScale.at(value) * (bottom - top)
  const columns = xScale.ticks.map(tick =>
    words('tick', across(tick), bottom + 15, xScale.format(tick), 'middle'),
  )
  const rows = yScale.ticks.map((tick, i) => {
    const line = html`<path class="grid" d="M${place(left)} ${place(up(tick))}H${right}"/>`
    return [line, words('tick', left - 6, up(tick) + 4, yTexts[i], 'end')]
  })
  const labels = [
    x.label !== undefined && words('label', right, height - 4, x.label, 'end'),
    y.label !== undefined && words('label', left, 11, y.label),
  ]
  const axis = html`<path class="axis" d="M${place(left)} ${bottom}H${right}"/>`
  const draw = (content: Part) => drawing(title, height, [rows, axis, columns, labels, content])
  return { xScale, yScale, top, bottom, x: across, y: up, draw }
}
