import type { Budget } from './parquetEncodings.ts'
import type { Page } from './parquetValues.ts'

// Encodings of differences (https://github.com/apache/parquet-format/blob/master/Encodings.md).

/** Numbers of any size, seven bits a byte. */
class Bytes {
  at: number
  private readonly where: string
  private readonly bytes: Buffer

  constructor(where: string, { bytes, start }: Page) {
    this.where = where
    this.bytes = bytes
    this.at = start
  }

  byte(): number {
    if (this.at < this.bytes.length) return this.bytes[this.at++]!
    throw new RangeError(
      `${this.where} must have all of its differences, got only ${this.bytes.length} bytes`,
    )
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const part = this.byte()
      value |= BigInt(part & 127) << shift
      if (part < 128) return value
    }
    throw new RangeError(`${this.where} must have numbers of at most 64 bits, got more`)
  }

  zigzag(): bigint {
    const value = this.varint()
    return value & 1n ? -(value + 1n) / 2n : value / 2n
  }

  /** Adds numbers of `width` bits, the lowest of the first byte first, and passes over those that are not wanted. */
  packed(width: number, count: number, wanted: number, add: (value: bigint) => void): void {
    const end = this.at + (width * count) / 8
    let held = 0n
    let bits = 0
    for (let i = 0; i < wanted; i++) {
      for (; bits < width; bits += 8) held |= BigInt(this.byte()) << BigInt(bits)
      add(BigInt.asUintN(width, held))
      held >>= BigInt(width)
      bits -= width
    }
    this.at = Math.min(end, this.bytes.length)
  }
}

/** `count` integers as differences from the one before, in blocks of their least difference and what is above it. */
function readDeltas(where: string, page: Page, count: number): { values: BigInt64Array; end: number } {
  const bytes = new Bytes(where, page)
  const [size, parts, total] = [bytes.varint(), bytes.varint(), bytes.varint()].map(Number) as [
    number,
    number,
    number,
  ]
  const each = size / parts
  if (!(size > 0 && size <= 2 ** 20 && size % 128 === 0 && parts > 0 && each % 32 === 0))
    throw new RangeError(`${where} must have blocks of some 32 numbers, got ${size} in ${parts} parts`)
  if (total !== count) throw new RangeError(`${where} must have ${count} differences, got ${total}`)
  const values = new BigInt64Array(count)
  let last = bytes.zigzag()
  let done = 0
  if (count > 0) values[done++] = last
  while (done < count) {
    const least = bytes.zigzag()
    const widths = Array.from({ length: parts }, () => bytes.byte())
    for (const width of widths) {
      if (done === count) break
      if (width > 64) throw new RangeError(`${where} must have differences of at most 64 bits, got ${width}`)
      bytes.packed(width, each, Math.min(each, count - done), above => {
        last = BigInt.asIntN(64, last + least + above)
        values[done++] = last
      })
    }
  }
  return { values, end: bytes.at }
}

/** Integers of 32 or 64 bits, as they would lie there plainly. */
export function plainIntegers(where: string, page: Page, count: number, width: 4 | 8): Page {
  const { values } = readDeltas(where, page, count)
  const bytes = width === 8 ? values : Int32Array.from(values, value => Number(BigInt.asIntN(32, value)))
  return { bytes: Buffer.from(bytes.buffer as ArrayBuffer), start: 0 }
}

/** Lengths as differences, then the bytes of all values. Gives back where these begin and end. */
export function placesByLength(where: string, page: Page, count: number): Uint32Array {
  const { values, end } = readDeltas(where, page, count)
  const places = new Uint32Array(2 * count)
  let at = end
  for (const [i, length] of values.entries()) {
    if (length < 0n || length > page.bytes.length - at)
      throw new RangeError(`${where} must have ${count} values in ${page.bytes.length} bytes, got ${i}`)
    places[2 * i] = at
    at += Number(length)
    places[2 * i + 1] = at
  }
  return places
}

/** What each value has in common with the one before, as a length, then the rest as `placesByLength`. */
export function placesByPrefix(where: string, page: Page, count: number, budget: Budget) {
  const { values: prefixes, end } = readDeltas(where, page, count)
  const rests = placesByLength(where, { bytes: page.bytes, start: end }, count)
  const places = new Uint32Array(2 * count)
  let total = 0
  for (let i = 0, before = 0; i < count; i++) {
    const prefix = Number(prefixes[i])
    if (prefix < 0 || prefix > before)
      throw new RangeError(
        `${where} must have at most ${before} bytes in common with the value before, got ${prefix}`,
      )
    before = prefix + rests[2 * i + 1]! - rests[2 * i]!
    places[2 * i] = total
    total += before
    places[2 * i + 1] = total
    if (total > budget.left)
      throw new RangeError(
        `${where} must fit the memory allowed, got ${total} bytes more; give a larger maxBytes`,
      )
  }
  budget.left -= total
  const bytes = Buffer.alloc(total)
  for (let i = 0; i < count; i++) {
    const prefix = Number(prefixes[i])
    const at = places[2 * i]!
    if (prefix > 0) bytes.copyWithin(at, places[2 * i - 2]!, places[2 * i - 2]! + prefix)
    page.bytes.copy(bytes, at + prefix, rests[2 * i]!, rests[2 * i + 1]!)
  }
  return { places, bytes }
}
