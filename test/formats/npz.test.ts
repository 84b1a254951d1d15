import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { npyPieces } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { proveHostile } from './hostile.ts'
import { archive, type Member } from './npzFile.ts'
import { python, pythonHas } from './python.ts'

const folder = mkdtempSync(join(tmpdir(), 'npz-'))
const path = join(folder, 'file.npz')
afterAll(() => rmSync(folder, { recursive: true }))

const npy = (tensor: ls.Tensor) => Buffer.concat(npyPieces(tensor))
const table = ls.tensor(noise(6, 1), [2, 3])
const a: Member = { name: 'a.npy', data: npy(table) }
const b: Member = { name: 'b.npy', data: npy(ls.tensor([1, 2, 3], [3], 'int32')), method: 0 }
const { length } = a.data
const packedLength = deflateRawSync(a.data).length

test('arrays packed and not, with a comment, a folder in a name, and checksums behind', async () => {
  const inner = { ...a, name: 'sub/c.npy', flags: 8, after: Buffer.alloc(16) }
  writeFileSync(path, archive([a, b, inner], { comment: 'hello' }))
  const tensors = await readNpz(path)
  expect([...tensors.keys()]).toEqual(['a', 'b', 'sub/c'])
  expect(tensors.get('a')).toEqual(table)
  expect(tensors.get('b')!.arraySync()).toEqual([1, 2, 3])
  expect(tensors.get('sub/c')).toEqual(table)
  writeFileSync(path, archive([]))
  expect((await readNpz(path)).size).toBe(0)
})

test('sizes of 64 bits', async () => {
  const wide = Buffer.alloc(4 + 16)
  wide.writeUInt16LE(1)
  wide.writeUInt16LE(16, 2)
  wide.writeBigUInt64LE(BigInt(length), 4)
  wide.writeBigUInt64LE(BigInt(packedLength), 12)
  const sizes = { bytes: 0xffffffff, packedBytes: 0xffffffff, extra: wide }
  writeFileSync(path, archive([{ ...a, ...sizes }]))
  expect((await readNpz(path)).get('a')).toEqual(table)
})

