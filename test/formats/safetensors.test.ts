import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { proveHostile } from './hostile.ts'
import { python, pythonHas } from './python.ts'

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'))
const path = join(folder, 'file.safetensors')
afterAll(() => rmSync(folder, { recursive: true }))

/** A file by hand: the header as text, then the data. */
function file(header: string | object, data = Buffer.alloc(0), length?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const head = Buffer.alloc(8)
  head.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([head, text, data])
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('golden files of every type, made by hand from the specification', async () => {
  const golden: [string, string, number[], string, number[]][] = [
    ['F32', '0000803f 000000c0 0000807f', [3], 'float32', [1, -2, Number.POSITIVE_INFINITY]],
    ['F64', '9a9999999999b93f 0000000000000080', [2], 'float32', [Math.fround(0.1), -0]],
    [
      'F16',
      '003c 00c0 0100 ff7b 00fc 00bc',
      [2, 3],
      'float32',
      [1, -2, 2 ** -24, 65504, Number.NEGATIVE_INFINITY, -1],
    ],
    ['BF16', '803f 00c0 4940', [3], 'float32', [1, -2, 3.140625]],
    ['I64', 'feffffffffffffff 0500000000000000', [2], 'int32', [-2, 5]],
    ['I32', 'feffffff', [1], 'int32', [-2]],
    ['I16', 'feff 0500', [2], 'int32', [-2, 5]],
    ['I8', 'fe05', [2], 'int32', [-2, 5]],
    ['U64', '0500000000000000', [1], 'int32', [5]],
    ['U32', 'ffffff7f', [1], 'int32', [2 ** 31 - 1]],
    ['U16', 'feff', [], 'int32', [65534]],
    ['U8', 'fe05', [2], 'uint8', [254, 5]],
    ['BOOL', '0100', [1, 2], 'bool', [1, 0]],
  ]
  for (const [dtype, bytes, shape, ours, values] of golden) {
    const data = hex(bytes)
    writeFileSync(path, file({ x: { dtype, shape, data_offsets: [0, data.length] } }, data))
    const x = (await readSafetensors(path)).tensors.get('x')!
    expect([x.dtype, x.shape, [...x.values]], dtype).toEqual([ours, shape, values])
  }
})

test('several tensors, in the order of their bytes; metadata; padding; a tensor without elements', async () => {
  const header = {
    b: { dtype: 'U8', shape: [3], data_offsets: [4, 7] },
    __metadata__: { format: 'pt', 'a note': 'ü' },
    a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    none: { dtype: 'F32', shape: [0, 5], data_offsets: [7, 7] },
  }
  writeFileSync(path, file(`${JSON.stringify(header)}     `, hex('0000803f 010203')))
  const { tensors, metadata } = await readSafetensors(path)
  expect([...tensors].map(([name, x]) => [name, x.arraySync()])).toEqual([
    ['a', [1]],
    ['b', [1, 2, 3]],
    ['none', []],
  ])
  expect(metadata).toEqual({ format: 'pt', 'a note': 'ü' })
})

test('what is written is read again to the bit, and lies as the specification asks', async () => {
  const odd = Float32Array.of(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e-45, 3.4e38)
  const written = new Map([
    ['flags', ls.tensor([true, false, true])],
    ['odd/values', ls.tensor(odd, [2, 3])],
    ['a', ls.tensor(noise(1000, 5), [10, 100])],
    ['count', ls.scalar(7, 'int32')],
    ['pixels', ls.tensor(Uint8Array.of(0, 255), [2], 'uint8')],
  ])
  await writeSafetensors(path, written, { epoch: '3' })
  const { tensors, metadata } = await readSafetensors(path)
  expect(metadata).toEqual({ epoch: '3' })
  expect([...tensors.keys()]).toEqual(['a', 'count', 'odd/values', 'flags', 'pixels'])
  for (const [name, { values, shape, dtype }] of written) {
    const x = tensors.get(name)!
    expect([x.shape, x.dtype], name).toEqual([shape, dtype])
    expect(Buffer.from(x.values.buffer, x.values.byteOffset, x.values.byteLength)).toEqual(
      Buffer.from(values.buffer, values.byteOffset, values.byteLength),
    )
  }
  const bytes = readFileSync(path)
  expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0)
  expect(bytes[8]).toBe('{'.charCodeAt(0))
})

