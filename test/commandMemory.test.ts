import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { bytes } from '../src/command/arguments.ts'
import { commandBed } from './commandBed.ts'

const { folder, run, done, refused, signalled } = commandBed('memory')
const read = (...names: string[]) => JSON.parse(readFileSync(join(folder, ...names), 'utf8'))

/** 6000 rows: a word of 40, three numbers, and what follows from them. */
beforeAll(() => {
  const lines = Array.from({ length: 6000 }, (_, i) => {
    const [a, b, c] = [(i * 37) % 101, (i * 53) % 89, (i * 71) % 97]
    return `w${i % 40},${a},${b},${c},${a + 2 * b - c + (i % 40)}`
  })
  writeFileSync(join(folder, 'sums.csv'), ['word,a,b,c,sum', ...lines].join('\n'))
})

const wide = ['--hidden', '512,512', '--batch-size', '2048', '--epochs', '3', '--workers', '1']
const train = (out: string, ...more: string[]) => [
  'train',
  'sums.csv',
  '--target',
  'sum',
  ...wide,
  '--out',
  out,
  ...more,
]

test.each([
  ['2GB', 2e9],
  ['512MiB', 512 * 2 ** 20],
  ['1.5 kB', 1500],
  ['300000', 300_000],
  ['7B', 7],
  ['2gib', 2 ** 31],
])('%s is %d bytes', (text, count) => expect(bytes(text)).toBe(count))

test('what is no size is refused', () => {
  for (const size of ['2 gigabytes', '-1', 'GB', '0'])
    expect(refused(2, ...train('no', `--max-memory=${size}`))).toMatch('It must be bytes, as 2GB')
})

test('a mini-batch that does not fit is taken in leaves, and the configuration repeats it', {
  timeout: 60_000,
}, () => {
  const limit = ['--max-memory', '24MiB']
  const { status, stdout, stderr } = run(...train('small', ...limit, '--json'))
  expect(stderr).toMatch(
    /warning: mini-batches of 2048 do not fit into maxMemory at once: each is taken in \d+ leaves, one after the other/,
  )
  expect(status).toBe(0)
  const small = JSON.parse(stdout)
  const { leaves } = read('small', 'configuration.json')
  expect(leaves).toBeGreaterThan(1)
  expect(small.network.leaves).toBe(leaves)
  expect(JSON.parse(done('report', 'small', '--json')).commands[0]).toMatch(` --leaves ${leaves}`)
  // With all the memory there is, the same leaves give the same bits; other leaves others.
  const again = ['train', '--config', 'small/configuration.json', '--workers', '2', '--json', '--out']
  expect(JSON.parse(done(...again, 'again')).scores).toEqual(small.scores)
  expect(JSON.parse(done(...again, 'one', '--leaves', '1')).scores).not.toEqual(small.scores)
  expect(JSON.parse(done(...train('large', '--json', '--max-memory', '1GB'))).network.leaves).toBe(1)
})

/** 150,000 rows: some 38 MB as columns and encoded. */
function writeLarge(): void {
  const lines = Array.from({ length: 150_000 }, (_, i) => {
    const [a, b] = [(i * 7919) % 10_007, (i * 6007) % 9973]
    return `w${(i * 31) % 41},${i % 97 === 0 ? '' : a},${b},${i},${a > b ? 'more' : 'less'}`
  })
  writeFileSync(join(folder, 'large.csv'), ['word,a,b,row,which', ...lines].join('\n'))
}

