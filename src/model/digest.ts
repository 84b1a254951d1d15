import { createHash, type Hash } from 'node:crypto'
import { setImmediate as macrotask } from 'node:timers/promises'
import type { Rows } from '../data/inputs.ts'

/** Elements that are hashed at once: a few milliseconds, in which nothing else can happen. */
const pieceSize = 2 ** 19

/** The bytes of the values, every NaN as the same one. */
function bytesOf(values: Rows['values']): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (!(values instanceof Float32Array) || !values.some(Number.isNaN)) return bytes
  return new Uint8Array(values.map(value => (Number.isNaN(value) ? Number.NaN : value)).buffer)
}

/** Adds what samples are to a hash: kind, scale, shape, values. */
export function addRows(hash: Hash, { values, scale, shape, count }: Rows): void {
  hash.update(`${values.constructor.name} ${scale} ${count} ${shape};`)
  for (let from = 0; from < values.length; from += pieceSize)
    hash.update(bytesOf(values.subarray(from, from + pieceSize)))
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What samples are, in a line that ends with a SHA-256 of all values; other things may happen meanwhile. */
export async function describeRows(rows: Rows): Promise<string> {
  const { values, scale, shape, count } = rows
  const hash = createHash('sha256')
  for (let from = 0; from < values.length; from += pieceSize) {
    hash.update(bytesOf(values.subarray(from, from + pieceSize)))
    await macrotask()
  }
  const kind = values.constructor.name.replace('Array', '').toLowerCase()
  const scaled = scale === 1 ? '' : ` × ${scale}`
  return `${kind}${scaled} [${[count, ...shape].join(', ')}], SHA-256 ${hash.digest('hex')}`
}
