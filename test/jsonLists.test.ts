import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openTable, Warnings } from '../src/tables/index.ts'
import type { Row } from '../src/tables/source.ts'
import { caught } from './caught.ts'
import { commandBed } from './commandBed.ts'

const folder = mkdtempSync(join(tmpdir(), 'json-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function rowsOf(path: string): Promise<Row[]> {
  const rows: Row[] = []
  for await (const piece of (await openTable(path)).rows(new Warnings())) rows.push(...piece)
  return rows
}

/** Rows of a file of these contents. */
async function read(contents: string | Uint8Array, ending = 'json') {
  const path = join(folder, `rows.${ending}`)
  writeFileSync(path, contents)
  return rowsOf(path)
}

const long = 'x'.repeat(4 * 2 ** 20)

test.each<[string, string | Uint8Array, string]>([
  [
    'an object',
    ' {"a":1}',
    'line 1: must be a list of objects, [{…}, {…}], got "{"; of one object a line say that its format is jsonl',
  ],
  ['CSV', 'é,b\n1,2\n', 'line 1: must be a list of objects, [{…}, {…}], got "é"'],
  ['a byte 0', '\0', 'line 1: must be a list of objects, [{…}, {…}], got "\\u0000"'],
  ['numbers', '[\n1,\n2]', 'row 1, line 2: must be an object, got 1; a list of objects'],
  ['lists', '[{"a":1},[1,2]]', 'row 2, line 1: must be an object, got [1, 2]; a list of objects'],
  [
    'a comma too many at the end',
    '[{"a":1},\n{"a":2},\n]',
    'row 3, line 3: must be an object, got "]"; leave',
  ],
  ['a comma too many between', '[{"a":1},\n,{"a":2}]', 'row 2, line 2: must be an object, got ","; leave'],
  [
    'a comma too many at the start',
    '[,{"a":2}]',
    'row 1, line 1: must be an object, got ","; leave out a comma',
  ],
  ['no comma', '[{"a":1}\n{"a":2}]', 'row 1, line 1: must be JSON, got Unexpected non-whitespace character'],
  [
    'a list cut off',
    '[{"a":1}\n',
    'line 2: must close the list with "]", got the file\'s end; is it cut off?',
  ],
  ['a list cut off after a comma', '[{"a":1},', 'line 1: must close the list with "]", got the file\'s end'],
  ['a list cut off at its start', '[', 'line 1: must close the list with "]", got the file\'s end'],
  ['a text cut off', '[{"a":1},\n{"a":"x', 'row 2, line 2: must be JSON, got Unterminated string'],
  ['an escape cut off', '[{"a":1},\n{"a":"x\\', 'row 2, line 2: must be JSON, got Un'],
  ['an object cut off', '[{"a":1},\n{"a":', 'row 2, line 2: must be JSON, got Unexpected end of JSON'],
  ['a text after the list', '[{"a":1}]\n;', 'line 2: must end with the list, got ";" after it; leave out'],
  ['a second list', '[{"a":1}]\n[{"a":1}]', 'line 2: must end with the list, got "[" after it; leave out'],
  [
    'a bracket too many',
    '[{"a":1}},\n{"a":2}]',
    'row 1, line 1: must be JSON, got Unexpected non-whitespace',
  ],
  ['the wrong bracket', '[{"a":[1}},\n{"a":2}]', 'row 1, line 1: must be JSON, got'],
  ['what is wrong first', '[{"a":1]],{"a":2},]', 'row 1, line 1: must be JSON, got'],
  ['an open quote', '[{"a":"x},\n{"a":"y"}]', 'row 1, line 1: must be JSON, got Bad control character'],
  ['a key without quotes', '[\n{\n"a":1,\nb:2}]', 'row 1, line 2: must be JSON, got Expected double-quoted'],
  ['NaN', '[{"a":1},{"a":NaN}]', "row 2, line 1: must be JSON, got Unexpected token 'N'"],
  [
    'a nested list',
    '[{"a":1},\n{"a":[1]}]',
    'row 2, line 2, column "a": must be a number, text, true, false or',
  ],
  [
    'a nested object',
    '[{"a":1,"b":{"c":1}}]',
    'row 1, line 1, column "b": must be a number, text, true, false',
  ],
  [
    'a key twice',
    '[{"a":1,\n"b":":","\\u0061":2}]',
    'row 1, line 1 must have keys of their own, got "a" twice',
  ],
  ['a column without a name', '[{"a":1,"":2}]', 'row 1, column 2: must have a name, got none; name it'],
  [
    'a late column',
    `[${'{"a":1},\n'.repeat(1500)}{"b":2}]`,
    'row 1501, line 1501, column "b": must be a column of the first 1000 rows, got a new one; name it there',
  ],
  [
    'Latin 1',
    Buffer.from('[{"a":1},\n{"a":"caf\xe9"}]', 'latin1'),
    'row 2, line 2, character 10: must be UTF-8',
  ],
  ['a byte 0 in it', '[{"a":1},{\n"a":"\0"}]', 'row 2, line 2, character 6: must be text, got a byte 0'],
  ['UTF-16', Buffer.from('\ufeff[{"a":1}]', 'utf16le'), 'line 1, character 1: must be UTF-8, got UTF-16'],
  ['an empty file', ' \n', 'must hold a table, got no objects; give another one'],
  ['an empty list', '[ ]\n', 'must hold a table, got no objects; give another one'],
  [
    'too many columns',
    `[{${Array.from({ length: 10_001 }, (_, i) => `"c${i}":1`).join()}}]`,
    'row 1 must have at most 10000 columns, got 10001',
  ],
  [
    'more than 4 MiB',
    `[{"a":1},\n{"a":"${long}"},{"a":1}]`,
    'row 2, line 2: must have at most 4194304 bytes, got more; is a quote or a bracket not closed?',
  ],
  [
    'a quote that is never closed',
    `[{"a":1},{"a":"${long}${long}`,
    'row 2, line 1: must have at most 4194304 bytes',
  ],
])('%s is refused, by row, line and column', async (_, contents, message) => {
  const path = join(folder, 'rows.json')
  expect(await caught(() => read(contents))).toContain(`RangeError: ${path} ${message}`)
})

const rows = [
  { a: 1, b: '[{"a":1}, ]' },
  { b: '\\', a: -2.5 },
  { a: null, b: 'a "quote", \\" and 😀\n' },
  { a: 0, b: '}{][,:\ufeff' },
  { b: '' },
]
const fieldsOf = (found: readonly Row[]) => found.map(({ fields }) => fields)

test('rows are those of JSON lines, however the list is written', async () => {
  const lines = await read(rows.map(row => JSON.stringify(row)).join('\n'), 'jsonl')
  const written = [
    JSON.stringify(rows),
    JSON.stringify(rows, null, 2),
    `\ufeff\r\n [ ${rows.map(row => JSON.stringify(row)).join(' ,\r\n\t')}\r\n]\r\n`,
  ]
  for (const contents of written) {
    const found = await read(contents)
    expect(fieldsOf(found)).toEqual(fieldsOf(lines))
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5])
  }
})

