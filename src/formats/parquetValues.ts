import { isUtf8 } from 'node:buffer'
import { show } from '../errors.ts'
import type { Leaf } from './parquetSchema.ts'

/** What a field of a row may be. */
export type Field = number | string | Uint8Array | undefined

/** Bytes in which values begin at `start`. */
export interface Page {
  readonly bytes: Buffer
  readonly start: number
}

/** Numbers, or where in `bytes` each value begins and ends. */
export interface Values {
  readonly numbers?: Float64Array
  readonly places?: Uint32Array
  readonly bytes: Buffer
}

type Get = (view: Buffer, at: number) => number

/** Physical types by the numbers that files have. */
export const types = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  byteArray: 6,
  fixed: 7,
} as const
const { boolean, int32, int64, int96, float, double, byteArray, fixed } = types
const widths: Readonly<Record<number, number>> = {
  [int32]: 4,
  [int64]: 8,
  [int96]: 12,
  [float]: 4,
  [double]: 8,
}

const millisecondsOfDay = 86_400_000
/** Of 1 January 1970, as INT96 counts days. */
const julianDay = 2_440_588

/** A whole number of two's complement, its first byte the highest. */
function bigEndian(bytes: Buffer, at: number, length: number): number {
  let value = 0n
  for (let i = 0; i < length; i++) value = value * 256n + BigInt(bytes[at + i]!)
  return Number(length > 0 && bytes[at]! > 127 ? value - (1n << BigInt(8 * length)) : value)
}

function float16(bytes: Buffer, at: number): number {
  const bits = bytes.readUInt16LE(at)
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const size =
    exponent === 31
      ? fraction > 0
        ? Number.NaN
        : Number.POSITIVE_INFINITY
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25)
  return bits > 0x7fff ? -size : size
}

/** An integer of 64 bits, which a number must hold. */
function exact(where: string, value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new RangeError(`${where} must hold integers of at most 53 bits, got ${value}`)
}

/** How a number of this column is read; undefined where its values are bytes. */
function getter(where: string, { type, length, meaning }: Leaf): Get | undefined {
  const { kind } = meaning
  if (type === byteArray) return undefined
  if (type === fixed) {
    if (kind === 'float16' && length === 2) return float16
    if (kind !== 'decimal') return undefined
    return (bytes, at) => bigEndian(bytes, at, length) / 10 ** meaning.scale
  }
  if (type === float) return (bytes, at) => bytes.readFloatLE(at)
  if (type === double) return (bytes, at) => bytes.readDoubleLE(at)
  if (type === int96)
    return (bytes, at) =>
      (bytes.readUInt32LE(at + 8) - julianDay) * millisecondsOfDay + Number(bytes.readBigUInt64LE(at)) / 1e6
  if (type === int32) {
    if (kind === 'unsigned') return (bytes, at) => bytes.readUInt32LE(at)
    if (kind === 'date') return (bytes, at) => bytes.readInt32LE(at) * millisecondsOfDay
    if (kind === 'decimal') return (bytes, at) => bytes.readInt32LE(at) / 10 ** meaning.scale
    return (bytes, at) => bytes.readInt32LE(at)
  }
  if (type === int64) {
    if (kind === 'unsigned') return (bytes, at) => exact(where, bytes.readBigUInt64LE(at))
    if (kind === 'timestamp') return (bytes, at) => Number(bytes.readBigInt64LE(at)) / meaning.perMillisecond
    if (kind === 'decimal') return (bytes, at) => Number(bytes.readBigInt64LE(at)) / 10 ** meaning.scale
    return (bytes, at) => exact(where, bytes.readBigInt64LE(at))
  }
  throw new RangeError(`${where} must be of a known type, got ${type}`)
}

/** Bytes of a value, where all have as many. */
function widthOf(where: string, { type, length }: Leaf): number {
  const width = type === fixed ? length : widths[type]
  if (width !== undefined && width > 0 && width <= 2 ** 20) return width
  throw new RangeError(`${where} must have values of some bytes, got ${width}`)
}

/** Values that each have their length before them. */
function byteArrays(where: string, { bytes, start }: Page, count: number): Uint32Array {
  if (4 * count > bytes.length - start)
    throw new RangeError(`${where} must have ${count} values in ${bytes.length - start} bytes, got fewer`)
  const places = new Uint32Array(2 * count)
  let at = start
  for (let i = 0; i < count; i++) {
    const begin = at + 4
    at = begin <= bytes.length ? begin + bytes.readUInt32LE(begin - 4) : Number.POSITIVE_INFINITY
    if (at > bytes.length)
      throw new RangeError(`${where} must have ${count} values in ${bytes.length} bytes, got ${i}`)
    places[2 * i] = begin
    places[2 * i + 1] = at
  }
  return places
}

function truths(where: string, { bytes, start }: Page, count: number): Values {
  if (count > 8 * (bytes.length - start))
    throw new RangeError(`${where} must have ${count} bits, got ${bytes.length - start} bytes`)
  const numbers = Float64Array.from({ length: count }, (_, i) => (bytes[start + (i >> 3)]! >> (i & 7)) & 1)
  return { numbers, bytes }
}

