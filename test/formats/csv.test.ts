import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeCsv } from '../../src/formats/csv.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { proveHostile } from './hostile.ts'

const folder = mkdtempSync(join(tmpdir(), 'csv-'))
const path = join(folder, 'file.csv')
afterAll(() => rmSync(folder, { recursive: true }))

const text = () => readFileSync(path, 'utf8')

test('what is written is read again, whatever the text', async () => {
  const rows = [
    { name: 'plain', value: 1.5, flag: true, none: undefined },
    { name: 'a "quoted", word', value: -0, flag: false, none: null },
    { name: 'two\nlines\r\nor three', value: Number.POSITIVE_INFINITY, flag: true, none: '' },
    { name: '\ufeffmarked', value: Number.NaN, flag: true, none: undefined },
    { name: '007', value: 2 ** 60, flag: true, none: undefined },
  ]
  await writeCsv(path, rows)
  const columnConfigs = {
    name: { dtype: 'string' },
    flag: { dtype: 'bool' },
    value: { dtype: 'float32' },
  } as const
  const read = await ls.data.csv(path, { columnConfigs }).toArray()
  expect(read).toEqual(rows.map(row => ({ ...row, flag: Number(row.flag), none: undefined })))
  expect(Object.is((read[1] as { value: number }).value, -0)).toBe(true)
  await writeCsv(path, ls.data.csv(path, { columnConfigs }) as never)
  expect(await ls.data.csv(path, { columnConfigs }).toArray()).toEqual(read)
})

test('every float32 comes back to the bit', async () => {
  const values = new Float32Array(new Uint32Array(3000).map((_, i) => Math.imul(i + 1, 0x9e3779b1)).buffer)
  const special = Float32Array.of(Number.NaN, -0, 0, 1e-45, 3.4028234e38, Number.NEGATIVE_INFINITY)
  const all = Float32Array.of(...noise(3000, 1), ...values, ...special)
  await writeCsv(path, ls.tensor(all, [all.length / 2, 2]), { columnNames: ['a', 'b'] })
  const columnConfigs = { a: { dtype: 'float32' }, b: { dtype: 'float32' } } as const
  const rows = (await ls.data.csv(path, { columnConfigs }).toArray()) as { a: number; b: number }[]
  const back = Float32Array.from(rows.flatMap(({ a, b }) => [a, b]))
  const canonical = (x: Float32Array) =>
    new Uint32Array(x.map(value => (Number.isNaN(value) ? Number.NaN : value)).buffer)
  expect(canonical(back)).toEqual(canonical(all))
})

test('columns, delimiters, no header, one empty column, pairs', async () => {
  await writeCsv(path, [{ a: 1, b: 2, c: 3 }], { columnNames: ['c', 'a'], delimiter: ';' })
  expect(text()).toBe('c;a\n3;1\n')
  await writeCsv(path, [{ a: 'x;y' }, { a: undefined }], { hasHeader: false, delimiter: ';' })
  expect(text()).toBe('"x;y"\n""\n')
  expect(await ls.data.csv(path, { hasHeader: false, delimiter: ';' }).toArray()).toEqual([
    { 0: 'x;y' },
    { 0: undefined },
  ])
  await writeCsv(path, [{ xs: { a: 1 }, ys: { b: 2 } }])
  expect(text()).toBe('a,b\n1,2\n')
  await writeCsv(path, ls.tensor([1, 2]))
  expect(text()).toBe('0\n1\n2\n')
  await writeCsv(path, [])
  expect(text()).toBe('')
})

test('long files in pieces, from a dataset', async () => {
  const count = 30_000
  function* rows() {
    for (let i = 0; i < count; i++) yield { i, text: `row ${i}` }
  }
  await writeCsv(path, ls.data.generator(rows) as never)
  expect(text().length).toBeGreaterThan(5 * 65_536)
  let i = 0
  await ls.data.csv(path).forEachAsync(row => {
    expect((row as { i: number }).i).toBe(i++)
  })
  expect(i).toBe(count)
})

test('what cannot be meant leaves the old file', async () => {
  await writeCsv(path, [{ a: 1 }])
  const wrong: [() => Promise<void>, string][] = [
    [
      () => writeCsv(path, [{ a: 1 }, { b: 2 }]),
      `RangeError: writeCsv: row 1 must have the first row's columns, got "b" too`,
    ],
    [
      () => writeCsv(path, [{ a: [1] as never }]),
      'TypeError: writeCsv: row 0, column "a" must be a number, text, true, false or nothing, got [1]',
    ],
    [() => writeCsv(path, [3 as never]), 'TypeError: writeCsv: row 0 must be an object of fields, got 3'],
    [
      () => writeCsv(path, [{ a: 1 }], { columnNames: ['a', 'a'] }),
      'RangeError: writeCsv: columnNames must be names that differ, got ["a", "a"]; correct them',
    ],
    [
      () => writeCsv(path, [{}]),
      'RangeError: writeCsv: columnNames must be names that differ, got []; correct them',
    ],
    [
      () => writeCsv(path, [], { delimiter: '"' }),
      `TypeError: writeCsv: delimiter must be one character, got "\\""; write ','`,
    ],
    [
      () => writeCsv(path, ls.zeros([2, 2, 2])),
      'RangeError: writeCsv: a tensor must have one axis or two, got [2, 2, 2]; reshape it',
    ],
    [
      () => writeCsv(path, ls.zeros([2, 2]), { columnNames: ['a'] }),
      'RangeError: writeCsv: columnNames must be 2, one a column, got 1; correct them',
    ],
    [
      () => writeCsv(path, [], { hasHeaders: true } as never),
      'TypeError: writeCsv: unknown option "hasHeaders"; did you mean "hasHeader"?',
    ],
  ]
  for (const [run, message] of wrong) expect(await caught(run)).toBe(message)
  expect(text()).toBe('a\n1\n')
  expect(readdirSync(folder)).toEqual(['file.csv'])
})

