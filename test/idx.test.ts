import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { datasets, packageFolder } from '../src/data/datasets.ts'
import { readIdx } from '../src/data/idx.ts'
import { caught } from './caught.ts'
import { proveHostile } from './formats/hostile.ts'

const folder = mkdtempSync(join(tmpdir(), 'idx-'))
const path = join(folder, 'file')
afterAll(() => rmSync(folder, { recursive: true }))

/** The bytes of an IDX file: element type, axes, elements written by `put`. */
function idx(code: number, shape: number[], elements: Buffer): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header[2] = code
  header[3] = shape.length
  shape.forEach((n, i) => void header.writeUInt32BE(n, 4 + 4 * i))
  return Buffer.concat([header, elements])
}

function big(
  width: number,
  values: number[],
  put: (buffer: Buffer, value: number, at: number) => void,
): Buffer {
  const buffer = Buffer.alloc(width * values.length)
  values.forEach((value, i) => void put(buffer, value, i * width))
  return buffer
}

test.each([
  [8, Buffer.from([1, 2, 255]), 'uint8', Uint8Array.of(1, 2, 255)],
  [9, Buffer.from([1, 2, 255]), 'int32', Int32Array.of(1, 2, -1)],
  [11, big(2, [1, -300, 7], (b, v, at) => b.writeInt16BE(v, at)), 'int32', Int32Array.of(1, -300, 7)],
  [12, big(4, [1, -70000, 7], (b, v, at) => b.writeInt32BE(v, at)), 'int32', Int32Array.of(1, -70000, 7)],
  [13, big(4, [1, -0.5, 7], (b, v, at) => b.writeFloatBE(v, at)), 'float32', Float32Array.of(1, -0.5, 7)],
  [14, big(8, [1, -0.1, 7], (b, v, at) => b.writeDoubleBE(v, at)), 'float32', Float32Array.of(1, -0.1, 7)],
])('element type %d, plain and gzipped', (code, elements, dtype, values) => {
  const bytes = idx(code, [3, 1], elements)
  for (const file of [bytes, gzipSync(bytes)]) {
    writeFileSync(path, file)
    const tensor = readIdx(path)
    expect([tensor.dtype, tensor.shape]).toEqual([dtype, [3, 1]])
    expect(tensor.values).toEqual(values)
  }
})

const three = idx(8, [3], Buffer.from([1, 2, 3]))
const wide = idx(8, Array(8).fill(0xffffffff), Buffer.alloc(0))

test.each([
  ['other magic', Buffer.from([1, 2, 3, 4, 5]), 'must be an IDX file that starts with 0000, got 01020304'],
  ['empty', Buffer.alloc(0), 'must be an IDX file that starts with 0000, got no bytes'],
  ['element type', idx(10, [1], Buffer.alloc(1)), 'must have element type 8, 9, 11, 12, 13 or 14, got 10'],
  ['no axes', idx(8, [], Buffer.alloc(1)), 'must have 1 to 8 axes, got 0'],
  ['cut header', three.subarray(0, 6), 'must have a header of 8 bytes, got 6'],
  ['cut elements', three.subarray(0, 10), 'must have 11 bytes for shape [3], got 10'],
  ['too long', Buffer.concat([three, three]), 'must have 11 bytes for shape [3], got 22'],
  ['huge', wide, `must have a size that fits memory, got [${Array(8).fill(4294967295).join(', ')}]`],
  [
    'huge gzip',
    gzipSync(idx(8, [1e9, 1e6], Buffer.alloc(1))),
    `must have at most ${32 * 2 ** 20 + 2 * gzipSync(idx(8, [1e9, 1e6], Buffer.alloc(1))).length} bytes unpacked, got 1000000000000012; unpack it first`,
  ],
  [
    'gzip bomb',
    gzipSync(Buffer.concat([three, Buffer.alloc(1e7)])),
    'must be as long as its header says, got more',
  ],
  ['cut gzip', gzipSync(three).subarray(0, 20), 'must be valid gzip, got unexpected end of file'],
])('%s', async (_, bytes, text) => {
  writeFileSync(path, bytes)
  expect(await caught(() => readIdx(path))).toBe(`RangeError: readIdx: ${path} ${text}`)
})

test('a missing file', async () => {
  expect(await caught(() => readIdx(join(folder, 'none')))).toContain('ENOENT')
})

test('mnist', () => {
  const { train, test } = datasets.mnist()
  expect([train.x.shape, train.y.shape]).toEqual([[60000, 28, 28, 1], [60000]])
  expect([test.x.shape, test.y.shape]).toEqual([[10000, 28, 28, 1], [10000]])
  expect([train.x.dtype, train.x.scale, train.y.dtype]).toEqual(['uint8', Math.fround(1 / 255), 'uint8'])
  expect([...train.y.values.slice(0, 5)]).toEqual([5, 0, 4, 1, 9])
  expect([...test.y.values.slice(0, 4)]).toEqual([7, 2, 1, 0])
  // The mean pixel of the training images is known to be 0.1307.
  expect(
    (train.x.values as Uint8Array).reduce((sum, byte) => sum + byte, 0) / train.x.size / 255,
  ).toBeCloseTo(0.1307, 4)
})

test('a package that is not installed', async () => {
  const text =
    'Error: mnist: the package no-such-data must be installed, got none; run npm install no-such-data'
  expect(await caught(() => packageFolder('mnist', 'no-such-data'))).toBe(text)
})

