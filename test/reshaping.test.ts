import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import { sizeOf } from '../src/graph/value.ts'
import { defineLayer, type Layer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { activate } from '../src/ops/activation.ts'
import { concat, sliceAxis } from '../src/ops/moves.ts'
import { losses } from '../src/training/losses.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { measure } from './reference/measure.ts'
import { parityError } from './reference/parity.ts'
import { gradientError } from './reference/prove.ts'
import { made } from './reference/reshaping.ts'
import type { Recipe } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

/** y = x, the elements from 1 on of tanh(x), and x again side by side along an axis. */
const sandwich = (axis: number, thin: boolean): Layer =>
  defineLayer(
    'Sandwich',
    {},
    () => {},
    ({ g }, x) => {
      const size = thin ? 1 : x.shape[axis]! - 1
      return concat(g, [x, sliceAxis(g, activate(g, x, 'tanh'), axis, 1, size), x], axis)
    },
  )({})

describe('concat and sliceAxis', () => {
  const cases = [[3, 4, 5], [2, 9], [6], [2, 3, 2, 5]].flatMap(shape =>
    shape.map((_, axis) => ({ shape, axis, thin: axis % 2 === 1 })),
  )
  test.each(cases)('of [$shape] along axis $axis', ({ shape, axis, thin }) => {
    const samples = 3
    const n = shape[axis]!
    const cut = thin ? 1 : n - 1
    const out = [samples, ...shape.with(axis, 2 * n + cut)]
    const setup = { layers: [sandwich(axis, thin)], input: shape, samples, loss: losses.meanSquaredError }
    const x = noise(samples * sizeOf(shape), 2)
    const target = noise(sizeOf(out), 3)
    const { y, dx } = measure(setup, { x, target, weights: {} })
    const x64 = Float64Array.from(x)
    const expected = () =>
      made(out, place => {
        const i = place[axis + 1]!
        const from = i < n ? i : i < n + cut ? i - n + 1 : i - n - cut
        const source = place.with(axis + 1, from)
        const value = x64[source.reduce((index, at, j) => index * [samples, ...shape][j]! + at, 0)]!
        return i >= n && i < n + cut ? Math.tanh(value) : value
      }).values
    const f = () => expected().reduce((sum, value, i) => sum + (value - target[i]!) ** 2 / target.length, 0)
    expect(relativeError(y, expected())).toBeLessThan(1e-6)
    expect(gradientError(f, x64, dx)).toBeLessThan(1e-5)
  })
})

// TensorFlow.js' gradient of nearest pixels is wrong past the first sample, so nothing trains below them here;
// that of the bilinear ones mixes up height and width, so images are square.
const images: Record<string, Recipe> = {
  'permute [3, 1, 2]': [
    ['permute', { dims: [3, 1, 2] }],
    ['activation', { activation: 'tanh' }],
  ],
  'cropping2D by sides': [
    ['conv2d', { filters: 3, kernelSize: 2, activation: 'tanh' }],
    [
      'cropping2D',
      {
        cropping: [
          [1, 0],
          [0, 2],
        ],
      },
    ],
  ],
  'cropping2D channelsFirst': [['cropping2D', { cropping: [1, 0], dataFormat: 'channelsFirst' }]],
  zeroPadding2d: [
    ['zeroPadding2d', {}],
    ['conv2d', { filters: 3, kernelSize: 3, activation: 'relu' }],
  ],
  'zeroPadding2d by sides': [
    ['conv2d', { filters: 2, kernelSize: 3, activation: 'tanh' }],
    [
      'zeroPadding2d',
      {
        padding: [
          [0, 2],
          [1, 0],
        ],
      },
    ],
    ['conv2d', { filters: 3, kernelSize: 2, activation: 'tanh' }],
  ],
  'zeroPadding2d channelsFirst': [['zeroPadding2d', { padding: 2, dataFormat: 'channelsFirst' }]],
  ...Object.fromEntries(
    ['channelsLast', 'channelsFirst'].flatMap((dataFormat): [string, Recipe][] => [
      [
        `upSampling2d nearest ${dataFormat}`,
        [
          ['upSampling2d', { size: [2, 3], dataFormat }],
          ['conv2d', { filters: 3, kernelSize: 2, activation: 'tanh' }],
        ],
      ],
      [
        `upSampling2d bilinear ${dataFormat}`,
        [
          ['conv2d', { filters: 6, kernelSize: 2, activation: 'tanh' }],
          ['upSampling2d', { interpolation: 'bilinear', dataFormat }],
          ['conv2d', { filters: 3, kernelSize: 2, activation: 'tanh' }],
        ],
      ],
    ]),
  ),
}

describe('as TensorFlow.js', () => {
  test.each(Object.entries(images))('%s', async (_, recipe) => {
    expect(await parityError(recipe, [7, 7, 5])).toBeLessThan(2e-6)
  })

  test('repeatVector and permute', async () => {
    const recipe: Recipe = [
      ['dense', { units: 5 }],
      ['repeatVector', { n: 4 }],
      ['permute', { dims: [2, 1] }],
      ['dense', { units: 3, activation: 'tanh' }],
    ]
    expect(await parityError(recipe, [6])).toBeLessThan(2e-6)
  })
})

const built = (layer: Layer, shape: readonly number[]) => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  return layer.build(g, g.batch('x', shape))
}
const { cropping2D, permute, repeatVector, upSampling2d, zeroPadding2d } = layers
const name = 'it'

