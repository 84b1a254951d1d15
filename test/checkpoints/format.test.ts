import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Checkpoint, CheckpointTensor, Dtype } from '../../src/checkpoints/checkpoint.ts'
import { readCheckpoint } from '../../src/checkpoints/reading.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { proveHostile } from '../formats/hostile.ts'
import { type Format, mutation, outcome } from '../formats/mutations.ts'
import { bytesOf, numbered } from './bytes.ts'

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))
const path = join(folder, 'file.ckpt')
afterAll(() => rmSync(folder, { recursive: true }))

const one = (tensor: CheckpointTensor): Checkpoint => ({ header: {}, tensors: new Map([['x', tensor]]) })
const floats = (data: Float32Array): Checkpoint => one({ dtype: 'float32', shape: [data.length], data })
async function readBack(checkpoint: Checkpoint): Promise<Checkpoint> {
  writeFileSync(path, bytesOf(checkpoint))
  return readCheckpoint('read', path)
}

/** A file by hand. */
function file(
  json: string | Buffer | object,
  body = Buffer.alloc(0),
  change: (bytes: Buffer) => void = () => {},
) {
  const text = typeof json === 'string' || Buffer.isBuffer(json) ? json : JSON.stringify(json)
  const start = Buffer.alloc(Math.ceil((16 + Buffer.byteLength(text)) / 64) * 64, ' ')
  start.write('\x93LSTEP\r\n', 'latin1')
  start.writeUInt32LE(1, 8)
  start.writeUInt32LE(start.length - 16, 12)
  Buffer.from(text).copy(start, 16)
  const bytes = Buffer.concat([start, body, Buffer.alloc(40)])
  bytes.writeBigUInt64LE(BigInt(bytes.length), bytes.length - 40)
  createHash('sha256')
    .update(bytes.subarray(0, -32))
    .digest()
    .copy(bytes, bytes.length - 32)
  change(bytes)
  return bytes
}

test('a file made by hand from the description is read, and written again to the byte', async () => {
  const body = Buffer.alloc(128)
  body.writeFloatLE(1.5, 0)
  body.writeFloatLE(-2, 4)
  body[64] = 7
  const tensors = [
    { name: 'w', dtype: 'float32', shape: [1, 2] },
    { name: 'ü', dtype: 'uint8', shape: [1] },
    { name: '', dtype: 'int32', shape: [0, 3] },
  ]
  const bytes = file({ header: { step: 3, list: [null, true, 'a "text"'] }, tensors }, body)
  writeFileSync(path, bytes)
  const checkpoint = await readCheckpoint('read', path)
  expect(checkpoint.header).toEqual({ step: 3, list: [null, true, 'a "text"'] })
  expect([...checkpoint.tensors]).toEqual([
    ['w', { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1.5, -2) }],
    ['ü', { dtype: 'uint8', shape: [1], data: Uint8Array.of(7) }],
    ['', { dtype: 'int32', shape: [0, 3], data: new Int32Array() }],
  ])
  expect(bytesOf(checkpoint).equals(bytes)).toBe(true)
})

test('what is written is read again to the bit', async () => {
  const values = [0, -0, 1e-45, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1 / 3]
  const kinds: [Dtype, CheckpointTensor['data']][] = [
    ['float32', Float32Array.from(values)],
    ['float64', Float64Array.from(values)],
    ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['uint8', Uint8Array.of(0, 255)],
  ]
  for (const [dtype, data] of kinds) {
    const { tensors } = await readBack(one({ dtype, shape: [data.length], data }))
    const { data: found } = tensors.get('x')!
    expect(found.constructor).toBe(data.constructor)
    expect(Buffer.from(found.buffer)).toEqual(Buffer.from(data.buffer))
  }
  expect(await readBack(numbered(3))).toEqual(numbered(3))
  expect(await readBack({ header: {}, tensors: new Map() })).toEqual({ header: {}, tensors: new Map() })
})

