import { type ColumnType, isMissing, readers, wordOf } from './fields.ts'
import type { ReadingProgress } from './lines.ts'
import type { Field, Table } from './source.ts'
import type { Warnings } from './warnings.ts'

/** A column in memory: numbers, NaN where there is none; of categories the places of their words. */
export class Column {
  readonly name: string
  readonly type: ColumnType
  readonly words: string[] = []
  private readonly places = new Map<string, number>()
  private filled = 0
  private store = new Float64Array(1024)

  constructor(name: string, type: ColumnType) {
    this.name = name
    this.type = type
  }

  get values(): Float64Array {
    return this.store.subarray(0, this.filled)
  }

  /** Bytes that its numbers take. */
  get bytes(): number {
    return this.store.byteLength
  }

  /** Makes room for so many rows at once: to grow takes twice the memory. */
  reserve(rows: number): void {
    if (rows > this.store.length) this.store = new Float64Array(rows)
  }

  push(field: Field): void {
    if (this.filled === this.store.length) {
      const larger = new Float64Array(2 * this.filled)
      larger.set(this.store)
      this.store = larger
    }
    this.store[this.filled++] = this.read(field)
  }

  /** The word of a category, or undefined for none. */
  word(row: number): string | undefined {
    const place = this.store[row]!
    return Number.isNaN(place) ? undefined : this.words[place]
  }

  protected read(field: Field): number {
    if (isMissing(field)) return Number.NaN
    if (this.type === 'number' || this.type === 'boolean' || this.type === 'date')
      return readers[this.type](field)
    const word = wordOf(field)
    let place = this.places.get(word)
    if (place === undefined) {
      place = this.words.length
      this.places.set(word, place)
      this.words.push(word)
    }
    return place
  }
}

/** Reads columns of a table of so many rows into memory, and where each row stands in the file. */
export async function readColumns(
  table: Table,
  wanted: readonly Column[],
  rows: number,
  warnings: Warnings,
  progress?: ReadingProgress,
): Promise<Float64Array> {
  const places = wanted.map(({ name }) => table.names.indexOf(name))
  const lines = new Column('line', 'number')
  for (const column of [lines, ...wanted]) column.reserve(rows)
  for await (const piece of table.rows(warnings, progress))
    for (const { line, fields } of piece) {
      lines.push(line)
      for (const [i, column] of wanted.entries()) column.push(fields[places[i]!])
    }
  return lines.values
}
