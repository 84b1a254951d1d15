import { expect, test } from 'vitest'
import { unpackSnappy } from '../../src/formats/snappy.ts'
import { caught } from '../caught.ts'

const unpack = (length: number, ...packed: number[]) => unpackSnappy('page', Uint8Array.from(packed), length)

test('literals and copies of each kind, overlapping ones too', () => {
  expect(unpack(3, 3, 2 << 2, 7, 8, 9)).toEqual(Buffer.from([7, 8, 9]))
  // A length of two bytes, a literal whose size has a byte of its own.
  const many = Array.from({ length: 200 }, (_, i) => i)
  expect(unpack(200, 200, 1, 60 << 2, 199, ...many)).toEqual(Buffer.from(many))
  for (const copy of [
    [1, 2],
    [(3 << 2) | 2, 2, 0],
    [(3 << 2) | 3, 2, 0, 0, 0],
  ])
    expect(unpack(6, 6, 1 << 2, 1, 2, ...copy)).toEqual(Buffer.from([1, 2, 1, 2, 1, 2]))
})

test.each<[string, number, ...number[]]>([
  ['an early end', 3],
  ['an early end', 3, 200],
  ['a length of more than 32 bits', 3, 255, 255, 255, 255, 255, 1],
  ['4', 3, 4, 0, 1],
  ['more', 3, 3, 3 << 2, 1, 2, 3, 4],
  ['more', 3, 3, 2 << 2, 1, 2],
  ['a copy from 0 bytes before byte 1', 3, 3, 0, 1, 1, 0],
  ['a copy from 2 bytes before byte 1', 3, 3, 0, 1, 1, 2],
  ['more', 3, 3, 0, 1, 1, 1],
  ['1', 3, 3, 0, 1],
])('%s is refused', async (got, length, ...packed) => {
  expect(await caught(() => unpack(length, ...packed))).toBe(
    `RangeError: page must be ${length} bytes packed by Snappy, got ${got}`,
  )
})
