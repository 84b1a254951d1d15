import { basename, dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { checkOptions, isPlainObject, positiveInteger, show } from '../errors.ts'
import { writeFilesAtomically } from './atomicFiles.ts'
import { encodings } from './parquetEncodings.ts'
import { types } from './parquetValues.ts'
import { structBytes, varint, type WrittenStruct } from './thriftWriting.ts'

/** What a field may hold: undefined and null are none. */
type Field = number | string | boolean | null | undefined
type Row = Readonly<Record<string, Field>>
type Kind = 'number' | 'text' | 'boolean'

export interface ParquetWriteOptions {
  /** Names of the columns: which ones are written, in which order; those of the first row by default. */
  columnNames?: readonly string[]
  /** Rows of a group, which are held in memory together. Default 65,536. */
  groupRows?: number
}

const physical = { number: types.double, text: types.byteArray, boolean: types.boolean } as const
const gzip = 2

interface Column {
  readonly name: string
  /** Undefined until there is a value. */
  kind: Kind | undefined
}

interface Chunk {
  readonly start: number
  readonly bytes: number
  readonly unpackedBytes: number
}

function kindOf(where: string, value: unknown): Kind {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as 'number' | 'boolean'
  throw new TypeError(`${where} must be a number, text, true, false or nothing, got ${show(value)}`)
}

/** Bits, eight a byte, the first the lowest. */
function bitsOf(truths: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(truths.length / 8))
  for (const [i, truth] of truths.entries()) if (truth) bytes[i >> 3]! |= 1 << (i & 7)
  return bytes
}

/** Which values are there: one run if all are or none is, bits otherwise; their length before them. */
function levelsOf(present: readonly boolean[]): Buffer {
  const first = present[0]!
  const runs = present.every(one => one === first)
    ? Buffer.from([...varint(2 * present.length), Number(first)])
    : Buffer.concat([Buffer.from(varint(2 * Math.ceil(present.length / 8) + 1)), bitsOf(present)])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(runs.length)
  return Buffer.concat([length, runs])
}

function plain(kind: Kind, values: readonly Field[]): Buffer {
  if (kind === 'boolean') return bitsOf(values as boolean[])
  if (kind === 'number') {
    const bytes = Buffer.alloc(8 * values.length)
    for (const [i, value] of values.entries()) bytes.writeDoubleLE(value as number, 8 * i)
    return bytes
  }
  const texts = values.map(value => Buffer.from(value as string))
  const bytes = Buffer.alloc(texts.reduce((sum, text) => sum + 4 + text.length, 0))
  let at = 0
  for (const text of texts) {
    at = bytes.writeUInt32LE(text.length, at)
    at += text.copy(bytes, at)
  }
  return bytes
}

/** The one page of a column in a group: levels and values, packed together. */
function pageOf(
  { name, kind }: Column,
  rows: readonly Row[],
): { header: Buffer; body: Buffer; size: number } {
  const fields = rows.map(row => (Object.hasOwn(row, name) ? row[name] : undefined))
  const present = fields.map(field => field !== undefined && field !== null)
  const values = fields.filter((_, i) => present[i])
  const bytes = Buffer.concat([levelsOf(present), plain(kind ?? 'number', values)])
  const body = gzipSync(bytes)
  const data: WrittenStruct = [
    [1, 'i32', rows.length],
    [2, 'i32', encodings.plain],
    [3, 'i32', encodings.runs],
    [4, 'i32', encodings.runs],
  ]
  const header = structBytes([
    [1, 'i32', 0],
    [2, 'i32', bytes.length],
    [3, 'i32', body.length],
    [5, 'struct', data],
  ])
  return { header: Buffer.from(header), body, size: bytes.length + header.length }
}

function schemaOf(columns: readonly Column[]): WrittenStruct[] {
  return [
    [
      [4, 'text', 'rows'],
      [5, 'i32', columns.length],
    ],
    ...columns.map(
      ({ name, kind = 'number' }): WrittenStruct => [
        [1, 'i32', physical[kind]],
        [3, 'i32', 1],
        [4, 'text', name],
        ...(kind === 'text'
          ? ([
              [6, 'i32', 0],
              [10, 'struct', [[1, 'struct', []]]],
            ] as const)
          : []),
      ],
    ),
  ]
}

function groupOf(columns: readonly Column[], rows: number, chunks: readonly Chunk[]): WrittenStruct {
  const described = chunks.map(({ start, bytes, unpackedBytes }, c): WrittenStruct => {
    const { name, kind = 'number' } = columns[c]!
    const metadata: WrittenStruct = [
      [1, 'i32', physical[kind]],
      [2, 'list', 'i32', [encodings.plain, encodings.runs]],
      [3, 'list', 'text', [name]],
      [4, 'i32', gzip],
      [5, 'i64', rows],
      [6, 'i64', unpackedBytes],
      [7, 'i64', bytes],
      [9, 'i64', start],
    ]
    return [
      [2, 'i64', start],
      [3, 'struct', metadata],
    ]
  })
  const size = chunks.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)
  return [
    [1, 'list', 'struct', described],
    [2, 'i64', size],
    [3, 'i64', rows],
  ]
}