const failures: [run: () => unknown, text: string][] = [
  [
    () => permute({ dims: [1, 1, 2] }),
    'RangeError: Permute: dims must hold each of 1, 2, … once, got [1, 1, 2]; write [2, 1]',
  ],
  [
    () => permute({ dims: 2 as unknown as number[] }),
    'TypeError: Permute: dims must hold each of 1, 2, … once, got 2; write [2, 1]',
  ],
  [
    () => built(permute({ dims: [2, 1], name }), [3, 4, 5]),
    'RangeError: it: the input must have 2 axes, one for each of dims, got [3,4,5]; correct dims',
  ],
  [
    () => built(permute({ dims: [6, 1, 2, 3, 4, 5], name }), [1, 2, 3, 4, 5, 6]),
    'RangeError: it: the input must have at most 5 axes, got [1,2,3,4,5,6]; add layers.reshape() before it',
  ],
  [() => repeatVector({ n: 0 }), 'RangeError: RepeatVector: n must be a positive integer, got 0'],
  [
    () => built(repeatVector({ n: 2, name }), [3, 4]),
    'RangeError: it: the input must have shape [features], got [3,4]; add layers.flatten() before it',
  ],
  [
    () => cropping2D({ cropping: [1, 2, 3] as unknown as [number, number] }),
    'TypeError: Cropping2D: cropping must be a number, two, or two pairs, got [1, 2, 3]; ' +
      'write [[top, bottom], [left, right]]',
  ],
  [
    () => cropping2D({ cropping: -1 }),
    'RangeError: Cropping2D: cropping must be a non-negative integer, got -1',
  ],
  [
    () =>
      built(
        cropping2D({
          cropping: [
            [2, 1],
            [0, 0],
          ],
          name,
        }),
        [3, 4, 5],
      ),
    'RangeError: it: cropping must leave a row and a column of [3,4,5], got [[2 items], [2 items]]; crop less',
  ],
  [
    () => built(cropping2D({ cropping: 1, name, dataFormat: 'channelsFirst' }), [3, 4]),
    'RangeError: it: the input must have shape [channels, height, width], got [3,4]; add layers.reshape() before it',
  ],
  [
    () => zeroPadding2d({ padding: [[1], [2, 3]] as unknown as number }),
    'TypeError: ZeroPadding2D: padding must be a number, two, or two pairs, got [[1 items], [2 items]]; ' +
      'write [[top, bottom], [left, right]]',
  ],
  [
    () => zeroPadding2d({ dataFormat: 'channelFirst' as 'channelsFirst' }),
    'RangeError: ZeroPadding2D: dataFormat must be one of "channelsLast", "channelsFirst", got "channelFirst"; ' +
      'did you mean "channelsFirst"?',
  ],
  [
    () => built(zeroPadding2d({ name }), [3]),
    'RangeError: it: the input must have shape [height, width, channels], got [3]; add layers.reshape() before it',
  ],
  [
    () => upSampling2d({ size: 2 as unknown as [number, number] }),
    'TypeError: UpSampling2D: size must be two numbers, got 2; write [height, width]',
  ],
  [() => upSampling2d({ size: [2, 0] }), 'RangeError: UpSampling2D: size must be a positive integer, got 0'],
  [
    () => upSampling2d({ interpolation: 'cubic' as 'nearest' }),
    'RangeError: UpSampling2D: interpolation must be one of "nearest", "bilinear", got "cubic"',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
