import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import { sequential } from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { batchOf } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { categoryEncoding, centerCrop, rescaling, resizing } = layers
type Name = 'categoryEncoding' | 'centerCrop' | 'rescaling' | 'resizing'

/** Layer by layer: TensorFlow.js gets the output shape of resizing wrong, so that nothing can follow it. */
const calls: [name: Name, options: object, shape: number[]][] = [
  ['rescaling', { scale: 1 / 255 }, [4, 5]],
  ['rescaling', { scale: -2, offset: 0.5 }, [3]],
  ['centerCrop', { height: 4, width: 3 }, [7, 9, 3]],
  ['centerCrop', { height: 2, width: 2 }, [6, 6, 1]],
  ['centerCrop', { height: 9, width: 8 }, [7, 6, 2]],
  ['resizing', { height: 4, width: 9 }, [7, 5, 3]],
  ['resizing', { height: 9, width: 9 }, [4, 4, 1]],
  ['resizing', { height: 6, width: 8, interpolation: 'nearest' }, [4, 5, 2]],
  ['categoryEncoding', { numTokens: 5 }, [3]],
  ['categoryEncoding', { numTokens: 7, outputMode: 'count' }, [6]],
  ['categoryEncoding', { numTokens: 5, outputMode: 'oneHot' }, [1]],
]

test.each(calls)('%s %j of %j as TensorFlow.js', (name, options, shape) => {
  const size = shape.reduce((product, n) => product * n, 1)
  const raw = noise(4 * size, 7)
  const values = name === 'categoryEncoding' ? raw.map(x => Math.floor(2.5 * (x + 1))) : raw
  const { ours, theirs } = batchOf(values, [4, ...shape])
  const model = sequential({
    layers: [(layers[name] as (o: object) => Layer)({ ...options, inputShape: shape })],
  })
  const found = model.predict(ours)
  const layer = (tf.layers[name] as (o: object) => tf.layers.Layer)(options)
  const expected = layer.apply(theirs) as tf.Tensor
  expect(found.shape).toEqual(expected.shape)
  expect(relativeError(found.dataSync(), expected.dataSync())).toBeLessThan(1e-6)
  model.dispose()
})

const built = (layer: Layer, shape: readonly number[]) => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  return layer.build(g, g.batch('x', shape))
}

const failures: [run: () => unknown, text: string][] = [
  [
    () => rescaling({ scale: '2' as unknown as number }),
    'TypeError: Rescaling: scale must be a finite number, got "2"',
  ],
  [
    () => rescaling({ scale: 1, offset: Number.NaN }),
    'RangeError: Rescaling: offset must be a finite number, got NaN',
  ],
  [
    () => centerCrop({ height: 0, width: 1 }),
    'RangeError: CenterCrop: height must be a positive integer, got 0',
  ],
  [
    () => built(centerCrop({ height: 1, width: 1, name: 'it' }), [3, 4]),
    'RangeError: it: the input must have shape [height, width, channels], got [3,4]; add layers.reshape() before it',
  ],
  [
    () => resizing({ height: 1, width: 2.5 }),
    'RangeError: Resizing: width must be a positive integer, got 2.5',
  ],
  [
    () => resizing({ height: 1, width: 2, interpolation: 'linear' as 'nearest' }),
    'RangeError: Resizing: interpolation must be one of "bilinear", "nearest", got "linear"; did you mean "bilinear"?',
  ],
  [
    () => categoryEncoding({ numTokens: -1 }),
    'RangeError: CategoryEncoding: numTokens must be a positive integer, got -1',
  ],
  [
    () => categoryEncoding({ numTokens: 2, outputMode: 'tfIdf' as 'count' }),
    'RangeError: CategoryEncoding: outputMode must be one of "multiHot", "oneHot", "count", got "tfIdf"',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
