import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { parityError } from './reference/parity.ts'
import type { Recipe } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

test('without noise, and saved, as TensorFlow.js', async () => {
  const recipe: Recipe = [
    ['gaussianNoise', { stddev: 0 }],
    ['gaussianDropout', { rate: 0 }],
    ['alphaDropout', { rate: 0 }],
    ['dropout', { rate: 0, noiseShape: [null, 1, null] }],
    ['spatialDropout1d', { rate: 0 }],
  ]
  expect(await parityError(recipe, [4, 6])).toBeLessThan(2e-6)
})

/** Weights after two epochs with noise of every kind, by layers that move and share. */
async function trained(options: ls.FitOptions): Promise<readonly number[]> {
  const { permute, prelu, softmax, upSampling2d, zeroPadding2d, conv2d, flatten, dense } = layers
  const model = ls.sequential({
    seed: 3,
    layers: [
      zeroPadding2d({ inputShape: [3, 4, 2] }),
      conv2d({ filters: 5, kernelSize: 2 }),
      prelu({ sharedAxes: [1, 2], alphaInitializer: 'glorotNormal' }),
      gaussianNoise({ stddev: 0.2 }),
      upSampling2d({ interpolation: 'bilinear' }),
      dropout({ rate: 0.3, noiseShape: [null, 1, 1, null] }),
      softmax({ axis: 1 }),
      permute({ dims: [3, 1, 2] }),
      flatten({}),
      alphaDropout({ rate: 0.2 }),
      gaussianDropout({ rate: 0.2 }),
      dense({ units: 3, activation: 'softmax' }),
    ],
  })
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError', leaves: 2 })
  const [x, y] = [ls.tensor(noise(30 * 24, 1), [30, 3, 4, 2]), ls.tensor(noise(90, 2), [30, 3])]
  await model.fit(x, y, { epochs: 2, batchSize: 8, seed: 5, verbose: 0, ...options })
  const weights = model.getWeights().flatMap(weight => [...weight.dataSync()] as number[])
  model.dispose()
  return weights
}

test('noise does not depend on the workers, nor on accumulation', async () => {
  const alone = await trained({ workers: 1 })
  expect(alone.every(Number.isFinite)).toBe(true)
  for (const options of [{ workers: 2 }, { workers: 3 }, { workers: 2, accumulate: true }])
    expect(await trained(options)).toEqual(alone)
  expect(await trained({ workers: 2, seed: 6 })).not.toEqual(alone)
})

const built = (layer: Layer, shape: readonly number[]) => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  return layer.build(g, g.batch('x', shape))
}
const { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout1d } = layers
const name = 'it'
const misfit = (noiseShape: readonly (number | null)[]): (() => unknown) => {
  return () => built(dropout({ rate: 0.5, noiseShape, name }), [4, 5])
}

const failures: [run: () => unknown, text: string][] = [
  [() => dropout({ rate: 1 }), 'RangeError: Dropout: rate must be in [0, 1), got 1'],
  [() => alphaDropout({ rate: -0.1 }), 'RangeError: AlphaDropout: rate must be in [0, 1), got -0.1'],
  [() => gaussianDropout({ rate: 1 }), 'RangeError: GaussianDropout: rate must be in [0, 1), got 1'],
  [() => spatialDropout1d({ rate: 2 }), 'RangeError: SpatialDropout1D: rate must be in [0, 1), got 2'],
  [() => gaussianNoise({ stddev: -1 }), 'RangeError: GaussianNoise: stddev must be a number >= 0, got -1'],
  [
    () => dropout({ rate: 0.5, noiseShape: 1 as unknown as number[] }),
    'TypeError: Dropout: noiseShape must be an array, got 1; write [null, 1, null]',
  ],
  [
    misfit([null, 3, 1]),
    'RangeError: it: noiseShape must be [null, 4, 5] with 1 or null for some, got [null, 3, 1]; correct it',
  ],
  [
    misfit([4, 5]),
    'RangeError: it: noiseShape must be [null, 4, 5] with 1 or null for some, got [4, 5]; correct it',
  ],
  [
    misfit([8, 4, 5]),
    'RangeError: it: noiseShape must be [null, 4, 5] with 1 or null for some, got [8, 4, 5]; correct it',
  ],
  [
    () => built(spatialDropout1d({ rate: 0.5, name }), [4]),
    'RangeError: it: the input must have shape [steps, channels], got [4]; add layers.reshape() before it',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})

test('dropout drops other elements in each step', async () => {
  const model = ls.sequential({
    layers: [
      ls.layers.dropout({ rate: 0.5, inputShape: [256] }),
      ls.layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones' }),
    ],
  })
  // A rate at which the weights stay as they are.
  model.compile({ optimizer: ls.train.sgd(1e-30), loss: 'meanAbsoluteError' })
  const options = { epochs: 8, seed: 3 }
  const { history } = await model.fit(ls.ones([2, 256]), ls.zeros([2, 1]), options)
  expect(new Set(history.loss).size).toBeGreaterThan(4)
  model.dispose()
})