test.skipIf(!pythonHas('safetensors.numpy'))(
  'Python reads what is written, and what it writes is read',
  async () => {
    const a = ls.tensor(Float32Array.of(1, -0.5, 65504, 2 ** -24), [2, 2])
    await writeSafetensors(
      path,
      { a, count: ls.scalar(7, 'int32'), b: ls.tensor([true, false]) },
      { epoch: '3' },
    )
    const other = join(folder, 'other.safetensors')
    const program = [
      'import sys',
      'from safetensors import safe_open',
      'from safetensors.numpy import load_file, save_file',
      'x = load_file(sys.argv[1])',
      'assert {k: (str(v.dtype), v.shape) for k, v in x.items()} == ' +
        '{"a": ("float32", (2, 2)), "count": ("int32", ()), "b": ("bool", (2,))}',
      'with safe_open(sys.argv[1], "np") as file: assert file.metadata() == {"epoch": "3"}',
      'save_file({"half": x["a"].astype("f2"), "twice": x["a"] * 2, **x}, sys.argv[2], {"by": "Python"})',
    ].join('\n')
    python('-c', program, path, other)
    const { tensors, metadata } = await readSafetensors(other)
    expect(metadata).toEqual({ by: 'Python' })
    const found = Object.fromEntries([...tensors].map(([name, x]) => [name, x.arraySync()]))
    const [table, twice] = [a.arraySync(), a.mul(2).arraySync()]
    expect(found).toEqual({ a: table, half: table, twice, count: 7, b: [1, 0] })
  },
)

test('a scale is applied, and an object does for a map', async () => {
  await writeSafetensors(path, { x: ls.tensor(Uint8Array.of(51), [1], 'uint8', 1 / 255) })
  const x = (await readSafetensors(path)).tensors.get('x')!
  expect([x.dtype, x.values[0]]).toEqual(['float32', Math.fround(51 * Math.fround(1 / 255))])
})

test('names that readers keep for themselves are refused', async () => {
  expect(await caught(() => writeSafetensors(path, { __metadata__: ls.scalar(1) }))).toBe(
    'RangeError: writeSafetensors: a tensor must have another name, got "__metadata__"; rename it',
  )
})

const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] }
const four = Buffer.alloc(4)
const at = 'readSafetensors: FILE'
const range = (message: string) => `RangeError: ${at} ${message}`
const wrong = (change: object) => file({ x: { ...one, ...change } }, four)
const span = (shape: string, got: string, bytes = 4) =>
  range(`tensor "x" data_offsets must span ${bytes} bytes for shape ${shape}, got ${got}`)
const types = 'F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL'
const fits = (got: string) => range(`tensor "x" shape must be sizes of an array that fits memory, got ${got}`)

