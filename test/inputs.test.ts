import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { toRows } from '../src/data/inputs.ts'
import { tensor } from '../src/data/tensor.ts'
import { caught } from './caught.ts'

const rows = (input: unknown, shape: (number | null)[]) => toRows('fit', 'x', input, shape)
const floats = new Float32Array([1, 2, 3, 4, 5, 6])

test.each([
  ['typed array', floats, [3], floats, 2],
  ['typed array of scalars', floats, [], floats, 6],
  ['typed array of matrices', floats, [2, 3], floats, 1],
  [
    'nested arrays',
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [3],
    floats,
    2,
  ],
  ['arrays of typed arrays', [floats], [6], floats, 1],
  ['booleans', [[true, false]], [2], Float32Array.of(1, 0), 1],
  ['tensor', tensor(floats, [2, 3]), [3], floats, 2],
  ['tensor of int32', tensor([1, 2], [2], 'int32'), [], Int32Array.of(1, 2), 2],
  ['TF.js tensor', tf.tensor2d(floats, [3, 2]), [2], floats, 3],
  ['TF.js tensor of int32', tf.tensor1d([7, 8], 'int32'), [], Int32Array.of(7, 8), 2],
  ['bytes', Uint8Array.of(1, 2), [1], Uint8Array.of(1, 2), 2],
  ['clamped bytes', Uint8ClampedArray.of(1, 2), [1], Uint8Array.of(1, 2), 2],
  ['int16', Int16Array.of(-1, 2), [1], Int32Array.of(-1, 2), 2],
  ['float64', Float64Array.of(0.5, 2), [1], Float32Array.of(0.5, 2), 2],
  ['flat list for [*, 1]', [1, 2, 3], [1], Float32Array.of(1, 2, 3), 3],
  ['column for [*]', [[1], [2]], [], Float32Array.of(1, 2), 2],
] as [string, unknown, number[], unknown, number][])('%s', (_, input, shape, values, count) => {
  expect(rows(input, shape)).toEqual({ values, scale: 1, count, shape })
})

test('bytes keep their scale, and nothing is copied', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4)
  const found = rows(tensor(bytes, [2, 2], 'uint8', 0.5), [2])
  expect(found).toEqual({ values: bytes, scale: 0.5, count: 2, shape: [2] })
  expect(found.values).toBe(bytes)
  expect(rows(floats, [3]).values).toBe(floats)
})

test('an open size is taken from the data', () => {
  expect(
    rows(
      [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ],
      [null, 2],
    ).shape,
  ).toEqual([3, 2])
})

const infinite = new Float32Array(40)
infinite[37] = Number.NEGATIVE_INFINITY
const missing = tensor(new Float32Array(80).fill(1), [4, 20])
missing.values[77] = Number.NaN
const reshapeFix = 'add layers.reshape({ targetShape: [28, 28, 1] }) first'
const finiteFix = 'remove or replace what is missing or too large for float32'

test.each([
  [
    tensor(new Float32Array(784 * 2), [2, 28, 28]),
    [784],
    'RangeError: fit: x must have shape [*, 784], got [2, 28, 28]; add layers.flatten() first',
  ],
  [
    tensor(new Float32Array(784 * 2), [2, 784]),
    [28, 28, 1],
    `RangeError: fit: x must have shape [*, 28, 28, 1], got [2, 784]; ${reshapeFix}`,
  ],
  [tensor(new Float32Array(8), [2, 4]), [3], 'RangeError: fit: x must have shape [*, 3], got [2, 4]'],
  [[1, 2], [3], 'RangeError: fit: x must have shape [*, 3], got [2]'],
  [[[1, 2]], [null, 2], 'RangeError: fit: x must have shape [*, *, 2], got [1, 2]'],
  [tensor(5), [], 'RangeError: fit: x must have shape [*], got []'],
  [floats, [4], 'RangeError: fit: x must have a multiple of 4 elements for shape [*, 4], got 6'],
  [
    floats,
    [null, 2],
    'TypeError: fit: x must have a shape, got Float32Array(6); give a tensor of shape [*, *, 2]',
  ],
  [[[1, 2], [3]], [2], 'RangeError: fit: x[1] must have 2 elements, got 1'],
  [[[1, 'a']], [2], 'TypeError: fit: x[0][1] must be a number or boolean, got "a"'],
  [missing, [20], `RangeError: fit: x must be finite, got NaN at [3, 17]; ${finiteFix}`],
  [infinite, [20], `RangeError: fit: x must be finite, got -Infinity at [1, 17]; ${finiteFix}`],
  [Float64Array.of(1, 1e300), [], `RangeError: fit: x must be finite, got Infinity at [1]; ${finiteFix}`],
  [new Float32Array(0), [3], 'RangeError: fit: x must have at least one sample, got shape [0, 3]'],
  [[], [], 'RangeError: fit: x must have at least one sample, got shape [0]'],
  [
    undefined,
    [3],
    'TypeError: fit: x must be a tensor, typed array or nested arrays of numbers, got undefined',
  ],
  [
    BigInt64Array.of(1n),
    [],
    'TypeError: fit: x must be a tensor, typed array or nested arrays of numbers, got BigInt64Array(1)',
  ],
  ['data', [], 'TypeError: fit: x must be a tensor, typed array or nested arrays of numbers, got "data"'],
  [
    { shape: [3], dataSync: () => floats },
    [],
    'TypeError: fit: x must be a tensor, typed array or nested arrays of numbers, got { shape, dataSync }',
  ],
] as [unknown, (number | null)[], string][])('message %#', async (input, shape, text) => {
  expect(await caught(() => rows(input, shape))).toBe(text)
})
