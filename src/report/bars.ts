import { box, type ChartOptions, drawing, figureOf, place, width, words } from './frame.ts'
import { html, type Markup } from './markup.ts'
import { figure, scaleOf } from './scales.ts'

export interface Bar {
  readonly name: string
  readonly value: number
  /** Half the length of a line around the value: its uncertainty. */
  readonly spread?: number
  /** What stands beside it; the value by default. */
  readonly text?: string
}

/** Of a letter, about. */
const letterWidth = 6.2

const roomFor = (texts: readonly string[], most: number) =>
  Math.min(most, letterWidth * Math.max(0, ...texts.map(text => [...text].length)))

/** A name that is cut where there is no room; the pointer shows all of it. */
function nameAt(x: number, y: number, name: string, room: number, anchor: 'middle' | 'end'): Markup {
  const letters = [...name]
  const most = Math.max(2, Math.floor(room / letterWidth))
  const text = letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : name
  return words('name', x, y, [text, html`<title>${name}</title>`], anchor)
}

/** Bars to the right of their names, one under the other. */
export function barChart(options: ChartOptions & { readonly bars: readonly Bar[] }): Markup {
  const { bars } = options
  const texts = bars.map(({ value, text }) => text ?? figure(value))
  const left =
    14 +
    roomFor(
      bars.map(({ name }) => name),
      126,
    )
  const right = width - 10 - roomFor(texts, 150)
  const ends = bars.flatMap(({ value, spread = 0 }) => [value - spread, value + spread])
  const scale = scaleOf([0, ...ends], options.x)
  const at = (value: number) => left + scale.at(value) * (right - left)
  const rows = bars.map(({ name, value, spread = 0 }, i) => {
    const top = 20 * i
    const from = Math.min(at(0), at(value))
    const whisker = html`<path class="whisker" d="M${place(at(value - spread))} ${top + 10}H${place(at(value + spread))}"/>`
    return [
      nameAt(left - 6, top + 14, name, left - 8, 'end'),
      box(from, top + 4, Math.max(1, Math.abs(at(value) - at(0))), 12, `${name}: ${texts[i]}`, 0.85),
      spread > 0 && whisker,
      words('value', width - 2, top + 14, texts[i], 'end'),
    ]
  })
  const content = html`<g class="c1">${rows}</g>`
  return figureOf(options, [], drawing(options.title, 20 * Math.max(1, bars.length), content))
}

export interface HeatOptions extends ChartOptions {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** Row by row, from 0 to 1. */
  readonly shades: readonly (readonly number[])[]
  readonly texts: readonly (readonly string[])[]
}

/** A table of shades. */
export function heatMap({ rows, columns, shades, texts, ...options }: HeatOptions): Markup {
  // At least the label of the rows.
  const left = Math.max(48, 16 + roomFor(rows, 94))
  const top = 34
  const across = Math.min(76, (width - left - 4) / columns.length)
  const down = Math.min(40, across)
  const cells = rows.flatMap((row, r) =>
    columns.map((column, c) => {
      const [x, y] = [left + c * across, top + r * down]
      const [shade, text] = [shades[r]![c]!, texts[r]![c]!]
      const fits = across >= letterWidth * text.length + 4 && down >= 12
      const kind = shade > 0.55 ? 'on' : 'off'
      return [
        box(x, y, across - 1, down - 1, `${row} → ${column}: ${text}`, Math.max(0.04, shade)),
        fits && words(kind, x + across / 2, y + down / 2 + 4, text, 'middle'),
      ]
    }),
  )
  const names = [
    rows.map((row, r) => nameAt(left - 6, top + (r + 0.5) * down + 4, row, left - 8, 'end')),
    across >= 14 &&
      columns.map((column, c) => nameAt(left + (c + 0.5) * across, top - 6, column, across, 'middle')),
  ]
  const labels = [
    words('label', left, 12, options.x?.label),
    words('label', left - 6, 12, options.y?.label, 'end'),
  ]
  const content = [labels, names, html`<g class="c1">${cells}</g>`]
  return figureOf(options, [], drawing(options.title, top + rows.length * down + 2, content))
}

/** Counts as a row of small columns. */
export function sparkline(counts: readonly number[]): Markup {
  const most = Math.max(...counts, 1)
  const step = 96 / Math.max(counts.length, 1)
  const columns = counts.map((count, i) => {
    const tall = place(Math.max(1, (20 * count) / most))
    return count > 0 ? `M${place(i * step)} 20v${-tall}h${place(Math.max(0.8, step - 1))}V20z` : ''
  })
  return html`<svg class="spark c1" viewBox="0 0 96 20" aria-hidden="true"><path d="${columns.join('')}"/></svg>`
}
