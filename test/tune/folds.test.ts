import { expect, test } from 'vitest'
import { tensor } from '../../src/data/tensor.ts'
import { averaged, kFold, takeRows, tune } from '../../src/tune/tune.ts'
import { caught } from '../caught.ts'

const labels = Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 'rare' : i % 2 ? 'a' : 'b'))

test('folds: each sample is tested once and trained on otherwise', () => {
  const folds = kFold(23, { folds: 4, seed: 3 })
  expect(folds.flatMap(({ test: rows }) => [...rows]).sort((a, b) => a - b)).toEqual([...Array(23).keys()])
  for (const { train, test: rows } of folds) {
    expect(new Set([...train, ...rows]).size).toBe(23)
    expect([5, 6]).toContain(rows.length)
  }
  expect(kFold(23, { folds: 4, seed: 3 })).toEqual(folds)
  expect(kFold(23, { folds: 4, seed: 4 })).not.toEqual(folds)
})

test('stratified folds have the same part of each class', () => {
  for (const { test: rows } of kFold(100, { folds: 5, stratify: labels })) {
    const count = (label: string) => [...rows].filter(i => labels[i] === label).length
    expect([count('rare'), count('a'), count('b')]).toEqual([2, 10, 8])
  }
})

test('grouped folds keep groups together; with classes, these spread as evenly as groups allow', () => {
  const groups = tensor(Int32Array.from(labels, (_, i) => Math.floor(i / 7)))
  for (const options of [{ groups }, { groups, stratify: labels }]) {
    const folds = kFold(100, { folds: 3, ...options })
    const of = folds.map(({ test: rows }) => new Set([...rows].map(i => Math.floor(i / 7))))
    expect(of.reduce((sum, set) => sum + set.size, 0)).toBe(15)
    for (const { test: rows } of folds) {
      expect(Math.abs(rows.length - 33)).toBeLessThan(6)
      if (!('stratify' in options)) continue
      const rare = [...rows].filter(i => labels[i] === 'rare').length
      expect(rare).toBeGreaterThan(1)
    }
  }
})

test.each([
  [() => kFold(3), 'kFold: folds must be in [2, 3], the number of samples, got 5'],
  [() => kFold(9, { stratify: [1] }), 'kFold: stratify must have a value for each of 9 samples, got 1'],
  [
    () => kFold(4, { folds: 3, groups: [1, 1, 2, 2] }),
    'kFold: groups must be at least as many as folds (3), got 2',
  ],
  [() => kFold(9, { fold: 3 } as never), 'kFold: unknown option "fold"; did you mean "folds"?'],
  [() => takeRows([1, 2], [2]), 'takeRows: indices must be rows of 2, got 2'],
])('wrong splits are refused: %s', async (run, message) => {
  expect(await caught(run)).toContain(`Error: ${message}`)
})

test('rows of tensors and arrays', () => {
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [3, 2, 2],
  )
  const taken = takeRows(x, [2, 0, 2, 2])
  expect(taken.shape).toEqual([4, 2, 2])
  expect([...taken.dataSync()]).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11])
  expect(takeRows(['a', 'b', 'c'], Int32Array.of(1))).toEqual(['b'])
})

test('an average over folds has a seed for each, and ends where it is pruned', async () => {
  const seeds = new Set<number>()
  const runs: number[] = []
  const study = await tune(
    { x: { choice: [0] } },
    trial => {
      runs.push(0)
      return averaged(trial, [10, 20, 30], (part, seed) => {
        seeds.add(seed)
        runs[runs.length - 1]!++
        return part + trial.number
      })
    },
    { trials: 3, lag: 1, pruner: { kind: 'median', startup: 1 }, seed: 1 },
  )
  expect(runs).toEqual([3, 1, 1])
  expect(seeds.size).toBe(5)
  expect(study.trials.map(({ value }) => value)).toEqual([20, 11, 12])
})