function checkNames(names: readonly unknown[]): void {
  const areNames = names.length > 0 && names.every(name => typeof name === 'string' && name !== '__proto__')
  if (areNames && new Set(names).size === names.length) return
  throw new RangeError(`writeParquet: columns must have names that differ, got ${show(names)}; correct them`)
}

/** Takes rows one by one and gives bytes of the file, a group at a time. */
class Writer {
  private readonly columns: Column[] = []
  private readonly names = new Set<string>()
  private readonly groups: { rows: number; chunks: Chunk[] }[] = []
  private readonly isFixed: boolean
  private rows: Row[] = []
  private count = 0
  private place = 4

  constructor(names: readonly string[] | undefined) {
    this.isFixed = names !== undefined
    if (names) this.name(names)
  }

  get waiting(): number {
    return this.rows.length
  }

  take(row: unknown): void {
    const at = `writeParquet: row ${this.count}`
    if (!isPlainObject(row)) throw new TypeError(`${at} must be an object of fields, got ${show(row)}`)
    if (this.columns.length === 0) this.name(Object.keys(row))
    const stranger = this.isFixed ? undefined : Object.keys(row).find(name => !this.names.has(name))
    if (stranger !== undefined)
      throw new RangeError(`${at} must have the first row's columns, got ${show(stranger)} too`)
    for (const column of this.columns) {
      const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined
      if (value === undefined || value === null) continue
      const here = `${at}, column ${show(column.name)}`
      const kind = kindOf(here, value)
      column.kind ??= kind
      if (column.kind !== kind)
        throw new TypeError(`${here} must be a ${column.kind} like those before, got ${show(value)}`)
    }
    this.rows.push(row as Row)
    this.count++
  }

  private name(names: readonly string[]): void {
    checkNames(names)
    for (const name of names) {
      this.columns.push({ name, kind: undefined })
      this.names.add(name)
    }
  }

  /** The group of the rows that wait. */
  group(): Buffer {
    const pages = this.columns.map(column => pageOf(column, this.rows))
    const chunks = pages.map(({ header, body, size }) => {
      const bytes = header.length + body.length
      const start = this.place
      this.place += bytes
      return { start, bytes, unpackedBytes: size }
    })
    this.groups.push({ rows: this.rows.length, chunks })
    this.rows = []
    return Buffer.concat(pages.flatMap(({ header, body }) => [header, body]))
  }

  /** What stands after the groups. */
  end(): Buffer {
    if (this.columns.length === 0)
      throw new RangeError('writeParquet: rows must be one or more, got none; name the columns')
    const metadata = structBytes([
      [1, 'i32', 1],
      [2, 'list', 'struct', schemaOf(this.columns)],
      [3, 'i64', this.count],
      [4, 'list', 'struct', this.groups.map(({ rows, chunks }) => groupOf(this.columns, rows, chunks))],
      [6, 'text', 'lockstep'],
    ])
    const length = Buffer.alloc(4)
    length.writeUInt32LE(metadata.length)
    return Buffer.concat([Buffer.from(metadata), length, Buffer.from('PAR1')])
  }
}

async function* bytesOf(
  rows: Iterable<Row> | AsyncIterable<Row>,
  { columnNames, groupRows = 65_536 }: ParquetWriteOptions,
): AsyncGenerator<Uint8Array> {
  const writer = new Writer(columnNames)
  yield Buffer.from('PAR1')
  for await (const row of rows) {
    writer.take(row)
    if (writer.waiting === groupRows) yield writer.group()
  }
  if (writer.waiting > 0) yield writer.group()
  yield writer.end()
}

/**
 * Writes rows as a Parquet file of flat columns: numbers as doubles, text, true and false, each of which may be missing;
 * plain pages packed by gzip. A column is of the kind of its first value. Rows may come from a dataset; a group of them is
 * kept. The file is complete on the disk before it takes its name.
 * @throws TypeError or RangeError for rows of other columns or fields of another kind, the old file untouched; the file
 * system's own errors
 */
export async function writeParquet(
  path: string,
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: ParquetWriteOptions = {},
): Promise<void> {
  checkOptions('writeParquet', options, ['columnNames', 'groupRows'])
  if (options.groupRows !== undefined) positiveInteger('writeParquet', 'groupRows', options.groupRows)
  await writeFilesAtomically(dirname(path), [[basename(path), bytesOf(rows, options)]])
}
