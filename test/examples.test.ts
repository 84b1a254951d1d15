import { describe, expect, test } from 'vitest'
import { anomalies, averagePrecision } from '../examples/anomalies.ts'
import { fetchedSpam, foundFashion } from '../examples/data.ts'
import { fashion } from '../examples/fashion.ts'
import { gpt } from '../examples/gpt.ts'
import { format, meets, type Running, type Score } from '../examples/score.ts'
import { spam } from '../examples/spam.ts'
import { scalerOf } from '../examples/tables.ts'
import { tabular } from '../examples/tabular.ts'
import { weather } from '../examples/weather.ts'

const missed = (scores: readonly Score[]) => scores.filter(score => !meets(score)).map(format)

/** Options of all shortened runs: networks this small would only wait for each other on a busy machine. */
const short: Running = { workers: 1, seed: 7, say: () => {} }

/** Each example with less to do and a bound of its own, which guessing, or a network that does not learn, would miss. */
describe('examples, shortened', { timeout: 120_000 }, () => {
  test('tables: four of them, with five folds', async () => {
    const scores = await tabular({ ...short, folds: 5, epochs: 40, patience: 10 })
    expect(scores).toHaveLength(4)
    expect(missed(scores.map((score, i) => ({ ...score, bound: [0.96, 0.94, 0.78, 0.82][i]! })))).toEqual([])
  })

  test('weather: one network beats "as warm as today"', async () => {
    expect(missed(await weather({ ...short, members: 1, epochs: 20, bound: 0.08 }))).toEqual([])
  })

  test('anomalies: most events are found', async () => {
    expect(missed(await anomalies({ ...short, epochs: 6, bound: 0.85 }))).toEqual([])
  })

  // The frequencies of characters give 3.1; with the character before known it would be 2.46.
  test('GPT: a small one learns more than characters alone', async () => {
    const small = { blocks: 2, width: 64, heads: 2, context: 32, steps: 200, epochs: 1, length: 20 }
    expect(missed(await gpt({ ...short, ...small, learningRate: 5e-3, bound: 2.6 }))).toEqual([])
  })

  test.skipIf(!fetchedSpam())('spam: half of the mails', async () => {
    expect(missed(await spam({ ...short, take: 2, words: 64, epochs: 3, bound: 0.93 }))).toEqual([])
  })

  test.skipIf(!foundFashion())('clothes: a tenth of the images', async () => {
    expect(missed(await fashion({ ...short, samples: 6000, epochs: 2, bound: 0.7 }))).toEqual([])
  })
})

describe('what examples have in common', () => {
  test('averagePrecision is the mean precision over the events', () => {
    expect(averagePrecision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])).toBeCloseTo((1 + 2 / 3) / 2)
    expect(averagePrecision([0, 1], [0.1, 0.2])).toBe(1)
  })

  test('a scaler brings columns to mean 0 and deviation 1, and back', () => {
    const { scale, restore } = scalerOf([
      [1, 5],
      [3, 5],
    ])
    expect(scale([3, 6])).toEqual([1, 0])
    expect(restore([1, 0])).toEqual([3, 5])
  })

  test('a score that is not a number meets no bound', () => {
    for (const better of ['atLeast', 'atMost'] as const)
      expect(meets({ name: '', value: Number.NaN, bound: 0, better })).toBe(false)
  })
})
