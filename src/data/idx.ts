import { readFileSync } from 'node:fs'
import { constants, gunzipSync } from 'node:zlib'
import { show } from '../errors.ts'
import { sizeOf } from './nested.ts'
import { type DType, Tensor } from './tensor.ts'

/**
 * The IDX format (Y. LeCun, http://yann.lecun.com/exdb/mnist/): two zero bytes, a code of the element type,
 * the number of axes, a big-endian uint32 for each axis, then the elements, big-endian, row-major.
 */
const elementTypes: Record<
  number,
  { bytes: number; dtype: DType; get: (view: DataView, at: number) => number }
> = {
  8: { bytes: 1, dtype: 'uint8', get: (view, at) => view.getUint8(at) },
  9: { bytes: 1, dtype: 'int32', get: (view, at) => view.getInt8(at) },
  11: { bytes: 2, dtype: 'int32', get: (view, at) => view.getInt16(at) },
  12: { bytes: 4, dtype: 'int32', get: (view, at) => view.getInt32(at) },
  13: { bytes: 4, dtype: 'float32', get: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, dtype: 'float32', get: (view, at) => view.getFloat64(at) },
}

const mostAxes = 8
const longestHeader = 4 + 4 * mostAxes

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

interface Header {
  code: number
  shape: number[]
  /** Where the elements begin. */
  start: number
  /** Length of the whole file. */
  end: number
}

function readHeader(where: string, bytes: Uint8Array): Header {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    const got = Buffer.from(bytes.subarray(0, 4)).toString('hex') || 'no bytes'
    throw new RangeError(`${where} must be an IDX file that starts with 0000, got ${got}`)
  }
  const [, , code, axes] = bytes as unknown as [number, number, number, number]
  if (!elementTypes[code]) {
    throw new RangeError(`${where} must have element type 8, 9, 11, 12, 13 or 14, got ${code}`)
  }
  if (axes === 0 || axes > mostAxes)
    throw new RangeError(`${where} must have 1 to ${mostAxes} axes, got ${axes}`)
  const start = 4 + 4 * axes
  if (bytes.length < start)
    throw new RangeError(`${where} must have a header of ${start} bytes, got ${bytes.length}`)
  const shape = Array.from({ length: axes }, (_, axis) => viewOf(bytes).getUint32(4 + 4 * axis))
  const end = start + sizeOf(shape) * elementTypes[code].bytes
  if (!Number.isSafeInteger(end))
    throw new RangeError(`${where} must have a size that fits memory, got ${show(shape)}`)
  return { code, shape, start, end }
}

/**
 * Unpacks gzip; the header, unpacked alone first, says how long the rest may become, within 32 MiB and twice what is
 * packed: zlib needs room for it twice.
 */
function unpack(where: string, packed: Uint8Array): Uint8Array {
  const partly = { finishFlush: constants.Z_SYNC_FLUSH }
  try {
    const head = gunzipSync(packed.subarray(0, 4096), partly).subarray(0, longestHeader)
    const { end } = readHeader(where, head)
    const most = 32 * 2 ** 20 + 2 * packed.length
    if (end > most)
      throw new RangeError(`${where} must have at most ${most} bytes unpacked, got ${end}; unpack it first`)
    return gunzipSync(packed, { maxOutputLength: end })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new RangeError(`${where} must be as long as its header says, got more`)
    if (code?.startsWith('Z_'))
      throw new RangeError(`${where} must be valid gzip, got ${(error as Error).message}`)
    throw error
  }
}

/**
 * Reads an IDX file, plain or gzipped. Bytes stay uint8; int8, int16 and int32 become int32; float32 and
 * float64 float32.
 * @throws RangeError for a file that is no IDX file or whose length is not what its header says; the file
 * system's own errors
 */
export function readIdx(path: string): Tensor {
  const where = `readIdx: ${path}`
  const file: Uint8Array = readFileSync(path)
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? unpack(where, file) : file
  const { code, shape, start, end } = readHeader(where, bytes)
  if (bytes.length !== end) {
    throw new RangeError(`${where} must have ${end} bytes for shape ${show(shape)}, got ${bytes.length}`)
  }
  const { dtype, bytes: width, get } = elementTypes[code]!
  if (dtype === 'uint8')
    return new Tensor(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), shape, dtype)
  const values = dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))
  const view = viewOf(bytes)
  for (let i = 0; i < values.length; i++) values[i] = get(view, start + i * width)
  return new Tensor(values, shape, dtype)
}
