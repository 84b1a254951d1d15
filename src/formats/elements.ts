import { show } from '../errors.ts'

/** Kinds of numbers that files hold, by bytes of an element, in little-endian order. */
export interface ElementType {
  readonly bytes: number
  readonly dtype: 'float32' | 'int32' | 'uint8' | 'bool'
  /** Reads one element; undefined where the bytes are those of the dtype's own array. */
  readonly get?: (view: DataView, at: number) => number
}

/** A float16 (sign, 5 bits of exponent, 10 of fraction) as a number. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

const word = new DataView(new ArrayBuffer(4))

/** A bfloat16, the upper half of a float32, as a number. */
function fromBfloat16(bits: number): number {
  word.setUint32(0, bits << 16)
  return word.getFloat32(0)
}

/** Types by a name of our own; each format has names that lead to these. */
export const elementTypes = {
  float32: { bytes: 4, dtype: 'float32' },
  float64: { bytes: 8, dtype: 'float32', get: (view, at) => view.getFloat64(at, true) },
  float16: { bytes: 2, dtype: 'float32', get: (view, at) => fromFloat16(view.getUint16(at, true)) },
  bfloat16: { bytes: 2, dtype: 'float32', get: (view, at) => fromBfloat16(view.getUint16(at, true)) },
  int64: { bytes: 8, dtype: 'int32', get: (view, at) => Number(view.getBigInt64(at, true)) },
  uint64: { bytes: 8, dtype: 'int32', get: (view, at) => Number(view.getBigUint64(at, true)) },
  int32: { bytes: 4, dtype: 'int32' },
  uint32: { bytes: 4, dtype: 'int32', get: (view, at) => view.getUint32(at, true) },
  int16: { bytes: 2, dtype: 'int32', get: (view, at) => view.getInt16(at, true) },
  uint16: { bytes: 2, dtype: 'int32', get: (view, at) => view.getUint16(at, true) },
  int8: { bytes: 1, dtype: 'int32', get: (view, at) => view.getInt8(at) },
  uint8: { bytes: 1, dtype: 'uint8' },
  bool: { bytes: 1, dtype: 'bool' },
} as const satisfies Record<string, ElementType>

const arrays = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/**
 * Elements from their bytes, which it may keep. @throws RangeError for an integer beyond int32, or a boolean
 * that is neither 0 nor 1
 */
export function decode(
  where: string,
  { bytes: width, dtype, get }: ElementType,
  bytes: Uint8Array,
): Float32Array | Int32Array | Uint8Array {
  const count = bytes.length / width
  if (!get) {
    const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
    const values = new arrays[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, count)
    if (dtype === 'bool' && values.some(value => value > 1))
      throw new RangeError(`${where} must hold only 0 and 1, got another byte`)
    return values
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new arrays[dtype](count)
  for (let i = 0; i < count; i++) {
    const value = get(view, i * width)
    values[i] = value
    if (dtype === 'int32' && values[i] !== value)
      throw new RangeError(`${where} must hold integers of 32 bits, got ${value}`)
  }
  return values
}

/**
 * Bytes of an array of this shape. @throws TypeError or RangeError for what is no shape, or one of more bytes
 * than can be counted exactly
 */
export function bytesOfShape(where: string, shape: unknown, width: number): number {
  if (!Array.isArray(shape)) throw new TypeError(`${where} must be an array, got ${show(shape)}`)
  let bytes = width
  for (const length of shape as unknown[]) {
    const isLength = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0
    bytes *= isLength ? length : Number.NaN
    if (Number.isSafeInteger(bytes)) continue
    throw new RangeError(`${where} must be sizes of an array that fits memory, got ${show(shape)}`)
  }
  return bytes
}

/** Puts the NaN of JavaScript, whose bits are the same everywhere, in the place of all others. */
export function unifyNaNs(values: ArrayBufferView): void {
  const { buffer, byteOffset } = values
  if (values instanceof Float32Array) {
    const bits = new Uint32Array(buffer, byteOffset, values.length)
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) bits[i] = 0x7fc00000
  } else if (values instanceof Float64Array) {
    const bits = new BigUint64Array(buffer, byteOffset, values.length)
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) bits[i] = 0x7ff8000000000000n
  }
}

/** Whether some element is no number. */
export function hasNaN(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true
  return false
}