const at = 'RangeError: csv: FILE'
const text5 = 'a,b,c\n1,2,x\n3,,"y\n""z"""\n-1e3,5.5,\n'
const fields = (record: number, wanted: number, got: number) =>
  `${at} record ${record} must have ${wanted} fields, got ${got}`
const different = (name: string) =>
  `${at} must have columns of different names, got ${name}; give columnNames`
const open = (lines: number) => `${at} must close its quotes, got an open one after ${lines} lines`
const long = (lines: number) =>
  `${at} must have records of at most 1048576 characters, got more after ${lines} lines`
const million = 2 ** 20

proveHostile(
  {
    name: 'csv',
    sound: Buffer.from(text5),
    headerLength: text5.length,
    isLoose: true,
    read: file => ls.data.csv(file).toArray(),
  },
  {
    'no bytes': [Buffer.from(''), 'loaded'],
    'only a mark': [Buffer.from('\ufeff'), 'loaded'],
    'only line breaks': [Buffer.from('\n\r\n\n'), 'loaded'],
    'only names': [Buffer.from('a,b'), 'loaded'],
    'no text at all': [Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]), 'loaded'],
    'ends of texts': [Buffer.from('a,b\n\0,\0\0'), 'loaded'],
    'no line breaks but returns': [Buffer.from('a,b\r1,2\r'), 'loaded'],
    'a field too few': [Buffer.from('a,b\n1'), fields(1, 2, 1)],
    'a field too many': [Buffer.from('a,b\n1,2\n1,2,3'), fields(2, 2, 3)],
    'a comma at the end': [Buffer.from('a,b\n1,2,\n'), fields(1, 2, 3)],
    'another delimiter': [Buffer.from('a,b\n1;2'), fields(1, 2, 1)],
    'a name twice': [Buffer.from('a,a\n1,2'), different('"a"')],
    'two names that are empty': [Buffer.from(',\n1,2'), different('""')],
    'a key of prototypes': [Buffer.from('a,__proto__\n1,2'), different('"__proto__"')],
    'names of methods': [Buffer.from('constructor,toString,hasOwnProperty\n1,2,3'), 'loaded'],
    'a quote that is not closed': [Buffer.from('a,b\n1,"2\n3,4\n'), open(1)],
    'a quote in the names that is not closed': [Buffer.from('a,"b\n1,2'), open(0)],
    'a quote alone': [Buffer.from('"'), open(0)],
    'three quotes': [Buffer.from('a\n"""'), open(1)],
    'text behind a quote': [Buffer.from('a\n"x"y\n'), 'loaded'],
    'a quote within a field': [Buffer.from('a\nx"y\n'), 'loaded'],
    'a field without an end': [Buffer.concat([Buffer.from('a\n"'), Buffer.alloc(2 * million, 'x')]), long(1)],
    'a name without an end': [Buffer.alloc(2 * million, 'x'), long(0)],
    'a line of quotes': [Buffer.concat([Buffer.from('a\n'), Buffer.alloc(2 * million, '"')]), long(1)],
    'a line of commas': [Buffer.concat([Buffer.from('a\n'), Buffer.alloc(2 * million, ',')]), long(1)],
    'names of a million commas': [Buffer.alloc(2 * million, ','), long(0)],
    'a hundred thousand names': [
      Buffer.from(`${Array.from({ length: 100_000 }, (_, i) => i).join()}\n1`),
      fields(1, 100_000, 1),
    ],
    'a million line breaks': [Buffer.alloc(2 * million, '\n'), 'loaded'],
    'numbers beyond numbers': [Buffer.from('a\n1e999\n-1e999\n0x10\n1_0\n'), 'loaded'],
  },
)

test('memory does not grow with what is wrong', async () => {
  const before = process.memoryUsage().rss
  writeFileSync(path, Buffer.concat([Buffer.from('a\n"'), Buffer.alloc(64 * million, 'x')]))
  expect(await caught(() => ls.data.csv(path).toArray())).toContain('must have records of at most')
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * million + 4 * 64 * million)
})
