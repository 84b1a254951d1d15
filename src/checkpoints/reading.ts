import { createHash, type Hash } from 'node:crypto'
import { isPlainObject, oneOf, show } from '../errors.ts'
import { bytesOfShape } from '../formats/elements.ts'
import { type Files, type OpenFile, openRegularFile, readFully, realFiles } from '../formats/files.ts'
import type { Json } from '../formats/naming.ts'
import { parseJson } from '../formats/strictJson.ts'
import {
  aligned,
  arrays,
  type Checkpoint,
  type CheckpointTensor,
  type Dtype,
  type Entry,
  endOf,
  format,
  type JsonObject,
} from './checkpoint.ts'

/** A file that is open, and what it has been found to be so far. */
interface Source {
  readonly where: string
  readonly file: OpenFile
  readonly size: number
  /** Of all bytes read so far but for the footer's. */
  readonly hash: Hash
}

async function readHashed({ where, file, hash }: Source, target: Uint8Array, at: number): Promise<void> {
  await readFully(where, file, target, at)
  hash.update(target)
}

/** The length of the JSON. */
async function readStart(source: Source): Promise<number> {
  const { where, size } = source
  const { jsonOffset, footerBytes, magic, version, longestJson } = format
  const least = jsonOffset + footerBytes
  if (size < least) throw new RangeError(`${where} must have at least ${least} bytes, got ${size}`)
  const start = Buffer.alloc(jsonOffset)
  await readHashed(source, start, 0)
  const found = start.subarray(0, magic.length)
  if (!found.equals(magic))
    throw new RangeError(`${where} must begin with ${magic.toString('hex')}, got ${found.toString('hex')}`)
  if (start.readUInt32LE(8) !== version)
    throw new RangeError(`${where} must be of version ${version}, got ${start.readUInt32LE(8)}`)
  const length = start.readUInt32LE(12)
  if (length > Math.min(longestJson, size - least))
    throw new RangeError(`${where} must have a header within its ${size} bytes, got one of ${length}`)
  if (aligned(jsonOffset + length) !== jsonOffset + length)
    throw new RangeError(
      `${where} must have a header that ends at a multiple of 64, got one of ${length} bytes`,
    )
  return length
}

/** What the footer says; it shows at once whether the file is whole. */
async function readFooter({ where, file, size }: Source): Promise<Buffer> {
  const footer = Buffer.alloc(format.footerBytes)
  await readFully(where, file, footer, size - footer.length)
  const length = footer.readBigUInt64LE()
  if (length !== BigInt(size))
    throw new RangeError(`${where} must end with its length ${size}, got ${length}`)
  return footer
}

function fieldsOf(where: string, value: Json | undefined, names: readonly string[]): JsonObject {
  if (!isPlainObject(value)) throw new TypeError(`${where} must be an object, got ${show(value)}`)
  const found = Object.keys(value)
  if (found.length === names.length && names.every(name => Object.hasOwn(value, name)))
    return value as JsonObject
  throw new RangeError(`${where} must have the keys ${names.join(', ')}, got ${found.join(', ') || 'none'}`)
}

function readEntry(where: string, value: Json, offset: number, names: Set<string>): Entry {
  const { name, dtype, shape } = fieldsOf(where, value, ['name', 'dtype', 'shape'])
  if (typeof name !== 'string' || names.has(name))
    throw new RangeError(`${where} name must be a text of its own, got ${show(name)}`)
  names.add(name)
  const known = oneOf(where, 'dtype', dtype, Object.keys(arrays) as Dtype[])
  const byteLength = bytesOfShape(`${where} shape`, shape, arrays[known].BYTES_PER_ELEMENT)
  return { name, dtype: known, shape: shape as number[], offset, byteLength }
}

