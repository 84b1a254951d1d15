import { show } from '../errors.ts'
import { booleanOf, type ColumnType, dateOf, isMissing, numberOf, wordOf } from './fields.ts'
import type { ReadingProgress } from './lines.ts'
import type { Field, Table } from './source.ts'
import type { Warnings } from './warnings.ts'
import { isProse } from './words.ts'

/** Different values of a column that are counted; a column with more is "many". */
const mostValues = 10_000
/** Most different words that a column of categories may have. */
const mostCategories = 1000
/** Share of a column's values that must be numbers for the others to count as slips of the pen. */
const numberShare = 0.9

/** What a column of a table holds. */
export interface ColumnProfile {
  readonly name: string
  readonly type: ColumnType
  readonly rows: number
  readonly missing: number
  /** Different values; 10,000 may be more. */
  readonly distinct: number
  /** Of numbers, and milliseconds since 1970 of dates. */
  readonly minimum?: number
  readonly maximum?: number
  readonly mean?: number
  readonly integers: boolean
  /** Values that are none of the column's type: words among numbers. */
  readonly strangers: number
  /** The most frequent values, of categories. */
  readonly top: readonly (readonly [value: string, count: number])[]
  /** Why nothing can be learned from the column. */
  readonly useless?: string
}

/** Counts a column's values. */
class Collector {
  readonly name: string
  private missing = 0
  private present = 0
  private numbers = 0
  private integers = 0
  private booleans = 0
  private dates = 0
  /** Values that are numbers in the file: milliseconds since 1970, if they are dates. */
  private stamps = 0
  private prose = 0
  private sum = 0
  private minimum = Number.POSITIVE_INFINITY
  private maximum = Number.NEGATIVE_INFINITY
  private earliest = Number.POSITIVE_INFINITY
  private latest = Number.NEGATIVE_INFINITY
  private isCounting = true
  private readonly values = new Map<string, number>()
  private readonly place: string
  private stranger: { value: string; line: number } | undefined

  constructor(name: string, place: string) {
    this.name = name
    this.place = place
  }

  take(field: Field, line: number): void {
    if (isMissing(field)) {
      this.missing++
      return
    }
    this.present++
    const number = typeof field === 'boolean' ? Number.NaN : numberOf(field)
    const isNumber = !Number.isNaN(number)
    if (isNumber) {
      this.takeNumber(number)
      if (typeof field === 'number') this.stamps++
    } else {
      this.stranger ??= { value: wordOf(field), line }
      const date = dateOf(field)
      if (!Number.isNaN(date)) {
        this.dates++
        this.earliest = Math.min(this.earliest, date)
        this.latest = Math.max(this.latest, date)
      } else if (!Number.isNaN(booleanOf(field))) this.booleans++
      else if (isProse(field)) this.prose++
    }
    if (!this.isCounting) return
    const word = wordOf(field)
    this.values.set(word, (this.values.get(word) ?? 0) + 1)
    if (this.values.size >= mostValues) this.isCounting = false
  }

  private takeNumber(number: number): void {
    this.numbers++
    this.sum += number
    if (Number.isInteger(number)) this.integers++
    if (number < this.minimum) this.minimum = number
    if (number > this.maximum) this.maximum = number
  }

  private type(): ColumnType {
    const { present } = this
    if (this.booleans === present) return 'boolean'
    if (this.dates === present) return 'date'
    if (this.numbers >= numberShare * present) return 'number'
    const distinct = this.values.size
    const repeats = distinct <= mostCategories && (distinct <= present / 2 || distinct <= 20)
    return repeats ? 'category' : 'text'
  }

  finish(given: ColumnType | undefined, warnings: Warnings): ColumnProfile {
    const { name, missing, present, numbers } = this
    const type = given ?? (present === 0 ? 'text' : this.type())
    const counts = {
      number: numbers,
      boolean: this.booleans,
      date: this.dates + this.stamps,
      category: present,
      text: present,
    }
    const strangers = present - counts[type]
    if (strangers > 0) {
      const first =
        type === 'number' && this.stranger
          ? `, the first ${show(this.stranger.value)} in ${this.place} ${this.stranger.line}`
          : ''
      warnings.say(
        `column ${show(name)}: ${strangers.toLocaleString('en')} of ` +
          `${present.toLocaleString('en')} values are no ${type}${first}; they count as missing`,
      )
    }
    const top = type === 'category' ? [...this.values].sort((a, b) => b[1] - a[1]).slice(0, 5) : []
    const extent =
      type === 'number' && numbers > 0
        ? { minimum: this.minimum, maximum: this.maximum, mean: this.sum / numbers }
        : type === 'date' && counts.date > 0
          ? {
              minimum: Math.min(this.earliest, this.stamps > 0 ? this.minimum : this.earliest),
              maximum: Math.max(this.latest, this.stamps > 0 ? this.maximum : this.latest),
            }
          : {}
    const useless = this.useless(type, given)
    return {
      name,
      type,
      rows: missing + present,
      missing,
      distinct: this.values.size,
      ...extent,
      integers: numbers > 0 && this.integers === numbers,
      strangers,
      top,
      ...(useless !== undefined && { useless }),
    }
  }

  private useless(type: ColumnType, given: ColumnType | undefined): string | undefined {
    if (this.present === 0) return 'it is empty'
    if (this.values.size === 1 && this.missing === 0) return 'it has one value only'
    if (type === 'text' && given !== 'text' && this.prose < this.present / 2)
      return this.values.size > mostCategories
        ? 'it is text of one word each, of too many different ones to be categories'
        : 'it is text of one word each that hardly repeats'
    return undefined
  }
}

/**
 * Finds what each column holds, in one pass. A column is of numbers if nine in ten of its values are; the others then
 * count as missing, with a warning. Text that repeats is a category.
 * @throws RangeError for a table without rows, and as reading it does
 */
export async function profile(
  table: Table,
  warnings: Warnings,
  types: Readonly<Record<string, ColumnType>> = {},
  progress?: ReadingProgress,
): Promise<ColumnProfile[]> {
  const collectors = table.names.map(name => new Collector(name, table.placeName))
  let rows = 0
  for await (const piece of table.rows(warnings, progress)) {
    for (const { line, fields } of piece)
      for (const [i, field] of fields.entries()) collectors[i]!.take(field, line)
    rows += piece.length
  }
  if (rows === 0)
    throw new RangeError(`${table.path} must have rows after the columns' names, got none; give another file`)
  const known = { ...table.types, ...types }
  return collectors.map(collector =>
    collector.finish(Object.hasOwn(known, collector.name) ? known[collector.name] : undefined, warnings),
  )
}
