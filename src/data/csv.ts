import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkOptions, show, suggestion, withDefaults } from '../errors.ts'
import { Dataset } from './dataset.ts'

export interface ColumnConfig {
  /** Whether an empty field is an error. */
  required?: boolean
  /** What fields become: numbers by default, text where they are none. */
  dtype?: 'float32' | 'int32' | 'bool' | 'string'
  /** Stands for an empty field. */
  default?: number | string
  /** Whether the column belongs to the targets: elements are then { xs, ys }. */
  isLabel?: boolean
}

const csvDefaults = {
  /** Whether the first line holds the names. */
  hasHeader: true,
  /** Names of the columns, in place of the first line's. */
  columnNames: undefined as readonly string[] | undefined,
  columnConfigs: {} as Readonly<Record<string, ColumnConfig>>,
  /** Whether only the columns of columnConfigs are taken. */
  configuredColumnsOnly: false,
  delimiter: ',',
}
export type CsvOptions = Partial<typeof csvDefaults>

type Field = number | string | undefined
type Fields = Record<string, Field>
export type CsvElement = Fields | { xs: Fields; ys: Fields }

/** Characters of a record: a quote that is never closed must not take the whole file into memory. */
const longestRecord = 2 ** 20

/** Takes a CSV text character by character. */
class RecordReader {
  private readonly where: string
  private readonly delimiter: string
  /** Records so far, and characters of the next one. */
  private count = 0
  private length = 0
  private fields: string[] = []
  private field = ''
  private quoted = false
  /** Whether the last character was a quote in quotes: the end of the field, or half of a quote. */
  private halfQuote = false
  /** Whether the record has a field, were it an empty one. */
  private begun = false

  constructor(where: string, delimiter: string) {
    this.where = where
    this.delimiter = delimiter
  }

  /** The record that the character ends, if it does. */
  take(character: string): string[] | undefined {
    if (++this.length > longestRecord)
      throw new RangeError(
        `${this.where} must have records of at most ${longestRecord} characters, got more after ${this.count} lines`,
      )
    if (this.halfQuote) {
      this.halfQuote = false
      this.quoted = character === '"'
      if (this.quoted) {
        this.field += '"'
        return undefined
      }
    }
    if (this.quoted) {
      if (character === '"') this.halfQuote = true
      else this.field += character
    } else if (character === '"' && this.field === '') this.quoted = this.begun = true
    else if (character === this.delimiter) this.endField()
    else if (character === '\n') return this.end()
    else if (character !== '\r') this.field += character
    return undefined
  }

  /** The last record of the file. */
  last(): string[] | undefined {
    if (this.quoted && !this.halfQuote)
      throw new RangeError(`${this.where} must close its quotes, got an open one after ${this.count} lines`)
    return this.end()
  }

  /** The record that ends here, or undefined for an empty line. */
  private end(): string[] | undefined {
    this.count++
    this.length = 0
    if (!this.begun && this.field === '') return undefined
    this.endField()
    const record = this.fields
    this.fields = []
    this.begun = false
    return record
  }

  private endField(): void {
    this.fields.push(this.field)
    this.field = ''
    this.begun = true
  }
}

/**
 * The records of a CSV text that comes in pieces: fields apart by `delimiter`, in quotes where they hold one, a
 * quote (doubled) or a line break. Empty lines and a byte order mark are passed over. Source: RFC 4180.
 */
