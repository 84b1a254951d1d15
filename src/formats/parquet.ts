import { Dataset } from '../data/dataset.ts'
import { checkOptions, inRange, show, suggestion } from '../errors.ts'
import { type OpenFile, openRegularFile } from './files.ts'
import { readColumn } from './parquetPages.ts'
import { type Chunk, type RowGroup, readDescription } from './parquetSchema.ts'
import type { Field } from './parquetValues.ts'
import { ThriftReader } from './thrift.ts'
import { readBytes } from './zip.ts'

export { type ParquetWriteOptions, writeParquet } from './parquetWriting.ts'

export interface ParquetOptions {
  /** Which columns are taken; all unless given. Those within others are named with dots: `image.bytes`. */
  columns?: readonly string[]
  /** Those among them that are targets: elements are then { xs, ys }, as those of `ls.data.csv`. */
  labels?: readonly string[]
  /** Most bytes that a row group may take, unpacked and decoded; 48 MiB and three times the file unless given. */
  maxBytes?: number
}

type Fields = Record<string, Field>
export type ParquetElement = Fields | { xs: Fields; ys: Fields }

const magic = 'PAR1'

interface Opened {
  readonly groups: readonly RowGroup[]
  /** Of the columns that are taken. */
  readonly numbers: readonly number[]
}

/** @throws RangeError for what is no column of the file */
function numbersOf(where: string, names: readonly string[], wanted: readonly string[] | undefined): number[] {
  if (!wanted) return [...names.keys()]
  return wanted.map(name => {
    const number = names.indexOf(name)
    if (number >= 0) return number
    throw new RangeError(
      `${where} must have the columns that are named, got ${show(name)}; ${suggestion(name, names)}`,
    )
  })
}

/** What the file says at its end of all before. */
async function describe(
  where: string,
  file: OpenFile,
  size: number,
  { columns, labels }: ParquetOptions,
): Promise<Opened> {
  if (size < 12) throw new RangeError(`${where} must be a Parquet file of 12 bytes or more, got ${size}`)
  const head = (await readBytes(where, file, 0, 4)).toString('latin1')
  const tail = await readBytes(where, file, size - 8, 8)
  const end = tail.toString('latin1', 4)
  if (head !== magic || end !== magic)
    throw new RangeError(`${where} must begin and end with PAR1, got ${show(head)} and ${show(end)}`)
  const length = tail.readUInt32LE()
  const longest = Math.min(size - 12, 2 ** 20 + size / 16)
  if (length > longest)
    throw new RangeError(`${where} must have metadata of at most ${Math.floor(longest)} bytes, got ${length}`)
  const place = size - 8 - length
  const reader = new ThriftReader(
    `${where} metadata`,
    await readBytes(where, file, place, length),
    0,
    1e5 + size / 256,
  )
  const metadata = reader.struct()
  if (reader.at !== length)
    throw new RangeError(`${where} metadata must have ${reader.at} bytes, got ${length}`)
  const { leaves, groups } = readDescription(where, metadata, place)
  const names = leaves.map(({ name }) => name)
  const numbers = numbersOf(where, names, columns)
  const listed = numbers.find(number => leaves[number]!.isRepeated)
  if (listed !== undefined)
    throw new RangeError(
      `${where} column "${names[listed]}" must hold single values, got lists; name others in columns`,
    )
  const taken = numbers.map(number => names[number]!)
  const stranger = labels?.find(name => !taken.includes(name))
  if (stranger !== undefined)
    throw new RangeError(
      `${where} labels must be columns that are taken, got ${show(stranger)}; ${suggestion(stranger, taken)}`,
    )
  return { groups, numbers }
}

/** The rows of a group, whose columns are read one after the other and then held together. */
async function* rowsOf(
  where: string,
  file: OpenFile,
  { rows, chunks }: { rows: number; chunks: readonly Chunk[] },
  labels: ReadonlySet<string>,
  most: number,
): AsyncGenerator<ParquetElement> {
  const budget = { left: most }
  const columns: { name: string; values: Iterator<Field> }[] = []
  for (const chunk of chunks) {
    const { name } = chunk.leaf
    const at = `${where} column "${name}"`
    budget.left -= chunk.bytes
    if (budget.left < 0)
      throw new RangeError(
        `${at} must fit the memory allowed, got ${chunk.bytes} bytes more; give a larger maxBytes`,
      )
    const column = readColumn(at, chunk, await readBytes(at, file, chunk.start, chunk.bytes), budget)
    budget.left += chunk.bytes
    columns.push({ name, values: column[Symbol.iterator]() })
  }
  for (let row = 0; row < rows; row++) {
    const [xs, ys]: [Fields, Fields] = [{}, {}]
    for (const { name, values } of columns) (labels.has(name) ? ys : xs)[name] = values.next().value as Field
    yield labels.size > 0 ? { xs, ys } : xs
  }
}

function checkList(name: string, list: unknown): void {
  if (list === undefined) return
  const isList = Array.isArray(list) && list.length > 0 && list.every(one => typeof one === 'string')
  if (isList && new Set(list).size === list.length) return
  throw new RangeError(
    `parquet: ${name} must be a list of names that differ, got ${show(list)}; leave it out`,
  )
}

/**
 * The rows of a Parquet file, read a row group at a time as they are pulled: objects of fields by column, undefined where
 * one is missing, or { xs, ys }. Numbers are numbers (dates and times milliseconds since 1970, integers of 64 bits only up
 * to 53), text is text, other bytes are a Uint8Array. The file is not trusted: what it says of itself is compared with its
 * size first.
 * @throws TypeError or RangeError for wrong options; while elements are pulled RangeError saying what is wrong with
 * the file, and the file system's own errors
 */
export function parquet(path: string, options: ParquetOptions = {}): Dataset<ParquetElement> {
  checkOptions('parquet', options, ['columns', 'labels', 'maxBytes'])
  if (typeof path !== 'string') throw new TypeError(`parquet: path must be a text, got ${show(path)}`)
  checkList('columns', options.columns)
  checkList('labels', options.labels)
  if (options.maxBytes !== undefined) inRange('parquet', 'maxBytes', options.maxBytes, '[0, Infinity)')
  const where = `parquet: ${path}`
  return new Dataset(async function* () {
    const { file, size } = await openRegularFile(where, path)
    try {
      const { groups, numbers } = await describe(where, file, size, options)
      const most = options.maxBytes ?? 48 * 2 ** 20 + 3 * size
      const labels = new Set(options.labels)
      for (const [g, { rows, chunks }] of groups.entries()) {
        const taken = numbers.map(number => chunks[number]!)
        yield* rowsOf(`${where} row group ${g}`, file, { rows, chunks: taken }, labels, most)
      }
    } finally {
      await file.close()
    }
  }, null)
}
