import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'

const [rows, steps, features, classes] = [12, 3, 4, 3]
const { losses } = ls

/** Class numbers, −1 for every third. */
const labelOf = (i: number): number => (i % 3 === 1 ? -1 : (i * 5) % classes)

type Options = Parameters<ls.Sequential['fit']>[2]

interface Data {
  readonly x: Float32Array
  readonly y: number[]
  readonly weight?: Float32Array
}

/** Weights after some steps, and the loss before them; samples are single rows, or sequences. */
async function train(
  shape: readonly number[],
  { x, y, weight }: Data,
  loss: ls.CompileOptions['loss'],
  { leaves = 1, masked = false, ...options }: Options & { leaves?: number; masked?: boolean } = {},
) {
  const { dense, masking } = ls.layers
  const [units, activation] = [classes, 'softmax'] as const
  const layers = masked
    ? [masking({ maskValue: 9, inputShape: shape }), dense({ units, activation })]
    : [dense({ units, activation, inputShape: shape })]
  const model = ls.sequential({ layers, seed: 5 })
  model.compile({ optimizer: ls.train.sgd(0.5), loss, leaves })
  const inner = shape.length > 1 ? shape[0]! : 1
  const samples = y.length / inner
  const target = ls.tensor(Float32Array.from(y), shape.length > 1 ? [samples, inner, 1] : [samples, 1])
  const { history } = await model.fit(ls.tensor(x, [samples, ...shape]), target, {
    batchSize: samples,
    shuffle: false,
    seed: 1,
    workers: 2,
    ...(weight && { sampleWeight: ls.tensor(weight, [samples]) }),
    ...options,
  })
  const weights = model.getWeights().flatMap(w => [...(w.values as Float32Array)])
  const input = ls.tensor(x, [samples, ...shape])
  const [evaluated] = [model.evaluate(input, target)].flat().map(one => one.dataSync()[0]!)
  model.dispose()
  return { weights, loss: history.loss![0]!, evaluated: evaluated! }
}

const x = noise(rows * features, 2)
const y = Array.from({ length: rows }, (_, i) => labelOf(i))
const keptRows = [...y.keys()].filter(i => y[i] !== -1)
const keep = (values: Float32Array, width: number, kept = keptRows) =>
  Float32Array.from(kept.flatMap(i => [...values.subarray(i * width, i * width + width)]))

describe('samples of an ignored class', () => {
  const ignoring = losses.sparseCategoricalCrossentropy({ ignoreClass: -1 })

  test.each([1, 3])('change nothing, with %i leaves', async leaves => {
    const found = await train([features], { x, y }, ignoring, { leaves })
    const rest = { x: keep(x, features), y: keptRows.map(i => y[i]!) }
    const expected = await train([features], rest, 'sparseCategoricalCrossentropy')
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(1e-6)
    expect(found.loss).toBeCloseTo(expected.loss, 6)
    expect(found.evaluated).toBeCloseTo(expected.evaluated, 6)
  })

  test('are the same bits leaf by leaf', async () => {
    const whole = await train([features], { x, y }, ignoring, { leaves: 4, epochs: 2 })
    const apart = await train([features], { x, y }, ignoring, { leaves: 4, epochs: 2, accumulate: true })
    expect(apart.weights).toEqual(whole.weights)
    expect(apart.loss).toBeCloseTo(whole.loss, 12)
  })

  test('may have one of the class numbers', async () => {
    const third = y.map(label => (label === -1 ? 2 : label === 2 ? 1 : label))
    const loss = losses.sparseCategoricalCrossentropy({ ignoreClass: 2 })
    const found = await train([features], { x, y: third }, loss)
    const rest = { x: keep(x, features), y: keptRows.map(i => third[i]!) }
    const expected = await train([features], rest, 'sparseCategoricalCrossentropy')
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(1e-6)
  })

  test('leave the mean of weighted ones over those that count', async () => {
    const weight = noise(rows, 6).map(u => 1 + u)
    const found = await train([features], { x, y, weight }, ignoring)
    const rest = { x: keep(x, features), y: keptRows.map(i => y[i]!), weight: keep(weight, 1) }
    const expected = await train([features], rest, 'sparseCategoricalCrossentropy')
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(1e-6)
    expect(found.loss).toBeCloseTo(expected.loss, 6)
  })

  test('need no class weight', async () => {
    const classWeight = { 0: 0.5, 1: 2, 2: 1 }
    const found = await train([features], { x, y }, ignoring, { classWeight })
    const rest = { x: keep(x, features), y: keptRows.map(i => y[i]!) }
    const expected = await train([features], rest, 'sparseCategoricalCrossentropy', { classWeight })
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(1e-6)
  })

  test('all of them make a loss of 0 and no step', async () => {
    const none = y.map(() => -1)
    const first = await train([features], { x, y: none }, ignoring, { epochs: 1 })
    const more = await train([features], { x, y: none }, ignoring, { epochs: 3 })
    expect([first.loss, first.evaluated]).toEqual([0, 0])
    expect(more.weights).toEqual(first.weights)
  })
})

describe('steps of an ignored class', () => {
  const ignoring = losses.sparseCategoricalCrossentropy({ ignoreClass: -1 })
  const long = noise(rows * steps * features, 4)
  const labels = Array.from({ length: rows * steps }, (_, i) => labelOf(i))

  test.each([false, true])('change nothing, where steps are masked too: %s', async masked => {
    const isMasked = (step: number) => masked && step % steps > Math.floor(step / steps) % steps
    const values = long.map((value, i) => (isMasked(Math.floor(i / features)) ? 9 : value))
    const data = { x: values, y: labels }
    const found = await train([steps, features], data, ignoring, { masked })
    const kept = [...labels.keys()].filter(i => labels[i] !== -1 && !isMasked(i))
    const rest = { x: keep(values, features, kept), y: kept.map(i => labels[i]!) }
    const expected = await train([features], rest, 'sparseCategoricalCrossentropy')
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(1e-6)
    expect(found.loss).toBeCloseTo(expected.loss, 6)
    expect(found.evaluated).toBeCloseTo(expected.evaluated, 6)
    const apart = await train([steps, features], data, ignoring, { masked, leaves: 3, accumulate: true })
    const whole = await train([steps, features], data, ignoring, { masked, leaves: 3 })
    expect(apart.weights).toEqual(whole.weights)
  })
})

test('other labels that name no class, and samples to mix, are refused', async () => {
  const ignoring = losses.sparseCategoricalCrossentropy({ ignoreClass: -1 })
  await expect(train([features], { x, y: y.map(label => 2 * label) }, ignoring)).rejects.toThrow(
    'fit: y must hold class numbers from 0 to 2, got -2',
  )
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 3, inputShape: [2] })] })
  expect(() => model.compile({ optimizer: 'sgd', loss: ignoring, mixUp: 0.2 })).toThrow(
    new RangeError('compile: mixUp must be 0 for a loss with ignoreClass, got 0.2; leave one of them out'),
  )
  expect(() => losses.sparseCategoricalCrossentropy({ ignoreClass: '1' as never })).toThrow(
    new TypeError('sparseCategoricalCrossentropy: ignoreClass must be a finite number, got "1"'),
  )
  model.dispose()
})
