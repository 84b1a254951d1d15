import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readNpy, writeNpy } from '../../src/formats/npy.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { proveHostile } from './hostile.ts'
import { python, pythonHas } from './python.ts'

const folder = mkdtempSync(join(tmpdir(), 'npy-'))
const path = join(folder, 'file.npy')
afterAll(() => rmSync(folder, { recursive: true }))

/** A file by hand: version, dictionary as text, elements. */
function file(text: string, data = Buffer.alloc(0), version = 1, length = text.length): Buffer {
  const head = Buffer.alloc(version === 1 ? 10 : 12)
  head.write('\x93NUMPY', 'latin1')
  head[6] = version
  if (version === 1) head.writeUInt16LE(length, 8)
  else head.writeUInt32LE(length, 8)
  return Buffer.concat([head, Buffer.from(text, 'latin1'), data])
}

const dictionary = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('golden files of every type, byte order and version, made by hand from the specification', async () => {
  const golden: [string, string, string, string, number[]][] = [
    ['<f4', '0000803f 000000c0', '2,', 'float32', [1, -2]],
    ['>f4', '3f800000 c0000000', '2,', 'float32', [1, -2]],
    ['<f8', '9a9999999999b93f', '1,', 'float32', [Math.fround(0.1)]],
    ['>f8', '3fb999999999999a', '', 'float32', [Math.fround(0.1)]],
    ['<f2', '003c 00c0', '2, 1', 'float32', [1, -2]],
    ['<i8', 'feffffffffffffff', '1,', 'int32', [-2]],
    ['>i2', 'fffe 0005', '2,', 'int32', [-2, 5]],
    ['<i4', 'feffffff', '1,', 'int32', [-2]],
    ['|i1', 'fe', '1,', 'int32', [-2]],
    ['<u8', '0500000000000000', '1,', 'int32', [5]],
    ['<u4', '05000000', '1,', 'int32', [5]],
    ['<u2', 'feff', '1,', 'int32', [65534]],
    ['|u1', 'fe05', '2,', 'uint8', [254, 5]],
    ['|b1', '0100', '2,', 'bool', [1, 0]],
  ]
  for (const [version, [descr, bytes, shape, dtype, values]] of golden.map(
    (row, i) => [1 + (i % 3), row] as const,
  )) {
    writeFileSync(path, file(dictionary(descr, shape), hex(bytes), version))
    const x = await readNpy(path)
    const sizes = shape
      .split(',')
      .filter(size => size !== '')
      .map(Number)
    expect([x.dtype, x.shape, [...x.values]], descr).toEqual([dtype, sizes, values])
  }
})

test('an array with the first axis fastest is turned', async () => {
  writeFileSync(path, file(dictionary('|u1', '2, 3', 'True'), Buffer.of(0, 3, 1, 4, 2, 5)))
  expect((await readNpy(path)).arraySync()).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ])
  writeFileSync(path, file(dictionary('|u1', '2, 1, 2', 'True'), Buffer.of(1, 3, 2, 4)))
  expect((await readNpy(path)).arraySync()).toEqual([[[1, 2]], [[3, 4]]])
})

test('the dictionary may come in any order and without the last comma', async () => {
  writeFileSync(path, file(`{ 'shape':(1,),'descr':'|u1','fortran_order':False}`, Buffer.of(9)))
  expect((await readNpy(path)).arraySync()).toEqual([9])
})

const tensors = {
  table: ls.tensor(noise(15, 1), [3, 5]),
  vector: ls.tensor([1.5, Number.NaN, Number.NEGATIVE_INFINITY, -0]),
  scalar: ls.scalar(3, 'int32'),
  flags: ls.tensor([true, false]),
  bytes: ls.tensor(Uint8Array.of(1, 2, 3, 4), [2, 2, 1], 'uint8'),
  none: ls.zeros([0, 3]),
}

test.each(Object.entries(tensors))('%s: what is written is read again to the bit', async (_, tensor) => {
  await writeNpy(path, tensor)
  const x = await readNpy(path)
  expect([x.shape, x.dtype]).toEqual([tensor.shape, tensor.dtype])
  const bytesOf = ({ values }: ls.Tensor) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  expect(bytesOf(x)).toEqual(bytesOf(tensor))
  expect((readFileSync(path).length - tensor.values.byteLength) % 64).toBe(0)
})

test.skipIf(!pythonHas('numpy'))('NumPy reads what is written, and what NumPy writes is read', async () => {
  await writeNpy(path, tensors.table)
  const program = [
    'import numpy, sys',
    'x = numpy.load(sys.argv[1])',
    'assert x.dtype == numpy.float32 and x.shape == (3, 5)',
    'numpy.save(sys.argv[2], numpy.asfortranarray(x.astype(">f8") * 2))',
  ].join('\n')
  const other = join(folder, 'other.npy')
  python('-c', program, path, other)
  expect((await readNpy(other)).arraySync()).toEqual(tensors.table.mul(2).arraySync())
})