test('rows that do not fit are trained on from a file, to the same bits', { timeout: 240_000 }, async () => {
  writeLarge()
  const large = ['train', 'large.csv', '--target', 'which', '--hidden', '16', '--epochs', '3', '--json']
  const limit = ['--max-memory', '40MiB', '--workers', '1']
  const disk = JSON.parse(done(...large, ...limit, '--out', 'disk'))
  expect(disk.network.disk).toBe(true)
  expect(disk.scores.model.accuracy).toBeGreaterThan(0.95)
  expect(readdirSync(join(folder, 'disk'))).not.toContain('rows.scratch')
  const again = ['train', '--config', 'disk/configuration.json', '--json']
  const two = JSON.parse(done(...again, '--workers', '2', '--out', 'two'))
  expect(two.scores).toEqual(disk.scores)
  expect(read('two', 'metrics.json').history).toEqual(read('disk', 'metrics.json').history)
  // In memory the encodings are the same, and the order of the rows is another one.
  const memory = JSON.parse(done(...large, '--workers', '1', '--out', 'whole'))
  const encodings = (out: string) => read(out, 'preprocessing.json').columns
  expect(encodings('whole')).toEqual(encodings('disk'))
  expect(memory.rows).toEqual(disk.rows)
  expect(memory.network).not.toHaveProperty('disk')
  expect(memory.scores.model.rows).toBe(disk.scores.model.rows)
  expect(JSON.parse(done('evaluate', 'disk', 'large.csv', '--json')).accuracy).toBeGreaterThan(0.95)
  const { importance, worst, data } = JSON.parse(done('report', 'disk', '--json'))
  expect(importance.columns).toHaveLength(4)
  expect(worst.names.slice(4).sort()).toEqual(['a', 'b', 'row', 'word'])
  expect(data).toEqual(JSON.parse(done('report', 'whole', '--json')).data)

  // Stopped in the middle and resumed, the file is written anew.
  const stopped = [...again, '--out', 'stopped', '--workers', '1']
  const { code } = await signalled(/epoch 1\/3/, ['SIGTERM'], ...stopped)
  expect(code).toBe(143)
  expect(readdirSync(join(folder, 'stopped'))).not.toContain('rows.scratch')
  writeFileSync(join(folder, 'stopped/rows.scratch'), 'left behind')
  const resumed = JSON.parse(done('train', '--resume', '--out', 'stopped', '--json'))
  expect(resumed.scores).toEqual(disk.scores)
  expect(readdirSync(join(folder, 'stopped'))).not.toContain('rows.scratch')
})

test('the report of rows on the disk tells of every type of column, and names the fields of rows', {
  timeout: 60_000,
}, () => {
  const fieldsOf = (i: number) => [
    i % 13 === 0 ? 'NA' : `${i % 7}.5`,
    `${i}`,
    `c${i % 40}`,
    i % 3 === 0 ? 'true' : 'false',
    `2024-0${1 + (i % 9)}-1${i % 10}`,
    `word ${i % 5} of ${i % 11}`,
    'low,high'.split(',')[(i * 7) % 2]!,
  ]
  const lines = Array.from({ length: 3000 }, (_, i) => fieldsOf(i).join())
  writeFileSync(join(folder, 'types.csv'), ['half,row,word,yes,day,text,which', ...lines].join('\n'))
  const types = ['train', 'types.csv', '--target', 'which', '--epochs', '1', '--hidden', '4', '--no-refit']
  done(...types, '--types', 'text=text', '--out', 'types.memory')
  done(...types, '--types', 'text=text', '--disk', '--out', 'types.disk')
  const [memory, disk] = ['types.memory', 'types.disk'].map(out => JSON.parse(done('report', out, '--json')))
  expect(disk.data).toEqual(memory.data)
  const counted = disk.data.columns.filter(({ counts }: { counts: number[] }) => counts.length > 0)
  expect(counted.map(({ type }: { type: string }) => type)).toEqual([
    ...['number', 'number', 'category', 'boolean', 'date', 'text', 'category'],
  ])
  const { names, rows } = disk.worst
  expect(names).toEqual(expect.arrayContaining(['half', 'row', 'word', 'day', 'text']))
  for (const row of rows as string[][]) {
    const of = (name: string) => row[names.indexOf(name)]
    const [half, , word, , day] = fieldsOf(Number(of('line')) - 2)
    expect([of('half'), of('word'), of('day')]).toEqual([half === 'NA' ? '' : half, word, day])
  }
})

test('rows on the disk are not trained on twice', () => {
  expect(refused(1, ...train('no', '--disk', '--refit'))).toMatch(
    'refit must not be given for rows that are trained on from the disk, got true; leave it out',
  )
})

test('what does not fit in any way is refused with the sum of its parts', { timeout: 60_000 }, () => {
  expect(refused(1, ...train('no', '--max-memory', '1MB'))).toMatch(
    /train: data must leave room in the 0\.954 MiB of maxMemory, got [\d.]+ MiB: 0\.\d+ columns \+ 1\.\d encoded rows; give/,
  )
  expect(refused(1, ...train('no', '--max-memory', '6MB'))).toMatch(
    /data and training must fit into the 5\.7 MiB of maxMemory, got .* columns \+ .* of data, and fit: training must fit .* weights/,
  )
  for (const command of ['lr', 'learning-curve', 'tune'])
    expect(refused(1, command, 'sums.csv', '--target', 'sum', '--max-memory', '1MB')).toMatch(
      /data must leave room|training must fit/,
    )
})
