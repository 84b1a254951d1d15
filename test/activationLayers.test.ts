import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import type { Layer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { caught } from './caught.ts'
import { parityError } from './reference/parity.ts'
import type { Recipe } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const recipes: Record<string, Recipe> = {
  'reLU, reLU to 1': [
    ['reLU', {}],
    ['dense', { units: 5 }],
    ['reLU', { maxValue: 1 }],
  ],
  elu: [
    ['elu', {}],
    ['dense', { units: 5 }],
    ['elu', { alpha: 1 }],
  ],
  // TensorFlow.js cannot train anything below this one.
  thresholdedReLU: [['thresholdedReLU', { theta: 0.2 }]],
  prelu: [
    ['prelu', {}],
    ['dense', { units: 17 }],
    ['prelu', { alphaInitializer: 'ones' }],
  ],
  'prelu with shared axes': [
    ['prelu', { sharedAxes: [1, 2] }],
    ['dense', { units: 5 }],
    ['prelu', { sharedAxes: [3] }],
  ],
  softmax: [
    ['softmax', { axis: -1 }],
    ['dense', { units: 5 }],
    ['softmax', { axis: 3 }],
  ],
}

test.each(Object.entries(recipes))('%s as TensorFlow.js', async (_, recipe) => {
  expect(await parityError(recipe, [3, 4, 6])).toBeLessThan(2e-6)
})

test('softmax of vectors, by the default axis of either library', async () => {
  expect(
    await parityError(
      [
        ['softmax', {}],
        ['repeatVector', { n: 2 }],
      ],
      [6],
    ),
  ).toBeLessThan(2e-6)
})

const built = (layer: Layer, shape: readonly number[]) => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  return layer.build(g, g.batch('x', shape))
}
const { elu, prelu, reLU, softmax, thresholdedReLU } = layers
const name = 'it'

const failures: [run: () => unknown, text: string][] = [
  [() => reLU({ maxValue: -1 }), 'RangeError: ReLU: maxValue must be a number >= 0, got -1'],
  [() => elu({ alpha: -1 }), 'RangeError: ELU: alpha must be a number >= 0, got -1'],
  [
    () => thresholdedReLU({ theta: Number.NaN }),
    'RangeError: ThresholdedReLU: theta must be a finite number, got NaN',
  ],
  [
    () => prelu({ sharedAxes: [0] }),
    'RangeError: PReLU: an axis of sharedAxes must be a positive integer, got 0',
  ],
  [
    () => built(prelu({ sharedAxes: [1, 3], name }), [4, 5]),
    'RangeError: it: sharedAxes must be among the 2 of [4,5], got [1, 3]; count from 1',
  ],
  [
    () => built(prelu({ name }), [1, 2, 3, 4, 5, 6]),
    'RangeError: it: the input must have at most 5 axes, got [1,2,3,4,5,6]; add layers.reshape() before it',
  ],
  [
    () => softmax({ axis: 'last' as unknown as number }),
    'TypeError: Softmax: axis must be a finite number, got "last"',
  ],
  ...[0, 3, -3, [1, 1], [] as number[]].map((axis): [() => unknown, string] => [
    () => built(softmax({ axis, name }), [4, 5]),
    `RangeError: it: axis must be 1 to 2, or -1 to -2, or some of them, got ${Array.isArray(axis) ? `[${axis.join(', ')}]` : axis}; 0 is the batch`,
  ]),
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
