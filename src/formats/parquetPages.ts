import * as zlib from 'node:zlib'
import { crcOf } from './checksum.ts'
import { type Chunk, Fields, type Leaf } from './parquetSchema.ts'
import { type Column, emptyColumn, type Page, type Values, valuesOf } from './parquetValues.ts'
import { unpackSnappy } from './snappy.ts'
import { ThriftReader } from './thrift.ts'

/** Bytes that may still be unpacked. */
export interface Budget {
  left: number
}

const [dataPage, indexPage, dictionaryPage, dataPageV2] = [0, 1, 2, 3]
const [plain, plainDictionary, rle, rleDictionary, split] = [0, 2, 3, 8, 9]
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
    throw new RangeError(`${where} must be packed by ${known}, got ${codecs[codec] ?? codec}; write it anew`)
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

/**
 * Numbers of `width` bits in runs and in groups of eight, as many as `to` has. The bytes may hold more of the last
 * group. Gives back where they end.
 */
function readRuns(
  where: string,
  bytes: Buffer,
  begin: number,
  end: number,
  width: number,
  to: Uint32Array,
): number {
  let at = begin
  const next = (): number => {
    if (at >= end) throw new RangeError(`${where} must have ${to.length} numbers in runs, got fewer`)
    return bytes[at++]!
  }
  for (let done = 0; done < to.length; ) {
    let head = 0
    for (let shift = 1, more = true; more; shift *= 128) {
      const part = next()
      if (shift > 2 ** 28) throw new RangeError(`${where} must have runs of at most 2^32 numbers, got more`)
      head += (part & 127) * shift
      more = part > 127
    }
    const count = Math.floor(head / 2)
    if (count === 0) throw new RangeError(`${where} must have runs of numbers, got an empty one`)
    if (head % 2 === 0) {
      let value = 0
      for (let i = 0; i < width; i += 8) value += next() * 2 ** i
      if (value >= 2 ** width)
        throw new RangeError(`${where} must have numbers of ${width} bits, got ${value}`)
      if (count > to.length - done) throw new RangeError(`${where} must have ${to.length} numbers, got more`)
      to.fill(value, done, (done += count))
      continue
    }
    // Bits of the lowest byte first. As a number: up to 31 bits are left over, and 8 come.
    let held = 0
    let bits = 0
    const stop = at + count * width
    for (let i = 0; i < count * 8 && done < to.length; i++) {
      while (bits < width) {
        held += next() * 2 ** bits
        bits += 8
      }
      to[done++] = held % 2 ** width
      held = Math.floor(held / 2 ** width)
      bits -= width
    }
    at = Math.min(stop, end)
  }
  return at
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
  if (type === indexPage) return { ...common, values: 0, encoding: plain }
  const own = head.inner(field, 'header')
  const values = own.count(1, 'values')
  if (type !== dataPageV2) {
    const encoding = own.count(2, 'encoding')
    const levels = type === dataPage ? own.count(3, 'encoding of levels') : rle
    if (levels !== rle) throw new RangeError(`${where} levels must be in runs, got encoding ${levels}`)
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

/** The values of a page that are there. */
function readValues(
  where: string,
  leaf: Leaf,
  encoding: number,
  page: Page,
  count: number,
  dictionary?: Values,
): Values {
  const { bytes, start } = page
  if (encoding === plain || encoding === split) return valuesOf(where, leaf, page, count, encoding === split)
  const isTruth = leaf.type === 0
  if (encoding === rle && isTruth) {
    if (bytes.length - start < 4) throw new RangeError(`${where} must have the length of its runs, got none`)
    const end = start + 4 + bytes.readUInt32LE(start)
    if (end > bytes.length) throw new RangeError(`${where} runs must end by byte ${bytes.length}, got ${end}`)
    const truths = new Uint32Array(count)
    readRuns(where, bytes, start + 4, end, 1, truths)
    return { numbers: Float64Array.from(truths) }
  }
  if (encoding !== plainDictionary && encoding !== rleDictionary)
    throw new RangeError(
      `${where} must be encoded plainly, by a dictionary, in runs or split, got encoding ${encoding}; write it anew`,
    )
  if (!dictionary) throw new RangeError(`${where} must come after its dictionary, got none`)
  const indices = new Uint32Array(count)
  const width = count === 0 && start === bytes.length ? 0 : bytes[start]
  if (width === undefined || width > 32)
    throw new RangeError(`${where} indices must have 0 to 32 bits, got ${width}`)
  if (width > 0) readRuns(`${where} indices`, bytes, start + 1, bytes.length, width, indices)
  return byIndex(where, dictionary, indices)
}

function byIndex(where: string, { numbers, places }: Values, indices: Uint32Array): Values {
  const size = numbers?.length ?? places!.length / 2
  const wrong = indices.find(index => index >= size)
  if (wrong !== undefined) throw new RangeError(`${where} indices must be below ${size}, got ${wrong}`)
  if (numbers) return { numbers: Float64Array.from(indices, index => numbers[index]!) }
  const own = new Uint32Array(2 * indices.length)
  for (const [i, index] of indices.entries()) own.set(places!.subarray(2 * index, 2 * index + 2), 2 * i)
  return { places: own }
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

interface Dictionary {
  readonly values: Values
  readonly bytes: Buffer
}

/** Adds the values of a page to the column. */
function addPage(
  where: string,
  { leaf }: Chunk,
  header: Header,
  body: Buffer,
  page: Buffer,
  dictionary: Dictionary | undefined,
  column: Column,
): void {
  const { begin, end, start } = placesOf(where, header, leaf, page)
  const levels = header.type === dataPageV2 ? body : page
  const found = leaf.level > 0 ? readLevels(where, leaf, header, levels, begin, end) : undefined
  const count = found?.count ?? header.values
  const values = readValues(where, leaf, header.encoding, { bytes: page, start }, count, dictionary?.values)
  const isIndexed = header.encoding === plainDictionary || header.encoding === rleDictionary
  column.add(values, isIndexed ? dictionary!.bytes : page, found?.present, header.values)
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
  let dictionary: Dictionary | undefined
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
      const found = valuesOf(`${here}, a dictionary,`, leaf, { bytes: page, start: 0 }, header.values)
      dictionary = { values: found, bytes: page }
      continue
    }
    if (header.values > values - column.length)
      throw new RangeError(`${here} must have at most ${values - column.length} values, got ${header.values}`)
    addPage(here, chunk, header, body, page, dictionary, column)
  }
  if (column.length === values) return column
  throw new RangeError(`${where} must have ${values} values in its pages, got ${column.length}`)
}