function parse(where: string, bytes: Buffer): { header: JsonObject; listed: Json[] } {
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes)) throw new RangeError(`${where} must be UTF-8, got other bytes`)
  const { header, tensors } = fieldsOf(where, parseJson(where, text), ['header', 'tensors'])
  if (!isPlainObject(header)) throw new TypeError(`${where} header must be an object, got ${show(header)}`)
  if (!Array.isArray(tensors)) throw new TypeError(`${where} tensors must be an array, got ${show(tensors)}`)
  return { header: header as JsonObject, listed: tensors }
}

/** The part before the elements, checked against the size of the file. */
async function readHead(source: Source): Promise<{ header: JsonObject; entries: Entry[] }> {
  const { where, size } = source
  const json = Buffer.alloc(await readStart(source))
  await readHashed(source, json, format.jsonOffset)
  const { header, listed } = parse(`${where} JSON`, json)
  const jsonEnd = format.jsonOffset + json.length
  const entries: Entry[] = []
  const names = new Set<string>()
  for (const [i, value] of listed.entries())
    entries.push(readEntry(`${where} tensors[${i}]`, value, endOf(jsonEnd, entries), names))
  const needed = endOf(jsonEnd, entries) + format.footerBytes
  if (needed !== size) throw new RangeError(`${where} must have ${needed} bytes, got ${size}`)
  return { header, entries }
}

/** Reads a tensor's elements into the target, or just past the hash where there is none. */
async function readElements(source: Source, { name, offset, byteLength }: Entry, target?: Uint8Array) {
  const passing = target ?? new Uint8Array(Math.min(format.chunkBytes, byteLength))
  for (let done = 0; done < byteLength; done += format.chunkBytes) {
    const length = Math.min(format.chunkBytes, byteLength - done)
    const from = target ? done : 0
    await readHashed(source, passing.subarray(from, from + length), offset + done)
  }
  const gap = new Uint8Array(aligned(byteLength) - byteLength)
  await readHashed(source, gap, offset + byteLength)
  if (gap.some(byte => byte !== 0))
    throw new RangeError(`${source.where} must have zeros after tensor ${show(name)}, got other bytes`)
}

/** What a file is, all of which has been checked. */
export interface Reading {
  header: JsonObject
  entries: Entry[]
  byteLength: number
  sha256: string
}

/**
 * Reads and checks a whole file, a piece at a time. `into` gives the bytes that shall hold a tensor's elements, if
 * any.
 */
async function read(
  where: string,
  path: string,
  files: Files,
  into: (entry: Entry) => Uint8Array | undefined,
): Promise<Reading> {
  const { file, size } = await openRegularFile(where, path, files)
  try {
    const source: Source = { where, file, size, hash: createHash('sha256') }
    const { header, entries } = await readHead(source)
    const footer = await readFooter(source)
    for (const entry of entries) await readElements(source, entry, into(entry))
    const sha256 = source.hash.update(footer.subarray(0, 8)).digest('hex')
    const stated = footer.toString('hex', 8)
    if (sha256 !== stated) throw new RangeError(`${where} must have the SHA-256 ${stated}, got ${sha256}`)
    return { header, entries, byteLength: size, sha256 }
  } finally {
    await file.close()
  }
}

/**
 * Checks a file from its first byte to its last, in bounded memory.
 * @throws as readCheckpoint
 */
export const inspect = (where: string, path: string, files: Files): Promise<Reading> =>
  read(where, path, files, () => undefined)

/**
 * Reads a checkpoint. The file is not trusted: it is checked against its size before anything is allocated, and
 * against its SHA-256 before anything is given out.
 * @throws TypeError or RangeError saying what is wrong with the file; the file system's own errors
 */
export async function readCheckpoint(where: string, path: string, files = realFiles): Promise<Checkpoint> {
  const tensors = new Map<string, CheckpointTensor>()
  const { header } = await read(where, path, files, ({ name, dtype, shape, byteLength }) => {
    const data = new arrays[dtype](byteLength / arrays[dtype].BYTES_PER_ELEMENT)
    tensors.set(name, { dtype, shape, data })
    return new Uint8Array(data.buffer)
  })
  return { header, tensors }
}
