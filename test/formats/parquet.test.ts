import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { parquet, writeParquet } from '../../src/formats/parquet.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { proveHostile } from './hostile.ts'
import { dictionary, page, parquetFile, struct } from './parquetFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-'))
const path = join(folder, 'file.parquet')
afterAll(() => rmSync(folder, { recursive: true }))

const count = 1000
const every = <T>(make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const floats = noise(count, 1)
const columnData = [
  { name: 'float', data: floats, type: 'FLOAT' },
  { name: 'double', data: every(i => i / 7), type: 'DOUBLE' },
  { name: 'int', data: every(i => i * 3 - 500), type: 'INT32' },
  { name: 'long', data: every(i => BigInt(i) * 10_000_000_000n), type: 'INT64' },
  { name: 'flag', data: every(i => i % 3 === 0), type: 'BOOLEAN' },
  { name: 'word', data: every(i => ['red', 'green', 'größer'][i % 3]!), type: 'STRING' },
  { name: 'text', data: every(i => `row ${i}`), type: 'STRING' },
  { name: 'gap', data: every(i => (i % 4 === 1 ? undefined : i / 4)), type: 'DOUBLE', nullable: true },
  {
    name: 'gapWord',
    data: every(i => (i % 5 === 1 ? undefined : `w${i % 7}`)),
    type: 'STRING',
    nullable: true,
  },
  { name: 'none', data: every(() => undefined), type: 'INT32', nullable: true },
  { name: 'same', data: every(() => 5), type: 'INT32' },
] as const

/** A row as `parquet` gives it. */
const row = (i: number) => ({
  float: floats[i],
  double: i / 7,
  int: i * 3 - 500,
  long: i * 10_000_000_000,
  flag: Number(i % 3 === 0),
  word: ['red', 'green', 'größer'][i % 3],
  text: `row ${i}`,
  gap: i % 4 === 1 ? undefined : i / 4,
  gapWord: i % 5 === 1 ? undefined : `w${i % 7}`,
  none: undefined,
  same: 5,
})

type Pack = (bytes: Uint8Array) => Uint8Array
const packers: Record<string, Pack | undefined> = {
  UNCOMPRESSED: undefined,
  SNAPPY: undefined,
  GZIP: zlib.gzipSync,
  BROTLI: zlib.brotliCompressSync,
  ZSTD: (zlib as { zstdCompressSync?: Pack }).zstdCompressSync,
}

test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const)(
  'a file packed by %s, in row groups',
  async codec => {
    if (codec === 'ZSTD' && !packers.ZSTD) return
    const compressors = packers[codec] && { [codec]: packers[codec] }
    const options = {
      columnData: columnData as never,
      codec,
      rowGroupSize: 300,
      ...(compressors && { compressors }),
    }
    writeFileSync(path, Buffer.from(parquetWriteBuffer(options)))
    const rows = await parquet(path).toArray()
    expect(rows).toEqual(every(row))
  },
)

test('as hyparquet reads it: dates, times, decimals, unsigned and half numbers, bytes', async () => {
  const dates = [0, 1, 2].map(i => new Date(1_600_000_000_000 + i * 86_400_000))
  const columns = [
    { name: 'time', data: dates, type: 'TIMESTAMP' },
    { name: 'half', data: [0.5, -2, 65504], type: 'FLOAT16' },
    { name: 'bytes', data: [1, 2, 3].map(i => Uint8Array.of(i, 0, 255)), type: 'BYTE_ARRAY' },
  ] as const
  const buffer = parquetWriteBuffer({ columnData: columns as never })
  writeFileSync(path, Buffer.from(buffer))
  const rows = await parquet(path).toArray()
  expect(rows).toEqual(
    [0, 1, 2].map(i => ({
      time: dates[i]!.getTime(),
      half: [0.5, -2, 65504][i],
      bytes: Uint8Array.of(i + 1, 0, 255),
    })),
  )
  const theirs = await parquetReadObjects({ file: buffer, utf8: false })
  expect(theirs.map(({ half }) => half)).toEqual([0.5, -2, 65504])
})

/** A file by hand with one column, of which the rows are given. */
async function read(file: Buffer): Promise<unknown[]> {
  writeFileSync(path, file)
  return (await parquet(path).toArray()).map(fields => (fields as { x: unknown }).x)
}
const of = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer)