proveHostile(
  {
    name: 'safetensors',
    sound: file(
      {
        __metadata__: { format: 'pt' },
        'fc.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
        'fc.bias': { dtype: 'BF16', shape: [2], data_offsets: [24, 28] },
      },
      Buffer.alloc(28, 1),
    ),
    headerLength: 8 + 150,
    read: readSafetensors,
  },
  {
    'no bytes': [Buffer.alloc(0), range('must begin with 8 bytes of length, got 0')],
    'a header past the end': [
      file({}, four, 100n),
      range('must have a header within its 14 bytes, got one of 100'),
    ],
    'a header of 2⁶⁴ bytes': [
      file({}, four, 2n ** 64n - 1n),
      range('must have a header within its 14 bytes, got one of 18446744073709552000'),
    ],
    'no JSON': [file('{"x"'), range(`header must be JSON, got ${jsonError('{"x"')}`)],
    'a list': [file([]), `TypeError: ${at} header must be an object, got []`],
    'a number': [file('7'), `TypeError: ${at} header must be an object, got 7`],
    'a name twice': [
      file(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        four,
      ),
      range('header must have keys of their own, got "x" twice'),
    ],
    'a name twice, written otherwise': [
      file('{"x":1,"\\u0078":1}', four),
      range('header must have keys of their own, got "x" twice'),
    ],
    __proto__: [file('{"__proto__":{"a":1}}'), range('header must have keys of their own, got "__proto__"')],
    'deep nesting': [
      file('['.repeat(100_000)),
      range('header must be JSON nested at most 200 deep, got more'),
    ],
    'a tensor that is a number': [
      file({ x: 3 }, four),
      `TypeError: ${at} tensor "x" must be an object, got 3`,
    ],
    'an unknown type': [wrong({ dtype: 'F8' }), range(`tensor "x" dtype must be one of ${types}, got "F8"`)],
    'a type of the prototype': [
      wrong({ dtype: 'toString' }),
      range(`tensor "x" dtype must be one of ${types}, got "toString"`),
    ],
    'no type': [
      wrong({ dtype: undefined }),
      range(`tensor "x" dtype must be one of ${types}, got undefined`),
    ],
    'no shape': [
      wrong({ shape: undefined }),
      `TypeError: ${at} tensor "x" shape must be an array, got undefined`,
    ],
    'a negative size': [wrong({ shape: [-1] }), fits('[-1]')],
    'a broken size': [wrong({ shape: [1.5] }), fits('[1.5]')],
    'a size as text': [wrong({ shape: ['1'] }), fits('["1"]')],
    'a shape that overflows': [wrong({ shape: [2 ** 40, 2 ** 40] }), fits('[1099511627776, 1099511627776]')],
    'a shape that overflows to 0': [
      wrong({ shape: [2 ** 33, 2 ** 33, 0] }),
      fits('[8589934592, 8589934592, 0]'),
    ],
    'no offsets': [wrong({ data_offsets: undefined }), span('[1]', 'undefined')],
    'offsets the wrong way round': [wrong({ data_offsets: [4, 0] }), span('[1]', '[4, 0]')],
    'offsets of fewer bytes': [wrong({ shape: [2] }), span('[2]', '[0, 4]', 8)],
    'broken offsets': [wrong({ data_offsets: [0.5, 4.5] }), span('[1]', '[0.5, 4.5]')],
    'a gap': [
      wrong({ shape: [0], data_offsets: [4, 4] }),
      range('tensor "x" must begin at byte 4 of the data, got 4').replace('byte 4', 'byte 0'),
    ],
    'a negative place': [
      wrong({ data_offsets: [-4, 0] }),
      range('tensor "x" must begin at byte 0 of the data, got -4'),
    ],
    overlap: [file({ x: one, y: one }, four), range('tensor "y" must begin at byte 4 of the data, got 0')],
    'data past the end': [
      wrong({ shape: [2], data_offsets: [0, 8] }),
      range('must have 8 bytes of data, got 4'),
    ],
    'data that no tensor owns': [
      file({ x: one }, Buffer.alloc(5)),
      range('must have 4 bytes of data, got 5'),
    ],
    'metadata that is no text': [
      file({ __metadata__: { a: 1 }, x: one }, four),
      `TypeError: ${at} __metadata__ must hold texts, got { a }`,
    ],
    'an integer beyond 32 bits': [
      file({ x: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, hex('0000000001000000')),
      range('tensor "x" must hold integers of 32 bits, got 4294967296'),
    ],
    'a boolean of 2': [
      file({ x: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, hex('02')),
      range('tensor "x" must hold only 0 and 1, got another byte'),
    ],
  },
)

/** What V8 says of the text. */
function jsonError(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
