import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import { sizeOf } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { parityError } from './reference/parity.ts'
import { batchOf, type Recipe, twins, weightsOf } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { layers, constraints } = ls
const image = [9, 8, 3]
const volume = [5, 6, 4, 2]
const paddings = ['valid', 'same'] as const
type Case = [title: string, Recipe, readonly number[]]

const recipes: Case[] = [
  ...paddings.flatMap((padding): Case[] => [
    [
      `depthwise, ${padding}`,
      [
        ['depthwiseConv2d', { kernelSize: 3, padding, activation: 'relu', depthMultiplier: 2 }],
        ['depthwiseConv2d', { kernelSize: [2, 3], strides: 2, padding, useBias: false }],
      ],
      image,
    ],
    [
      `separable, ${padding}`,
      [
        ['separableConv2d', { filters: 17, kernelSize: 3, padding, activation: 'relu' }],
        ['separableConv2d', { filters: 4, kernelSize: 2, strides: 2, padding, useBias: false }],
      ],
      image,
    ],
    [
      `volumes, ${padding}`,
      [
        ['conv3d', { filters: 5, kernelSize: 2, padding, activation: 'tanh' }],
        ['conv3d', { filters: 3, kernelSize: [2, 1, 3], strides: [2, 1, 1], padding, useBias: false }],
      ],
      volume,
    ],
    [`maxima of volumes, ${padding}`, [['maxPooling3d', { poolSize: [2, 3, 2], padding }]], volume],
  ]),
  ['means of volumes', [['averagePooling3d', { poolSize: 2, strides: [1, 2, 1] }]], volume],
  [
    'channels first',
    [
      ['conv3d', { filters: 4, kernelSize: 2, dataFormat: 'channelsFirst' }],
      ['maxPooling3d', { poolSize: 2, strides: 1, dataFormat: 'channelsFirst' }],
    ],
    [2, 5, 6, 4],
  ],
  [
    'depthwise, channels first',
    [['depthwiseConv2d', { kernelSize: 2, dataFormat: 'channelsFirst', depthMultiplier: 3 }]],
    [2, 6, 5],
  ],
]

test.each(recipes)('%s as TensorFlow.js', async (_, recipe, input) => {
  expect(await parityError(recipe, input)).toBeLessThan(2e-6)
})