/** The bytes of a page in which first all first bytes stand, then all second ones, put in order. */
function joined({ bytes, start }: Page, count: number, width: number): Page {
  const own = Buffer.alloc(count * width)
  for (let b = 0; b < width; b++)
    for (let i = 0; i < count; i++) own[i * width + b] = bytes[start + b * count + i]!
  return { bytes: own, start: 0 }
}

/** `count` values, one after the other. @throws RangeError where the page has fewer bytes, or one holds too large a number */
export function valuesOf(where: string, leaf: Leaf, page: Page, count: number, isSplit = false): Values {
  if (leaf.type === boolean) return truths(where, page, count)
  if (leaf.type === byteArray) {
    if (isSplit) throw new RangeError(`${where} must not be split, got texts that are`)
    return fromPlaces(where, leaf, page.bytes, byteArrays(where, page, count))
  }
  const width = widthOf(where, leaf)
  if (count * width > page.bytes.length - page.start)
    throw new RangeError(
      `${where} must have ${count * width} bytes of values, got ${page.bytes.length - page.start}`,
    )
  if (isSplit && leaf.type === fixed && !getter(where, leaf))
    throw new RangeError(`${where} must not be split, got bytes that are`)
  const { bytes, start } = isSplit ? joined(page, count, width) : page
  const get = getter(where, leaf)
  if (get)
    return { numbers: Float64Array.from({ length: count }, (_, i) => get(bytes, start + i * width)), bytes }
  return { places: Uint32Array.from({ length: 2 * count }, (_, i) => start + ((i + 1) >> 1) * width), bytes }
}

/** Values of many lengths: as they are, or the numbers that they stand for. */
export function fromPlaces(where: string, { meaning }: Leaf, bytes: Buffer, places: Uint32Array): Values {
  if (meaning.kind !== 'decimal') return { places, bytes }
  return { numbers: decimals(where, bytes, places, meaning.scale), bytes }
}

function decimals(where: string, bytes: Buffer, places: Uint32Array, scale: number): Float64Array {
  return Float64Array.from({ length: places.length / 2 }, (_, i) => {
    const [begin, end] = [places[2 * i]!, places[2 * i + 1]!]
    if (end - begin > 64)
      throw new RangeError(`${where} must hold decimals of at most 64 bytes, got ${end - begin}`)
    return bigEndian(bytes, begin, end - begin) / 10 ** scale
  })
}

/** @throws RangeError for bytes that are no text */
function textOf(where: string, bytes: Buffer, row: number): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd') || isUtf8(bytes)) return text
  throw new RangeError(`${where} row ${row} must be UTF-8, got ${show(text)}; write its bytes as bytes`)
}

/** A column of a row group, filled page by page. */
export class Column {
  length = 0
  private readonly where: string
  private readonly isText: boolean
  private readonly numbers: Float64Array | undefined
  private readonly places: Uint32Array | undefined
  /** 1 where there is a value. */
  private readonly present: Uint8Array
  private readonly pages: { readonly end: number; readonly bytes: Buffer }[] = []

  constructor(where: string, isText: boolean, hasNumbers: boolean, count: number) {
    this.where = where
    this.isText = isText
    this.numbers = hasNumbers ? new Float64Array(count) : undefined
    this.places = hasNumbers ? undefined : new Uint32Array(2 * count)
    this.present = new Uint8Array(count)
  }

  /** Takes the values that are there of a page of `count`. */
  add({ numbers, places, bytes }: Values, present: Uint32Array | undefined, count: number): void {
    for (let i = 0, next = 0; i < count; i++) {
      if (present && present[i] === 0) continue
      const at = this.length + i
      this.present[at] = 1
      if (this.numbers) this.numbers[at] = numbers![next]!
      else this.places!.set(places!.subarray(2 * next, 2 * next + 2), 2 * at)
      next++
    }
    this.length += count
    if (this.places) this.pages.push({ end: this.length, bytes })
  }

  /** The values in their order, undefined for those that are missing. Bytes are copies. */
  *[Symbol.iterator](): Generator<Field, void, undefined> {
    let page = 0
    // Values of a dictionary come again and again.
    const known = new Map<number, string>()
    for (let i = 0; i < this.length; i++) {
      if (this.present[i] === 0) yield undefined
      else if (this.numbers) yield this.numbers[i]!
      else {
        for (; this.pages[page]!.end <= i; page++)
          if (this.pages[page + 1]!.bytes !== this.pages[page]!.bytes) known.clear()
        const [begin, end] = [this.places![2 * i]!, this.places![2 * i + 1]!]
        const bytes = this.pages[page]!.bytes.subarray(begin, end)
        if (!this.isText) yield Uint8Array.from(bytes)
        else {
          const text = (end > begin ? known.get(begin) : '') ?? textOf(this.where, bytes, i)
          if (end > begin) known.set(begin, text)
          yield text
        }
      }
    }
  }
}

/** A column for so many values. */
export function emptyColumn(where: string, leaf: Leaf, count: number): Column {
  const isBytes = leaf.type === byteArray && leaf.meaning.kind !== 'decimal'
  const hasNumbers =
    leaf.type === boolean || leaf.type === byteArray ? !isBytes : getter(where, leaf) !== undefined
  return new Column(where, leaf.meaning.kind === 'text', hasNumbers, count)
}
