import { type Column, readColumns } from './columns.ts'
import { distributionsOf, finished } from './distributions.ts'
import { EncodingLearner, type Preprocessing } from './encoding.ts'
import type { TableConfiguration, TrainOptions } from './options.ts'
import type { Roles } from './planning.ts'
import { checkEncodings, divide, type Surveyed, targetFrom } from './preparing.ts'
import type { Table } from './source.ts'
import type { Parts } from './splitting.ts'
import { textOf } from './story.ts'
import { Warnings } from './warnings.ts'
import { columnOf, mostWordsFor } from './words.ts'

// Tables whose encoded rows would not fit into memory are read in pieces.

/** Share of the memory that data may take before it goes into a file, and bytes that are not worth one. */
const [mostShare, leastBytes] = [0.75, 32 * 2 ** 20]

/** Bytes that columns and encoded rows take in memory, at most, as far as the first pass over the table tells. */
function bytesInMemory({ profiles, roles }: Surveyed): number {
  const { rows } = profiles[0]!
  const of = new Map(profiles.map(profile => [profile.name, profile]))
  const texts = mostWordsFor(rows)
  const widths = roles.inputs.map(({ name, type }) => {
    const { distinct } = of.get(name)!
    if (type === 'category') return Math.min(distinct, 65) + 1
    return { number: 2, boolean: 2, date: 8, text: texts }[type]
  })
  const width = widths.reduce((sum, one) => sum + one, 0)
  return rows * (8 * (roles.inputs.length + 2) + 4 * width + 12)
}

/** Whether data would leave too little of the memory to training. */
export const goesToDisk = (surveyed: Surveyed, { disk, maxMemory }: TrainOptions): boolean =>
  disk ?? (maxMemory !== undefined && bytesInMemory(surveyed) > Math.max(leastBytes, mostShare * maxMemory))

/** Of some rows of the table the fields of columns, as the report shows them; the table is read again for them. */
export async function textsOf(
  table: Table,
  inputs: Roles['inputs'],
  wanted: readonly number[],
): Promise<string[][]> {
  const places = inputs.map(({ name }) => table.names.indexOf(name))
  const found = new Map<number, string[]>()
  let first = 0
  for await (const rows of table.rows(new Warnings())) {
    for (const row of wanted.filter(row => row >= first && row < first + rows.length)) {
      const { fields } = rows[row - first]!
      const textAt = ({ name, type }: Column, c: number) => {
        const column = columnOf(name, type)
        column.push(fields[places[c]!])
        return textOf(column, 0)
      }
      found.set(row, inputs.map(textAt))
    }
    first += rows.length
    if (found.size === wanted.length) break
  }
  return wanted.map(row => found.get(row) ?? [])
}

/** Rows that are encoded at once, at most. */
export const pieceRows = 4096

/** A pass over columns of a table, some rows at a time. */
export async function* piecesOf(table: Table, inputs: Roles['inputs'], { progress }: TrainOptions) {
  const places = inputs.map(({ name }) => table.names.indexOf(name))
  let first = 0
  for await (const read of table.rows(new Warnings(), progress?.reading))
    for (let from = 0; from < read.length; from += pieceRows) {
      const rows = read.slice(from, from + pieceRows)
      const columns = inputs.map(({ name, type }) => columnOf(name, type))
      for (const [c, column] of columns.entries())
        for (const { fields } of rows) column.push(fields[places[c]!])
      yield { first, count: rows.length, columns }
      first += rows.length
    }
}

export const partNames = ['training', 'validation', 'test'] as const

/** The part of each row of the table, as a place among `partNames`; 255 for none. */
function partsAt(parts: Parts, rows: number): Uint8Array {
  const at = new Uint8Array(rows).fill(255)
  for (const [p, name] of partNames.entries()) for (const row of parts[name]) at[row] = p
  return at
}

/** Reads the table in pieces: target and parts first, then what the encodings are learned from. */
export async function readInPieces(
  surveyed: Surveyed,
  options: TableConfiguration & TrainOptions,
  warnings: Warnings,
) {
  const { table, profiles, roles } = surveyed
  const wanted = [...new Set([roles.target, ...(roles.divider ? [roles.divider] : [])])]
  const rows = profiles[0]!.rows
  const lines = await readColumns(table, wanted, rows, new Warnings(), options.progress?.reading)
  const divided = divide(surveyed, lines, options, warnings)
  const partAt = partsAt(divided.parts, lines.length)
  const learners = roles.inputs.map(input => new EncodingLearner(input))
  const distributions = distributionsOf(roles, lines.length)
  for await (const { first, count, columns } of piecesOf(table, roles.inputs, options)) {
    const training: number[] = []
    for (let i = 0; i < count; i++) if (partAt[first + i] === 0) training.push(i)
    for (const [c, column] of columns.entries()) {
      learners[c]!.take(column, training)
      distributions.get(column.name)!.take(column, first)
    }
  }
  const texts = roles.inputs.filter(({ type }) => type === 'text').length
  const preprocessing: Preprocessing = {
    format: 'lockstep preprocessing 1',
    columns: learners.map(learner => learner.finish(options.time === undefined, texts)),
    target: targetFrom(roles, divided.classes, divided.parts.training),
  }
  checkEncodings(table, preprocessing, warnings)
  distributions.get(roles.target.name)!.take(roles.target)
  const counts = finished(distributions)
  return { ...surveyed, ...divided, partAt, counts, target: preprocessing.target, preprocessing }
}

export type PreparedInPieces = Awaited<ReturnType<typeof readInPieces>>
