import { expect, test } from 'vitest'
import { type Pruner, tune } from '../../src/tune/tune.ts'
import { bestWithin, maxEpochs, onCurves } from './curves.ts'
import { median } from './statistics.ts'

/** Epochs that trials of constant values come to, of 9. */
async function epochsOf(values: readonly number[], pruner: Pruner, lag = 1): Promise<number[]> {
  const objective = ({
    number,
    report,
  }: {
    number: number
    report(epoch: number, value: number): boolean
  }) => {
    for (let epoch = 1; epoch <= 9; epoch++) if (report(epoch, values[number]!)) break
    return values[number]!
  }
  const options = { sampler: 'random', trials: values.length, pruner, lag, seed: 1 } as const
  const { trials } = await tune({ x: { float: [0, 1] } }, objective, options)
  for (const { state, reports } of trials) expect(state).toBe(reports.length < 9 ? 'pruned' : 'complete')
  return trials.map(({ reports }) => reports.length)
}

test('halving: at epochs 1 and 3 the best third of the trials so far goes on', async () => {
  const pruner = { kind: 'halving', maxEpochs: 9 } as const
  expect(await epochsOf([5, 6, 4, 5, 4.5, 3, 4], pruner)).toEqual([9, 1, 9, 1, 1, 9, 3])
})

test('median: what is worse than the middle of the earlier ones ends, once there are enough', async () => {
  const pruner = { kind: 'median', startup: 3, minEpochs: 2 } as const
  expect(await epochsOf([3, 1, 2, 2.5, 2, 9, 1], pruner)).toEqual([9, 9, 9, 2, 9, 2, 9])
})

test('a trial is compared with those that it may know of', async () => {
  const pruner = { kind: 'halving', maxEpochs: 9 } as const
  expect(await epochsOf([1, 2, 3, 4, 5], pruner, 3)).toEqual([9, 9, 9, 1, 1])
})

test('hyperband: every bracket prunes by itself, the last one never', async () => {
  const epochs = await epochsOf(
    Array.from({ length: 88 }, (_, i) => i),
    { kind: 'hyperband', maxEpochs: 9 },
  )
  // Ever worse values: but for the first of each bracket all end at its first rung. Shares 9, 5 and 3 of 17.
  const count = (n: number) => epochs.filter(each => each === n).length
  expect([count(1), count(3), count(9)]).toEqual([46, 25, 17])
})

test('Hyperband reaches the score of full trials in half of the epochs', async () => {
  const trials = 30
  const excess: number[] = []
  for (let seed = 1; seed <= 30; seed++) {
    const { full, pruned } = await onCurves(trials, seed)
    const budget = trials * maxEpochs
    excess.push(bestWithin(pruned, budget / 2) - bestWithin(full, budget))
  }
  const reached = excess.filter(each => each <= 0).length
  console.log(`Hyperband at half of the epochs: same score or better in ${reached} of ${excess.length}`)
  expect(median(excess)).toBeLessThanOrEqual(0)
  expect(reached).toBeGreaterThanOrEqual(20)
  // What remains is within the noise of an epoch.
  expect(excess.reduce((sum, each) => sum + each, 0) / excess.length).toBeLessThan(0.01)
})
