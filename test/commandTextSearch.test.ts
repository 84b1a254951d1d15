import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Tensor } from '../src/data/tensor.ts'
import { textTrials } from '../src/tables/textTrials.ts'
import { tryPlan } from '../src/tables/trying.ts'
import { commandBed } from './commandBed.ts'

const { folder, run, done, refused } = commandBed('textSearch')
const novel = gunzipSync(
  readFileSync(fileURLToPath(new URL('../examples/data/moby-dick.txt.gz', import.meta.url))),
).toString()
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
write('novel.txt', novel.slice(30_000, 60_000))
write('brief.txt', novel.slice(30_000, 32_000))
const args = ['novel.txt', '--text', '--context', '32', '--workers', '1']
const json = (...words: string[]) => JSON.parse(done(...words, '--json'))

test('a text has a suggested rate', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = run('lr', ...args, '--updates', '60')
  expect(status).toBe(0)
  expect(stderr).toMatch(
    /^\d+ steps of 32 windows of a text of 27000 characters; 32 characters of \d+-2 blocks of 64, adamw\n/,
  )
  const { suggested } = json('lr', ...args, '--updates', '60')
  expect(stdout).toContain(`suggested: --learning-rate ${suggested.toPrecision(4)}`)
  expect(suggested).toBeGreaterThan(1e-4)
  expect(suggested).toBeLessThan(1)
})

test('more and more of a text, from its beginning, and variants of its network', {
  timeout: 120_000,
}, async () => {
  const quick = [...args, '--blocks', '1', '--width', '32', '--repeats', '1']
  const { points, task, plan } = json('learning-curve', ...quick, '--steps', '600', '--sizes', '3')
  const windows = points.map(({ rows }: { rows: number }) => rows)
  expect(windows).toEqual([843, 1686, 3371])
  expect(task).toBe('class')
  // The least text is known best.
  const [least, , all] = points.map(({ seeds }: { seeds: object[] }) => seeds[0])
  expect(least.training).toBeLessThan(all.training)
  expect(least.validation).toBeGreaterThan(all.validation)
  expect(all.validation).toBeLessThan(2.9)
  expect(all.score).toBeGreaterThan(0.2)

  const names = ['smaller', 'larger', 'dropout', 'no-stopping']
  const { variants } = json(
    'learning-curve',
    ...args,
    '--repeats',
    '1',
    '--steps',
    '50',
    '--compare',
    names.join(),
  )
  expect(variants.map(({ name }: { name: string }) => name)).toEqual(['plain', ...names, 'standard'])
  const losses = variants.map(({ seeds }: { seeds: { validation: number }[] }) => seeds[0]!.validation)
  expect(new Set(losses).size).toBe(5)

  const options = {
    data: join(folder, 'novel.txt'),
    text: true,
    context: 32,
    blocks: 1,
    width: 32,
    steps: 600,
  }
  const data = await textTrials(options)
  const part = data.ground({ ...data.parts, training: data.parts.training.slice(0, 843) })
  const [some, whole] = [part, data.ground()].map(({ training }) => [...(training.x as Tensor).dataSync()])
  expect(some).toEqual(whole!.slice(0, 843 * 32))
  expect(plan).toEqual(data.standard)
})

test('a part of a text is passed more often, so that as many steps are taken', {
  timeout: 60_000,
}, async () => {
  const data = await textTrials({
    data: join(folder, 'brief.txt'),
    text: true,
    blocks: 1,
    width: 32,
    steps: 120,
  })
  // 217 windows are seven mini-batches.
  expect(data.standard!.epochs).toBe(18)
  const part = data.ground({ ...data.parts, training: data.parts.training.slice(0, 60) })
  const { model, history } = await tryPlan(part, data.standard!, { seed: 1, workers: 1, toTheEnd: true })
  model.dispose()
  expect(history.worked.steps).toBe(120)
  expect(history.epoch).toHaveLength(60)
})

test('a search for a text is the same for any number of trials at once', { timeout: 120_000 }, () => {
  const asked = ['tune', ...args.slice(0, -1), '2', '--steps', '100', '--trials', '5', '--lag', '2']
  const one = json(...asked, '--parallel', '1', '--out', 'one')
  const two = json(...asked, '--parallel', '2', '--out', 'two')
  const known = ({ trials }: { trials: Record<string, unknown>[] }) =>
    trials.map(({ number, parameters, state, value, reports }) => ({
      number,
      parameters,
      state,
      value,
      reports,
    }))
  expect(known(two)).toEqual(known(one))
  expect(Object.keys(one.trials[0].parameters)).toEqual(['learningRate', 'dropout', 'blocks', 'width'])
  expect(one.result).toMatchObject({ kind: 'text', network: { steps: 100 } })
  // Files of weights have their hash as a name.
  const weights = (name: string) => readdirSync(join(folder, name)).filter(file => file.endsWith('.bin'))
  expect(weights('two')).toEqual(weights('one'))
})

test('what networks for text do not have is neither searched nor compared', () => {
  expect(refused(1, 'learning-curve', ...args, '--compare', 'ensemble')).toBe(
    'lockstep: learningCurve: compare must name what networks for text have, got "ensemble"; ' +
      'there are dropout, smaller, larger, no-stopping\n',
  )
  expect(refused(1, 'tune', ...args, '--search', 'noise')).toBe(
    'lockstep: tune: search must name parameters, got "noise"; known are learningRate, dropout, blocks, width\n',
  )
  expect(refused(1, 'tune', ...args, '--folds', '3')).toBe(
    'lockstep: tune: folds must be 1 for a text, got 3; leave them out\n',
  )
  write('tiny.txt', 'a text')
  expect(refused(1, 'lr', 'tiny.txt', '--text')).toMatch('tiny.txt: must have 1000 characters or more, got 6')
})