const at = 'RangeError: readNpy: FILE'
const known = 'f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1'
const types = (got: string) => `${at} elements must be of ${known}, got ${got}`
const four = Buffer.alloc(4)
const fits = (got: string) => `${at} shape must be sizes of an array that fits memory, got ${got}`
const key = (name: string, got: string) => `${at} header must have '${name}', got "${got}"`
const elements = (bytes: number, shape: string, got: number) =>
  `${at} must have ${bytes} bytes of elements for shape ${shape}, got ${got}`
const soundText = dictionary('<f4', '2, 3')

proveHostile(
  {
    name: 'npy',
    sound: file(soundText, Buffer.alloc(24, 3)),
    headerLength: 10 + soundText.length,
    read: readNpy,
  },
  {
    'no bytes': [Buffer.alloc(0), `${at} must begin with 934e554d5059, got no bytes`],
    'other magic': [
      Buffer.from('PK\x03\x04 and so on'),
      `${at} must begin with 934e554d5059, got 504b03042061`,
    ],
    'only magic': [hex('934e554d5059'), `${at} version must be 1, 2 or 3, got 0`],
    'version 4': [file(soundText, four, 4), `${at} version must be 1, 2 or 3, got 4`],
    'no header': [hex('934e554d50590100'), `${at} must have a header, got only 8 bytes`],
    'half a length': [hex('934e554d5059020001'), `${at} must have a header, got only 9 bytes`],
    'a header past the end': [
      file('{}', four, 1, 60_000),
      `${at} must have a header within its 16 bytes, got one of 60000`,
    ],
    'a header of 4 GB': [
      file('{}', four, 2, 2 ** 32 - 1),
      `${at} must have a header within its 18 bytes, got one of 4294967295`,
    ],
    'an empty header': [file(''), key('descr', '')],
    'no dictionary': [file('[1, 2]'), key('descr', '[1, 2]')],
    'no elements’ type': [
      file(`{'fortran_order': False, 'shape': (1,), }`, four),
      key('descr', `{'fortran_order': False, 'shape': (1,), }`),
    ],
    'no order': [file(`{'descr': '<f4', 'shape': (1,), }`, four), key('fortran_order', `{ 'shape': (1,), }`)],
    'an order that is no truth': [
      file(dictionary('<f4', '1,', '1'), four),
      key('fortran_order', `{ 'fortran_order': 1, 'shape': (1,), }`),
    ],
    'no shape': [file(`{'descr': '<f4', 'fortran_order': False, }`, four), key('shape', '{  }')],
    'a call in place of the shape': [
      file(`{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os').getcwd(), }`, four),
      key('shape', `{  'shape': __import__('os').getcwd(), }`),
    ],
    'another entry': [
      file(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}`, four),
      `${at} header must have three entries, got "{   'x': 1}" too`,
    ],
    'an entry twice': [
      file(`{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }`, four),
      `${at} header must have three entries, got "{ 'descr': '<f8',   }" too`,
    ],
    'text behind the dictionary': [
      file(`${dictionary('<f4', '1,').trim()} + 1`, four),
      `${at} header must have three entries, got "{   } + 1" too`,
    ],
    objects: [file(dictionary('|O', '1,'), four), types(`'|O'`)],
    'complex numbers': [file(dictionary('<c8', '1,'), Buffer.alloc(8)), types(`'<c8'`)],
    texts: [file(dictionary('<U5', '1,'), four), types(`'<U5'`)],
    records: [
      file(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`, four),
      types(`[('a', '<f4')]`),
    ],
    'a type of the prototype': [file(dictionary('<valueOf', '1,'), four), types(`'<valueOf'`)],
    'a negative size': [file(dictionary('<f4', '-1,'), four), key('shape', `{  'shape': (-1,), }`)],
    'two sizes without a comma': [file(dictionary('<f4', '1 1,'), four), fits('[NaN]')],
    'a shape that overflows': [
      file(dictionary('<f4', '1099511627776, 1099511627776'), four),
      fits('[1099511627776, 1099511627776]'),
    ],
    'a size that is no exact integer': [
      file(dictionary('<f4', '9007199254740993'), four),
      fits('[9007199254740992]'),
    ],
    'a shape that overflows to 0': [
      file(dictionary('<f4', '8589934592, 8589934592, 0'), four),
      fits('[8589934592, 8589934592, 0]'),
    ],
    'too few elements': [file(dictionary('<f4', '2,'), four), elements(8, '[2]', 4)],
    'too many elements': [file(dictionary('<f4', ''), Buffer.alloc(5)), elements(4, '[]', 5)],
    'an integer beyond 32 bits': [
      file(dictionary('<i8', '1,'), hex('0000000001000000')),
      `${at} must hold integers of 32 bits, got 4294967296`,
    ],
    'a boolean of 2': [
      file(dictionary('|b1', '1,'), hex('02')),
      `${at} must hold only 0 and 1, got another byte`,
    ],
  },
)
