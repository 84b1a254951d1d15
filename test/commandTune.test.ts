import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readStudy } from '../src/tune/tune.ts'
import { commandBed } from './commandBed.ts'
import { hashOf } from './tune/killing.ts'

const { folder, run: command, program } = commandBed('tune')

const dataOf = (name: string) => fileURLToPath(new URL(`../examples/data/${name}.csv`, import.meta.url))

const run = (...args: string[]) => command('tune', ...args)

const wine = [dataOf('wine'), '--target', 'cultivar', '--epochs', '9']
const studyHash = async (name: string) => hashOf(await readStudy(join(folder, name)))

test('a search writes a study and the best model, whose configuration repeats it', {
  timeout: 60_000,
}, async () => {
  const found = run(...wine, '--trials', '12', '--parallel', '2', '--out', 'two', '--json')
  expect(found.stderr).toMatch(/^loss without a search \d\.\d+; 2 trials at a time\ntrial [01] /)
  expect(found.status).toBe(0)
  const { trials, best, standard, plan, result, importance } = JSON.parse(found.stdout)
  expect(trials).toHaveLength(12)
  expect(trials.some((trial: { state: string }) => trial.state === 'pruned')).toBe(true)
  expect(best.value).toBeLessThan(standard)
  expect(plan).toMatchObject({ learningRate: best.parameters.learningRate, epochs: 9, l2: 0 })
  expect(importance).toHaveLength(9)
  expect(readdirSync(folder).sort()).toEqual(['two', 'two.study.jsonl'])
  const again = spawnSync(
    process.execPath,
    [program(), 'train', '--config', 'two/configuration.json', '--out', 'again', '--json', '--workers', '1'],
    { cwd: folder, encoding: 'utf8' },
  )
  expect(JSON.parse(again.stdout).scores).toEqual(result.scores)

  // One at a time, on other workers, and killed on the way.
  const args = [...wine, '--trials', '12', '--parallel', '1', '--workers', '2', '--out', 'one']
  const child = spawn(process.execPath, [program(), 'tune', ...args], { cwd: folder })
  expect(await killedAfter(child, 4)).toBe('SIGKILL')
  expect((await readStudy(join(folder, 'one.study.jsonl'))).trials.length).toBeLessThan(12)
  const whole = run(...args)
  expect(whole.status).toBe(0)
  expect(await studyHash('one.study.jsonl')).toBe(await studyHash('two.study.jsonl'))
  const text = whole.stdout.replace(/\d[\d.e-]*/g, '0')
  expect(text).toMatch(
    /^0 trials: 0 complete, 0 pruned, 0 failed\ntrial +state +value +epoch +seconds +learningRate/,
  )
  expect(text).toMatch(/parameter +importance\n/)
  expect(text).toMatch(
    /best trial 0: loss 0; without a search 0\nstudy: .*one\.study\.jsonl\nclass of "cultivar"/,
  )
})

/** Kills a child once it has told of so many trials. */
function killedAfter(child: ChildProcess, trials: number): Promise<NodeJS.Signals | null> {
  return new Promise(resolve => {
    let said = ''
    child.stderr!.on('data', text => {
      said += text
      if (said.split(/^trial /m).length > trials) child.kill('SIGKILL')
    })
    child.on('close', (_, signal) => resolve(signal))
  })
}

test('what is searched, folds, and a time that is over', { timeout: 60_000 }, () => {
  const grid = run(
    ...[dataOf('auto-mpg'), '--target', 'mpg', '--epochs', '3', '--sampler', 'grid', '--folds', '2'],
    ...['--search', 'optimizer,depth', '--out', 'grid', '--json'],
  )
  expect(grid.status).toBe(0)
  const { trials } = JSON.parse(grid.stdout)
  expect(trials).toHaveLength(10)
  expect(Object.keys(trials[0].parameters)).toEqual(['optimizer', 'depth'])
  expect(trials[0].reports.map(([fold]: [number]) => fold)).toEqual([1, 2])

  const late = run(...wine, '--max-seconds', '0.001', '--out', 'late', '--parallel', '1')
  expect(late.stdout).toMatch(/^0 trials: .*\n(.*\n)*no trial is better than what is chosen without a search/)
  expect(late.status).toBe(0)
})

test('wrong options are refused before anything is read or written', () => {
  const before = readdirSync(folder)
  expect(run(...wine, '--search', 'learning-rat').stderr).toMatch('did you mean "learningRate"?')
  expect(run(...wine, '--search', 'dropout', '--dropout', '0').stderr).toMatch(
    'tune: dropout must be given or searched, got both',
  )
  expect(run(...wine, '--sampler', 'tpee').stderr).toMatch('did you mean "tpe"?')
  expect(run(...wine, '--trails', '3')).toMatchObject({ status: 2, stdout: '' })
  expect(run(...wine, '--parallel', '9', '--lag', '8').stderr).toMatch(
    'parallel must be at most lag (8), got 9',
  )
  expect(readdirSync(folder)).toEqual(before)
  writeFileSync(join(folder, 'wine.csv'), readFileSync(dataOf('wine'), 'utf8').replace('14.23', '14.24'))
  const other = run(
    'wine.csv',
    ...wine.slice(1),
    '--trials',
    '12',
    '--study',
    'two.study.jsonl',
    '--out',
    'other',
  )
  expect(other.stderr).toMatch(/tune: about must be that of the study in .*two\.study\.jsonl/)
  expect(other.status).toBe(1)
})