test('rows may lie anywhere across what is read at once', async () => {
  const list = JSON.stringify(rows)
  for (let shift = 0; shift < list.length; shift++) {
    const space = ' '.repeat(2 ** 20 - shift)
    expect(fieldsOf(await read(`${space}${list}`)), `${shift}`).toEqual(
      rows.map(({ a, b }) => [a ?? undefined, b]),
    )
  }
})

test('a list of 100 MB in one line takes little memory', () => {
  const path = join(folder, 'large.json')
  const file = openSync(path, 'w')
  const some = Array.from({ length: 10_000 }, (_, i) => `{"a":${i},"b":"word ${i % 7} of several"}`).join()
  let bytes = writeSync(file, `[${some}`)
  let count = 10_000
  for (; bytes < 100e6; count += 10_000) bytes += writeSync(file, `,${some}`)
  writeSync(file, ']')
  closeSync(file)
  const tables = new URL('../dist/tables/index.js', import.meta.url)
  const program = `
    import { openTable, profile, Warnings } from ${JSON.stringify(tables)}
    const [a, b] = await profile(await openTable(${JSON.stringify(path)}), new Warnings())
    console.log(JSON.stringify([a.rows, a.maximum, b.distinct, process.resourceUsage().maxRSS < 400 * 1024]))`
  const args = ['--max-old-space-size=96', '--input-type=module', '-e', program]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(JSON.parse(stdout)).toEqual([count, 9999, 7, true])
})

describe('the command', () => {
  const { done, refused, folder } = commandBed('json', true)
  const quick = ['--workers', '1']
  const list = (name: string, objects: readonly object[]) =>
    writeFileSync(join(folder, name), JSON.stringify(objects))

  test('trains on a list, evaluates and predicts lists', () => {
    const objects = Array.from({ length: 200 }, (_, i) => ({
      x: Math.sin(i),
      high: Math.sin(i) > 0 ? 'yes' : 'no',
    }))
    list('high.json', objects)
    done('train', 'high.json', '--target', 'high', '--epochs', '40', ...quick)
    expect(done('evaluate', 'high.model', 'high.json', ...quick)).toMatch(/accuracy (1|0\.9)/)
    const [head, ...predicted] = done('predict', 'high.model', 'high.json', '--keep', 'x', ...quick)
      .trim()
      .split('\n')
    expect(head).toMatch(/^x,/)
    expect(predicted).toHaveLength(200)
    expect(done('inspect', 'high.json')).toMatch(/high.json: json, 200 rows, 2 columns/)
    done(
      'tune',
      'high.json',
      '--target',
      'high',
      '--trials',
      '1',
      '--epochs',
      '2',
      '--out',
      'tuned',
      ...quick,
    )
    list('other.json', [{ y: 1 }, { x: [2] }])
    expect(refused(1, 'predict', 'high.model', 'other.json', ...quick)).toMatch(
      /other.json row 2, line 1, column "x": must be a number, text, true, false or null, got \[2\]; flatten it/,
    )
    const path = join(folder, 'high.txt')
    writeFileSync(path, readFileSync(join(folder, 'high.json')))
    expect(done('inspect', 'high.txt', '--format', 'json')).toMatch(/json, 200 rows/)
  })
})
