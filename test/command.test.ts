import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { commandBed } from './commandBed.ts'
import { linearScore } from './linear.ts'

const { folder, run, done, signalled } = commandBed('command')
const dataOf = (name: string) => fileURLToPath(new URL(`../examples/data/${name}.csv`, import.meta.url))
const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text)
const quick = ['--workers', '1']

/** Trains on three rows in four without an empty field, and scores on the others; beside a linear model of both. */
function compare(name: string, target: string): { score: number; linear: number } {
  const [names, ...lines] = readFileSync(dataOf(name), 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(','))
  const whole = lines.filter(line => line.every(field => field !== ''))
  const [training, tested] = [whole.filter((_, i) => i % 4 !== 1), whole.filter((_, i) => i % 4 === 1)]
  write(`${name}.csv`, [names!, ...training].join('\n'))
  write(`${name}-new.csv`, [names!, ...tested].join('\n'))
  done('train', `${name}.csv`, '--target', target, '--test', '0', ...quick)
  const scores = JSON.parse(done('evaluate', `${name}.model`, `${name}-new.csv`, '--json', ...quick))
  expect(scores.rows).toBe(tested.length)
  return { score: scores.accuracy ?? scores.r2, linear: linearScore(names!, training, tested, target) }
}

test.each([
  ['breast-cancer', 'diagnosis', 0.95],
  ['wine', 'cultivar', 0.95],
  ['seattle-weather', 'weather', 0.7],
  ['auto-mpg', 'mpg', 0.75],
  ['boston', 'medv', 0.65],
] as const)(
  '%s: at least what a linear model of the same rows reaches on others',
  { timeout: 150_000 },
  (name, target, least) => {
    const { score, linear } = compare(name, target)
    expect(linear).toBeGreaterThan(least)
    expect(score).toBeGreaterThanOrEqual(linear)
  },
)

test('training writes one folder, whose configuration repeats it on other numbers of workers', {
  timeout: 150_000,
}, () => {
  const first = run('train', dataOf('auto-mpg'), '--target', 'mpg', '--out', 'mpg', '--json', ...quick)
  expect(first.stderr).toMatch('warning: rows set aside that have no "mpg": 8 (the first: line 12)\n')
  const result = JSON.parse(first.stdout)
  expect(result.rows).toEqual({ training: 278, validation: 60, test: 60, setAside: 8 })
  const weightsIn = (name: string) =>
    readdirSync(join(folder, name)).find(file => file.startsWith('weights-'))!
  expect(readdirSync(join(folder, 'mpg')).sort()).toEqual(
    [
      'checkpoints',
      'configuration.json',
      'metrics.json',
      'model.json',
      'preprocessing.json',
      'report.html',
      'report.json',
      weightsIn('mpg'),
    ].sort(),
  )
  const again = done(
    'train',
    '--config',
    'mpg/configuration.json',
    '--out',
    'again',
    '--json',
    '--workers',
    '2',
  )
  expect(JSON.parse(again).scores).toEqual(result.scores)
  expect(weightsIn('again')).toBe(weightsIn('mpg'))
})

