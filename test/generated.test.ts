import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'

const { makeBlobs, makeClassification, makeMoons, makeRegression, makeSpirals } = ls.datasets
const rowsOf = (x: ls.Tensor) => x.arraySync() as number[][]
const hash = (...tensors: ls.Tensor[]) =>
  tensors
    .reduce((sum, { values }) => sum.update(new Uint8Array(values.buffer)), createHash('sha256'))
    .digest('hex')
    .slice(0, 12)

test('the same seed gives these bits; another one, others', () => {
  const hashes = (seed: number) => [
    makeMoons({ seed, noise: 0.1 }),
    makeSpirals({ seed, noise: 0.1, nClasses: 3 }),
    makeBlobs({ seed }),
    makeClassification({ seed, hypercube: false }),
    makeRegression({ seed, noise: 1, nTargets: 2 }),
  ]
  const of = (seed: number) => hashes(seed).map(({ x, y }) => hash(x, y))
  expect(of(1)).toMatchInlineSnapshot(`
    [
      "963187906536",
      "43f5378749f1",
      "70e7ac109c72",
      "55d78a6a49e2",
      "15c362dee2ee",
    ]
  `)
  expect(new Set([...of(1), ...of(2)]).size).toBe(10)
  ls.seed(5)
  const first = hash(makeBlobs().x)
  ls.seed(5)
  expect(hash(makeBlobs().x)).toBe(first)
})

test('makeMoons: two half circles', () => {
  const { x, y } = makeMoons({ nSamples: 31 })
  expect([x.shape, y.shape, y.dtype]).toEqual([[31, 2], [31], 'int32'])
  const labels = [...y.values]
  expect(labels.filter(label => label === 1)).toHaveLength(16)
  expect(labels).not.toEqual([...labels].sort())
  for (const [i, [a, b]] of rowsOf(x).entries()) {
    const [u, v] = labels[i] === 0 ? [a!, b!] : [1 - a!, 0.5 - b!]
    expect(u * u + v * v).toBeCloseTo(1, 5)
    expect(v).toBeGreaterThan(-1e-6)
  }
  const plain = makeMoons({ nSamples: 4, shuffle: false })
  expect(
    rowsOf(plain.x)
      .flat()
      .map(value => Math.round(100 * value) / 100 + 0),
  ).toEqual([1, 0, -1, 0, 0, 0.5, 2, 0.5])
})

test('makeSpirals: as many turns as are asked for', () => {
  const { x, y } = makeSpirals({ nSamples: 300, nClasses: 3, turns: 2, shuffle: false })
  const rows = rowsOf(x)
  for (let k = 0; k < 3; k++) {
    let turned = 0
    for (let i = 100 * k + 1; i < 100 * (k + 1); i++) {
      const [[a, b], [c, d]] = [rows[i - 1]!, rows[i]!] as [[number, number], [number, number]]
      turned += Math.atan2(a * d - b * c, a * c + b * d)
      expect(y.values[i]).toBe(k)
    }
    expect(turned / (2 * Math.PI)).toBeCloseTo(2 * 0.99, 4)
    expect(Math.hypot(...rows[100 * k + 99]!)).toBeCloseTo(1, 6)
  }
})

test('makeBlobs: means and deviations', () => {
  const centers = [
    [0, 10, -10],
    [5, 5, 5],
  ]
  const { x, y, centers: said } = makeBlobs({ nSamples: 4000, centers, clusterStd: [1, 3] })
  expect(said.arraySync()).toEqual(centers)
  for (const k of [0, 1]) {
    const rows = rowsOf(x).filter((_, i) => y.values[i] === k)
    expect(rows).toHaveLength(2000)
    for (const f of [0, 1, 2]) {
      const mean = rows.reduce((sum, row) => sum + row[f]!, 0) / 2000
      const variance = rows.reduce((sum, row) => sum + (row[f]! - mean) ** 2, 0) / 2000
      const deviation = k === 0 ? 1 : 3
      expect(Math.abs(mean - centers[k]![f]!)).toBeLessThan(0.1 * deviation)
      expect(Math.abs(Math.sqrt(variance) / deviation - 1)).toBeLessThan(0.07)
    }
  }
  const drawn = rowsOf(makeBlobs({ nSamples: 1, centers: 50, centerBox: [2, 3] }).centers).flat()
  expect(drawn.every(value => value >= 2 && value < 3)).toBe(true)
  expect(drawn).toHaveLength(100)
})

