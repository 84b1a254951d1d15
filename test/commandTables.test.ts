import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { writeParquet } from '../src/formats/parquet.ts'
import { readJson } from '../src/tables/folder.ts'
import { openTable, profile, type TableOptions, Warnings } from '../src/tables/index.ts'
import { caught } from './caught.ts'

const folder = mkdtempSync(join(tmpdir(), 'tables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Profiles a file of these contents. */
async function read(name: string, contents: string | Uint8Array, options: TableOptions = {}) {
  const path = join(folder, name)
  writeFileSync(path, contents)
  const warnings = new Warnings()
  const columns = await profile(await openTable(path, options), warnings)
  return { columns, warnings: warnings.lines().map(line => line.replace(path, name)) }
}

const lines = Array.from({ length: 100 }, (_, i) => `${i / 7},${'xyz'[i % 3]}`)
const table = ['a,b', ...lines].join('\n')

test.each<[string, string | Uint8Array, RegExp]>([
  [
    'ragged.csv',
    `${table}\n1\n`,
    /ragged.csv line 102, column 2: must have 2 fields, got 1: none for column "b"/,
  ],
  [
    'long.csv',
    `${table}\n1,2,3\n`,
    /line 102, column 3: must have 2 fields, got 3: more than there are columns/,
  ],
  ['quote.csv', `a,b\n1,x\n2,"y\n3,z\n`, /line 3, character 3 \(column 2\): must have a closing quote/],
  [
    'after.csv',
    `a,b\n1,"x"y\n`,
    /line 2, character 6: must have "," or the line's end after a closing quote/,
  ],
  [
    'latin.csv',
    Buffer.from('a,b\n1,x\n2,caf\xe9\n', 'latin1'),
    /line 3, character 6: must be UTF-8, got byte 0xe9/,
  ],
  ['utf16.csv', Buffer.from('\ufeffa,b\n1,x\n', 'utf16le'), /line 1, character 1: must be UTF-8, got UTF-16/],
  ['nul.csv', 'a,b\n1,\0\n', /line 2, character 3: must be text, got a byte 0/],
  [
    'twice.csv',
    'a,b,a\n1,2,3\n',
    /line 1, column 3: must have a name of its own, got "a", which column 1 has too/,
  ],
  ['nameless.csv', 'a,,c\n1,2,3\n', /line 1, column 2: must have a name, got none/],
  ['empty.csv', '', /must hold a table, got an empty file/],
  ['blank.csv', '\n\n', /must hold a table, got an empty file/],
  ['names.csv', 'a,b\n', /must have rows after the columns' names, got none/],
  ['numbers.csv', '1,2\n3,4\n', /line 1 must hold the columns' names, got numbers/],
  [
    'wide.csv',
    Array.from({ length: 100_000 }, (_, i) => `c${i}`).join(),
    /line 1 must have at most 10000 columns, got 100000/,
  ],
  ['bad.jsonl', '{"a":1}\n{"a":\n', /bad.jsonl line 2: must be JSON/],
  ['list.jsonl', '{"a":1}\n{"a":[1]}\n', /line 2, column "a": must be a number, text, true, false or null/],
  ['ragged.tsv', 'a\tb\n1\tx\n2\n', /ragged.tsv line 3, column 2: must have 2 fields, got 1/],
  ['quote.tsv', 'a\tb\n1\t"x\n2\ty\n', /line 2, character 3 \(column 2\): must have a closing quote/],
  [
    'latin.tsv',
    Buffer.from('a\tb\n1\tcaf\xe9\n', 'latin1'),
    /line 2, character 6: must be UTF-8, got byte 0xe9/,
  ],
  ['twice.tsv', 'a\tb\ta\n1\t2\t3\n', /line 1, column 3: must have a name of its own, got "a"/],
  ['empty.tsv', '', /must hold a table, got an empty file/],
  [
    'wide.tsv',
    Array.from({ length: 100_000 }, (_, i) => `c${i}`).join('\t'),
    /line 1 must have at most 10000 columns, got 100000/,
  ],
  [
    'late.jsonl',
    `${'{"a":1}\n'.repeat(1500)}{"b":2}\n`,
    /line 1501, column "b": must be a column of the first 1000 lines/,
  ],
  [
    'quote.jsonl',
    '{"a":1}\n{"a":"x}\n{"a":2}\n',
    /quote.jsonl line 2: must be JSON, got Unterminated string/,
  ],
  [
    'latin.jsonl',
    Buffer.from('{"a":"x"}\n{"a":"caf\xe9"}\n', 'latin1'),
    /line 2, character 10: must be UTF-8/,
  ],
  ['twice.jsonl', '{"a":1}\n{"a":1,"b":":","a":2}\n', /line 2 must have keys of their own, got "a" twice/],
  ['array.jsonl', '[1,2]\n', /line 1: must be an object, got \[1, 2\]; one object a line/],
  ['empty.jsonl', '\n\n', /must hold a table, got no objects/],
  [
    'wide.jsonl',
    `{${Array.from({ length: 100_000 }, (_, i) => `"c${i}":1`).join()}}`,
    /line 1 must have at most 10000 columns, got 100000/,
  ],
  ['empty.parquet', '', /must be a Parquet file of 12 bytes or more, got 0/],
  ['text.parquet', 'a,b\n1,2\n3,4\n', /must begin and end with PAR1/],
  ['table.xls', 'a', /must be a .csv, .tsv, .jsonl, .json or .parquet file/],
])('%s is refused, by line and column', async (name, contents, message) => {
  await expect(read(name, contents)).rejects.toThrow(message)
})

test('malformed Parquet is refused by column', async () => {
  const path = join(folder, 'bad.parquet')
  const written = async (columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData']) => {
    writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED' })))
    return profile(await openTable(path), new Warnings())
  }
  const numbers = { name: 'a', data: [1, 2, 3], type: 'INT32' as const }
  await expect(written([numbers, { ...numbers, data: [4, 5, 6] }])).rejects.toThrow(
    /must have columns with names of their own, got "a"/,
  )
  await expect(written([{ name: 'a', data: [], type: 'INT32' }])).rejects.toThrow(/must hold rows, got none/)
  const bytes = { name: 'b', data: [1, 2, 3].map(i => Uint8Array.of(i)), type: 'BYTE_ARRAY' as const }
  await expect(written([numbers, bytes])).rejects.toThrow(/row 1, column "b": must be a number, text/)
  await written([{ name: 'word', data: ['xyz', 'x1z', 'x2z'], type: 'STRING' }])
  const file = readFileSync(path)
  file[file.indexOf('x1z') + 1] = 0xe9
  writeFileSync(path, file)
  await expect(profile(await openTable(path), new Warnings())).rejects.toThrow(
    /column "word" row 1 must be UTF-8, got "x\ufffdz"/,
  )
  const wide = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`c${i}`, i]))
  await writeParquet(path, [wide])
  await expect(openTable(path)).rejects.toThrow(/must have at most 10000 columns, got 10001/)
})

test.each(['csv', 'tsv', 'jsonl'])(
  'a line of a gibibyte is refused after a few megabytes: %s',
  async ending => {
    const path = join(folder, `gibibyte.${ending}`)
    writeFileSync(path, ending === 'jsonl' ? '{"a":1}\n{"a":2}\n' : 'a,b\n1,x\n')
    const file = openSync(path, 'r+')
    ftruncateSync(file, 2 ** 30)
    closeSync(file)
    const before = process.memoryUsage().rss
    const read = async () => profile(await openTable(path), new Warnings())
    await expect(read()).rejects.toThrow(/gibibyte.\w+ line 3: must have at most 4194304 bytes, got more/)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
  },
)

test('what is set aside is counted', async () => {
  const ragged = await read('aside.csv', `${table}\n1\n2,3,4\n`, { skipRagged: true })
  expect(ragged.warnings).toEqual([
    'aside.csv: rows set aside that have not 2 fields: 2 (the first: line 102)',
  ])
  const words = await read('words.csv', `${table}\nlow,x\nhigh,y\nlow,z\n`)
  expect(words.columns[0]).toMatchObject({ type: 'number', strangers: 3, rows: 103 })
  expect(words.warnings).toEqual([
    'column "a": 3 of 103 values are no number, the first "low" in line 102; they count as missing',
  ])
})

test('quotes, line ends, delimiters and types', async () => {
  const { columns } = await read('mixed.tsv', '\ufeff"a ""x"""\tb\r\n"1"\t"two\nlines"\r\n\r\n2\ttrue\r\n')
  expect(columns.map(({ name, type, rows }) => [name, type, rows])).toEqual([
    ['a "x"', 'number', 2],
    ['b', 'category', 2],
  ])
  const semicolons = await read('semicolons.csv', 'a;b\n1;2024-02-29\n2;2023-02-28T12:30:00Z\n')
  expect(semicolons.columns.map(({ type }) => type)).toEqual(['number', 'date'])
  const impossible = await read('dates.csv', 'a,b\n1,2023-02-29\n2,2023-02-30\n')
  expect(impossible.columns[1]!.type).toBe('category')
  const objects = await read('objects.jsonl', '{"a":1,"b":true}\n{"a":null}\n{"b":false,"a":"NA"}\n')
  expect(objects.columns.map(({ type, missing }) => [type, missing])).toEqual([
    ['number', 2],
    ['boolean', 1],
  ])
})

test.each([
  ['{"a":1,"a":2}', 'must have keys of their own, got "a" twice'],
  ['{"__proto__":{"a":1}}', 'must have keys of their own, got "__proto__"'],
  ['['.repeat(300), 'must be JSON nested at most 200 deep, got more'],
  ['{"a":', 'must be JSON, got Unexpected end of JSON input'],
])('what a trained model was kept with is checked: %s', async (text, message) => {
  const path = join(folder, 'preprocessing.json')
  writeFileSync(path, text)
  expect(await caught(() => readJson(path, 'train again'))).toBe(`RangeError: ${path}: ${message}`)
})