test('meanings of integers and bytes', async () => {
  expect(await read(parquetFile())).toEqual([1, 2, 3])
  const days = await read(parquetFile({ element: [[6, 'i32', 6]] }))
  expect(days).toEqual([1, 2, 3].map(day => day * 86_400_000))
  expect(await read(parquetFile({ body: of(-1, 0, 1), element: [[6, 'i32', 13]] }))).toEqual([
    2 ** 32 - 1,
    0,
    1,
  ])
  expect(
    await read(
      parquetFile({
        element: [
          [6, 'i32', 5],
          [7, 'i32', 1],
        ],
      }),
    ),
  ).toEqual([0.1, 0.2, 0.3])
  const decimal = [
    [
      10,
      'struct',
      [
        [
          5,
          'struct',
          [
            [1, 'i32', 2],
            [2, 'i32', 9],
          ],
        ],
      ],
    ],
  ] as never
  expect(await read(parquetFile({ element: decimal }))).toEqual([0.01, 0.02, 0.03])
  // INT96: nanoseconds of the day, and days of the Julian calendar.
  const instant = Buffer.alloc(12)
  instant.writeBigUInt64LE(1_500_000n)
  instant.writeUInt32LE(2_440_589, 8)
  const instants = {
    element: [[1, 'i32', 3]],
    meta: [[1, 'i32', 3]],
    body: Buffer.concat([instant, instant, instant]),
  } as never
  expect(await read(parquetFile(instants))).toEqual(Array(3).fill(86_400_001.5))
  // A decimal in bytes, the highest first.
  const fixed = {
    element: [
      [1, 'i32', 7],
      [2, 'i32', 3],
      [6, 'i32', 5],
      [7, 'i32', 1],
    ],
    meta: [[1, 'i32', 7]],
  } as const
  expect(await read(parquetFile({ ...fixed, body: Buffer.from('00000fffff9c7fffff', 'hex') }))).toEqual([
    1.5, -10, 838860.7,
  ])
  const times = {
    element: [
      [1, 'i32', 2],
      [6, 'i32', 10],
    ],
    meta: [[1, 'i32', 2]],
  } as const
  expect(
    await read(parquetFile({ ...times, body: Buffer.from(BigInt64Array.of(1500n, -1n, 0n).buffer) })),
  ).toEqual([1.5, -0.001, 0])
})

test('dictionaries, runs, split bytes, checksums', async () => {
  const encoding = (code: number) => [[2, 'i32', code]] as const
  // Two bits an index: a run of two, then a group of eight of which one counts.
  const indices = Buffer.of(1, 4, 1, 3, 0, 0)
  expect(await read(parquetFile({ before: dictionary(), body: indices, values: encoding(8) }))).toEqual([
    9, 9, 7,
  ])
  expect(await read(parquetFile({ before: dictionary(), body: Buffer.of(0), values: encoding(2) }))).toEqual([
    7, 7, 7,
  ])
  const split = Buffer.of(1, 2, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0)
  expect(await read(parquetFile({ body: split, values: encoding(9) }))).toEqual([1, 2, 259])
  const crc = zlib.crc32(of(1, 2, 3)) | 0
  expect(await read(parquetFile({ header: [[4, 'i32', crc]] }))).toEqual([1, 2, 3])
})

test('differences, of numbers, of lengths and of texts', async () => {
  const long = every(i => BigInt(i) ** 3n * (i % 2 ? -1n : 1n) * 4_000_000n)
  const columns = [
    {
      name: 'int',
      data: every(i => Math.imul(i, 0x9e3779b1)),
      type: 'INT32',
      encoding: 'DELTA_BINARY_PACKED',
    },
    { name: 'long', data: long, type: 'INT64', encoding: 'DELTA_BINARY_PACKED' },
    { name: 'same', data: every(() => 7), type: 'INT32', encoding: 'DELTA_BINARY_PACKED' },
    { name: 'text', data: every(i => `row ${i * 7}`), type: 'STRING', encoding: 'DELTA_LENGTH_BYTE_ARRAY' },
    { name: 'sorted', data: every(i => `row ${10_000 + i}`), type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' },
    { name: 'float', data: floats, type: 'FLOAT', encoding: 'BYTE_STREAM_SPLIT' },
  ]
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData: columns as never })))
  const rows = await parquet(path).toArray()
  expect(rows).toEqual(
    every(i => ({
      int: Math.imul(i, 0x9e3779b1),
      long: Number(long[i]),
      same: 7,
      text: `row ${i * 7}`,
      sorted: `row ${10_000 + i}`,
      float: floats[i],
    })),
  )
})

