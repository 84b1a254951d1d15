import { openRegularFile } from './files.ts'
import { describe, mostBytes, readGroup } from './parquetFile.ts'
import type { Field } from './parquetValues.ts'

/** Rows that are handed over together. */
const pieceRows = 1024

/** Names of the columns and how many rows there are, and which columns say themselves that they hold times or truths. */
export async function describeRows(path: string) {
  const where = `parquet: ${path}`
  const { file, size } = await openRegularFile(where, path)
  try {
    const { leaves, groups } = await describe(where, file, size, {})
    const isTime = ({ meaning: { kind } }: (typeof leaves)[number]) => kind === 'date' || kind === 'timestamp'
    return {
      names: leaves.map(({ name }) => name),
      dates: leaves.filter(isTime).map(({ name }) => name),
      rows: groups.reduce((sum, { rows }) => sum + rows, 0),
    }
  } finally {
    await file.close()
  }
}

/** The rows of a file as lists of fields, in pieces; `progress` hears of the bytes that are done. */
export async function* readRows(
  path: string,
  progress?: (bytes: number, total: number) => void,
): AsyncGenerator<Field[][], void, undefined> {
  const where = `parquet: ${path}`
  const { file, size } = await openRegularFile(where, path)
  try {
    const { groups } = await describe(where, file, size, {})
    let done = 0
    for (const [g, { rows, chunks }] of groups.entries()) {
      const columns = await readGroup(`${where} row group ${g}`, file, chunks, mostBytes(size))
      for (let begin = 0; begin < rows; begin += pieceRows) {
        const piece = Array.from(
          { length: Math.min(pieceRows, rows - begin) },
          () => new Array<Field>(columns.length),
        )
        for (const [c, { values }] of columns.entries())
          for (const row of piece) row[c] = values.next().value as Field
        yield piece
      }
      done += chunks.reduce((sum, { bytes }) => sum + bytes, 0)
      progress?.(Math.min(done, size), size)
    }
    progress?.(size, size)
  } finally {
    await file.close()
  }
}
