import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { normalNumbers } from '../src/data/random.ts'
import type { Tensor } from '../src/data/tensor.ts'
import { loadLayersModel } from '../src/model/loading.ts'
import type { RunReport } from '../src/report/report.ts'
import { files, readJson } from '../src/tables/folder.ts'
import { foldsOf } from '../src/tables/folds.ts'
import type { Plan } from '../src/tables/networks.ts'
import type { TableConfiguration, TrainOptions } from '../src/tables/options.ts'
import type { Candidate } from '../src/tables/selection.ts'
import { tableTrials } from '../src/tables/tableTrials.ts'
import { trainTable } from '../src/tables/training.ts'
import { standardPlan, tryPlan } from '../src/tables/trying.ts'

const folder = mkdtempSync(join(tmpdir(), 'selection-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Options = TableConfiguration & TrainOptions

/** A table of 160 rows: a number, or a class, that six others tell as far as `noise` lets them; straight without `curve`. */
function tableOf(name: string, noise: number, { rows = 160, isClass = false, curve = 1 } = {}): string {
  const draw = normalNumbers(rows)
  const lines = Array.from({ length: rows }, (_, i) => {
    const x = Array.from({ length: 6 }, () => draw())
    const y = x[0]! - curve * x[1]! * x[2]! + noise * draw()
    const values = [...x, isClass ? (y > 0 ? 'yes' : 'no') : y]
    return [...values, `g${i % 4}`, `2020-01-01T00:${String(i % 60).padStart(2, '0')}:00Z`].join()
  })
  const path = join(folder, `${name}.csv`)
  writeFileSync(path, `a,b,c,d,e,f,y,few,day\n${lines.join('\n')}\n`)
  return path
}
const noise = tableOf('noise', 10)
const ignore = ['few', 'day']
const hidden = [128, 64]
/** Sizes and epochs are open. */
const open = { target: 'y', seed: 3, workers: 1, ignore }
const options = { ...open, epochs: 20, hidden }

let count = 0
const train = (data: string, more: Partial<Options> = {}) =>
  trainTable({ ...options, data, out: join(folder, `${++count}`), ...more })
const trainOpen = (data: string, more: Partial<Options> = {}) =>
  trainTable({ ...open, data, out: join(folder, `${++count}`), ...more })
const weightsOf = async (where: string) =>
  (await loadLayersModel(`file://${where}/model.json`)).getWeights().map(weight => [...weight.dataSync()])
const savedIn = async (where: string) =>
  (await readJson(join(where, files.configuration), '')) as Options & { l2?: number }
/** Hears whether a network is chosen. */
function hearing() {
  const heard: { standard: Candidate; folds: number }[] = []
  return { heard, progress: { choosing: (about: (typeof heard)[0]) => void heard.push(about) } }
}

/** Mean and standard error of the gains over the folds of one plan over another, each of them trained with. */
async function gainOf(data: string, plans: readonly Partial<Plan>[]) {
  const asked = { ...options, data }
  const trials = await tableTrials(asked)
  const standard = { ...(await standardPlan(asked, trials)), epochs: 10 }
  const gains: number[] = []
  for (const parts of foldsOf(trials, 3, 5)) {
    const losses: number[] = []
    for (const plan of plans) {
      const trial = { seed: 3, workers: 1, toTheEnd: true }
      const tried = await tryPlan(trials.ground(parts), { ...standard, ...plan }, trial)
      losses.push(tried.losses.at(-1)!)
      tried.model.dispose()
    }
    gains.push(losses[0]! - losses[1]!)
  }
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / 5
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / 4
  return { mean, error: Math.sqrt(variance / 5) }
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
    const { folder: where, choice } = await train(data, { refit: false })
    const grid = [0.013, 0.13, 0.43]
    let best = 0
    for (const [i, stronger] of grid.slice(1).entries()) {
      const { mean, error } = await gainOf(data, [{ l2: grid[i]! }, { l2: stronger }])
      if (mean <= error) break
      best = i + 1
    }
    const tried = grid.slice(0, Math.min(best + 2, 3)).map(l2 => ({ hidden, l2 }))
    expect(choice).toEqual({ hidden, l2: grid[best], tried, folds: 5 })
    expect((await savedIn(where)).l2).toBe(grid[best])
    // Nothing to be learned: the strongest; all to be learned: the standard one.
    if (much !== 1.5) expect(best > 0).toBe(much === 10)
  },
)

test.each([
  ['a straight number', { curve: 0 }, true],
  ['a straight class', { curve: 0, isClass: true }, true],
  ['a number a little bent', { curve: 0.2 }, true],
  ['a class a little bent', { curve: 0.2, isClass: true }, true],
  ['a curved number', { curve: 2 }, false],
  ['a curved class', { curve: 2, isClass: true }, false],
] as const)('a linear model is taken unless the network is clearly better: %s', async (name, more, known) => {
  const data = tableOf(name.replaceAll(' ', '-'), 0.3, more)
  const { folder: where, choice, network } = await trainOpen(data, { refit: false })
  const linear = { hidden: [], l2: 0.0089, learningRate: 0.05, batchSize: 64, epochs: 200, dropout: 0 }
  const { tried, l2 } = choice!
  const net = { l2: tried[Math.max(0, tried.length - 3)]!.l2, epochs: 30 }
  expect(tried.at(-1)).toEqual({ hidden: [], l2: linear.l2 })
  const { mean, error } = await gainOf(data, [linear, net])
  const isLinear = mean <= error
  expect(choice).toMatchObject(isLinear ? { hidden: [], l2: linear.l2 } : { hidden, l2: net.l2 })
  expect(isLinear).toBe(known)
  expect(await savedIn(where)).toMatchObject(isLinear ? linear : { hidden, l2 })
  expect(network).toMatchObject(isLinear ? linear : { hidden, l2 })
  expect((await weightsOf(where)).length).toBe(isLinear ? 2 : 6)
})

test('a linear model is repeated by its configuration, and resumed', async () => {
  const straight = tableOf('straight', 0.3, { curve: 0 })
  const { folder: whole, choice } = await trainOpen(straight)
  expect(choice!.hidden).toEqual([])
  const again = await train(straight, await savedIn(whole))
  expect(await weightsOf(again.folder)).toEqual(await weightsOf(whole))
  const control = new AbortController()
  const progress = { epoch: (epoch: number) => void (epoch === 3 && control.abort()) }
  const { folder: out, interrupted } = await trainOpen(straight, { signal: control.signal, progress })
  expect(interrupted).toBe(true)
  const { heard, progress: later } = hearing()
  await trainOpen(straight, { out, resume: true, workers: 2, progress: later })
  expect(heard).toEqual([])
  expect(await weightsOf(out)).toEqual(await weightsOf(whole))
})

test('no linear model is tried where hidden layers or dropout are asked for', async () => {
  const straight = tableOf('layers', 0.3, { curve: 0 })
  for (const more of [{ hidden: [8] }, { dropout: 0.1 }]) {
    const { choice } = await trainOpen(straight, more)
    expect(choice!.tried.every(one => one.hidden.length > 0)).toBe(true)
  }
  const { choice, network } = await trainOpen(straight, { hidden: [] })
  expect(choice!.tried.map(({ l2 }) => l2)).toEqual([0.0089, 0.089])
  expect(network.epochs).toBe(200)
})

test.each([
  [undefined, 0.0036],
  [2, 0.0036],
  [3, 0.0018],
])('a linear model of %s classes is trained to the least loss', async (classes, l2) => {
  const data = join(folder, `least-${classes}.csv`)
  const draw = normalNumbers(5)
  const lines = Array.from({ length: 400 }, () => {
    const [a, b, c] = [draw(), draw(), draw()]
    const y = a! - 2 * b! + draw()
    return [a, b, c, classes ? `c${(y > 0 ? 1 : 0) + (classes > 2 && y > 1.5 ? 1 : 0)}` : y].join()
  })
  writeFileSync(data, `a,b,c,y\n${lines.join('\n')}\n`)
  const asked = { ...open, data, hidden: [], ignore: [] }
  const trials = await tableTrials(asked)
  const plan = await standardPlan(asked, trials)
  expect(plan.l2).toBe(l2)
  const ground = trials.ground()
  const { model } = await tryPlan(ground, plan, { seed: 3, workers: 1, toTheEnd: true })
  const { x, y, truth } = ground.training
  const [values, told, said] = [x, y, model.predict(x)].map(tensor => [...(tensor as Tensor).dataSync()])
  const weights = [...model.getWeights()[0]!.dataSync()]
  const outputs = classes ?? 1
  for (const [i, weight] of weights.entries()) {
    const [input, output] = [Math.floor(i / outputs), i % outputs]
    const errors = Array.from(truth!, (of, row) => {
      const wanted = classes ? (of === output ? 1 : 0) : told![row]!
      return said![row * outputs + output]! - wanted
    })
    const slope =
      errors.reduce((sum, error, row) => sum + error * values![row * 3 + input]!, 0) / truth!.length
    expect(Math.abs((classes ? 1 : 2) * slope + 2 * l2 * weight)).toBeLessThan(3e-3)
  }
  model.dispose()
})

test('the same for any number of workers, and repeated by the configuration without choosing again', async () => {
  const { folder: where, choice, seconds } = await train(noise)
  expect(choice!.l2).toBe(0.43)
  expect(await readJson(join(where, files.metrics), '')).toMatchObject({ choice })
  expect(seconds.choosing).toBeGreaterThan(0)
  const { facts } = (await readJson(join(where, files.report), '')) as RunReport
  const note = 'l2 0.43, of 3 networks by 5 folds'
  expect(facts).toContainEqual({ name: 'Chosen', value: '128-64', note })
  const other = await train(noise, { workers: 2 })
  expect(other.choice).toEqual(choice)
  expect(await weightsOf(other.folder)).toEqual(await weightsOf(where))
  const { heard, progress } = hearing()
  const again = await train(noise, { ...(await savedIn(where)), progress })
  expect(heard).toEqual([])
  expect(again.choice).toBeUndefined()
  expect(await weightsOf(again.folder)).toEqual(await weightsOf(where))
})

test('interrupted while it chooses, or later, it goes on to the same bits', async () => {
  const { folder: whole } = await train(noise)
  for (const moment of ['choosing', 'begin'] as const) {
    const control = new AbortController()
    const progress = { [moment]: () => setTimeout(() => control.abort(), 5) }
    const out = join(folder, moment)
    const first = await train(noise, { out, signal: control.signal, progress })
    expect(first).toMatchObject({ interrupted: true, task: 'regression', stopReason: 'aborted' })
    expect((await savedIn(out)).l2).toBe(moment === 'choosing' ? undefined : 0.43)
    const { heard, progress: later } = hearing()
    const second = await train(noise, { out, resume: true, workers: 2, progress: later })
    expect(second.interrupted).toBe(false)
    expect(heard).toHaveLength(moment === 'choosing' ? 1 : 0)
    expect(await weightsOf(out)).toEqual(await weightsOf(whole))
  }
})

test('without time or memory for it, the network is the standard one, with a warning', async () => {
  const brief = await train(noise, { maxSeconds: 0.02, epochs: 10_000 })
  const warning = 'the network is the standard one, not chosen by the data: '
  expect(brief.warnings).toContain(`${warning}there is no time left`)
  expect(brief.choice).toBeUndefined()
  expect((await savedIn(brief.folder)).l2).toBe(0.013)
  const long = await train(noise, { maxSeconds: 1000 })
  expect(long.choice!.l2).toBe(0.43)
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
    if (done) found.push(done.choice ? '' : done.warnings.find(line => line.startsWith(warning)))
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
  expect(heard).toEqual([{ standard: { hidden, l2: 0.014 }, folds: 5 }])
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