test('makeClassification: sums, copies, shares and clusters', () => {
  const options = {
    nSamples: 1000,
    nFeatures: 9,
    nInformative: 3,
    nRedundant: 2,
    nRepeated: 2,
    shuffle: false,
  }
  const { x, y } = makeClassification({ ...options, weights: [0.9, 0.1], flipY: 0, classSep: 3 })
  const rows = rowsOf(x)
  expect([...y.values].filter(label => label === 1)).toHaveLength(100)
  // The same weights make each redundant feature of the informative ones: those that solve three rows hold for all.
  const solve = (f: number) => {
    const [a, b, c] = rows.slice(0, 3).map(row => row.slice(0, 3)) as [number[], number[], number[]]
    const det = (p: number[], q: number[], r: number[]) =>
      p[0]! * (q[1]! * r[2]! - q[2]! * r[1]!) -
      p[1]! * (q[0]! * r[2]! - q[2]! * r[0]!) +
      p[2]! * (q[0]! * r[1]! - q[1]! * r[0]!)
    return [0, 1, 2].map(i => {
      const put = (row: number[], value: number) => row.map((old, j) => (j === i ? value : old))
      return det(put(a, rows[0]![f]!), put(b, rows[1]![f]!), put(c, rows[2]![f]!)) / det(a, b, c)
    })
  }
  for (const f of [3, 4]) {
    const weights = solve(f)
    const wrong = rows.map(row => Math.abs(weights.reduce((sum, w, i) => sum + w * row[i]!, 0) - row[f]!))
    expect(Math.max(...wrong)).toBeLessThan(1e-2)
  }
  for (const f of [5, 6])
    expect([0, 1, 2, 3, 4].some(other => rows.every(row => row[other] === row[f]))).toBe(true)
  // Clusters: corners at ±3.
  const sizes = [450, 50, 450, 50]
  let from = 0
  for (const size of sizes) {
    for (const f of [0, 1, 2]) {
      const mean = rows.slice(from, from + size).reduce((sum, row) => sum + row[f]!, 0) / size
      expect(Math.abs(Math.abs(mean) - 3)).toBeLessThan(0.7)
    }
    from += size
  }
  const flipped = makeClassification({ nSamples: 4000, flipY: 1, nClasses: 2, shuffle: false }).y
  const ones = [...flipped.values].slice(0, 1000).filter(label => label === 1).length
  expect(Math.abs(ones - 500)).toBeLessThan(80)
})

test('makeRegression: y = x · coef + bias', () => {
  const { x, y, coef } = makeRegression({
    nSamples: 50,
    nFeatures: 20,
    nInformative: 4,
    nTargets: 2,
    bias: 7,
  })
  const weights = rowsOf(coef)
  expect(weights.filter(row => row.some(value => value !== 0))).toHaveLength(4)
  for (const [i, row] of rowsOf(x).entries())
    for (const t of [0, 1]) {
      const sum = row.reduce((all, value, f) => all + value * weights[f]![t]!, 7)
      expect((y.arraySync() as number[][])[i]![t]! - sum).toBeCloseTo(0, 2)
    }
  expect(makeRegression({ nSamples: 5 }).y.shape).toEqual([5])
})

test('wrong options are refused', () => {
  expect(() => makeMoons({ noize: 1 } as object)).toThrow(
    'makeMoons: unknown option "noize"; did you mean "noise"?',
  )
  expect(() => makeMoons({ nSamples: 0 })).toThrow('makeMoons: nSamples must be a positive integer, got 0')
  expect(() => makeBlobs({ clusterStd: [1, 2] })).toThrow(
    'makeBlobs: clusterStd must be one number, or 3, got [1, 2]',
  )
  expect(() => makeBlobs({ centers: [[1], [1, 2]] })).toThrow(
    'makeBlobs: centers must be lists of numbers of one length',
  )
  expect(() => makeClassification({ nFeatures: 3 })).toThrow('must together be at most nFeatures (3), got 4')
  expect(() => makeClassification({ nClasses: 3 })).toThrow('must be at most 2^nInformative (4), got 6')
  expect(() => makeClassification({ weights: [0.5, 0.6] })).toThrow(
    'weights must be 2 shares that add up to 1, got [0.5, 0.6]',
  )
  expect(() => makeSpirals({ seed: -1 })).toThrow('datasets: seed must be a non-negative integer, got -1')
})

test('a small network learns the moons, which no line divides', async () => {
  const { x, y } = makeMoons({ nSamples: 400, noise: 0.1, seed: 3 })
  const model = ls.sequential({
    layers: [
      ls.layers.dense({ units: 16, activation: 'tanh', inputShape: [2] }),
      ls.layers.dense({ units: 2, activation: 'softmax' }),
    ],
    seed: 1,
  })
  model.compile({
    optimizer: ls.train.adam(0.03),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  })
  const { history } = await model.fit(x, y, { epochs: 40, workers: 1, seed: 1 })
  expect(history.acc!.at(-1)).toBeGreaterThan(0.97)
})