test('columns, targets, and what is asked for wrongly', async () => {
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData: columnData as never })))
  const [first] = await parquet(path, { columns: ['text', 'int'] })
    .take(1)
    .toArray()
  expect(Object.entries(first!)).toEqual([
    ['text', 'row 0'],
    ['int', -500],
  ])
  const [pair] = await parquet(path, { columns: ['text', 'int'], labels: ['int'] })
    .take(1)
    .toArray()
  expect(pair).toEqual({ xs: { text: 'row 0' }, ys: { int: -500 } })
  const wrong: [() => unknown, string][] = [
    [
      () => parquet(path, { columns: ['tex'] }).toArray(),
      `RangeError: parquet: ${path} must have the columns that are named, got "tex"; did you mean "text"?`,
    ],
    [
      () => parquet(path, { columns: ['int'], labels: ['text'] }).toArray(),
      `RangeError: parquet: ${path} labels must be columns that are taken, got "text"; known are int`,
    ],
    [
      () => parquet(path, { columns: [] }),
      'RangeError: parquet: columns must be a list of names that differ, got []; leave it out',
    ],
    [
      () => parquet(path, { labels: ['a', 'a'] }),
      'RangeError: parquet: labels must be a list of names that differ, got ["a", "a"]; leave it out',
    ],
    [() => parquet(3 as never), 'TypeError: parquet: path must be a text, got 3'],
    [
      () => parquet(path, { column: ['a'] } as never),
      'TypeError: parquet: unknown option "column"; did you mean "columns"?',
    ],
    [
      () => parquet(path, { maxBytes: 1000 }).toArray(),
      `RangeError: parquet: ${path} row group 0 column "float" must fit the memory allowed, got `,
    ],
  ]
  for (const [run, message] of wrong) expect(await caught(run)).toContain(message)
})

test('a model trains on it', async () => {
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData: columnData as never })))
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [2] })], seed: 1 })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const rows = parquet(path, { columns: ['float', 'same', 'double'], labels: ['double'] })
  const listed = ({ xs, ys }: { xs: object; ys: object }) => ({
    xs: Object.values(xs),
    ys: Object.values(ys),
  })
  const batches = rows.map(pair => listed(pair as never)).batch(100)
  const { history } = await model.fitDataset(batches as never, { epochs: 1 })
  expect(history.loss).toHaveLength(1)
})

const at = 'RangeError: parquet: FILE'
const column = `${at} row group 0 column "x"`
const first = `${column} page 0`
const sound = parquetFile()
const pageBytes = page().length
const end = 4 + pageBytes
const bits = [[2, 'i32', 8]] as const
/** A column whose values may be missing. */
const optional = [[3, 'i32', 1]] as const
const texts = { element: [[1, 'i32', 6]], meta: [[1, 'i32', 6]] } as const
const runs = (hex: string) => Buffer.from(hex, 'hex')

