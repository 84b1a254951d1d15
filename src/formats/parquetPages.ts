import * as zlib from 'node:zlib'
import { crcOf } from './checksum.ts'
import { type Budget, encodings, readRuns, readValues } from './parquetEncodings.ts'
import { type Chunk, Fields, type Leaf } from './parquetSchema.ts'
import { type Column, emptyColumn, type Values, valuesOf } from './parquetValues.ts'
import { unpackSnappy } from './snappy.ts'
import { ThriftReader } from './thrift.ts'

const [dataPage, indexPage, dictionaryPage, dataPageV2] = [0, 1, 2, 3]
/** Structs of a page's header. */
const mostStructs = 16

const codecs = ['uncompressed', 'Snappy', 'gzip', 'LZO', 'Brotli', 'LZ4', 'Zstandard', 'LZ4 raw']
type Unpack = (packed: Uint8Array, options: { maxOutputLength: number }) => Buffer
const unpackers: Readonly<Record<number, Unpack | undefined>> = {
  2: zlib.gunzipSync,
  4: zlib.brotliDecompressSync,
  // Node has it from 22.15 on.
  6: (zlib as { zstdDecompressSync?: Unpack }).zstdDecompressSync,
}

/** The bytes of a page, in memory of their own: exactly as many as it says. */
function unpack(where: string, codec: number, packed: Buffer, length: number, budget: Budget): Buffer {
  budget.left -= length
  if (budget.left < 0)
    throw new RangeError(
      `${where} must fit the memory allowed, got ${length} bytes more; give a larger maxBytes`,
    )
  if (codec === 1) return unpackSnappy(where, packed, length)
  if (codec !== 0 && !unpackers[codec]) {
    const known = codecs.filter((_, i) => i < 2 || unpackers[i]).join(', ')
    const remedy = codecs[codec] === 'Zstandard' ? 'take Node 22.15 or newer' : 'write it anew'
    throw new RangeError(`${where} must be packed by ${known}, got ${codecs[codec] ?? codec}; ${remedy}`)
  }
  const bytes = codec === 0 ? packed : unpackBy(where, unpackers[codec]!, packed, length)
  if (bytes.length === length) return bytes
  throw new RangeError(`${where} must have ${length} bytes unpacked, got ${bytes.length}`)
}

function unpackBy(where: string, by: Unpack, packed: Buffer, length: number): Buffer {
  try {
    return by(packed, { maxOutputLength: Math.max(1, length) })
  } catch (error) {
    throw new RangeError(`${where} must have ${length} bytes unpacked, got ${(error as Error).message}`)
  }
}

interface Header {
  readonly type: number
  readonly bytes: number
  readonly packedBytes: number
  readonly crc: number | undefined
  readonly values: number
  readonly encoding: number
  /** Bytes of the levels, which a page of the second version has before what is packed. */
  readonly levelBytes: number
  readonly isPacked: boolean
}

function readHeader(where: string, reader: ThriftReader): Header {
  const head = new Fields(where, reader.struct())
  const type = head.count(1, 'type')
  const field = [5, 6, 7, 8][type]
  if (field === undefined) throw new RangeError(`${where} must be of a known type, got ${type}`)
  const common = {
    type,
    bytes: head.count(2, 'size'),
    packedBytes: head.count(3, 'packed size'),
    crc: head.integer(4),
    levelBytes: 0,
    isPacked: true,
  }
  if (type === indexPage) return { ...common, values: 0, encoding: encodings.plain }
  const own = head.inner(field, 'header')
  const values = own.count(1, 'values')
  if (type !== dataPageV2) {
    const encoding = own.count(2, 'encoding')
    const levels = type === dataPage ? own.count(3, 'encoding of levels') : encodings.runs
    if (levels !== encodings.runs)
      throw new RangeError(`${where} levels must be in runs, got encoding ${levels}`)
    return { ...common, values, encoding }
  }
  if (own.count(6, 'bytes of repetition levels', 0) > 0)
    throw new RangeError(`${where} must have no repetition levels, got some`)
  const levelBytes = own.count(5, 'bytes of levels')
  if (levelBytes > common.bytes || levelBytes > common.packedBytes)
    throw new RangeError(`${where} levels must lie within its ${common.packedBytes} bytes, got ${levelBytes}`)
  return { ...common, values, encoding: own.count(4, 'encoding'), levelBytes, isPacked: own.truth(7, true) }
}

