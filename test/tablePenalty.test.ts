import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { normalNumbers } from '../src/data/random.ts'
import { loadLayersModel } from '../src/model/loading.ts'
import type { RunReport } from '../src/report/report.ts'
import { files, readJson } from '../src/tables/folder.ts'
import { foldsOf } from '../src/tables/folds.ts'
import type { TableConfiguration, TrainOptions } from '../src/tables/options.ts'
import { tableTrials } from '../src/tables/tableTrials.ts'
import { trainTable } from '../src/tables/training.ts'
import { standardPlan, tryPlan } from '../src/tables/trying.ts'

const folder = mkdtempSync(join(tmpdir(), 'penalty-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Options = TableConfiguration & TrainOptions

/** A table of 160 rows: a number, or a class, that six others tell as far as `noise` lets them. */
function tableOf(name: string, noise: number, { rows = 160, isClass = false } = {}): string {
  const draw = normalNumbers(rows)
  const lines = Array.from({ length: rows }, (_, i) => {
    const x = Array.from({ length: 6 }, () => draw())
    const y = x[0]! - x[1]! * x[2]! + noise * draw()
    const values = [...x, isClass ? (y > 0 ? 'yes' : 'no') : y]
    return [...values, `g${i % 4}`, `2020-01-01T00:${String(i % 60).padStart(2, '0')}:00Z`].join()
  })
  const path = join(folder, `${name}.csv`)
  writeFileSync(path, `a,b,c,d,e,f,y,few,day\n${lines.join('\n')}\n`)
  return path
}
const noise = tableOf('noise', 10)
const ignore = ['few', 'day']
const options = { target: 'y', seed: 3, workers: 1, epochs: 20, ignore }

let count = 0
const train = (data: string, more: Partial<Options> = {}) =>
  trainTable({ ...options, data, out: join(folder, `${++count}`), ...more })
const weightsOf = async (where: string) =>
  (await loadLayersModel(`file://${where}/model.json`)).getWeights().map(weight => [...weight.dataSync()])
const savedIn = async (where: string) =>
  (await readJson(join(where, files.configuration), '')) as Options & { l2?: number }
/** Hears whether a penalty is chosen. */
function hearing() {
  const heard: { standard: number; folds: number }[] = []
  return { heard, progress: { penalty: (about: (typeof heard)[0]) => void heard.push(about) } }
}

/** Gains of a stronger penalty over a weaker one in each fold, all of them trained with. */
async function gainsOf(data: string, weaker: number, stronger: number) {
  const asked = { ...options, data }
  const trials = await tableTrials(asked)
  const plan = { ...(await standardPlan(asked, trials)), epochs: 10 }
  const gains: number[] = []
  for (const parts of foldsOf(trials, 3, 5)) {
    const losses: number[] = []
    for (const l2 of [weaker, stronger]) {
      const trial = { seed: 3, workers: 1, toTheEnd: true }
      const tried = await tryPlan(trials.ground(parts), { ...plan, l2 }, trial)
      losses.push(tried.losses.at(-1)!)
      tried.model.dispose()
    }
    gains.push(losses[0]! - losses[1]!)
  }
  return gains
}

test.each([
  ['a number that nothing tells', 10, false],
  ['a number that is told', 0.05, false],
  ['a number between both', 1.5, false],
  ['a class that nothing tells', 10, true],
  ['a class that is told', 0, true],
] as const)(
  'the penalty that is clearly best out of fold is trained with: %s',
  async (name, much, isClass) => {
    const data = tableOf(name.replaceAll(' ', '-'), much, { isClass })
    const { folder: where, penalty } = await train(data, { refit: false })
    const grid = [0.013, 0.13, 0.43]
    let best = 0
    for (const [i, stronger] of grid.slice(1).entries()) {
      const gains = await gainsOf(data, grid[i]!, stronger)
      const mean = gains.reduce((sum, gain) => sum + gain, 0) / 5
      const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / 4
      if (mean <= Math.sqrt(variance / 5)) break
      best = i + 1
    }
    expect(penalty).toEqual({ l2: grid[best], tried: grid.slice(0, Math.min(best + 2, 3)), folds: 5 })
    expect((await savedIn(where)).l2).toBe(grid[best])
    // Nothing to be learned: the strongest; all to be learned: the standard one.
    if (much !== 1.5) expect(best > 0).toBe(much === 10)
  },
)

test('the same for any number of workers, and repeated by the configuration without choosing again', async () => {
  const { folder: where, penalty, seconds } = await train(noise)
  expect(penalty!.l2).toBe(0.43)
  expect(await readJson(join(where, files.metrics), '')).toMatchObject({ penalty })
  expect(seconds.choosing).toBeGreaterThan(0)
  const { facts } = (await readJson(join(where, files.report), '')) as RunReport
  expect(facts).toContainEqual({ name: 'L2 penalty', value: '0.43', note: 'of 0.013, 0.13, 0.43 by 5 folds' })
  const other = await train(noise, { workers: 2 })
  expect(other.penalty).toEqual(penalty)
  expect(await weightsOf(other.folder)).toEqual(await weightsOf(where))
  const { heard, progress } = hearing()
  const again = await train(noise, { ...(await savedIn(where)), progress })
  expect(heard).toEqual([])
  expect(again.penalty).toBeUndefined()
  expect(await weightsOf(again.folder)).toEqual(await weightsOf(where))
})

test('interrupted while it chooses, or later, it goes on to the same bits', async () => {
  const { folder: whole } = await train(noise)
  for (const moment of ['penalty', 'begin'] as const) {
    const control = new AbortController()
    const progress = { [moment]: () => setTimeout(() => control.abort(), 5) }
    const out = join(folder, moment)
    const first = await train(noise, { out, signal: control.signal, progress })
    expect(first).toMatchObject({ interrupted: true, task: 'regression', stopReason: 'aborted' })
    expect((await savedIn(out)).l2).toBe(moment === 'penalty' ? undefined : 0.43)
    const { heard, progress: later } = hearing()
    const second = await train(noise, { out, resume: true, workers: 2, progress: later })
    expect(second.interrupted).toBe(false)
    expect(heard).toHaveLength(moment === 'penalty' ? 1 : 0)
    expect(await weightsOf(out)).toEqual(await weightsOf(whole))
  }
})

test('without time or memory for it, the penalty is the standard one, with a warning', async () => {
  const brief = await train(noise, { maxSeconds: 0.02, epochs: 10_000 })
  const warning = 'the l2 penalty is the standard one, not chosen by the data: '
  expect(brief.warnings).toContain(`${warning}there is no time left`)
  expect(brief.penalty).toBeUndefined()
  expect((await savedIn(brief.folder)).l2).toBe(0.013)
  const long = await train(noise, { maxSeconds: 1000 })
  expect(long.penalty!.l2).toBe(0.43)
  // What is too little for choosing beside the parts may be enough for training.
  const wide = join(folder, 'wide.csv')
  const draw = normalNumbers(1)
  const line = () => Array.from({ length: 300 }, () => draw().toFixed(3)).join()
  const names = Array.from({ length: 300 }, (_, i) => `x${i}`)
  writeFileSync(wide, `${names.join()}\n${Array.from({ length: 300 }, line).join('\n')}\n`)
  const found: (string | undefined)[] = []
  for (let maxMemory = 2 ** 21; found.at(-1) !== ''; maxMemory += 2 ** 18) {
    const narrow = { target: 'x0', maxMemory, epochs: 2, ignore: [], refit: false }
    const done = await train(wide, narrow).catch(error => void expect(error).toBeInstanceOf(RangeError))
    if (done) found.push(done.penalty ? '' : done.warnings.find(line => line.startsWith(warning)))
  }
  expect(found.length).toBeGreaterThan(1)
  for (const line of found.slice(0, -1)) expect(line).toMatch(/ MiB /)
})

test('a loss that is infinite in a fold does not end the training: what ends it is its own', async () => {
  const wild = { optimizer: 'momentum', schedule: 'constant', learningRate: 0.6 } as const
  const message = async (more: object) => {
    const said = await train(noise, { ...wild, ...more }).then(String, error => error.message)
    return said.replace(/_Dense\d+/, '')
  }
  const own = await message({ l2: 0.013 })
  expect(own).toMatch('became NaN or infinite')
  expect(await message({})).toBe(own)
})

test('it is not chosen where it is given, for few rows or groups, by time, and from the disk', async () => {
  const { heard, progress } = hearing()
  const given: Partial<Options>[] = [{ l2: 0.1 }, { group: 'few', ignore: [] }, { time: 'day', ignore: [] }]
  for (const more of [...given, { disk: true }]) await train(noise, { ...more, progress, epochs: 2 })
  await train(tableOf('few', 1, { rows: 110 }), { progress, epochs: 2 })
  expect(heard).toEqual([])
  await train(noise, { group: 'day', ignore: [], progress, epochs: 2 })
  expect(heard).toEqual([{ standard: 0.014, folds: 5 }])
})

test('groups stay in one fold, and each row but those of the test is validated with once', async () => {
  const asked = { ...options, data: noise, group: 'day', ignore: ['few'] }
  const trials = await tableTrials(asked)
  const split = foldsOf(trials, 3, 5)
  const sorted = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b)
  const { training: all, validation: some } = trials.parts
  expect(sorted(split.flatMap(({ validation }) => [...validation]))).toEqual(sorted([...all, ...some]))
  for (const { training, validation } of split) {
    const groups = new Set(Array.from(training, row => trials.groupAt!(row)))
    expect([...validation].filter(row => groups.has(trials.groupAt!(row)))).toEqual([])
  }
})
