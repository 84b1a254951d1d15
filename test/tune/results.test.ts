import { expect, test } from 'vitest'
import { tune } from '../../src/tune/tune.ts'

const space = {
  strong: { float: [0, 1] },
  weak: { float: [0.01, 100], log: true },
  none: { choice: ['p', 'q', 'r'] },
  seldom: { int: [1, 3], when: { none: 'r' } },
} as const

const study = await tune(
  space,
  ({ number, parameters: { strong, weak } }) => {
    if (number === 7) throw new Error('lost')
    return 4 * (strong - 0.3) ** 2 + 0.2 * Math.log10(weak)
  },
  { trials: 60, seed: 2, sampler: 'random' },
)

test('importance: each parameter has its part of the variance', () => {
  const shares = Object.fromEntries(study.importance().map(({ name, share }) => [name, share]))
  expect(study.importance()[0]!.name).toBe('strong')
  // Of even points, 4(u − 0.3)² has a variance of 0.29, the other 0.05.
  expect(shares.strong).toBeGreaterThan(0.6)
  expect(shares.weak).toBeGreaterThan(0.05)
  expect(shares.weak).toBeLessThan(0.3)
  expect(shares.none! + shares.seldom!).toBeLessThan(0.08)
  const sum = Object.values(shares).reduce((all, share) => all + share, 0)
  expect(sum).toBeGreaterThan(0.8)
  expect(sum).toBeLessThanOrEqual(1)
})

test('importance: what only counts together is nobody’s own', async () => {
  const square = { a: { float: [-1, 1] }, b: { float: [-1, 1] } } as const
  const both = await tune(square, ({ parameters: { a, b } }) => a * b, {
    trials: 128,
    sampler: 'random',
    seed: 1,
  })
  for (const { share } of both.importance()) expect(share).toBeLessThan(0.2)
})

test('a study without variation has no importance, one without complete trials no best', async () => {
  const flat = await tune(space, () => 1, { trials: 5 })
  expect(flat.importance().map(({ share }) => share)).toEqual([0, 0, 0, 0])
  const failed = await tune(space, () => Number.NaN, { trials: 5 })
  expect(failed.best).toBeUndefined()
  expect(failed.importance()).toHaveLength(4)
  expect(failed.history()).toEqual([])
})

test('the table has the best trial first and failed ones last, in columns', () => {
  const lines = study.table().split('\n')
  expect(lines).toHaveLength(61)
  expect(lines[0]).toMatch(/^trial {2}state +value {2}epoch {2}seconds +strong +weak {2}none {2}seldom$/)
  expect(lines[1]).toContain(`${study.best!.number}`.padStart(5))
  expect(lines.at(-1)).toMatch(/^ {4}7 {2}failed/)
  expect(study.table(3).split('\n')).toHaveLength(4)
})

test('data for pictures: history, parallel coordinates, slices', () => {
  const history = study.history()
  expect(history).toHaveLength(59)
  expect(history.at(-1)!.best).toBe(study.best!.value)
  for (const [i, { best }] of history.entries())
    if (i > 0) expect(best).toBeLessThanOrEqual(history[i - 1]!.best)
  const { axes, lines } = study.parallelCoordinates()
  expect(axes.map(({ name }) => name)).toEqual(['strong', 'weak', 'none', 'seldom'])
  expect(axes[1]).toEqual({ name: 'weak', log: true, bounds: [0.01, 100], choices: [] })
  expect(lines).toHaveLength(59)
  for (const { number, heights } of lines) {
    const { strong, weak, none, seldom } = study.trials[number]!.parameters
    expect(heights[0]).toBeCloseTo(strong)
    expect(heights[1]).toBeCloseTo((Math.log10(weak) + 2) / 4)
    expect(heights[2]).toBeCloseTo(['p', 'q', 'r'].indexOf(none) / 3 + 1 / 6)
    expect(heights[3] === undefined).toBe(seldom === undefined)
  }
  const slices = study.slices()
  expect(slices[3]!.points.length).toBeLessThan(30)
  expect(slices[0]!.points[0]).toEqual({
    number: 0,
    x: study.trials[0]!.parameters.strong,
    value: study.trials[0]!.value,
  })
})
