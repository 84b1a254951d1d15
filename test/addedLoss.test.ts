import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'

const { ops } = ls
const { dense } = ls.layers

/** Costs factor·x² or, with exponent 1, factor·x. */
const costly = ls.defineLayer(
  'Costly',
  { factor: 1, exponent: 2 },
  ({ addLoss }, x, { factor, exponent }) => {
    addLoss(ops.multiply(exponent === 2 ? ops.square(x) : x, factor))
    return x
  },
)

const samples = 12
const x = ls.tensor(noise(samples * 5, 1), [samples, 5])
const y = ls.tensor(noise(samples * 3, 2), [samples, 3])

interface Trained {
  readonly loss: number
  readonly evaluated: number
  readonly weights: Float32Array
}

/** One step of gradient descent by 1, so that weights show the gradient. */
async function train(layers: Layer[], more: ls.FitOptions = {}, leaves = 1, target = y): Promise<Trained> {
  const model = ls.sequential({ layers, seed: 3 })
  model.compile({ optimizer: ls.train.sgd(1), loss: 'meanSquaredError', leaves })
  const evaluated = model.evaluate(x, target) as ls.Tensor
  const { history } = await model.fit(x, target, { batchSize: samples, seed: 1, workers: 1, ...more })
  const weights = Float32Array.from(model.getWeights().flatMap(weight => [...weight.dataSync()]))
  model.dispose()
  return { loss: history.loss![0]!, evaluated: evaluated.dataSync()[0]!, weights }
}

const hidden = (options: object = {}) => dense({ units: 4, activation: 'tanh', inputShape: [5], ...options })

describe('addLoss', () => {
  test('adds the mean over the samples of what it is given, in training and evaluation', async () => {
    const own = await train([hidden(), costly({ factor: 0.3 }), dense({ units: 3 })])
    const known = await train([
      hidden({ activityRegularizer: ls.regularizers.l2({ l2: 0.3 }) }),
      dense({ units: 3 }),
    ])
    expect(own.loss).toBeCloseTo(known.loss, 6)
    expect(own.evaluated).toBeCloseTo(known.evaluated, 6)
    expect(own.evaluated).toBeCloseTo(own.loss, 6)
    expect(relativeError(own.weights, known.weights)).toBeLessThan(1e-6)
  })

  test('takes values of either sign, also one a sample', async () => {
    for (const units of [3, 1]) {
      const target = units === 3 ? y : y.slice([0, 0], [samples, 1])
      const make = () => dense({ units, inputShape: [5] })
      const plain = await train([make()], {}, 1, target)
      const own = await train([make(), costly({ factor: -0.5, exponent: 1 })], {}, 1, target)
      // d(mean −0.5·Σy) by the kernel and the bias.
      const means = Array.from({ length: 5 }, (_, k) => {
        const column = Array.from({ length: samples }, (_, i) => x.dataSync()[5 * i + k]!)
        return column.reduce((sum, value) => sum + value) / samples
      })
      const moved = own.weights.map((w, i) => w - plain.weights[i]!)
      const expected = [...means.flatMap(mean => Array(units).fill(0.5 * mean)), ...Array(units).fill(0.5)]
      expect(relativeError(moved, expected)).toBeLessThan(1e-5)
    }
  })

  test('counts all steps of a sequence, and has the same bits with leaves, workers and recompute', async () => {
    const make = (recompute: boolean) => [
      ls.layers.reshape({ targetShape: [5, 1], inputShape: [5] }),
      ls.layers.timeDistributed({ layer: dense({ units: 4, activation: 'tanh' }), recompute }),
      ls.layers.timeDistributed({ layer: costly({ factor: 0.2 }), recompute }),
      ls.layers.flatten({}),
      dense({ units: 3 }),
    ]
    const expected = await train(make(false), {}, 4)
    expect(expected.loss).toBeGreaterThan((await train(make(false).toSpliced(2, 1))).loss)
    for (const accumulate of [false, true])
      expect(await train(make(true), { accumulate, workers: 3 }, 4)).toEqual(expected)
  })

  test('refuses what is no value of samples', async () => {
    const wrong = ls.defineLayer('Wrong', {}, ({ addLoss, weight }, x) => {
      addLoss(weight('w', [2], { initializer: 'ones' }))
      return x
    })
    expect(await caught(() => ls.sequential({ layers: [wrong({ name: 'w', inputShape: [2] })] }))).toMatch(
      /^RangeError: w: addLoss must be given a value of samples, got .*; combine it with the input by ops$/,
    )
  })
})
