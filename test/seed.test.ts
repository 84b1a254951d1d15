import { afterAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'

afterAll(() => ls.seed(1))

const x = ls.tensor(noise(64 * 3, 1), [64, 3])
const y = ls.tensor(noise(64, 2), [64, 1])

/** Weights and seeds of what is given no seed. */
async function draw() {
  const layers = [
    ls.layers.dense({ units: 8, inputShape: [3], activation: 'relu' }),
    ls.layers.dropout({ rate: 0.5 }),
    ls.layers.dense({ units: 1 }),
  ]
  const model = ls.sequential({ layers })
  const copy = ls.sequential({ layers: [ls.layers.dense({ units: 8, inputShape: [3] })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const initial = model.getWeights().map(({ values }) => Array.from(values))
  const others = Array.from(copy.getWeights()[0]!.values)
  const { seed } = await model.fit(x, y, { batchSize: 16, workers: 1 })
  const next = await model.fit(x, y, { batchSize: 16, workers: 1 })
  await model.trainOnBatch(x, y)
  const trained = model.getWeights().map(({ values }) => Array.from(values))
  model.dispose()
  copy.dispose()
  const order = await ls.data.array([1, 2, 3, 4, 5, 6, 7, 8]).shuffle(8).toArray()
  const numbers = Array.from(ls.randomUniform([4]).values)
  return { initial, others, seeds: [seed, next.seed], trained, order, numbers }
}

test('all that is given no seed follows from seed(n)', async () => {
  ls.seed(5)
  const first = await draw()
  const second = await draw()
  ls.seed(5)
  expect(await draw()).toEqual(first)
  ls.seed(6)
  const other = await draw()
  expect(first.others).not.toEqual(first.initial[0])
  expect(first.seeds[0]).not.toBe(first.seeds[1])
  for (const [key, value] of Object.entries(first)) {
    expect(second[key as keyof typeof second], key).not.toEqual(value)
    expect(other[key as keyof typeof other], key).not.toEqual(value)
  }
})
