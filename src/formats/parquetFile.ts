import { show, suggestion } from '../errors.ts'
import type { OpenFile } from './files.ts'
import { readColumn } from './parquetPages.ts'
import { type Chunk, type Leaf, type RowGroup, readDescription } from './parquetSchema.ts'
import type { Field } from './parquetValues.ts'
import { ThriftReader } from './thrift.ts'
import { readBytes } from './zip.ts'

const magic = 'PAR1'

export interface Opened {
  readonly leaves: readonly Leaf[]
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
export async function describe(
  where: string,
  file: OpenFile,
  size: number,
  { columns, labels }: { columns?: readonly string[]; labels?: readonly string[] },
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
  return { leaves, groups, numbers }
}

/** Most bytes that a group of a file of this size may take, unless somebody says otherwise. */
export const mostBytes = (size: number): number => 48 * 2 ** 20 + 3 * size

/** The columns of a row group, read one after the other and then held together. */
export async function readGroup(
  where: string,
  file: OpenFile,
  chunks: readonly Chunk[],
  most: number,
): Promise<{ name: string; values: Iterator<Field> }[]> {
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
  return columns
}