test('tensors of many pieces, of part of a buffer and of shared memory', async () => {
  const all = noise(600_003, 5)
  const shared = new Float32Array(new SharedArrayBuffer(4 * all.length))
  shared.set(all)
  const part = shared.subarray(1, 600_000)
  const found = (await readBack(floats(part))).tensors.get('x')!.data
  expect(found.buffer).toBeInstanceOf(ArrayBuffer)
  expect(Buffer.from(found.buffer).equals(Buffer.from(all.slice(1, 600_000).buffer))).toBe(true)
})

test('of all NaNs one is written, so that the file does not depend on their bits', () => {
  const quiet = new Float32Array(Uint32Array.of(0x7fc00000, 0x3f800000).buffer)
  const odd = new Float32Array(Uint32Array.of(0xffa12345, 0x3f800000).buffer)
  expect(bytesOf(floats(odd)).equals(bytesOf(floats(quiet)))).toBe(true)
  expect(new Uint32Array(odd.buffer)[0]).toBe(0xffa12345)
  const doubles = [0x7ff8000000000000n, 0xfff8000000000001n, 0x7ff0000000000001n].map(bits => {
    const data = new Float64Array(BigUint64Array.of(bits).buffer)
    return bytesOf(one({ dtype: 'float64', shape: [1], data })).toString('hex')
  })
  expect(new Set(doubles).size).toBe(1)
  expect(doubles[0]).toContain('000000000000f87f')
})

test('tensors lie at multiples of 64', () => {
  const bytes = bytesOf({
    header: {},
    tensors: new Map([
      ['a', { dtype: 'uint8', shape: [65], data: new Uint8Array(65).fill(0xaa) }],
      ['b', { dtype: 'uint8', shape: [1], data: Uint8Array.of(0xbb) }],
    ]),
  })
  expect([bytes.indexOf(0xaa) % 64, bytes.indexOf(0xbb) - bytes.indexOf(0xaa)]).toEqual([0, 128])
})

const finite = 'header must be an object of what JSON can hold'
test.each<[string, unknown, string]>([
  [
    'a number that JSON lacks',
    { header: { loss: Number.NaN }, tensors: new Map() },
    `TypeError: encode: ${finite}, got { loss }; put other numbers into a tensor`,
  ],
  [
    'no object',
    { header: [], tensors: new Map() },
    `TypeError: encode: ${finite}, got []; put other numbers into a tensor`,
  ],
  [
    'a header that is too long',
    { header: { text: 'x'.repeat(2 ** 26) }, tensors: new Map() },
    'RangeError: encode: header must take at most 67108864 bytes, got 67108899',
  ],
  [
    'another array than its dtype',
    one({ dtype: 'int32', shape: [1], data: new Float32Array(1) }),
    'TypeError: encode: tensor "x" must hold an array of its dtype "int32", got Float32Array(1)',
  ],
  [
    'an unknown dtype',
    one({ dtype: 'int8' as Dtype, shape: [1], data: new Uint8Array(1) }),
    'TypeError: encode: tensor "x" must hold an array of its dtype "int8", got Uint8Array(1)',
  ],
  [
    'another shape',
    one({ dtype: 'int32', shape: [2, 2], data: new Int32Array(3) }),
    'RangeError: encode: tensor "x" must hold 4 elements for shape [2, 2], got 3',
  ],
])('a checkpoint with %s is not written', async (_, checkpoint, message) => {
  expect(await caught(() => bytesOf(checkpoint as Checkpoint))).toBe(message)
})

test('a folder is no checkpoint', async () => {
  mkdirSync(join(folder, 'inner'))
  expect(await caught(() => readCheckpoint('read it', join(folder, 'inner')))).toBe(
    'RangeError: read it must be a regular file, got a folder',
  )
})

const sound = bytesOf(numbered(2))
const ckpt: Format = {
  name: 'checkpoint',
  sound,
  headerLength: 16 + sound.readUInt32LE(12),
  read: path => readCheckpoint(`read: ${path}`, path),
}

