export type Print = (line: string) => void

/** Prints the head of a Markdown table, whose first column is text, and returns what prints a row. */
export function startTable(print: Print, columns: readonly string[]): (...cells: string[]) => void {
  const widths = columns.map((column, i) => Math.max(column.length, i === 0 ? 26 : 5))
  const line = (cells: readonly string[]) =>
    print(
      `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`,
    )
  line(columns)
  print(
    `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  )
  return (...cells) => line(cells)
}

/** Middle value; of an even number the upper one. NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** Three significant digits or more, thousands apart. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

/** A figure against what was asked for: at least, or at most. */
export function verdict(value: number, asked: number | undefined, atMost = false): string {
  if (asked === undefined || !Number.isFinite(value)) return short(value)
  const met = atMost ? value <= asked : value >= asked
  return `${short(value)} (${atMost ? '≤' : '≥'} ${asked}: ${met ? 'met' : 'short'})`
}