proveHostile(
  {
    name: 'parquet',
    sound: parquetFile({ before: dictionary(), body: Buffer.of(1, 4, 1, 3, 0, 0), values: bits }),
    headerLength: parquetFile({ before: dictionary(), body: Buffer.of(1, 4, 1, 3, 0, 0), values: bits })
      .length,
    read: file => parquet(file).toArray(),
  },
  {
    'no bytes': [Buffer.alloc(0), `${at} must be a Parquet file of 12 bytes or more, got 0`],
    'another magic': [
      parquetFile({ head: 'PARE' }),
      `${at} must begin and end with PAR1, got "PARE" and "PAR1"`,
    ],
    'an encrypted end': [
      parquetFile({ tail: 'PARE' }),
      `${at} must begin and end with PAR1, got "PAR1" and "PARE"`,
    ],
    'metadata of 4 GB': [
      parquetFile({ metadataLength: 2 ** 32 - 1 }),
      `${at} must have metadata of at most ${sound.length - 12} bytes, got 4294967295`,
    ],
    'metadata that is longer': [
      parquetFile({ metadata: Buffer.concat([struct([]), Buffer.alloc(3)]) }),
      `${at} metadata must have 1 bytes, got 4`,
    ],
    'metadata cut off': [
      parquetFile({ metadata: Buffer.of(0x15) }),
      `${at} metadata must have an end, got none at byte 1`,
    ],
    'structs within structs': [
      parquetFile({ metadata: Buffer.alloc(100, 0x1c) }),
      `${at} metadata must have nested at most 16 deep, got more at byte 16`,
    ],
    'a list of 2^31': [
      parquetFile({ metadata: Buffer.of(0x19, 0xfc, 255, 255, 255, 255, 7) }),
      `${at} metadata must have lengths within its 7 bytes, got 2147483647 at byte 7`,
    ],
    'a number without an end': [
      parquetFile({ metadata: Buffer.concat([Buffer.of(0x15), Buffer.alloc(20, 255)]) }),
      `${at} metadata must have numbers of at most 64 bits, got more at byte 11`,
    ],
    'a field twice': [
      parquetFile({ metadata: Buffer.of(0x15, 0, 0x05, 2, 0, 0) }),
      `${at} metadata must have fields of their own, got 1 at byte 4`,
    ],
    'no schema': [parquetFile({ file: [[2, null]] }), `${at} schema must be a list, got undefined`],
    'a child too many': [
      parquetFile({ root: [[5, 'i32', 2]] }),
      `${at} schema[0] must have its 2 children in the file, got fewer`,
    ],
    'a child too few': [
      parquetFile({ root: [[5, 'i32', 0]] }),
      `${at} schema must be one tree of 1 elements, got 2`,
    ],
    'a key of prototypes': [
      parquetFile({ element: [[4, 'text', '__proto__']] }),
      `${at} must have columns with names of their own, got "__proto__"`,
    ],
    'more rows': [
      parquetFile({ file: [[3, 'i64', 4]] }),
      `${at} must have as many rows as its groups, 3, got 4`,
    ],
    'a negative number of rows': [
      parquetFile({ group: [[3, 'i64', -1]] }),
      `${at} row group 0 rows must be a count, got -1`,
    ],
    '2^60 rows': [
      parquetFile({ group: [[3, 'i64', 2 ** 60]] }),
      `${at} row group 0 rows must be a count, got ${2 ** 60}`,
    ],
    'no columns': [parquetFile({ group: [[1, 'list', []]] }), `${at} row group 0 must have 1 columns, got 0`],
    'a column elsewhere': [
      parquetFile({ column: [[1, 'text', '/etc/passwd']] }),
      `${column} must be in this file, got "/etc/passwd"`,
    ],
    'an encrypted column': [
      parquetFile({ column: [[8, 'struct', []]] }),
      `${column} must not be encrypted, got one that is`,
    ],
    'a column without metadata': [
      parquetFile({ column: [[3, null]] }),
      `${at} row group 0 column 0 metadata must be described, got undefined`,
    ],
    'another column': [
      parquetFile({ meta: [[3, 'list', ['y']]] }),
      `${column} must be that of the schema, got "y" of type 1`,
    ],
    'another type': [
      parquetFile({ meta: [[1, 'i32', 2]] }),
      `${column} must be that of the schema, got "x" of type 2`,
    ],
    'a type of the future': [
      parquetFile({ meta: [[1, 'i32', 8]], element: [[1, 'i32', 8]] }),
      `${column} must be of a known type, got 8`,
    ],
    'fewer values than rows': [
      parquetFile({ meta: [[5, 'i64', 2]] }),
      `${column} must have a value for each of 3 rows, got 2`,
    ],
    'a column past the end': [
      parquetFile({ meta: [[9, 'i64', 2 ** 40]] }),
      `${column} must lie between bytes 4 and ${end}, got ${pageBytes} bytes at 1099511627776`,
    ],
    'a column too long': [
      parquetFile({ meta: [[7, 'i64', pageBytes + 1]] }),
      `${column} must lie between bytes 4 and ${end}, got ${pageBytes + 1} bytes at 4`,
    ],
    'a column cut off': [
      parquetFile({ meta: [[7, 'i64', pageBytes - 1]] }),
      `${first} must end by byte ${pageBytes - 1} of the column, got ${pageBytes}`,
    ],
    'packed by LZ4': [
      parquetFile({ meta: [[4, 'i32', 7]] }),
      `${first} must be packed by uncompressed, Snappy, gzip, Brotli, Zstandard, got LZ4 raw; write it anew`,
    ],
    'not packed by Snappy': [
      parquetFile({ meta: [[4, 'i32', 1]] }),
      `${first} must be 12 bytes packed by Snappy, got 1`,
    ],
    'not packed by gzip': [
      parquetFile({ meta: [[4, 'i32', 2]] }),
      `${first} must have 12 bytes unpacked, got incorrect header check`,
    ],
    'a bomb of gzip': [
      parquetFile({
        meta: [[4, 'i32', 2]],
        body: zlib.gzipSync(Buffer.alloc(2 ** 20)),
        header: [[2, 'i32', 12]],
      }),
      `${first} must have 12 bytes unpacked, got Cannot create a Buffer larger than 12 bytes`,
    ],
    'a page of 2 GB': [
      parquetFile({ header: [[2, 'i32', 2 ** 31 - 1]] }),
      `${first} must fit the memory allowed, got 2147483647 bytes more; give a larger maxBytes`,
    ],
    'a page of another size': [
      parquetFile({ header: [[2, 'i32', 11]] }),
      `${first} must have 11 bytes unpacked, got 12`,
    ],
    'a page past the end': [
      parquetFile({ header: [[3, 'i32', 13]] }),
      `${first} must end by byte ${pageBytes} of the column, got ${pageBytes + 1}`,
    ],
    'a page of a negative size': [
      parquetFile({ header: [[3, 'i32', -1]] }),
      `${first} packed size must be a count, got -1`,
    ],
    'an unknown page': [parquetFile({ header: [[1, 'i32', 4]] }), `${first} must be of a known type, got 4`],
    'a wrong checksum': [
      parquetFile({ header: [[4, 'i32', 5]] }),
      `${first} must have the checksum 5, got ${zlib.crc32(of(1, 2, 3))}`,
    ],
    'too many values in a page': [
      parquetFile({ values: [[1, 'i32', 4]] }),
      `${first} must have at most 3 values, got 4`,
    ],
    'too few values in a page': [
      parquetFile({ values: [[1, 'i32', 2]] }),
      `${column} must have 3 values in its pages, got 2`,
    ],
    'too few bytes of values': [
      parquetFile({ body: of(1, 2) }),
      `${first} must have 12 bytes of values, got 8`,
    ],
    'an unknown encoding': [
      parquetFile({ values: [[2, 'i32', 10]] }),
      `${first} must be encoded as its type can be, got encoding 10; write it anew`,
    ],
    'blocks of no numbers': [
      parquetFile({ values: [[2, 'i32', 5]], body: runs('00010302') }),
      `${first} must have blocks of some 32 numbers, got 0 in 1 parts`,
    ],
    'blocks of many parts': [
      parquetFile({ values: [[2, 'i32', 5]], body: runs('8001ffffffff0f0302') }),
      `${first} must have blocks of some 32 numbers, got 128 in 4294967295 parts`,
    ],
    'fewer differences': [
      parquetFile({ values: [[2, 'i32', 5]], body: runs('8001010202') }),
      `${first} must have 3 differences, got 2`,
    ],
    'differences cut off': [
      parquetFile({ values: [[2, 'i32', 5]], body: runs('800101030200') }),
      `${first} must have all of its differences, got only 6 bytes`,
    ],
    'differences of 200 bits': [
      parquetFile({ values: [[2, 'i32', 5]], body: runs('800101030200c8') }),
      `${first} must have differences of at most 64 bits, got 200`,
    ],
    'texts of a negative length': [
      parquetFile({ ...texts, values: [[2, 'i32', 6]], body: runs('80010103010000') }),
      `${first} must have 3 values in 7 bytes, got 0`,
    ],
    'texts with more in common than there is': [
      parquetFile({ ...texts, values: [[2, 'i32', 7]], body: runs('8001010302000080010103000000') }),
      `${first} must have at most 0 bytes in common with the value before, got 1`,
    ],
    'no dictionary': [parquetFile({ values: bits }), `${first} must come after its dictionary, got none`],
    'two dictionaries': [
      parquetFile({ before: Buffer.concat([dictionary(), dictionary()]) }),
      `${column} page 1 must not be another dictionary, got one`,
    ],
    'a dictionary of 2^31': [
      parquetFile({ before: dictionary(of(7, 9), 2 ** 31 - 1) }),
      `${first}, a dictionary, must have 8589934588 bytes of values, got 8`,
    ],
    'an index past the dictionary': [
      parquetFile({ before: dictionary(), body: Buffer.of(2, 6, 2), values: bits }),
      `${column} page 1 indices must be below 2, got 2`,
    ],
    'indices of 200 bits': [
      parquetFile({ before: dictionary(), body: Buffer.of(200, 6, 2), values: bits }),
      `${column} page 1 indices must have 0 to 32 bits, got 200`,
    ],
    'a run of 2^31': [
      parquetFile({ before: dictionary(), body: runs('01feffffff0f01'), values: bits }),
      `${column} page 1 indices must have 3 numbers, got more`,
    ],
    'empty runs': [
      parquetFile({ before: dictionary(), body: runs('010000000000'), values: bits }),
      `${column} page 1 indices must have runs of numbers, got an empty one`,
    ],
    'groups cut off': [
      parquetFile({ before: dictionary(), body: runs('0103'), values: bits }),
      `${column} page 1 indices must have 3 numbers in runs, got fewer`,
    ],
    'levels past the page': [
      parquetFile({ element: optional, body: Buffer.concat([of(2 ** 31 - 1), of(1)]) }),
      `${first} levels must lie within its 8 bytes, got 2147483647`,
    ],
    'no levels': [
      parquetFile({ element: optional, body: Buffer.of(1) }),
      `${first} must have levels, got 1 bytes`,
    ],
    'a level too high': [
      parquetFile({ element: optional, body: Buffer.concat([of(2), Buffer.of(6, 2), of(1, 2, 3)]) }),
      `${first} levels must have numbers of 1 bits, got 2`,
    ],
    'integers of 64 bits': [
      parquetFile({
        element: [[1, 'i32', 2]],
        meta: [[1, 'i32', 2]],
        body: Buffer.from(BigInt64Array.of(1n, 2n ** 60n, 3n).buffer),
      }),
      `${first} must hold integers of at most 53 bits, got 1152921504606846976`,
    ],
    'texts past the page': [
      parquetFile({ element: [[1, 'i32', 6]], meta: [[1, 'i32', 6]], body: of(0, 2 ** 31 - 1, 0) }),
      `${first} must have 3 values in 12 bytes, got 1`,
    ],
    lists: [
      parquetFile({ element: [[3, 'i32', 2]] }),
      `${at} column "x" must hold single values, got lists; name others in columns`,
    ],
  },
)

