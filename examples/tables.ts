// Tables in examples/data/ (its README.md names their sources), and numbers brought to one scale.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as ls from 'lockstep'

export type Row = Readonly<Record<string, number | string | undefined>>

/** Path of a file in examples/data/. */
export const pathOf = (file: string): URL => new URL(`data/${file}`, import.meta.url)

/** The rows of a CSV file: numbers where fields are numbers, undefined where they are empty. */
export async function readTable(file: string): Promise<Row[]> {
  return (await ls.data.csv(pathOf(file).href).toArray()) as Row[]
}

/** A gzipped text. */
export const readPacked = (file: string): string => gunzipSync(readFileSync(pathOf(file))).toString()

/** Samples as one typed array, sample by sample. */
export const join = (samples: readonly (readonly number[])[]): Float32Array =>
  Float32Array.from(samples.flat())

/** Brings the columns of rows to mean 0 and deviation 1, and back. */
export interface Scaler {
  scale(row: readonly number[]): number[]
  restore(row: readonly number[]): number[]
}

/**
 * (x − mean) / deviation for each column, both taken from `rows` alone: what is to be tested must not be looked at.
 * A column that is constant there becomes 0.
 */
export function scalerOf(rows: readonly (readonly number[])[]): Scaler {
  const columns = rows[0]!.map((_, j) => {
    const mean = rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length
    const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / rows.length)
    return { mean, deviation }
  })
  return {
    scale: row =>
      row.map((value, j) => {
        const { mean, deviation } = columns[j]!
        return deviation > 0 ? (value - mean) / deviation : 0
      }),
    restore: row => row.map((value, j) => value * columns[j]!.deviation + columns[j]!.mean),
  }
}
