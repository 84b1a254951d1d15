import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkOptions, show, withDefaults } from '../errors.ts'
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

/** Takes a CSV text character by character. */
class RecordReader {
  private readonly delimiter: string
  private fields: string[] = []
  private field = ''
  private quoted = false
  /** Whether the last character was a quote in quotes: the end of the field, or half of a quote. */
  private halfQuote = false
  /** Whether the record has a field, were it an empty one. */
  private begun = false

  constructor(delimiter: string) {
    this.delimiter = delimiter
  }

  /** The record that the character ends, if it does. */
  take(character: string): string[] | undefined {
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

  /** The last record, or undefined for an empty line. */
  end(): string[] | undefined {
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
  pieces: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<string[], void, undefined> {
  const reader = new RecordReader(delimiter)
  let first = true
  for await (const piece of pieces) {
    for (const character of first ? piece.replace(/^\ufeff/, '') : piece) {
      const record = reader.take(character)
      if (record) yield record
    }
    first = false
  }
  const last = reader.end()
  if (last) yield last
}

function parse(name: string, text: string, config: ColumnConfig, line: number): Field {
  if (text === '') {
    if (config.default !== undefined) return config.default
    if (!config.required && !config.isLabel) return undefined
    throw new RangeError(`csv: column "${name}" must not be empty, got an empty field in record ${line}`)
  }
  const { dtype } = config
  if (dtype === 'string') return text
  if (dtype === 'bool') return text === '1' || text.toLowerCase() === 'true' ? 1 : 0
  const value = Number(text)
  if (Number.isNaN(value)) return text
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
function namesOf(given: readonly string[] | undefined, first: readonly string[], configs: object): string[] {
  const names = [...(given ?? first)]
  if (names.length !== first.length)
    throw new RangeError(
      `csv: columnNames must have ${first.length} names, got ${names.length}; correct them`,
    )
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new RangeError(`csv: column names must differ, got "${twice}" twice; give columnNames`)
  const unknown = Object.keys(configs).find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new RangeError(
      `csv: columnConfigs must name columns, got "${unknown}"; known are ${names.join(', ')}`,
    )
  return names
}

function elementOf(
  names: readonly string[],
  record: readonly string[],
  { columnConfigs, configuredColumnsOnly }: typeof csvDefaults,
  line: number,
): CsvElement {
  if (record.length !== names.length)
    throw new RangeError(`csv: record ${line} must have ${names.length} fields, got ${record.length}`)
  const xs: Fields = {}
  const ys: Fields = {}
  for (const [i, name] of names.entries()) {
    const config = columnConfigs[name]
    if (!config && configuredColumnsOnly) continue
    const target = config?.isLabel ? ys : xs
    target[name] = parse(name, record[i]!, config ?? {}, line)
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
  return new Dataset(async function* () {
    const stream = createReadStream(path, 'utf8')
    let names: string[] | undefined
    let line = 0
    for await (const record of records(stream, options.delimiter)) {
      if (!names) {
        const numbers = options.hasHeader ? record : record.map((_, i) => String(i))
        names = namesOf(options.columnNames, numbers, options.columnConfigs)
        if (options.hasHeader) continue
      }
      yield elementOf(names, record, options, ++line)
    }
  }, null)
}
