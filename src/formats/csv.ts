import { basename, dirname } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, isPlainObject, show } from '../errors.ts'
import { writeFilesAtomically } from './atomicFiles.ts'

/** What a field may hold: undefined and null are an empty one. */
type Field = number | string | boolean | null | undefined
type Row = Readonly<Record<string, Field>> | { readonly xs: object; readonly ys: object }

export interface CsvWriteOptions {
  /** Names of the columns: which ones are written, in which order; those of the first row by default. Of a tensor all. */
  columnNames?: readonly string[]
  /** Whether the first line holds the names. Default true. */
  hasHeader?: boolean
  /** Default a comma. */
  delimiter?: string
}

/** Text that `ls.data.csv` gathers into one piece at a time. */
const pieceLength = 65_536

/** Rows of a tensor, by columns named as asked for, or by their numbers. */
function* rowsOf(tensor: Tensor, names: readonly string[] | undefined): Generator<Row> {
  const [count, width = 1] = tensor.shape as [number, number?]
  if (tensor.rank < 1 || tensor.rank > 2)
    throw new RangeError(
      `writeCsv: a tensor must have one axis or two, got ${show(tensor.shape)}; reshape it`,
    )
  const columns = names ?? Array.from({ length: width }, (_, i) => String(i))
  if (columns.length !== width)
    throw new RangeError(
      `writeCsv: columnNames must be ${width}, one a column, got ${columns.length}; correct them`,
    )
  const values = tensor.dataSync()
  for (let i = 0; i < count; i++)
    yield Object.fromEntries(columns.map((name, j) => [name, values[i * width + j]]))
}

function fieldOf(where: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  throw new TypeError(`${where} must be a number, text, true, false or nothing, got ${show(value)}`)
}

/** A line of fields, in quotes where these would be read as something else. */
function lineOf(fields: readonly string[], delimiter: string): string {
  const isAlone = fields.length === 1
  const quoted = fields.map(field =>
    field.includes(delimiter) || /["\r\n\ufeff]/.test(field) || (isAlone && field === '')
      ? `"${field.replaceAll('"', '""')}"`
      : field,
  )
  return `${quoted.join(delimiter)}\n`
}

function checkNames(names: readonly string[]): void {
  const isName = (name: unknown) => typeof name === 'string'
  if (Array.isArray(names) && names.length > 0 && names.every(isName) && new Set(names).size === names.length)
    return
  throw new RangeError(`writeCsv: columnNames must be names that differ, got ${show(names)}; correct them`)
}

async function* linesOf(
  rows: Iterable<Row> | AsyncIterable<Row>,
  { columnNames, hasHeader = true, delimiter = ',' }: CsvWriteOptions,
): AsyncGenerator<string> {
  let names = columnNames
  if (names) checkNames(names)
  if (names && hasHeader) yield lineOf(names, delimiter)
  let number = 0
  for await (const row of rows) {
    if (!isPlainObject(row))
      throw new TypeError(`writeCsv: row ${number} must be an object of fields, got ${show(row)}`)
    const isPair = isPlainObject(row.xs) && isPlainObject(row.ys)
    const fields: Record<string, unknown> = isPair ? { ...(row.xs as object), ...(row.ys as object) } : row
    if (!names) {
      names = Object.keys(fields)
      checkNames(names)
      if (hasHeader) yield lineOf(names, delimiter)
    }
    const known = names
    const stranger = columnNames ? undefined : Object.keys(fields).find(name => !known.includes(name))
    if (stranger !== undefined)
      throw new RangeError(
        `writeCsv: row ${number} must have the first row's columns, got ${show(stranger)} too`,
      )
    const where = (name: string) => `writeCsv: row ${number}, column ${show(name)}`
    yield lineOf(
      names.map(name => fieldOf(where(name), Object.hasOwn(fields, name) ? fields[name] : undefined)),
      delimiter,
    )
    number++
  }
}

async function* piecesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const line of lines) {
    text += line
    if (text.length < pieceLength) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

/**
 * Writes rows, or a tensor (n) or (n, columns), as a CSV file that `ls.data.csv` reads again: every float32 to the bit
 * (NaN in columns of dtype 'float32'). Rows may come from a dataset; they are not kept. The file is complete on the disk
 * before it takes its name.
 * @throws TypeError or RangeError for rows of other columns or fields of another kind, the old file untouched; the
 * file system's own errors
 */
export async function writeCsv(
  path: string,
  rows: Tensor | Iterable<Row> | AsyncIterable<Row>,
  options: CsvWriteOptions = {},
): Promise<void> {
  checkOptions('writeCsv', options, ['columnNames', 'hasHeader', 'delimiter'])
  const { delimiter = ',', columnNames } = options
  if (typeof delimiter !== 'string' || [...delimiter].length !== 1 || /["\r\n]/.test(delimiter))
    throw new TypeError(`writeCsv: delimiter must be one character, got ${show(delimiter)}; write ','`)
  const each = rows instanceof Tensor ? rowsOf(rows, columnNames) : rows
  await writeFilesAtomically(dirname(path), [[basename(path), piecesOf(linesOf(each, options))]])
}
