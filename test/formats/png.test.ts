import { expect, test } from 'vitest'
import { pngBytes, readPng } from '../../src/formats/png.ts'
import { pngOf } from './pngFile.ts'

test('plain PNGs: every filter, grey, colours and alpha; others are left to sharp, broken ones refused', () => {
  for (const channels of [1, 2, 3, 4] as const)
    for (const filter of [0, 1, 2, 3, 4]) {
      const values = Uint8Array.from({ length: 7 * 9 * channels }, (_, i) => (i * i * 31 + i * 7) % 256)
      const pixels = { height: 7, width: 9, channels, values }
      expect(readPng('here', pngOf(pixels, filter))).toEqual(pixels)
      expect(pngBytes(pixels)).toEqual(pngOf(pixels, 0))
    }
  const plain = pngOf({ height: 2, width: 2, channels: 1, values: new Uint8Array(4) }, 0)
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(plain)
    bytes[at] = value
    return bytes
  }
  expect(readPng('here', changed(24, 16))).toBeUndefined()
  expect(readPng('here', changed(25, 3))).toBeUndefined()
  expect(readPng('here', changed(28, 1))).toBeUndefined()
  expect(() => readPng('here', changed(16, 255))).toThrow(
    'here: must have 1 to 67108864 pixels, got 4278190082×2',
  )
  expect(() => readPng('here', changed(23, 3))).toThrow('here: must hold 9 bytes of pixels, got 6')
  expect(() => readPng('here', changed(23, 1))).toThrow('here: must hold pixels packed by zlib')
  expect(() => readPng('here', changed(1, 0))).toThrow('here: must be a PNG with a header')
  for (let length = 33; length < plain.length; length++)
    expect(() => readPng('here', plain.subarray(0, length))).toThrow(/^here: must/)
})
