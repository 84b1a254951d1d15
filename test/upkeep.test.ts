import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'

const rows = 12
const x = ls.tensor(noise(rows * 5, 3), [rows, 5])
const y = ls.tensor(noise(rows * 3, 4), [rows, 3])
type AnyOptimizer = ReturnType<typeof ls.train.sgd>

function make(optimizer: AnyOptimizer) {
  const layers = [
    ls.layers.dense({ units: 18, activation: 'tanh', name: 'first', inputShape: [5] }),
    ls.layers.dense({ units: 3, name: 'second' }),
  ]
  const model = ls.sequential({ layers, seed: 2 })
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

const weightsOf = (model: ls.Sequential) => model.getWeights().map(w => (w.values as Float32Array).slice())
const close = (actual: Float32Array[], expected: Float32Array[], limit = 2e-6) =>
  actual.forEach((w, i) => expect(relativeError(w, expected[i]!)).toBeLessThan(limit))

/** The weights before and after one step. */
async function step(optimizer: AnyOptimizer) {
  const model = make(optimizer)
  const before = weightsOf(model)
  await model.trainOnBatch(x, y)
  const after = weightsOf(model)
  model.dispose()
  return { before, after, moved: after.map((w, i) => w.map((value, j) => value - before[i]![j]!)) }
}

describe('weight decay', () => {
  const makers = {
    sgd: (options: object) => ls.train.sgd({ learningRate: 0.1, ...options }),
    adam: (options: object) => ls.train.adam({ learningRate: 0.1, ...options }),
    adamw: (options: object) => ls.train.adamw({ learningRate: 0.1, weightDecay: 0, ...options }),
    lion: (options: object) => ls.train.lion({ learningRate: 0.1, ...options }),
    nadam: (options: object) => ls.train.nadam({ learningRate: 0.1, ...options }),
  }
  test.each(Object.entries(makers))('of %s leaves out what is excluded', async (_, maker) => {
    const plain = await step(maker({}))
    const cases: [object, (i: number) => boolean][] = [
      [{}, () => true],
      [{ excludeFromWeightDecay: ['bias'] }, i => i % 2 === 0],
      [{ excludeFromWeightDecay: (name: string) => name.startsWith('first/') }, i => i >= 2],
    ]
    for (const [options, decays] of cases) {
      const found = await step(maker({ weightDecay: 0.3, ...options }))
      const expected = plain.after.map((w, i) =>
        w.map((value, j) => value - (decays(i) ? 0.1 * 0.3 * plain.before[i]![j]! : 0)),
      )
      close(found.after, expected)
    }
  })
})

test('learning rates have factors by layer', async () => {
  const plain = await step(ls.train.sgd({ learningRate: 0.1 }))
  const factors = { first: 0.5, second: 0 }
  const { moved } = await step(ls.train.sgd({ learningRate: 0.1, learningRateFactors: factors }))
  close(
    moved.slice(0, 2),
    plain.moved.slice(0, 2).map(w => w.map(value => value / 2)),
    1e-5,
  )
  for (const w of moved.slice(2)) expect(w.every(value => value === 0)).toBe(true)
})

describe('averages of the weights', () => {
  const options = { batchSize: 4, epochs: 2, shuffle: false, seed: 1 }

  /** The weights after each step. */
  async function path(): Promise<Float32Array[][]> {
    const model = make(ls.train.sgd({ learningRate: 0.2 }))
    const seen: Float32Array[][] = []
    await model.fit(x, y, { ...options, callbacks: { onBatchEnd: () => void seen.push(weightsOf(model)) } })
    model.dispose()
    return seen
  }
  const blend = (average: Float32Array[], weights: Float32Array[], keep: number) =>
    average.map((values, i) => values.map((value, j) => keep * value + (1 - keep) * weights[i]![j]!))

  test.each([1, 2])('become the weights when fit ends, %i workers', async workers => {
    const steps = await path()
    const expected = steps.slice(1).reduce((average, weights) => blend(average, weights, 0.8), steps[0]!)
    const model = make(ls.train.sgd({ learningRate: 0.2, useEma: true, emaMomentum: 0.8 }))
    const ends: Float32Array[][] = []
    const callbacks = {
      onEpochEnd: () => void ends.push(weightsOf(model)),
      onTrainEnd: () => void ends.push(weightsOf(model)),
    }
    await model.fit(x, y, { ...options, workers, callbacks })
    expect(ends[0]).toEqual(steps[2])
    expect(ends[1]).toEqual(steps[5])
    close(ends[2]!, expected)
    expect(weightsOf(model)).toEqual(ends[2])
    model.dispose()
  })

  test('overwrite the weights every so many updates', async () => {
    const once = (await path()).slice(0, 2)
    const average = blend(once[0]!, once[1]!, 0.8)
    const optimizer = ls.train.sgd({
      learningRate: 0.2,
      useEma: true,
      emaMomentum: 0.8,
      emaOverwriteFrequency: 2,
    })
    const model = make(optimizer)
    const seen: Float32Array[][] = []
    await model.fit(x, y, {
      ...options,
      epochs: 1,
      callbacks: { onBatchEnd: () => void seen.push(weightsOf(model)) },
    })
    expect(seen[0]).toEqual(once[0])
    close(seen[1]!, average)
    model.dispose()
  })
})

test('wrong options are refused', () => {
  const { adam, sgd } = ls.train
  const refused: [() => void, Error][] = [
    [() => adam({ weightDecay: -1 }), new RangeError('Adam: weightDecay must be a number >= 0, got -1')],
    [
      () => adam({ excludeFromWeightDecay: 'bias' as never }),
      new TypeError(
        'Adam: excludeFromWeightDecay must be a list of names or a function, got "bias"; try [\'bias\']',
      ),
    ],
    [
      () => sgd({ learningRateFactors: { first: -1 } }),
      new RangeError('SGD: learningRateFactors["first"] must be a number >= 0, got -1'),
    ],
    [
      () => make(sgd({ learningRateFactors: { frist: 2 } })),
      new RangeError(
        'SGD: learningRateFactors must name layers with weights, got "frist"; did you mean "first"?',
      ),
    ],
    [
      () => sgd({ useEma: 1 as never }),
      new TypeError('SGD: useEma must be true or false, got 1; correct it'),
    ],
    [
      () => sgd({ useEma: true, emaMomentum: 2 }),
      new RangeError('SGD: emaMomentum must be in [0, 1], got 2'),
    ],
  ]
  for (const [make, error] of refused) expect(make).toThrow(error)
})