/** TensorFlow.js has no, or wrong, gradients of these. */
const forwards: Case[] = [
  [
    'separable, dilated',
    [['separableConv2d', { filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same' }]],
    image,
  ],
  ['volumes, dilated', [['conv3d', { filters: 4, kernelSize: 2, dilationRate: [2, 1, 3] }]], volume],
  ...paddings.map(
    (padding): Case => [
      `transposed volumes, ${padding}`,
      [
        ['conv3dTranspose', { filters: 3, kernelSize: 3, strides: 2, padding, activation: 'relu' }],
        ['conv3dTranspose', { filters: 2, kernelSize: [2, 1, 1], padding, useBias: false }],
      ],
      [2, 3, 2, 2],
    ],
  ),
  ['means of volumes, same', [['averagePooling3d', { poolSize: 3, strides: 2, padding: 'same' }]], volume],
]
test.each(forwards)('%s predicts as TensorFlow.js', (_, recipe, input) => {
  const { ours, theirs } = twins(recipe, input)
  const x = batchOf(noise(3 * sizeOf(input), 1), [3, ...input])
  const expected = (theirs.predict(x.theirs) as tf.Tensor).dataSync()
  expect(relativeError(ours.predict(x.ours).dataSync(), expected)).toBeLessThan(2e-6)
  ours.dispose()
})

test('a depthwise kernel is saved, read and set in its own shape', () => {
  const layer = layers.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 6, inputShape: image })
  const model = ls.sequential({ layers: [layer] })
  expect(layer.weights.map(({ shape }) => shape)).toEqual([[3, 2, 3, 6], [18]])
  const values = noise(108, 3)
  model.setWeights([ls.tensor(values, [3, 2, 3, 6]), new Float32Array(18)])
  expect(weightsOf(model)[0]).toEqual(values)
  model.dispose()
})

describe('constraints of a depthwise kernel', () => {
  const target = ls.tensor(noise(6 * 288, 5), [6, 288])
  const x = ls.tensor(noise(6 * sizeOf(image), 4), [6, ...image])
  const trained = async (axis: number | number[], depthMultiplier: number, workers = 1) => {
    const depthwiseConstraint = constraints.unitNorm({ axis })
    const network = [
      layers.depthwiseConv2d({
        ...{ kernelSize: [2, 3], strides: [1, 1], padding: 'same', depthMultiplier, depthwiseConstraint },
        inputShape: image,
      }),
      layers.flatten({}),
      layers.dense({ units: 288 }),
    ]
    const model = ls.sequential({ layers: network, seed: 3 })
    model.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError' })
    await model.fit(x, target, { epochs: 2, batchSize: 4, seed: 1, workers })
    const [w] = weightsOf(model)
    const bits = weightsOf(model).map(w => w.slice())
    const kernel = tf.tensor(w!, [2, 3, 3, depthMultiplier])
    const norms = tf.sqrt(tf.sum(tf.square(kernel), axis)).dataSync()
    model.dispose()
    return { norms, bits }
  }

  test.each([
    [0, 1],
    [0, 20],
    [[0, 1], 7],
    [[0, 1, 2], 1],
    [3, 1],
    [[2, 3], 6],
    [[0, 1, 2, 3], 6],
    [-3, 2],
  ])('over axis %j, depthMultiplier %i', async (axis, multiplier) => {
    const { norms } = await trained(axis, multiplier)
    for (const norm of norms) expect(norm).toBeCloseTo(1, 5)
  })

  test('cannot be over channels alone', () => {
    const network = (axis: number[]) =>
      layers
        .depthwiseConv2d({
          ...{ kernelSize: 2, depthMultiplier: 2, name: 'it' },
          depthwiseConstraint: constraints.unitNorm({ axis }),
        })
        .build(new Graph({ training: true, leaves: 1, rows: 2 }), graphInput(image))
    const text =
      'it: constraint of depthwise_kernel: axis must hold all of [2, 3] or none for shape [2, 2, 3, 2], got [0, 1, 2]; correct it'
    expect(() => network([0, 1, 2])).toThrow(new RangeError(text))
  })

  test('train with the same bits for any number of workers', async () => {
    const one = (await trained([0, 1], 2, 1)).bits
    for (const workers of [2, 3]) expect((await trained([0, 1], 2, workers)).bits).toEqual(one)
  })
})

const graphInput = (shape: readonly number[]) =>
  new Graph({ training: true, leaves: 1, rows: 2 }).batch('x', shape)

const networks: Record<string, Layer[]> = {
  separable: [
    layers.separableConv2d({
      filters: 18,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      inputShape: [9, 7, 5],
    }),
    layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2, activation: 'relu' }),
  ],
  volumes: [
    layers.conv3d({
      filters: 18,
      kernelSize: 2,
      padding: 'same',
      activation: 'relu',
      inputShape: [5, 3, 7, 3],
    }),
    layers.maxPooling3d({ poolSize: [2, 1, 2] }),
    layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2 }),
    layers.averagePooling3d({ poolSize: 2 }),
  ],
}
test.each(Object.keys(networks))('%s train with the same bits for any number of workers', async name => {
  const model = ls.sequential({
    layers: [...networks[name]!, layers.flatten({}), layers.dense({ units: 1 })],
  })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const initial = model.getWeights()
  const x = ls.tensor(noise(11 * 315, 4), [11, ...networks[name]![0]!.batchInputShape!.slice(1)] as number[])
  const y = ls.tensor(noise(11, 5), [11, 1])
  const run = async (workers: number) => {
    model.setWeights(initial)
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.fit(x, y, { epochs: 2, batchSize: 6, shuffle: false, workers })
    return weightsOf(model).map(w => w.slice())
  }
  const one = await run(1)
  for (const workers of [2, 3]) expect(await run(workers)).toEqual(one)
  model.dispose()
})

describe('messages', () => {
  const built = (layer: Layer, shape: readonly number[]) => {
    const g = new Graph({ training: true, leaves: 1, rows: 2 })
    return layer.build(g, g.batch('x', shape))
  }
  const name = 'it'
  const failures: [run: () => unknown, text: string][] = [
    [
      () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 0 }),
      'RangeError: DepthwiseConv2D: depthMultiplier must be a positive integer, got 0',
    ],
    [
      () => layers.separableConv2d({ filters: 2, kernelSize: 3, strides: 2, dilationRate: 2 }),
      'RangeError: SeparableConv2D: strides or dilationRate must be 1, got 2 and 2; drop one',
    ],
    [
      () => layers.conv3d({ filters: 2, kernelSize: [3, 3] }),
      'RangeError: Conv3D: kernelSize must be a number or three, got [3, 3]; write [depth, height, width]',
    ],
    [
      () => built(layers.maxPooling3d({ name }), [4, 4, 3]),
      'RangeError: it: the input must have shape [depth, height, width, channels], got [4,4,3]; add layers.reshape() before it',
    ],
    [
      () => built(layers.conv3d({ filters: 1, kernelSize: [2, 2, 5], name }), [3, 3, 4, 1]),
      "RangeError: it: a window of [2,2,5] must fit into the input, got [3,3,4,1]; use padding: 'same' or a smaller window",
    ],
  ]
  test.each(failures)('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})
