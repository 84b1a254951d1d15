import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import { sizeOf } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { parityError } from './reference/parity.ts'
import { batchOf, type Recipe, twins } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { layers } = ls
const steps = [13, 3]
const image = [9, 8, 2]
// TensorFlow.js flattens no vectors.
const column: Recipe[number] = ['reshape', { targetShape: [4, 1] }]

const recipes: [title: string, Recipe, readonly number[]][] = [
  [
    'conv1d and pooling along steps',
    [
      ['conv1d', { filters: 5, kernelSize: 3, activation: 'relu' }],
      ['maxPooling1d', { poolSize: 2, strides: 1, padding: 'same' }],
      ['conv1d', { filters: 9, kernelSize: [2], strides: [2], padding: 'same' }],
      ['averagePooling1d', {}],
    ],
    steps,
  ],
  [
    'means of steps',
    [['conv1d', { filters: 4, kernelSize: 2 }], ['globalAveragePooling1d', {}], column],
    steps,
  ],
  ['maxima of steps', [['conv1d', { filters: 4, kernelSize: 2 }], ['globalMaxPooling1d', {}], column], steps],
  [
    'maxima of an image',
    [['conv2d', { filters: 4, kernelSize: 2 }], ['globalMaxPooling2d', {}], column],
    image,
  ],
  [
    'channels first',
    [
      ['conv2d', { filters: 4, kernelSize: 2, dataFormat: 'channelsFirst', activation: 'tanh' }],
      ['maxPooling2d', { poolSize: 2, dataFormat: 'channelsFirst' }],
      ['averagePooling2d', { poolSize: 1, dataFormat: 'channelsFirst' }],
      ['globalAveragePooling2d', { dataFormat: 'channelsFirst' }],
      column,
    ],
    [2, 9, 8],
  ],
  ...(['same', 'valid'] as const).map((padding): [string, Recipe, readonly number[]] => [
    `transposed, ${padding}`,
    [
      ['conv2dTranspose', { filters: 5, kernelSize: 3, strides: 2, padding, activation: 'relu' }],
      ['conv2dTranspose', { filters: 2, kernelSize: [2, 1], strides: [1, 2], padding, useBias: false }],
    ],
    [4, 3, 2],
  ]),
]

/** TensorFlow.js has no gradients of these. */
const dilated: [title: string, Recipe, readonly number[]][] = [
  ['conv1d, dilated', [['conv1d', { filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same' }]], steps],
  [
    'conv2d, dilated',
    [
      ['conv2d', { filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same', activation: 'tanh' }],
      ['conv2d', { filters: 5, kernelSize: [2, 3], dilationRate: [3, 1] }],
    ],
    image,
  ],
]

test.each(dilated)('%s predicts as TensorFlow.js', (_, recipe, input) => {
  const { ours, theirs } = twins(recipe, input)
  const x = batchOf(noise(3 * sizeOf(input), 1), [3, ...input])
  const expected = (theirs.predict(x.theirs) as tf.Tensor).dataSync()
  expect(relativeError(ours.predict(x.ours).dataSync(), expected)).toBeLessThan(2e-6)
  ours.dispose()
})

test.each(recipes)('%s as TensorFlow.js', async (_, recipe, input) => {
  expect(await parityError(recipe, input)).toBeLessThan(2e-6)
})

test('every other name is TensorFlow.js’ name of the same layer', () => {
  const names = Object.keys(layers).filter(
    name => /pool[123]d|avg/i.test(name) && !/^(max|average)Pooling/.test(name),
  )
  expect(names).toHaveLength(10)
  for (const name of names) {
    const make = (from: object) =>
      (from as Record<string, (o: object) => { getClassName?(): string }>)[name]!({})
    expect((make(layers) as unknown as Layer).className).toBe(make(tf.layers).getClassName!())
  }
})

describe('messages', () => {
  const name = 'it'
  const built = (layer: Layer, shape: readonly number[]) => {
    const g = new Graph({ training: true, leaves: 1, rows: 2 })
    return layer.build(g, g.batch('x', shape))
  }
  const failures: [run: () => unknown, text: string][] = [
    [
      () => layers.conv1d({ filters: 2, kernelSize: [3, 3] }),
      'RangeError: Conv1D: kernelSize must be a number or an array of one, got [3, 3]; write 3',
    ],
    [
      () => layers.conv2d({ filters: 2, kernelSize: [3, 3, 3] }),
      'RangeError: Conv2D: kernelSize must be a number or two, got [3, 3, 3]; write [height, width]',
    ],
    [
      () => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, dilationRate: [1, 2] }),
      'RangeError: Conv2D: strides or dilationRate must be 1, got 2 and [1, 2]; drop one',
    ],
    [
      () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'causal' }),
      'RangeError: Conv2D: padding must be one of "valid", "same", got "causal"',
    ],
    [
      () => layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 0 }),
      'RangeError: Conv1D: dilationRate must be a positive integer, got 0',
    ],
    [
      () => layers.conv2dTranspose({ filters: 0, kernelSize: 3 }),
      'RangeError: Conv2DTranspose: filters must be a positive integer, got 0',
    ],
    [
      () => built(layers.conv2dTranspose({ filters: 2, kernelSize: 3, name }), [4]),
      'RangeError: it: the input must have shape [height, width, channels], got [4]; add layers.reshape() before it',
    ],
    [
      () => built(layers.conv1d({ filters: 2, kernelSize: 3, name }), [4, 4, 1]),
      'RangeError: it: the input must have shape [steps, channels], got [4,4,1]; add layers.reshape() before it',
    ],
    [
      () => built(layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 2, name }), [4, 3]),
      "RangeError: it: a window of [5] must fit into the input, got [4,3]; use padding: 'same' or a smaller window",
    ],
    [
      () => built(layers.maxPooling2d({ poolSize: [2, 5], name, dataFormat: 'channelsFirst' }), [1, 4, 4]),
      "RangeError: it: a window of [2,5] must fit into the input, got [1,4,4]; use padding: 'same' or a smaller window",
    ],
    [
      () => built(layers.globalMaxPooling2d({ name, dataFormat: 'channelsFirst' }), [4, 4]),
      'RangeError: it: the input must have shape [channels, height, width], got [4,4]; add layers.reshape() before it',
    ],
  ]
  test.each(failures)('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})
