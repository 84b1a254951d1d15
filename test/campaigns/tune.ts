import { readFileSync } from 'node:fs'
import { type Pruner, type Sampler, tune } from '../../src/tune/tune.ts'
import { withFolder } from '../checkpoints/folder.ts'
import { beaten } from '../tune/beaten.ts'
import { bestWithin, maxEpochs, onCurves } from '../tune/curves.ts'
import { branin, hartmann } from '../tune/functions.ts'
import { hashOf, killedStudy } from '../tune/killing.ts'
import { median } from '../tune/statistics.ts'
import { onTable } from '../tune/tableCourse.ts'
import { lossesOf, networks, readTable, type Table } from '../tune/tables.ts'
import type { Campaign } from './index.ts'

const tables: readonly Table[] = ['wine', 'breast-cancer']
type Print = (line: string) => void

const page = readFileSync(new URL('../../docs/tuning.md', import.meta.url), 'utf8')

/** The end of a row of a table of docs/tuning.md, and what is wrong where there is no such row. */
function rowOf(cells: readonly (number | string)[]): { row: string; wrong: string[] } {
  const row = `| ${cells.join(' | ').replaceAll('-', '−')} |`
  return { row, wrong: page.includes(row) ? [] : [`docs/tuning.md: must have the row …${row}`] }
}

/** 4·10⁻⁶ */
const power = (p: number) => {
  const [digit, exponent] = p.toExponential(0).split('e-') as [string, string]
  return `${digit}·10⁻${[...exponent].map(one => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(one)]).join('')}`
}

/** TPE against Sobol' points at equal budget. */
async function samplers(print: Print): Promise<string[]> {
  const failures: string[] = []
  const against = async (name: string, trials: number, digits: number, found: ReturnType<typeof beaten>) => {
    const { wins, n, p, medians } = await found
    const figures = medians.map(value => value.toFixed(digits))
    const { row, wrong } = rowOf([trials, ...figures, `${wins} of ${n}`, power(p)])
    print(`${name} ${row}`)
    failures.push(...wrong)
    if (!(p < 0.01)) failures.push(`${name}, ${trials} trials: p = ${p}`)
  }
  for (const trials of [50, 100]) {
    await against('Branin', trials, 3, beaten(branin.space, branin.value, trials, 30))
    await against('Hartmann-6', trials, 3, beaten(hartmann.space, hartmann.value, trials, 30))
  }
  for (const table of tables) {
    const data = await readTable(table)
    const loss = async (parameters: Parameters<typeof lossesOf>[1]) =>
      Math.min(...(await lossesOf(data, parameters, 1, 9)))
    await against(table, 40, 4, beaten(networks, loss, 40, 30))
  }
  return failures
}

/** Hyperband in half of the epochs of full trials. */
async function pruners(print: Print): Promise<string[]> {
  const failures: string[] = []
  const note = (name: string, trials: number, excess: readonly number[]) => {
    const reached = excess.filter(each => each <= 0).length
    const mean = excess.reduce((sum, each) => sum + each, 0) / excess.length
    const figures = [median(excess), mean].map(value => Number(value.toFixed(3)))
    const { row, wrong } = rowOf([trials, excess.length, reached, ...figures])
    print(`Hyperband on ${name} ${row}`)
    failures.push(...wrong)
    if (median(excess) > 0) failures.push(`${name}: median ${median(excess)}`)
  }
  for (const trials of [30, 40]) {
    const excess: number[] = []
    for (let seed = 1; seed <= 30; seed++) {
      const { full, pruned } = await onCurves(trials, seed)
      const budget = trials * maxEpochs
      excess.push(bestWithin(pruned, budget / 2) - bestWithin(full, budget))
    }
    note('curves', trials, excess)
  }
  for (const table of tables) {
    const excess: number[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const { score, within } = await onTable(table, 27, seed)
      excess.push(within - score)
    }
    note(table, 27, excess)
  }
  return failures
}

/** Every sampler with every pruner: the same study for 1 to 4 trials side by side. */
async function sides(print: Print): Promise<string[]> {
  const failures: string[] = []
  const samplers: Sampler[] = ['grid', 'random', 'tpe']
  const pruners: Pruner[] = [
    'none',
    'median',
    { kind: 'halving', maxEpochs: 9 },
    { kind: 'hyperband', maxEpochs: 9 },
  ]
  for (const sampler of samplers)
    for (const pruner of pruners) {
      const hashes = new Set<string>()
      for (const parallel of [1, 2, 3, 4]) {
        const options = { sampler, pruner, parallel, trials: 60, seed: 5 }
        const objective = async ({
          number,
          parameters,
          report,
        }: {
          number: number
          parameters: { x: number; y: number }
          report(epoch: number, value: number): boolean
        }) => {
          const value = branin.value(parameters)
          for (let epoch = 1; epoch <= 9; epoch++) {
            await new Promise(resolve => setTimeout(resolve, (number * epoch * 7) % 3))
            if (report(epoch, value + 20 / epoch)) break
          }
          return value
        }
        hashes.add(hashOf(await tune(branin.space, objective, options)))
      }
      if (hashes.size > 1) failures.push(`${JSON.stringify([sampler, pruner])}: ${hashes.size} studies`)
    }
  print(`${samplers.length * pruners.length} studies with 1, 2, 3 and 4 trials side by side`)
  return failures
}

/** Studies that are killed again and again. */
async function kills(print: Print): Promise<string[]> {
  let sum = 0
  const failures: string[] = []
  for (let apart = 1; apart <= 5; apart++) {
    const { kills, whole, found } = await withFolder(folder => killedStudy(folder, 20, apart))
    sum += kills
    if (found !== whole) failures.push(`killed about every ${apart + 1} trials: another study`)
  }
  print(`${sum} times killed, in 5 studies`)
  return failures
}

/** What docs/tuning.md says of searches. */
export const searches: Campaign = async print => {
  const failures: string[] = []
  for (const part of [sides, kills, samplers, pruners]) failures.push(...(await part(print)))
  return failures
}
