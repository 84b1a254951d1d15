import { crc32, deflateSync } from 'node:zlib'
import type { Pixels } from '../../src/formats/png.ts'

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** A PNG by hand, from its specification, each row with this filter. */
export function pngOf({ height, width, channels, values }: Pixels, filter: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  header[9] = [0, 4, 2, 6][channels - 1]!
  const stride = width * channels
  const rows = Buffer.alloc(height * (stride + 1))
  const at = (y: number, i: number) => (y < 0 || i < 0 ? 0 : values[y * stride + i]!)
  for (let y = 0; y < height; y++) {
    rows[y * (stride + 1)] = filter
    for (let i = 0; i < stride; i++) {
      const [a, b, c] = [at(y, i - channels), at(y - 1, i), i < channels ? 0 : at(y - 1, i - channels)]
      const p = a + b - c
      const nearest = [a, b, c].reduce((best, one) => (Math.abs(p - one) < Math.abs(p - best) ? one : best))
      const guess = [0, a, b, Math.floor((a + b) / 2), nearest][filter]!
      rows[y * (stride + 1) + 1 + i] = at(y, i) - guess
    }
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
