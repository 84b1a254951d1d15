import { oneOf, show } from '../errors.ts'
import { describeRows, readRows } from '../formats/parquetRows.ts'
import { delimiterOf, RecordParser } from './delimited.ts'
import { type ColumnType, checkField, checkNames } from './fields.ts'
import { type ReadingProgress, textLines } from './lines.ts'
import { openObjects } from './objects.ts'
import type { Warnings } from './warnings.ts'

export type Field = string | number | boolean | undefined

/** A row, its fields in the order of the columns; `line` is where it begins in the file, or its number from 1. */
export interface Row {
  readonly line: number
  readonly fields: readonly Field[]
}

const formats = ['csv', 'tsv', 'jsonl', 'json', 'parquet'] as const
export type TableFormat = (typeof formats)[number]

export interface TableOptions {
  /** Told by the file's ending unless given. */
  format?: TableFormat
  /** Of CSV: told by the first line unless given. */
  delimiter?: string
  /** Of CSV: whether the first line holds the names. Default true. */
  header?: boolean
  /** Whether rows with too few or too many fields are set aside and counted instead of refused. Default false. */
  skipRagged?: boolean
}

export interface Table {
  readonly path: string
  readonly format: TableFormat
  readonly names: readonly string[]
  /** Types that the file itself tells. */
  readonly types?: Readonly<Record<string, ColumnType>>
  /** What messages call the place of a row. */
  readonly placeName: 'line' | 'row'
  /** A pass over the rows, in pieces. */
  rows(warnings: Warnings, progress?: ReadingProgress): AsyncGenerator<readonly Row[], void, undefined>
}

export function formatOf(path: string): TableFormat | undefined {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  if (ending === 'csv' || ending === 'txt' || ending === 'data') return 'csv'
  if (ending === 'tsv' || ending === 'tab') return 'tsv'
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl'
  return ending === 'json' || ending === 'parquet' ? ending : undefined
}

async function* records(where: string, path: string, delimiter: string, progress?: ReadingProgress) {
  const parser = new RecordParser(where, delimiter)
  for await (const { line, lines } of textLines(where, path, progress)) {
    const rows: { line: number; fields: string[] }[] = []
    for (const [i, text] of lines.entries()) {
      const fields = parser.take(text, line + i)
      if (fields) rows.push({ line: parser.line, fields })
    }
    if (rows.length > 0) yield rows
  }
  parser.end()
}

async function firstLine(where: string, path: string): Promise<string> {
  for await (const { lines } of textLines(where, path)) {
    const line = lines.find(text => text.trim() !== '')
    if (line !== undefined) return line
  }
  throw new RangeError(`${where} must hold a table, got an empty file; give another one`)
}

async function openDelimited(
  where: string,
  path: string,
  format: TableFormat,
  options: TableOptions,
): Promise<Table> {
  const { header = true, skipRagged = false } = options
  const delimiter = options.delimiter ?? delimiterOf(path, await firstLine(where, path))
  if ([...delimiter].length !== 1 || /["\r\n]/.test(delimiter))
    throw new RangeError(`${where}: delimiter must be one character, got ${show(delimiter)}; write ","`)
  let first: { line: number; fields: string[] } | undefined
  for await (const rows of records(where, path, delimiter)) {
    first = rows[0]
    break
  }
  if (!first) throw new RangeError(`${where} must hold a table, got an empty file; give another one`)
  const at = `${where} line ${first.line}`
  const names = header ? first.fields.map(name => name.trim()) : first.fields.map((_, i) => `column${i + 1}`)
  if (header && names.length > 1 && names.every(name => name !== '' && !Number.isNaN(Number(name))))
    throw new RangeError(`${at} must hold the columns' names, got numbers; say that there is no header`)
  checkNames(at, names)
  const refusal = (line: number, count: number) => {
    const column =
      count < names.length ? `none for column ${show(names[count])}` : 'more than there are columns'
    return (
      `${where} line ${line}, column ${Math.min(count, names.length) + 1}: must have ` +
      `${names.length} fields, got ${count}: ${column}; correct the line, or set such lines aside`
    )
  }
  return {
    path,
    format,
    names,
    placeName: 'line',
    async *rows(warnings, progress) {
      let isFirst = header
      for await (const rows of records(where, path, delimiter, progress)) {
        const piece = isFirst ? rows.slice(1) : rows
        isFirst = false
        const ragged = piece.filter(({ fields }) => fields.length !== names.length)
        if (ragged.length > 0 && !skipRagged)
          throw new RangeError(refusal(ragged[0]!.line, ragged[0]!.fields.length))
        if (ragged.length > 0)
          warnings.add(
            `${where}: rows set aside that have not ${names.length} fields`,
            `line ${ragged[0]!.line}`,
            ragged.length,
          )
        yield ragged.length > 0 ? piece.filter(({ fields }) => fields.length === names.length) : piece
      }
    },
  }
}

async function openParquet(where: string, path: string): Promise<Table> {
  const { names, dates, rows } = await describeRows(path)
  if (rows === 0) throw new RangeError(`${where} must hold rows, got none; give another file`)
  checkNames(where, names)
  return {
    path,
    format: 'parquet',
    names,
    types: Object.fromEntries(dates.map(name => [name, 'date'])),
    placeName: 'row',
    async *rows(_warnings, progress) {
      let line = 0
      for await (const piece of readRows(path, progress))
        yield piece.map(values => {
          line++
          for (let c = 0; c < values.length; c++)
            if (typeof values[c] === 'object') checkField(() => `${where} row ${line}`, names[c]!, values[c])
          return { line, fields: values as Field[] }
        })
    },
  }
}

/**
 * Opens a table: CSV, TSV, JSON lines, a JSON list of objects or Parquet. Its rows are read as they are pulled.
 * @throws RangeError naming line and column for a table that is malformed, at the start or while rows are pulled; the
 * file system's own errors
 */
export async function openTable(path: string, options: TableOptions = {}): Promise<Table> {
  const where = path
  const format = options.format ?? formatOf(path)
  if (format === undefined)
    throw new RangeError(
      `${where} must be a .csv, .tsv, .jsonl, .json or .parquet file, got another ending; say its format`,
    )
  oneOf(where, 'format', format, formats)
  if (format === 'parquet') return openParquet(where, path)
  if (format === 'jsonl' || format === 'json') return openObjects(where, path, format)
  return openDelimited(
    where,
    path,
    format,
    options.delimiter || format === 'csv' ? options : { ...options, delimiter: '\t' },
  )
}