const at = 'read: FILE'
const range = (message: string) => `RangeError: ${at} ${message}`
const type = (message: string) => `TypeError: ${at} ${message}`
const x = { name: 'x', dtype: 'float32', shape: [1] }
const elements = Buffer.alloc(64)
const holding = (...tensors: unknown[]) => file({ header: {}, tensors }, elements)
const wrong = (change: object) => holding({ ...x, ...change })
const changed = (change: (bytes: Buffer) => void) => file({ header: {}, tensors: [x] }, elements, change)
const fits = (got: string) => range(`tensors[0] shape must be sizes of an array that fits memory, got ${got}`)
const dtypes = '"float32", "float64", "int32", "uint8"'
const length = changed(() => {}).length

proveHostile(ckpt, {
  'no bytes': [Buffer.alloc(0), range('must have at least 56 bytes, got 0')],
  'a start and nothing more': [sound.subarray(0, 55), range('must have at least 56 bytes, got 55')],
  'another magic': [
    changed(bytes => bytes.write('PK')),
    range('must begin with 934c535445500d0a, got 504b535445500d0a'),
  ],
  'line ends that were changed on the way': [
    Buffer.concat([sound.subarray(0, 6), sound.subarray(7)]),
    range('must begin with 934c535445500d0a, got 934c535445500a01'),
  ],
  'version 0': [changed(bytes => bytes.writeUInt32LE(0, 8)), range('must be of version 1, got 0')],
  'a later version': [changed(bytes => bytes.writeUInt32LE(2, 8)), range('must be of version 1, got 2')],
  'a header past the end': [
    changed(bytes => bytes.writeUInt32LE(304, 12)),
    range(`must have a header within its ${length} bytes, got one of 304`),
  ],
  'a header of 2³² bytes': [
    changed(bytes => bytes.writeUInt32LE(2 ** 32 - 1, 12)),
    range(`must have a header within its ${length} bytes, got one of 4294967295`),
  ],
  'a header that ends anywhere': [
    changed(bytes => bytes.writeUInt32LE(47, 12)),
    range('must have a header that ends at a multiple of 64, got one of 47 bytes'),
  ],
  'no header': [
    changed(bytes => bytes.writeUInt32LE(0, 12)),
    range('must have a header that ends at a multiple of 64, got one of 0 bytes'),
  ],
  'half a header': [
    changed(bytes => bytes.writeUInt32LE(48, 12)),
    range(`JSON must be JSON, got ${jsonError('{"header":{},"tensors":[{"name":"x","dtype":"flo')}`),
  ],
  spaces: [file(''.padEnd(48)), range(`JSON must be JSON, got ${jsonError(''.padEnd(48))}`)],
  'other bytes than UTF-8': [
    file(Buffer.from('{"header":{"a":"\xff"},"tensors":[]}', 'latin1')),
    range('JSON must be UTF-8, got other bytes'),
  ],
  'a list': [file([]), type('JSON must be an object, got []')],
  'no tensors': [file({ header: {} }), range('JSON must have the keys header, tensors, got header')],
  'more than header and tensors': [
    file({ header: {}, tensors: [], more: 1 }),
    range('JSON must have the keys header, tensors, got header, tensors, more'),
  ],
  'nothing at all': [file({}), range('JSON must have the keys header, tensors, got none')],
  'a header that is a list': [
    file({ header: [], tensors: [] }),
    type('JSON header must be an object, got []'),
  ],
  'a header of null': [file({ header: null, tensors: [] }), type('JSON header must be an object, got null')],
  'tensors by name': [file({ header: {}, tensors: { x } }), type('JSON tensors must be an array, got { x }')],
  'a key twice': [
    file('{"header":{"a":1,"\\u0061":2},"tensors":[]}'),
    range('JSON must have keys of their own, got "a" twice'),
  ],
  __proto__: [
    file('{"header":{"__proto__":{"a":1}},"tensors":[]}'),
    range('JSON must have keys of their own, got "__proto__"'),
  ],
  'deep nesting': [
    file(`{"header":{"a":${'['.repeat(100_000)}`),
    range('JSON must be JSON nested at most 200 deep, got more'),
  ],
  'a tensor that is a number': [holding(3), type('tensors[0] must be an object, got 3')],
  'a tensor without dtype': [
    holding({ name: 'x', shape: [1] }),
    range('tensors[0] must have the keys name, dtype, shape, got name, shape'),
  ],
  'a tensor with a place of its own': [
    wrong({ offset: 0 }),
    range('tensors[0] must have the keys name, dtype, shape, got name, dtype, shape, offset'),
  ],
  'an unknown dtype': [
    wrong({ dtype: 'int8' }),
    range(`tensors[0]: dtype must be one of ${dtypes}, got "int8"; did you mean "uint8"?`),
  ],
  'a dtype of the prototype': [
    wrong({ dtype: 'toString' }),
    range(`tensors[0]: dtype must be one of ${dtypes}, got "toString"`),
  ],
  'a dtype that is a number': [
    wrong({ dtype: 1 }),
    type(`tensors[0]: dtype must be one of ${dtypes}, got 1`),
  ],
  'a name that is a number': [wrong({ name: 1 }), range('tensors[0] name must be a text of its own, got 1')],
  'a name twice': [holding(x, x), range('tensors[1] name must be a text of its own, got "x"')],
  'no shape': [wrong({ shape: null }), type('tensors[0] shape must be an array, got null')],
  'a negative size': [wrong({ shape: [-1] }), fits('[-1]')],
  'a broken size': [wrong({ shape: [1.5] }), fits('[1.5]')],
  'a size as text': [wrong({ shape: ['1'] }), fits('["1"]')],
  'a shape that overflows': [wrong({ shape: [2 ** 40, 2 ** 40] }), fits('[1099511627776, 1099511627776]')],
  'a shape that overflows to 0': [
    wrong({ shape: [2 ** 33, 2 ** 33, 0] }),
    fits('[8589934592, 8589934592, 0]'),
  ],
  'more elements than bytes': [
    wrong({ shape: [17] }),
    range(`must have ${length + 64} bytes, got ${length}`),
  ],
  'elements that no tensor owns': [holding(), range('must have 104 bytes, got 168')],
  'another length at its end': [
    changed(bytes => bytes.writeBigUInt64LE(1n, length - 40)),
    range(`must end with its length ${length}, got 1`),
  ],
  'a length of 2⁶⁴ at its end': [
    changed(bytes => bytes.writeBigUInt64LE(2n ** 64n - 1n, length - 40)),
    range(`must end with its length ${length}, got 18446744073709551615`),
  ],
  'a byte more': [
    Buffer.concat([changed(() => {}), Buffer.alloc(1)]),
    range(`must have ${length} bytes, got ${length + 1}`),
  ],
  'another SHA-256': [
    changed(bytes => bytes.fill(0, length - 32)),
    range(`must have the SHA-256 ${'00'.repeat(32)}, got ${changed(() => {}).toString('hex', length - 32)}`),
  ],
  'something after the elements': [
    file({ header: {}, tensors: [x] }, Buffer.alloc(64, 1)),
    range('must have zeros after tensor "x", got other bytes'),
  ],
})

test('checkpoint: a bit in any byte, and any mutation that changes something, is noticed', {
  timeout: 60_000,
}, async () => {
  const loads = async (bytes: Buffer) => (await outcome(ckpt, path, bytes)) === 'loaded'
  for (let at = 0; at < sound.length; at++) {
    const bytes = Buffer.from(sound)
    bytes[at]! ^= 1 << (at % 8)
    expect(await loads(bytes), `byte ${at}`).toBe(false)
  }
  for (let seed = 5000; seed < 5500; seed++) {
    const bytes = mutation(sound, seed)
    expect(await loads(bytes), `mutation ${seed}`).toBe(bytes.equals(sound))
  }
})

/** What V8 says of the text. */
function jsonError(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
