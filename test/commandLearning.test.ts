import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { chart } from '../src/command/chart.ts'
import { outlook } from '../src/command/learningCurve.ts'
import * as ls from '../src/index.ts'
import { commandBed } from './commandBed.ts'

const { folder, run } = commandBed('learning')

const dataOf = (name: string) => fileURLToPath(new URL(`../examples/data/${name}.csv`, import.meta.url))

/** Parsed JSON of a command that ends well. */
function jsonOf(...args: string[]) {
  const { status, stdout, stderr } = run(...args, '--json')
  expect([status, stderr.match(/lockstep: .*/)?.[0]]).toEqual([0, undefined])
  return JSON.parse(stdout)
}

const wine = [dataOf('wine'), '--target', 'cultivar']

test('findLearningRate leaves the model as it was', async () => {
  const x = ls.randomNormal([96, 3], 0, 1, 'float32', 1)
  const y = ls.sum(x, 1, true)
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [3] })], seed: 1 })
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError' })
  const twin = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [3] })], seed: 1 })
  twin.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError' })
  const options = { epochs: 2, seed: 3, workers: 1 }
  for (const each of [model, twin]) await each.fit(x, y as ls.Tensor, options)
  const found = await ls.findLearningRate(model, x, y as ls.Tensor, {
    steps: 60,
    to: 1e6,
    seed: 5,
    workers: 1,
  })
  expect(found.diverged).toBe(true)
  expect(found.suggested).toBeCloseTo(found.lowest / 10, 12)
  expect(found.rates[0]).toBe(1e-6)
  expect(Math.min(...found.smoothed)).toBe(found.smoothed[found.rates.indexOf(found.lowest)])
  expect([model.learningRate, model.optimizer.iterations]).toEqual([0.01, 6])
  // It goes on to the bits of one that never was tested: slots, counters and weights are back.
  const after = await Promise.all([model.fit(x, y as ls.Tensor, options)])
  const undisturbed = await twin.fit(x, y as ls.Tensor, options)
  expect(after[0]!.history).toEqual(undisturbed.history)
  await expect(ls.findLearningRate(model, x, y as ls.Tensor, { from: 1, to: 0.1 })).rejects.toThrow(
    'findLearningRate: from must be less than to, got [1, 0.1]; swap them',
  )
})

test('lr: a rate, a picture, a page', { timeout: 60_000 }, () => {
  const found = jsonOf('lr', ...wine, '--output', 'rates.html')
  expect(found.suggested).toBeGreaterThan(1e-3)
  expect(found.suggested).toBeLessThan(0.1)
  expect(found).toMatchObject({ diverged: true, rows: 124, batchSize: 32, hidden: [128, 64] })
  expect(readFileSync(join(folder, 'rates.html'), 'utf8')).toMatch(/<svg .*suggested/s)
  const text = run('lr', ...wine)
  expect(text.stdout.replace(/\d[\d.]*/g, '0')).toMatch(
    /^smoothed loss\n(.*\n)+.*learning rate\nlowest smoothed loss at 0,/,
  )
  expect(text.stdout).toMatch(`suggested: --learning-rate ${String(Number(found.suggested.toPrecision(4)))} `)
  expect(run('lr', ...wine, '--output', 'rates.png')).toMatchObject({ status: 2, stdout: '' })
})

test('learning-curve: scores over rows, and variants', { timeout: 60_000 }, () => {
  const curve = ['learning-curve', ...wine, '--epochs', '8', '--sizes', '3', '--repeats', '2']
  const { points, outlook } = jsonOf(...curve)
  expect(points.map(({ rows }: { rows: number }) => rows)).toEqual([31, 62, 124])
  expect(points.map(({ seeds }: { seeds: unknown[] }) => seeds.length)).toEqual([2, 2, 2])
  const lossOf = (i: number) => points[i].seeds[0].validation
  expect(lossOf(2)).toBeLessThan(lossOf(0))
  expect(outlook).toMatch(/^From 62 to 124 rows the log loss fell by .*: more data (will|of this kind)/)
  expect(jsonOf(...curve, '--workers', '2').points).toEqual(points)
  const variants = run(
    'learning-curve',
    ...wine,
    '--epochs',
    '8',
    '--repeats',
    '2',
    '--compare',
    'dropout,smaller,ensemble',
  )
  const lines = variants.stdout.trim().split('\n')
  expect(lines.map(line => line.split(/ {2,}/)[0])).toEqual([
    ...['variant', 'plain', 'dropout', 'smaller', 'ensemble', 'standard'],
  ])
  expect(lines[2]).toMatch(
    /^dropout +\d\.\d{4} ± \d\.\d{4} +\d\.\d{4} ± \d\.\d{4} +\d\.\d{4} ± \d\.\d{4} +[012] of 2$/,
  )
  expect(run('learning-curve', ...wine, '--compare', 'dropuot').stderr).toMatch('did you mean "dropout"?')
})

test('bench: numbers of workers compared', { timeout: 60_000 }, () => {
  const small = ['bench', '--network', '8-16-4', '--batch', '32', '--workers', '1,2', '--rounds', '2']
  const found = jsonOf(...small)
  expect(found.counts.map((each: { workers: number }) => each.workers)).toEqual([1, 2])
  for (const { samplesPerSecond, barriers } of found.counts) {
    expect(samplesPerSecond).toBeGreaterThan(0)
    expect(barriers).toBeLessThanOrEqual(1)
  }
  expect([1, 2]).toContain(found.best)
  const lines = run(...small)
    .stdout.trim()
    .split('\n')
  expect(lines[0]).toBe('8-16-4, mini-batches of 32')
  expect(lines[1]).toMatch(/^workers +samples\/s +speed-up +efficiency +at barriers/)
  expect(lines[4]).toMatch(/^fastest: [12] workers?$/)
  expect(run('bench', '--network', 'gptt')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching('did you mean "gpt"?'),
  })
  expect(run('bench', '--workers', '0').status).toBe(2)
})

test('what the last doubling says', () => {
  const of = (rows: number, losses: number[]) => ({
    rows,
    seeds: losses.map(validation => ({ training: 0, validation, score: 1 })),
  })
  expect(outlook([of(10, [0.5, 0.6]), of(20, [0.3, 0.41])], 'log loss', 'rows')).toMatch(
    /more data will help/,
  )
  expect(outlook([of(10, [0.5, 0.3]), of(20, [0.3, 0.49])], 'log loss', 'rows')).toMatch(/hardly help/)
  expect(outlook([of(10, [0.3, 0.3]), of(20, [0.5, 0.5])], 'log loss', 'rows')).toMatch(
    /rose by 0.2 .*will not help/,
  )
})

test('a chart of text', () => {
  const points = [0, 1, 2].map(x => [x, x] as const)
  expect(chart({ curves: [{ points }], xLabel: 'x', yLabel: 'y', width: 8, height: 2 })).toEqual([
    'y',
    '2 ┤    ⢀⡠⠔⠊',
    '0 ┤⣀⠤⠔⠊⠁',
    '  └────────',
    '   0   1  2',
    '      x',
  ])
  expect(chart({ curves: [{ points: [] }], xLabel: 'x', yLabel: 'y' })).toEqual([])
})