test('evaluate and predict take what travels with the model, and match columns by name', {
  timeout: 150_000,
}, () => {
  const lines = readFileSync(dataOf('wine'), 'utf8').trim().split('\n').slice(0, 60)
  const cells = lines.map(line => line.split(','))
  // Columns the other way round, and one more.
  write(
    'turned.csv',
    `${cells
      .map((row, i) =>
        ['id', ...row]
          .reverse()
          .with(-1, i ? `n${i}` : 'id')
          .join('\t'),
      )
      .join('\n')}\n`,
  )
  const evaluated = run('evaluate', 'wine.model', 'turned.csv', '--json', ...quick)
  expect(evaluated.stderr).toBe('warning: columns that the model does not use: "id"\n')
  const scores = JSON.parse(evaluated.stdout)
  expect(scores.rows).toBe(59)
  expect(scores.accuracy).toBeGreaterThan(0.95)
  const csv = done('predict', 'wine.model', 'turned.csv', '--keep', 'id', ...quick)
    .trim()
    .split('\n')
  expect(csv[0]).toBe('id,prediction,probability class_0,probability class_1,probability class_2')
  expect(csv).toHaveLength(60)
  const hits = csv.slice(1).filter((line, i) => line.startsWith(`n${i + 1},${cells[i + 1]!.at(-1)},`))
  expect(hits.length / 59).toBeCloseTo(scores.accuracy, 10)
  const objects = cells
    .slice(1)
    .map(row => JSON.stringify(Object.fromEntries(row.map((cell, i) => [cells[0]![i], cell]))))
  write('wine.jsonl', objects.join('\n'))
  done('predict', 'wine.model', 'wine.jsonl', '--output', 'out.jsonl', ...quick)
  const first = JSON.parse(readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n')[0]!)
  expect(String(Object.values(first))).toBe(csv[1]!.split(',').slice(1).join(','))
  write('short.csv', `${cells.map(row => row.slice(1).join(',')).join('\n')}\n`)
  const short = run('predict', 'wine.model', 'short.csv')
  expect(short).toMatchObject({ status: 1, stdout: '' })
  expect(short.stderr).toMatch(
    'lockstep: short.csv: must have the column "alcohol", which the model was trained on, got none',
  )
})

test('inspect tells what tables, models and checkpoints hold', () => {
  write(
    'mixed.csv',
    'a,b,when,note,flag\n1,x,2024-01-01,,true\n2.5,y,2024-02-01,,false\nNA,x,2024-03-01,,true\n',
  )
  expect(done('inspect', 'mixed.csv')).toBe(
    [
      'mixed.csv: csv, 3 rows, 5 columns',
      'column  type      missing  distinct  values',
      'a       number          1         2  1 to 2.5',
      'b       category        0         2  x (2), y (1)',
      'when    date            0         3  2024-01-01 to 2024-03-01',
      'note    text            3         0  set aside: it is empty',
      'flag    boolean         0         2',
      '',
    ].join('\n'),
  )
  expect(done('inspect', 'wine.model')).toMatch(
    /wine.model: class of "cultivar" \(class_0, class_1, class_2\)/,
  )
  expect(JSON.parse(done('inspect', 'wine.model/checkpoints', '--json'))).toMatchObject({
    kind: 'checkpoint',
  })
})

test('the command line: help, a wrong option, a wrong column, a folder in use', () => {
  const help = run('train', '--help')
  expect(help.status).toBe(0)
  expect(help.stdout).toMatch(/Exit codes: 0 done; 1 .*; 2 the command line is/)
  const option = run('train', 'x.csv', '--targt', 'y')
  expect(option.status).toBe(2)
  expect(option.stderr).toMatch('(Did you mean --target?)')
  expect(run('trian').stderr).toMatch('(Did you mean train?)')
  expect(run('train', dataOf('wine'))).toMatchObject({ status: 2, stdout: '' })
  const column = run('train', dataOf('wine'), '--target', 'cultivars', '--out', 'new')
  expect(column.status).toBe(1)
  expect(column.stderr).toMatch('target must be a column, got "cultivars"; did you mean "cultivar"?')
  expect(run('train', dataOf('wine'), '--target', 'cultivar').stderr).toMatch('must be a new or empty folder')
  expect(run('inspect', 'nothing.csv')).toMatchObject({ status: 1 })
})

test('a signal saves, and --resume goes on to what an undisturbed training reaches', {
  timeout: 150_000,
}, async () => {
  const args = [
    'train',
    dataOf('boston'),
    '--target',
    'medv',
    '--epochs',
    '120',
    '--patience',
    '120',
    ...quick,
  ]
  const whole = JSON.parse(done(...args, '--out', 'whole', '--json'))
  const { code, said } = await signalled(/epoch \d+\/120/, ['SIGTERM'], ...args, '--out', 'halves')
  expect(code).toBe(143)
  expect(said).toMatch(/stopped, and saved; lockstep train --resume --out .*halves goes on from there\n$/)
  expect(readdirSync(join(folder, 'halves'))).toEqual(['checkpoints', 'configuration.json'])
  const resumed = JSON.parse(done('train', '--resume', '--out', 'halves', '--json', '--workers', '2'))
  expect(resumed.scores).toEqual(whole.scores)
})