test('fashionMnist reads the four files of a folder, and says which folder lacks them', async () => {
  for (const [part, count] of [
    ['train', 3],
    ['t10k', 2],
  ] as const) {
    const pixels = Buffer.alloc(count * 28 * 28, count)
    writeFileSync(join(folder, `${part}-images-idx3-ubyte.gz`), gzipSync(idx(8, [count, 28, 28], pixels)))
    writeFileSync(
      join(folder, `${part}-labels-idx1-ubyte.gz`),
      gzipSync(idx(8, [count], pixels.subarray(0, count))),
    )
  }
  const parts = datasets.fashionMnist(folder)
  for (const [{ x, y }, count] of [
    [parts.train, 3],
    [parts.test, 2],
  ] as const) {
    expect([x.shape, x.dtype, x.scale, y.shape]).toEqual([
      [count, 28, 28, 1],
      'uint8',
      Math.fround(1 / 255),
      [count],
    ])
    expect([...x.values.slice(0, 2), ...y.values.slice(0, 1)]).toEqual([count, count, count])
  }
  expect(await caught(() => datasets.fashionMnist(tmpdir()))).toBe(
    `Error: fashionMnist: folder must hold train-images-idx3-ubyte.gz, got "${tmpdir()}"; ` +
      'install dataset-fashion-mnist, or give a folder that holds it',
  )
})

const at = 'RangeError: readIdx: FILE'
const magic = (got: string) => `${at} must be an IDX file that starts with 0000, got ${got}`
const kinds = (got: number) => `${at} must have element type 8, 9, 11, 12, 13 or 14, got ${got}`
const axes = (got: number) => `${at} must have 1 to 8 axes, got ${got}`
const length = (wanted: number, shape: string, got: number) =>
  `${at} must have ${wanted} bytes for shape [${shape}], got ${got}`
const fits = (shape: string) => `${at} must have a size that fits memory, got [${shape}]`
const small = idx(8, [2, 3], Buffer.from([1, 2, 3, 4, 5, 6]))
const packed = gzipSync(small)
const gzip = (got: string) => `${at} must be valid gzip, got ${got}`
const most = (bytes: Buffer) => 32 * 2 ** 20 + 2 * bytes.length
const bomb = gzipSync(idx(8, [2 ** 28], Buffer.alloc(2 ** 25)))

const named: Parameters<typeof proveHostile>[1] = {
  'no bytes': [Buffer.alloc(0), magic('no bytes')],
  'one byte': [Buffer.alloc(1), magic('00')],
  'three bytes': [Buffer.alloc(3), magic('000000')],
  'a picture': [Buffer.from('\x89PNG', 'latin1'), magic('89504e47')],
  'numbers of the other order': [Buffer.from([3, 8, 0, 0]), magic('03080000')],
  'a second byte': [Buffer.from([0, 1, 8, 1]), magic('00010801')],
  'element type 0': [idx(0, [1], Buffer.alloc(1)), kinds(0)],
  'element type 10': [idx(10, [1], Buffer.alloc(1)), kinds(10)],
  'element type 15': [idx(15, [1], Buffer.alloc(1)), kinds(15)],
  'element type 255': [idx(255, [1], Buffer.alloc(1)), kinds(255)],
  'no axes': [idx(8, [], Buffer.alloc(1)), axes(0)],
  'nine axes': [idx(8, Array(9).fill(1), Buffer.alloc(1)), axes(9)],
  '255 axes': [Buffer.from([0, 0, 8, 255]), axes(255)],
  'half a size': [small.subarray(0, 6), `${at} must have a header of 12 bytes, got 6`],
  'no elements': [small.subarray(0, 12), length(18, '2, 3', 12)],
  'an element too few': [small.subarray(0, 17), length(18, '2, 3', 17)],
  'an element too many': [Buffer.concat([small, Buffer.alloc(1)]), length(19 - 1, '2, 3', 19)],
  'wide elements of too few bytes': [idx(14, [1], Buffer.alloc(7)), length(16, '1', 15)],
  'a size of 2^32 - 1': [idx(8, [2 ** 32 - 1], Buffer.alloc(1)), length(2 ** 32 + 7, '4294967295', 9)],
  'sizes that overflow': [
    idx(8, [2 ** 31, 2 ** 31, 2 ** 31], Buffer.alloc(1)),
    fits('2147483648, 2147483648, 2147483648'),
  ],
  'sizes that are too many bytes': [
    idx(14, [2 ** 31, 2 ** 21], Buffer.alloc(1)),
    fits('2147483648, 2097152'),
  ],
  'sizes of 0 bytes, and one': [idx(8, [2 ** 32 - 1, 0], Buffer.alloc(1)), length(12, '4294967295, 0', 13)],
  'half of gzip': [packed.subarray(0, 20), gzip('unexpected end of file')],
  'only the name of gzip': [packed.subarray(0, 2), magic('no bytes')],
  'gzip of nothing': [gzipSync(Buffer.alloc(0)), magic('no bytes')],
  'gzip of something else': [gzipSync(Buffer.from('hello')), magic('68656c6c')],
  'gzip of more': [
    gzipSync(Buffer.concat([small, Buffer.alloc(9)])),
    `${at} must be as long as its header says, got more`,
  ],
  'a bomb': [
    gzipSync(Buffer.concat([small, Buffer.alloc(2 ** 26)])),
    `${at} must be as long as its header says, got more`,
  ],
  'a bomb that its header tells': [
    bomb,
    `${at} must have at most ${most(bomb)} bytes unpacked, got ${2 ** 28 + 8}; unpack it first`,
  ],
  'gzip within gzip': [gzipSync(packed), magic('1f8b0800')],
}

const read = async (file: string) => readIdx(file)
proveHostile({ name: 'idx', sound: small, headerLength: 12, read }, named)
proveHostile({ name: 'idx in gzip', sound: packed, headerLength: packed.length, read }, named, 1000)