test('what writeParquet writes, parquet and hyparquet read: groups, missing values, each kind', async () => {
  const kinds = (i: number) => ({
    number: i % 7 === 2 ? undefined : i / 3,
    text: i % 5 === 1 ? null : `größe ${i % 11}`,
    flag: i % 3 === 0,
    late: i < 400 ? undefined : `late ${i}`,
    none: undefined,
  })
  const written = every(kinds)
  await writeParquet(path, written, { groupRows: 300 })
  const plain = written.map(row => ({ ...row, text: row.text ?? undefined, flag: Number(row.flag) }))
  expect(await parquet(path).toArray()).toEqual(plain)
  const { buffer } = new Uint8Array(readFileSync(path))
  const compressors = { GZIP: (packed: Uint8Array) => new Uint8Array(zlib.gunzipSync(packed)) }
  const nulls = written.map(row =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? null])),
  )
  expect(await parquetReadObjects({ file: buffer, compressors })).toEqual(nulls)
  await writeParquet(path, ls.data.array([{ a: 1, b: 2 }]).take(0), { columnNames: ['a', 'b'] })
  expect(await parquet(path).toArray()).toEqual([])
})

test.each<[string, unknown[], RegExp]>([
  ['another kind', [{ a: 1 }, { a: 'x' }], /row 1, column "a" must be a number like those before, got "x"/],
  ['another column', [{ a: 1 }, { a: 1, b: 2 }], /row 1 must have the first row's columns, got "b" too/],
  ['a list', [{ a: [1] }], /row 0, column "a" must be a number, text, true, false or nothing, got \[1\]/],
  ['no object', [3], /row 0 must be an object of fields, got 3/],
  ['no rows', [], /must be one or more, got none/],
])('writeParquet refuses %s', async (_, rows, message) => {
  await expect(writeParquet(path, rows as never)).rejects.toThrow(message)
})
