import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parquet, writeParquet } from '../src/formats/parquet.ts'
import { commandBed } from './commandBed.ts'

const { folder, run, signalled } = commandBed('options')

/** Trains on a file for some epochs; what it says as JSON. */
function trained(data: string, target: string, out: string, ...args: string[]) {
  const { status, stdout, stderr } = run(
    ...['train', data, '--target', target, '--out', out, '--json', '--workers', '1', ...args],
  )
  expect(stderr.match(/lockstep: .*/)?.[0]).toBeUndefined()
  expect(status).toBe(0)
  return { ...JSON.parse(stdout), said: stderr }
}

/** Twelve clinics with a level of their own, which rises with the day; one visit in ten is urgent. */
const visits = Array.from({ length: 600 }, (_, i) => {
  const clinic = i % 12
  const day = new Date(Date.UTC(2024, 0, 1 + Math.floor(i / 2))).toISOString().slice(0, 10)
  const age = 20 + ((i * 37) % 60)
  return {
    clinic: `c${clinic}`,
    day,
    age,
    zip: 10_000 + (clinic % 4),
    cost: 5 * clinic + age + i / 50,
    urgent: i % 10 === 3 || age > 77 ? 'yes' : 'no',
  }
})
const names = Object.keys(visits[0]!)
beforeAll(async () => {
  const lines = visits.map(visit => Object.values(visit).join())
  writeFileSync(join(folder, 'visits.csv'), [names.join(), ...lines].join('\n'))
  await writeParquet(join(folder, 'visits.parquet'), visits, { groupRows: 250 })
})
const few = ['--epochs', '3']

test('Parquet in and out: the same as CSV', { timeout: 150_000 }, async () => {
  const csv = trained('visits.csv', 'cost', 'csv', ...few)
  const own = trained('visits.parquet', 'cost', 'parquet', ...few)
  expect(own.scores).toEqual(csv.scores)
  const predict = (...args: string[]) => run('predict', 'parquet', ...args, '--keep', 'clinic,age')
  const lines = predict('visits.csv').stdout.trim().split('\n')
  expect(predict('visits.parquet', '--output', 'out.parquet')).toMatchObject({ status: 0, stdout: '' })
  const rows = await parquet(join(folder, 'out.parquet')).toArray()
  expect(rows.map(row => Object.values(row).join())).toEqual(lines.slice(1))
  expect(Object.keys(rows[0]!).join()).toBe(lines[0])
  expect(predict('visits.csv', '--as', 'parquet')).toMatchObject({ status: 2, stdout: '' })
  expect(predict('visits.csv', '--output', 'x.xls').stderr).toMatch('must end in .csv, .jsonl or .parquet')
})

test('--group keeps groups whole, --time tests on what is latest', { timeout: 150_000 }, () => {
  const grouped = trained('visits.csv', 'cost', 'grouped', '--group', 'clinic', ...few)
  // Twelve groups of fifty rows: two each are drawn, as 0.15 of twelve is 1.8.
  expect(grouped.rows).toEqual({ training: 400, validation: 100, test: 100, setAside: 0 })
  expect(grouped.columns.map(({ name }: { name: string }) => name)).not.toContain('clinic')
  const latest = trained('visits.csv', 'cost', 'latest', '--time', 'day', ...few)
  expect(latest.rows).toEqual({ training: 420, validation: 90, test: 90, setAside: 0 })
  const { columns } = JSON.parse(readFileSync(join(folder, 'latest', 'preprocessing.json'), 'utf8'))
  expect(columns.find(({ name }: { name: string }) => name === 'day')).toMatchObject({ trend: null })
  expect(run('train', 'visits.csv', '--target', 'cost', '--time', 'clinic', '--out', 'no').stderr).toMatch(
    'time "clinic" must be a column of dates or numbers, got category',
  )
})

test('--balance finds more of the rare class; --types says what a column is', { timeout: 150_000 }, () => {
  const options = ['--epochs', '15', '--ignore', 'day,cost,clinic', '--types', 'zip=category']
  const recall = ({ scores }: { scores: { model: { classes: { name: string; recall: number }[] } } }) =>
    scores.model.classes.find(({ name }) => name === 'yes')!.recall
  const plain = trained('visits.csv', 'urgent', 'plain', ...options)
  const balanced = trained('visits.csv', 'urgent', 'balanced', '--balance', ...options)
  expect(recall(balanced)).toBeGreaterThan(recall(plain))
  expect(balanced.columns).toEqual([
    { name: 'age', type: 'number' },
    { name: 'zip', type: 'category' },
  ])
  expect(run('train', 'visits.csv', '--target', 'cost', '--types', 'zip=word')).toMatchObject({ status: 2 })
})

test('--max-seconds ends training with the best so far', { timeout: 150_000 }, () => {
  const endless = ['--epochs', '100000', '--patience', '100000', '--max-seconds', '1']
  const { stopReason, epochs, scores } = trained('visits.csv', 'cost', 'brief', ...endless)
  expect(stopReason).toBe('maxSeconds')
  expect(epochs).toBeGreaterThan(0)
  expect(scores.model.rows).toBe(90)
  expect(readdirSync(join(folder, 'brief'))).toContain('model.json')
})

test('a second signal ends the process at once', { timeout: 150_000 }, async () => {
  const args = ['train', 'visits.csv', '--target', 'cost', '--out', 'twice', '--workers', '1']
  const long = ['--epochs', '100000', '--patience', '100000']
  // Two of one kind may arrive as one.
  const { code, said } = await signalled(/epoch \d+\/1/, ['SIGINT', 'SIGTERM'], ...args, ...long)
  expect([130, 143]).toContain(code)
  expect(said).not.toMatch('saved')
})

test('a wrong target is told before a folder in use', () => {
  const { status, stderr } = run('train', 'visits.csv', '--target', 'costs', '--out', '.')
  expect(status).toBe(1)
  expect(stderr).toMatch('target must be a column, got "costs"; did you mean "cost"?')
  expect(run('train', 'visits.csv', '--target', 'cost', '--out', '.').stderr).toMatch(
    'must be a new or empty folder',
  )
})
