import { deflateSync, inflateSync } from 'node:zlib'
import { crcOf } from './checksum.ts'

/** An image, row by row: grey, grey and alpha, red green blue, or these and alpha. */
export interface Pixels {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 2 | 3 | 4
  readonly values: Uint8Array
}

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const channelsOfType: Readonly<Record<number, Pixels['channels']>> = { 0: 1, 2: 3, 4: 2, 6: 4 }
/** An image must not fill the memory: a few bytes may say that they are gigabytes. */
const mostPixels = 2 ** 26

export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(signature)

/** a + b − c, or rather which of the three is next to it (PNG, section 9.4). */
function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** Undoes the filter of each row: `data` has rows of a byte that names it and `stride` bytes. */
function unfilter(where: string, data: Uint8Array, height: number, stride: number, step: number): Uint8Array {
  const values = new Uint8Array(height * stride)
  for (let row = 0; row < height; row++) {
    const from = row * (stride + 1) + 1
    const to = row * stride
    const filter = data[from - 1]!
    if (filter > 4) throw new RangeError(`${where}: filter must be 0 to 4, got ${filter}; give another file`)
    for (let i = 0; i < stride; i++) {
      const left = i >= step ? values[to + i - step]! : 0
      const up = row > 0 ? values[to + i - stride]! : 0
      const corner = i >= step && row > 0 ? values[to + i - stride - step]! : 0
      const guess =
        filter === 0
          ? 0
          : filter === 1
            ? left
            : filter === 2
              ? up
              : filter === 3
                ? (left + up) >> 1
                : paeth(left, up, corner)
      values[to + i] = data[from + i]! + guess
    }
  }
  return values
}

/** The data of all IDAT chunks; undefined where a chunk says that a colour is transparent. */
function packedOf(where: string, bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length)
      throw new RangeError(
        `${where}: must end with an IEND chunk, got ${bytes.length} bytes; give a whole file`,
      )
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'IEND') return Buffer.concat(parts)
    if (type === 'tRNS') return undefined
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
}

/**
 * The pixels of a plain PNG (ISO/IEC 15948): 8 bits a channel, not interlaced, no palette; undefined for another PNG.
 * @throws RangeError saying what is wrong with the bytes
 */
export function readPng(where: string, bytes: Buffer): Pixels | undefined {
  if (!isPng(bytes) || bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR')
    throw new RangeError(`${where}: must be a PNG with a header, got other bytes; give another file`)
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const [depth, type, , , interlace] = bytes.subarray(24, 29) as unknown as number[]
  if (width === 0 || height === 0 || width * height > mostPixels)
    throw new RangeError(
      `${where}: must have 1 to ${mostPixels} pixels, got ${width}×${height}; give another file`,
    )
  const channels = channelsOfType[type!]
  const packed = depth === 8 && channels && interlace === 0 ? packedOf(where, bytes) : undefined
  if (!packed || !channels) return undefined
  const stride = width * channels
  const size = height * (stride + 1)
  let data: Buffer
  try {
    data = inflateSync(packed, { maxOutputLength: size })
  } catch (error) {
    throw new RangeError(
      `${where}: must hold pixels packed by zlib, got ${(error as Error).message}; give another file`,
    )
  }
  if (data.length !== size)
    throw new RangeError(`${where}: must hold ${size} bytes of pixels, got ${data.length}; give another file`)
  return { height, width, channels, values: unfilter(where, data, height, stride, channels) }
}

function chunkOf(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(data.length + 12)
  chunk.writeUInt32BE(data.length)
  chunk.write(type, 4, 'latin1')
  chunk.set(data, 8)
  chunk.writeUInt32BE(crcOf(chunk.subarray(4, -4)), data.length + 8)
  return chunk
}

/** A plain PNG of these pixels. */
export function pngBytes({ height, width, channels, values }: Pixels): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([8, [0, 4, 2, 6][channels - 1]!], 8)
  const stride = width * channels
  const rows = Buffer.alloc(height * (stride + 1))
  for (let row = 0; row < height; row++)
    rows.set(values.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1)
  const chunks = [
    chunkOf('IHDR', header),
    chunkOf('IDAT', deflateSync(rows)),
    chunkOf('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([signature, ...chunks])
}
