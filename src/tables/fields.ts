import { show } from '../errors.ts'
import type { Field } from './source.ts'

export const columnTypes = ['number', 'category', 'boolean', 'date', 'text'] as const
export type ColumnType = (typeof columnTypes)[number]

/** Texts that stand for no value, besides the empty one. */
const missingTexts = new Set(['', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', 'None', '?'])

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const datePattern =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/

export function isMissing(field: Field): boolean {
  if (field === undefined) return true
  if (typeof field === 'number') return Number.isNaN(field)
  return typeof field === 'string' && missingTexts.has(field.trim())
}

/** The number that a field is, or NaN. */
export function numberOf(field: Field): number {
  if (typeof field === 'number') return Number.isFinite(field) ? field : Number.NaN
  if (typeof field !== 'string') return typeof field === 'boolean' ? Number(field) : Number.NaN
  const text = field.trim()
  const value = numberPattern.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : Number.NaN
}

/** 1 for true, 0 for false, NaN for anything else. */
export function booleanOf(field: Field): number {
  if (typeof field === 'boolean') return Number(field)
  const text = typeof field === 'string' ? field.trim().toLowerCase() : ''
  return text === 'true' ? 1 : text === 'false' ? 0 : Number.NaN
}

/** Milliseconds since 1970 of a date in ISO 8601's order, in UTC unless it says otherwise; or NaN. */
export function dateOf(field: Field): number {
  if (typeof field === 'number') return Number.isFinite(field) ? field : Number.NaN
  const match = typeof field === 'string' ? datePattern.exec(field.trim()) : null
  if (!match) return Number.NaN
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', zone] = match
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  // Of the 31st of February JavaScript makes a day in March.
  if (date.getUTCMonth() !== Number(month) - 1 || h > 23 || m > 59 || s > 59) return Number.NaN
  const time = date.getTime() + ((h * 60 + m) * 60 + s) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (!zone || zone === 'Z') return time
  const ahead = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return time - (zone.startsWith('-') ? -ahead : ahead) * 60_000
}

/** The word that a field is. */
export const wordOf = (field: Field): string => (typeof field === 'string' ? field.trim() : String(field))

/** Reads a field as a column's type has it: NaN for no value. Of categories it is `wordOf` that counts. */
export const readers: Readonly<Record<'number' | 'boolean' | 'date', (field: Field) => number>> = {
  number: numberOf,
  boolean: booleanOf,
  date: dateOf,
}

const mostColumns = 10_000

/** @throws RangeError for columns without a name of their own, and for too many */
export function checkNames(where: string, names: readonly string[]): void {
  if (names.length > mostColumns)
    throw new RangeError(
      `${where} must have at most ${mostColumns} columns, got ${names.length}; keep those that matter`,
    )
  const known = new Map<string, number>()
  for (const [i, name] of names.entries()) {
    if (name.trim() === '')
      throw new RangeError(`${where}, column ${i + 1}: must have a name, got none; name it`)
    const before = known.get(name)
    if (before !== undefined)
      throw new RangeError(
        `${where}, column ${i + 1}: must have a name of its own, got ` +
          `${show(name)}, which column ${before + 1} has too; rename one`,
      )
    known.set(name, i)
  }
}

/** @throws RangeError for a list, an object or bytes, which no field can be */
export function checkField(at: () => string, name: string, value: unknown): asserts value is Field | null {
  if (typeof value !== 'object' || value === null) return
  throw new RangeError(
    `${at()}, column ${show(name)}: must be a number, text, true, false or null, got ${show(value)}; flatten it`,
  )
}