async function* records(
  where: string,
  pieces: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<string[], void, undefined> {
  const reader = new RecordReader(where, delimiter)
  let first = true
  for await (const piece of pieces) {
    for (const character of first ? piece.replace(/^\ufeff/, '') : piece) {
      const record = reader.take(character)
      if (record) yield record
    }
    first = false
  }
  const last = reader.last()
  if (last) yield last
}

function parse(where: string, name: string, text: string, config: ColumnConfig): Field {
  if (text === '') {
    if (config.default !== undefined) return config.default
    if (!config.required && !config.isLabel) return undefined
    throw new RangeError(`${where} must have a field in column ${show(name)}, got an empty one`)
  }
  const { dtype } = config
  if (dtype === 'string') return text
  if (dtype === 'bool') return text === '1' || text.toLowerCase() === 'true' ? 1 : 0
  const value = Number(text)
  if (Number.isNaN(value)) return text === 'NaN' && dtype === 'float32' ? value : text
  return dtype === 'int32' ? Math.floor(value) : value
}

function checkCsvOptions(options: typeof csvDefaults): void {
  const { columnConfigs, delimiter } = options
  if (typeof delimiter !== 'string' || [...delimiter].length !== 1 || /["\r\n]/.test(delimiter))
    throw new TypeError(`csv: delimiter must be one character, got ${show(delimiter)}; write ','`)
  for (const [name, config] of Object.entries(columnConfigs))
    checkOptions(`csv: columnConfigs["${name}"]`, config, ['required', 'dtype', 'default', 'isLabel'])
}

/** The names of the columns, once they are known to fit what was configured. */
function namesOf(
  where: string,
  given: readonly string[] | undefined,
  first: readonly string[],
  configs: object,
): string[] {
  const names = [...(given ?? first)]
  if (names.length !== first.length)
    throw new RangeError(
      `${where} must have the columns of columnNames, ${names.length}, got ${first.length}; correct them`,
    )
  const known = new Set<string>()
  for (const name of names) {
    if (known.has(name) || name === '__proto__')
      throw new RangeError(
        `${where} must have columns of different names, got ${show(name)}; give columnNames`,
      )
    known.add(name)
  }
  const unknown = Object.keys(configs).find(name => !known.has(name))
  if (unknown !== undefined)
    throw new RangeError(
      `${where} must have the columns of columnConfigs, got none called "${unknown}"; ${suggestion(unknown, names)}`,
    )
  return names
}

function elementOf(
  where: string,
  names: readonly string[],
  record: readonly string[],
  { columnConfigs, configuredColumnsOnly }: typeof csvDefaults,
): CsvElement {
  if (record.length !== names.length)
    throw new RangeError(`${where} must have ${names.length} fields, got ${record.length}`)
  const xs: Fields = {}
  const ys: Fields = {}
  for (const [i, name] of names.entries()) {
    const config = Object.hasOwn(columnConfigs, name) ? columnConfigs[name] : undefined
    if (!config && configuredColumnsOnly) continue
    const target = config?.isLabel ? ys : xs
    target[name] = parse(where, name, record[i]!, config ?? {})
  }
  return Object.keys(ys).length > 0 ? { xs, ys } : xs
}

/**
 * The records of a CSV file (a path, or a file:// URL), read as they are pulled: objects of fields by column,
 * or { xs, ys } where columns are labels. Options of TensorFlow.js' tf.data.csv.
 * @throws TypeError or RangeError for wrong options; while elements are pulled RangeError for records that do
 * not fit, and the file system's own errors
 */
export function csv(source: string, given?: CsvOptions): Dataset<CsvElement> {
  if (typeof source !== 'string')
    throw new TypeError(`csv: source must be a path or a file:// URL, got ${show(source)}; write 'data.csv'`)
  const options = withDefaults<typeof csvDefaults>('csv', csvDefaults, given)
  checkCsvOptions(options)
  const path = source.startsWith('file://') && URL.canParse(source) ? fileURLToPath(source) : source
  const where = `csv: ${path}`
  return new Dataset(async function* () {
    const stream = createReadStream(path, 'utf8')
    let names: string[] | undefined
    let line = 0
    for await (const record of records(where, stream, options.delimiter)) {
      if (!names) {
        const numbers = options.hasHeader ? record : record.map((_, i) => String(i))
        names = namesOf(where, options.columnNames, numbers, options.columnConfigs)
        if (options.hasHeader) continue
      }
      yield elementOf(`${where} record ${++line}`, names, record, options)
    }
  }, null)
}
