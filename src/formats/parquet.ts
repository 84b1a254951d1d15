import { Dataset } from '../data/dataset.ts'
import { checkOptions, inRange, show } from '../errors.ts'
import { openRegularFile } from './files.ts'
import { describe, mostBytes, readGroup } from './parquetFile.ts'
import type { Field } from './parquetValues.ts'

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

/** The rows of a group. */
function* rowsOf(
  columns: readonly { name: string; values: Iterator<Field> }[],
  rows: number,
  labels: ReadonlySet<string>,
): Generator<ParquetElement> {
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
      const most = options.maxBytes ?? mostBytes(size)
      const labels = new Set(options.labels)
      for (const [g, { rows, chunks }] of groups.entries()) {
        const taken = numbers.map(number => chunks[number]!)
        yield* rowsOf(await readGroup(`${where} row group ${g}`, file, taken, most), rows, labels)
      }
    } finally {
      await file.close()
    }
  }, null)
}
