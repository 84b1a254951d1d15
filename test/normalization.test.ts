import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

const { normalization, dense } = ls.layers

const rows = 50
/** Features far from 0: float32 sums of squares would lose their variance. */
const x = noise(rows * 3, 4).map((value, i) => [5000, -2, 0.001][i % 3]! + [1, 30, 1e-4][i % 3]! * value)
const data = ls.tensor(x, [rows, 3])

/** Mean and variance of each of n columns. */
function moments(values: ArrayLike<number>, n: number): { mean: number[]; variance: number[] } {
  const column = (j: number) => Array.from(values).filter((_, i) => i % n === j)
  const meanOf = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length
  const mean = Array.from({ length: n }, (_, j) => meanOf(column(j)))
  return { mean, variance: mean.map((m, j) => meanOf(column(j).map(v => (v - m) ** 2))) }
}

const valuesOf = (model: ls.Sequential) => model.getWeights().map(w => w.dataSync() as Float32Array)

test('adapt before the layer has a model: mean 0 and variance 1 come out', async () => {
  const layer = normalization({ inputShape: [3] })
  await layer.adapt(data)
  const model = ls.sequential({ layers: [layer] })
  const { mean, variance } = moments(x, 3)
  const [foundMean, foundVariance] = valuesOf(model)
  expect(foundMean).toEqual(Float32Array.from(mean))
  expect(foundVariance).toEqual(Float32Array.from(variance))
  const out = moments(model.predict(data).dataSync() as Float32Array, 3)
  for (const value of out.mean) expect(Math.abs(value)).toBeLessThan(1e-3)
  for (const value of out.variance) expect(Math.abs(value - 1)).toBeLessThan(1e-4)
  model.dispose()
})

test('adapt in a model, anew; nested arrays, batches and bytes', async () => {
  const layer = normalization({ inputShape: [3] })
  const model = ls.sequential({ seed: 1, layers: [layer, dense({ units: 1 })] })
  const before = model.predict(data).dataSync()
  await layer.adapt(data)
  const once = valuesOf(model)
  expect(model.predict(data).dataSync()).not.toEqual(before)
  await layer.adapt(data.arraySync() as number[][])
  expect(valuesOf(model)).toEqual(once)
  const samples = ls.data.array(data.arraySync() as number[][])
  await layer.adapt(samples.batch(7))
  expect(valuesOf(model).map((w, i) => relativeError(w, once[i]!) < 1e-7)).toEqual(once.map(() => true))
  await layer.adapt(samples.map(xs => ({ xs, ys: [1] })).batch(50))
  expect(valuesOf(model)).toEqual(once)
  await layer.adapt(ls.tensor(Uint8Array.from([0, 10, 20, 2, 30, 20]), [2, 3]))
  expect(valuesOf(model)).not.toEqual(once)
  expect(layer.weights.map(({ name }) => name.split('/')[1])).toEqual(['mean', 'variance'])
  await layer.adapt(data)
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const [mean, variance] = model.getWeights().slice(-2)
  await model.fit(data, ls.tensor(noise(rows, 2), [rows, 1]), { workers: 2, verbose: 0 })
  expect(
    model
      .getWeights()
      .slice(-2)
      .map(w => w.dataSync()),
  ).toEqual([mean!.dataSync(), variance!.dataSync()])
  model.dispose()
})

test.each([
  [2, [4]],
  [
    [1, 3],
    [3, 2],
  ],
  [null, []],
])('adapt along axis %j', async (axis, shape) => {
  const values = noise(5 * 24, 7)
  const layer = normalization({ axis, inputShape: [3, 4, 2] } as { axis: number })
  await layer.adapt(ls.tensor(values, [5, 3, 4, 2]))
  const kept = [axis ?? []].flat()
  const sizes = [5, 3, 4, 2]
  const placeOf = (i: number) => {
    const place = [Math.floor(i / 24), Math.floor(i / 8) % 3, Math.floor(i / 2) % 4, i % 2]
    return kept.reduce((index, own) => index * sizes[own]! + place[own]!, 0)
  }
  const count = shape.reduce((a, b) => a * b, 1)
  const groups = Array.from({ length: count }, (_, j) =>
    Array.from(values).filter((_, i) => placeOf(i) === j),
  )
  const expected = groups.map(group => moments(group, 1))
  const model = ls.sequential({ layers: [layer] })
  expect(layer.weights.map(w => w.shape)).toEqual([shape, shape])
  const [mean, variance] = valuesOf(model)
  expect(mean).toEqual(Float32Array.from(expected, e => e.mean[0]!))
  expect(
    relativeError(
      variance!,
      expected.map(e => e.variance[0]!),
    ),
  ).toBeLessThan(1e-7)
  model.dispose()
})

test('given statistics, the way back, and what is saved', async () => {
  const there = normalization({ mean: [1, 2, 3], variance: [4, 9, 16], inputShape: [3] })
  const back = normalization({ mean: [1, 2, 3], variance: [4, 9, 16], invert: true })
  const model = ls.sequential({ layers: [there, back] })
  expect(relativeError(model.predict(data).dataSync() as Float32Array, x)).toBeLessThan(1e-6)
  const json = there.config
  expect(json).toEqual({ axis: -1, mean: [1, 2, 3], variance: [4, 9, 16], invert: false })
  expect(normalization({ axis: null } as unknown as { axis: number }).config.axis).toEqual([])
  model.dispose()
})

const adapt = (options: object, given: unknown) => () =>
  normalization({ name: 'it', ...options }).adapt(given as never)
const failures: [run: () => unknown, text: string][] = [
  [
    adapt({ mean: 0, variance: 1 }, data),
    'Error: it: adapt: mean and variance must not be given, got both as options; leave them out',
  ],
  [
    adapt({ axis: 0 }, data),
    'RangeError: it: axis must lie in [1, 1] or be negative, got 0; the batch is axis 0',
  ],
  [
    adapt({}, ls.data.array([])),
    'RangeError: it: adapt: data must have a batch, got none; give a dataset with elements',
  ],
  [adapt({}, x), 'TypeError: it: adapt: data must have a shape, got Float32Array(150); give a tensor'],
  [
    adapt({}, ls.data.array([[[1, 2]], [[1, 2, 3]]])),
    'RangeError: it: adapt: batches must have the same features, got [2] and [3]; correct the data',
  ],
  [
    () => normalization({ mean: 1 }),
    'TypeError: Normalization: mean and variance must be given together, got 1 and null; add the other',
  ],
  [
    () => normalization({ axis: 0.5 }),
    'TypeError: Normalization: axis must be an integer or several, got 0.5; try -1',
  ],
  [
    () => ls.sequential({ layers: [normalization({ mean: [1, 2], variance: [1, 2], inputShape: [3] })] }),
    'RangeError: Normalization: mean must have shape [3], got [2]; give a number for each feature',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})

test('saved and loaded with its statistics', async () => {
  const layer = normalization({ inputShape: [3] })
  await layer.adapt(data)
  const model = ls.sequential({ layers: [layer] })
  const again = await withFolder(async folder => {
    await model.save(`file://${folder}`)
    return (await ls.loadLayersModel(`file://${folder}/model.json`)) as ls.Sequential
  })
  expect(again.predict(data).dataSync()).toEqual(model.predict(data).dataSync())
  for (const each of [model, again]) each.dispose()
})
