import { placesByLength, placesByPrefix, plainIntegers } from './parquetDeltas.ts'
import type { Leaf } from './parquetSchema.ts'
import { fromPlaces, type Page, types, type Values, valuesOf } from './parquetValues.ts'

/** Bytes that may still be unpacked. */
export interface Budget {
  left: number
}

/** How pages hold values, by the numbers that files have. */
export const encodings = {
  plain: 0,
  oldDictionary: 2,
  runs: 3,
  deltas: 5,
  deltaLengths: 6,
  deltaBytes: 7,
  dictionary: 8,
  split: 9,
} as const

/**
 * Numbers of `width` bits in runs and in groups of eight, as many as `to` has. The bytes may hold more of the last
 * group. Gives back where they end.
 */
export function readRuns(
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

/** Truths in runs, after the length of these. */
function readTruths(where: string, { bytes, start }: Page, count: number): Values {
  if (bytes.length - start < 4) throw new RangeError(`${where} must have the length of its runs, got none`)
  const end = start + 4 + bytes.readUInt32LE(start)
  if (end > bytes.length) throw new RangeError(`${where} runs must end by byte ${bytes.length}, got ${end}`)
  const truths = new Uint32Array(count)
  readRuns(where, bytes, start + 4, end, 1, truths)
  return { numbers: Float64Array.from(truths), bytes }
}

/** Values of the dictionary, by their indices there. */
function readIndexed(where: string, { bytes, start }: Page, count: number, dictionary: Values): Values {
  const indices = new Uint32Array(count)
  const width = count === 0 && start === bytes.length ? 0 : bytes[start]
  if (width === undefined || width > 32)
    throw new RangeError(`${where} indices must have 0 to 32 bits, got ${width}`)
  if (width > 0) readRuns(`${where} indices`, bytes, start + 1, bytes.length, width, indices)
  const { numbers, places } = dictionary
  const size = numbers?.length ?? places!.length / 2
  const wrong = indices.find(index => index >= size)
  if (wrong !== undefined) throw new RangeError(`${where} indices must be below ${size}, got ${wrong}`)
  if (numbers) {
    const own = new Float64Array(count)
    for (let i = 0; i < count; i++) own[i] = numbers[indices[i]!]!
    return { numbers: own, bytes: dictionary.bytes }
  }
  const own = new Uint32Array(2 * count)
  for (let i = 0; i < count; i++) {
    own[2 * i] = places![2 * indices[i]!]!
    own[2 * i + 1] = places![2 * indices[i]! + 1]!
  }
  return { places: own, bytes: dictionary.bytes }
}

/** The values of a page that are there. @throws RangeError for an encoding that is unknown, or not for such values */
export function readValues(
  where: string,
  leaf: Leaf,
  encoding: number,
  page: Page,
  count: number,
  dictionary: Values | undefined,
  budget: Budget,
): Values {
  const { type } = leaf
  const isInteger = type === types.int32 || type === types.int64
  if (encoding === encodings.plain || encoding === encodings.split)
    return valuesOf(where, leaf, page, count, encoding === encodings.split)
  if (encoding === encodings.runs && type === types.boolean) return readTruths(where, page, count)
  if (encoding === encodings.deltas && isInteger)
    return valuesOf(where, leaf, plainIntegers(where, page, count, type === types.int32 ? 4 : 8), count)
  if (encoding === encodings.deltaLengths && type === types.byteArray)
    return fromPlaces(where, leaf, page.bytes, placesByLength(where, page, count))
  if (encoding === encodings.deltaBytes && type === types.byteArray) {
    const { bytes, places } = placesByPrefix(where, page, count, budget)
    return fromPlaces(where, leaf, bytes, places)
  }
  if (encoding !== encodings.oldDictionary && encoding !== encodings.dictionary)
    throw new RangeError(
      `${where} must be encoded as its type can be, got encoding ${encoding}; write it anew`,
    )
  if (dictionary) return readIndexed(where, page, count, dictionary)
  throw new RangeError(`${where} must come after its dictionary, got none`)
}