/** Which values of a page are there: 1 for each that is, and how many. */
function readLevels(where: string, leaf: Leaf, header: Header, levels: Buffer, begin: number, end: number) {
  const { values } = header
  const all = new Uint32Array(values)
  readRuns(`${where} levels`, levels, begin, end, 32 - Math.clz32(leaf.level), all)
  let count = 0
  for (const [i, level] of all.entries()) {
    if (level > leaf.level)
      throw new RangeError(`${where} levels must be at most ${leaf.level}, got ${level}`)
    all[i] = level === leaf.level ? 1 : 0
    count += all[i]!
  }
  return { present: all, count }
}

/** Where levels begin and end in a page of values, and where what follows does. */
function placesOf(where: string, { type, levelBytes }: Header, leaf: Leaf, page: Buffer) {
  if (type === dataPageV2 || leaf.level === 0) return { begin: 0, end: levelBytes, start: 0 }
  if (page.length < 4) throw new RangeError(`${where} must have levels, got ${page.length} bytes`)
  const end = 4 + page.readUInt32LE()
  if (end > page.length)
    throw new RangeError(`${where} levels must lie within its ${page.length} bytes, got ${end - 4}`)
  return { begin: 4, end, start: end }
}

/** Adds the values of a page to the column. */
function addPage(
  where: string,
  { leaf }: Chunk,
  header: Header,
  body: Buffer,
  page: Buffer,
  dictionary: Values | undefined,
  column: Column,
  budget: Budget,
): void {
  const { begin, end, start } = placesOf(where, header, leaf, page)
  const levels = header.type === dataPageV2 ? body : page
  const found = leaf.level > 0 ? readLevels(where, leaf, header, levels, begin, end) : undefined
  const count = found?.count ?? header.values
  const values = readValues(where, leaf, header.encoding, { bytes: page, start }, count, dictionary, budget)
  column.add(values, found?.present, header.values)
}

/** A page's header and the bytes behind it, which its checksum, if it has one, says are right. */
function readPage(where: string, bytes: Buffer, at: number) {
  const reader = new ThriftReader(where, bytes, at, mostStructs)
  const header = readHeader(where, reader)
  const end = reader.at + header.packedBytes
  if (end > bytes.length)
    throw new RangeError(`${where} must end by byte ${bytes.length} of the column, got ${end}`)
  const body = bytes.subarray(reader.at, end)
  const { crc } = header
  if (crc !== undefined && crcOf(body) !== crc >>> 0)
    throw new RangeError(`${where} must have the checksum ${crc >>> 0}, got ${crcOf(body)}`)
  return { header, body, end }
}

/**
 * The column's part of a row group, from its bytes: pages one after the other that fill them, after a dictionary if
 * there is one.
 * @throws RangeError saying what is wrong with which page
 */
export function readColumn(where: string, chunk: Chunk, bytes: Buffer, budget: Budget): Column {
  const { leaf, codec, values } = chunk
  budget.left -= 16 * values
  if (budget.left < 0)
    throw new RangeError(
      `${where} must fit the memory allowed, got ${values} values more; give a larger maxBytes`,
    )
  const column = emptyColumn(where, leaf, values)
  let dictionary: Values | undefined
  for (let at = 0, number = 0; at < bytes.length; number++) {
    const here = `${where} page ${number}`
    const { header, body, end } = readPage(here, bytes, at)
    at = end
    if (header.type === indexPage) continue
    const { levelBytes, isPacked } = header
    const page = unpack(
      here,
      isPacked ? codec : 0,
      body.subarray(levelBytes),
      header.bytes - levelBytes,
      budget,
    )
    if (header.type === dictionaryPage) {
      if (number > 0) throw new RangeError(`${here} must not be another dictionary, got one`)
      dictionary = valuesOf(`${here}, a dictionary,`, leaf, { bytes: page, start: 0 }, header.values)
      continue
    }
    if (header.values > values - column.length)
      throw new RangeError(`${here} must have at most ${values - column.length} values, got ${header.values}`)
    addPage(here, chunk, header, body, page, dictionary, column, budget)
  }
  if (column.length === values) return column
  throw new RangeError(`${where} must have ${values} values in its pages, got ${column.length}`)
}
