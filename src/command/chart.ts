/** A line of a chart; gaps where a value is not finite. */
export interface Curve {
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface ChartOptions {
  readonly curves: readonly Curve[]
  readonly xLabel: string
  readonly yLabel: string
  /** Whether the horizontal axis is logarithmic. */
  readonly log?: boolean
  /** A place on the horizontal axis that is marked. */
  readonly mark?: number
  /** Of the plot, in characters. */
  readonly width?: number
  readonly height?: number
}

// A character of Unicode's Braille patterns has 2 × 4 dots; bits by column and row.
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

const short = (value: number): string => String(Number(value.toPrecision(3)))

/** A chart of text. */
export function chart(options: ChartOptions): string[] {
  const { curves, xLabel, yLabel, log = false, mark, width = 64, height = 14 } = options
  const along = (x: number) => (log ? Math.log(x) : x)
  const points = curves.map(curve =>
    curve.points.filter(([x, y]) => Number.isFinite(along(x)) && Number.isFinite(y)),
  )
  const all = points.flat()
  if (all.length === 0) return []
  const xs = all.map(([x]) => along(x))
  const ys = all.map(([, y]) => y)
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const u = (x: number) => Math.round(((along(x) - left) / (right - left || 1)) * (2 * width - 1))
  const v = (y: number) => Math.round(((high - y) / (high - low || 1)) * (4 * height - 1))
  const cells = Array.from({ length: height }, () => new Uint8Array(width))
  const dot = (across: number, down: number) => {
    cells[down >> 2]![across >> 1]! |= dots[(across & 1) as 0 | 1][(down & 3) as 0 | 1 | 2 | 3]
  }
  for (const line of points)
    for (const [i, [x, y]] of line.entries()) {
      const [fromX, fromY] = line[Math.max(0, i - 1)]!
      const [a, b, c, d] = [u(fromX), v(fromY), u(x), v(y)]
      const length = Math.max(1, Math.abs(c - a), Math.abs(d - b))
      for (let s = 0; s <= length; s++)
        dot(Math.round(a + ((c - a) * s) / length), Math.round(b + ((d - b) * s) / length))
    }
  const marked = mark === undefined ? -1 : u(mark) >> 1
  const texts = cells.map((_, row) =>
    row % 4 === 0 || row === height - 1 ? short(high - ((high - low) * row) / (height - 1)) : '',
  )
  const margin = Math.max(...texts.map(text => text.length))
  const rows = cells.map((cell, row) => {
    const drawn = Array.from(cell, (bits, column) =>
      bits === 0 ? (column === marked ? '│' : ' ') : String.fromCharCode(0x2800 + bits),
    ).join('')
    return `${texts[row]!.padStart(margin)} ┤${drawn.trimEnd()}`
  })
  const inverse = (across: number) => (log ? Math.exp(across) : across)
  const [from, middle, to] = [left, (left + right) / 2, right].map(place => short(inverse(place))) as [
    string,
    string,
    string,
  ]
  const half = Math.floor(width / 2)
  const axis = from.padEnd(half - Math.floor(middle.length / 2)) + middle
  const pad = ' '.repeat(margin + 2)
  return [
    yLabel,
    ...rows,
    `${' '.repeat(margin)} └${'─'.repeat(width)}`,
    `${pad}${axis.padEnd(width - to.length)}${to}`,
    `${pad}${xLabel.padStart(Math.floor((width + xLabel.length) / 2))}`,
  ]
}