test.skipIf(!pythonHas('numpy'))('what NumPy writes, packed and not', async () => {
  for (const save of ['savez', 'savez_compressed']) {
    const program = `import numpy, sys; numpy.${save}(sys.argv[1], x=numpy.arange(6.).reshape(2, 3), y=numpy.zeros(50000, numpy.int8))`
    python('-c', program, path)
    const tensors = await readNpz(path)
    expect([...tensors.keys()]).toEqual(['x', 'y'])
    expect(tensors.get('x')!.arraySync()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    expect(tensors.get('y')!.size).toBe(50_000)
  }
})

test('a bomb is refused before it goes off, unless asked for', async () => {
  const data = npy(ls.tensor(new Uint8Array(60 * 2 ** 20), [60 * 2 ** 20], 'uint8'))
  const bomb = archive([{ name: 'bomb.npy', data }])
  expect(bomb.length).toBeLessThan(2 ** 16)
  writeFileSync(path, bomb)
  const most = 48 * 2 ** 20 + 3 * bomb.length
  expect(await caught(() => readNpz(path))).toBe(
    `RangeError: readNpz: ${path} must have at most ${most} bytes unpacked, got ${data.length}; give a larger maxBytes`,
  )
  expect((await readNpz(path, { maxBytes: 2 ** 26 })).get('bomb')!.size).toBe(60 * 2 ** 20)
  expect(await caught(() => readNpz(path, { maxBytes: -1 }))).toContain(
    'RangeError: readNpz: maxBytes must be',
  )
})

const at = 'RangeError: readNpz: FILE'
const sound = archive([a, b])
const noEnd = `${at} must be a zip archive that ends in its directory, got no end record`
const firstLocal = 30 + a.name.length + packedLength
const start = firstLocal + 30 + b.name.length + b.data.length
const plain = (got: string) => `${at} must have members with plain names, got ${got}`

proveHostile(
  { name: 'npz', sound, headerLength: sound.length, read: readNpz },
  {
    'no bytes': [Buffer.alloc(0), `${at} must be a zip archive of 22 bytes or more, got 0`],
    'no archive': [Buffer.alloc(100, 1), noEnd],
    'no end record': [sound.subarray(0, -22), noEnd],
    'half an end record': [sound.subarray(0, -1), noEnd],
    'bytes behind the end': [Buffer.concat([sound, Buffer.alloc(3)]), noEnd],
    'bytes before the beginning': [
      Buffer.concat([Buffer.alloc(5), sound]),
      `${at} must have its directory before the end record at ${sound.length - 17}, got ${sound.length - 22 - start} bytes at ${start}`,
    ],
    'a part of several': [
      archive([a], { disk: 1 }),
      `${at} must be a zip archive in one file, got a part of several`,
    ],
    'a directory of 4 GB': [
      archive([a], { bytes: 2 ** 32 - 1 }),
      `${at} must have its directory before the end record at ${firstLocal + 51}, got 4294967295 bytes at ${firstLocal}`,
    ],
    'too many members': [archive([a], { count: 2 }), `${at} must have 2 members in its directory, got 1`],
    'too few members': [archive([a, b], { count: 1 }), `${at} must have a directory of 51 bytes, got 102`],
    'another signature': [
      archive([{ ...a, signature: 5 }]),
      `${at} must have 1 members in its directory, got 0`,
    ],
    'a member twice': [archive([a, a]), `${at} must name each member once, got "a.npy" again`],
    'a way out of the folder': [archive([{ ...a, name: '../a.npy' }]), plain('"../a.npy"')],
    'a way out by letters of Windows': [archive([{ ...a, name: 'C:a.npy' }]), plain('"C:a.npy"')],
    'a path from the root': [archive([{ ...a, name: '/a.npy' }]), plain('"/a.npy"')],
    'a path with backslashes': [archive([{ ...a, name: '..\\a.npy' }]), plain('"..\\\\a.npy"')],
    'a name with an end within': [archive([{ ...a, name: 'a\0.npy' }]), plain('"a\\u0000.npy"')],
    'no name': [archive([{ ...a, name: '' }]), plain('""')],
    'a member that is no array': [
      archive([{ ...a, name: 'a.txt' }]),
      `${at} must hold arrays named .npy, got "a.txt"`,
    ],
    encrypted: [archive([{ ...a, flags: 1 }]), `${at} a.npy must not be encrypted, got flags 1`],
    'packed otherwise': [
      archive([{ ...a, method: 12 }]),
      `${at} a.npy must be stored or deflated, got method 12`,
    ],
    'a stored member of two sizes': [
      archive([{ ...b, bytes: 5 }]),
      `${at} b.npy must have ${b.data.length} bytes as it is not packed, got 5`,
    ],
    'a size elsewhere that is not there': [
      archive([{ ...a, bytes: 2 ** 32 - 1 }]),
      `${at} a.npy must have sizes of 64 bits in an extra field, got none`,
    ],
    'members over each other': [
      archive([a, { ...b, at: 0 }]),
      `${at} b.npy must begin at ${firstLocal}, got 0`,
    ],
    'a gap': [
      archive([{ ...a, after: Buffer.alloc(4) }, b]),
      `${at} b.npy must begin at ${firstLocal}, got ${firstLocal + 4}`,
    ],
    'a gap before the directory': [
      archive([{ ...a, after: Buffer.alloc(4) }]),
      `${at} must have its directory at ${firstLocal}, got ${firstLocal + 4}`,
    ],
    'a member past the end': [
      archive([{ ...a, at: 2 ** 32 - 2 }]),
      `${at} a.npy must begin at 0, got 4294967294`,
    ],
    'a member into the directory': [
      archive([{ ...a, packedBytes: packedLength + 1 }]),
      `${at} a.npy must lie before the directory at ${firstLocal}, got ${firstLocal + 1}`,
    ],
    'no member where it should be': [
      archive([{ ...a, localSignature: 7 }]),
      `${at} a.npy must lie before the directory at ${firstLocal}, got ${firstLocal}`,
    ],
    'another name where it lies': [
      archive([{ ...a, localName: 'b.npy' }]),
      `${at} a.npy must be named so where it lies, got "b.npy"`,
    ],
    'packed otherwise where it lies': [
      archive([{ ...a, localMethod: 0 }]),
      `${at} a.npy must be named so where it lies, got "a.npy"`,
    ],
    'another checksum': [
      archive([{ ...a, crc: 7 }]),
      `${at} a.npy must have the checksum 7, got ${crc32(a.data)}`,
    ],
    'more bytes than said': [
      archive([{ ...a, bytes: length - 1 }]),
      `${at} a.npy must have ${length - 1} bytes unpacked, got more`,
    ],
    'fewer bytes than said': [
      archive([{ ...a, bytes: length + 1 }]),
      `${at} a.npy must have ${length + 1} bytes unpacked, got ${length}`,
    ],
    'a size of 4 GB': [
      archive([{ ...a, bytes: 2 ** 32 - 2 }]),
      `${at} must have at most ${48 * 2 ** 20 + 3 * (firstLocal + 51 + 22)} bytes unpacked, got 4294967294; give a larger maxBytes`,
    ],
    'not deflated': [
      archive([{ ...a, packed: Buffer.alloc(9, 255) }]),
      `${at} a.npy must be deflated, got invalid block type`,
    ],
    'no array within': [
      archive([{ name: 'a.npy', data: Buffer.from('hello') }]),
      `${at} a.npy must begin with 934e554d5059, got 68656c6c6f`,
    ],
  },
)
