import * as tf from '@tensorflow/tfjs'
import { expect, test, vi } from 'vitest'
import { dispose, keep, memory, tidy } from '../src/data/compatibility.ts'
import {
  scalar,
  Tensor,
  tensor,
  tensor1d,
  tensor2d,
  tensor3d,
  tensor4d,
  tensor5d,
} from '../src/data/tensor.ts'
import { caught } from './caught.ts'

const dtypes = '"float32", "int32", "uint8", "bool"'
const range = (n: number) => Array.from({ length: n }, (_, i) => i - 2.5)
const cube = [
  [
    [1, 2],
    [3, 4.5],
  ],
  [
    [5, 6],
    [70, -8],
  ],
]

// What TF.js makes of the same arguments must be the same, also as text.
test.each([
  ['tensor', [[1, 2, 3]]],
  ['tensor', [cube]],
  ['tensor', [[true, false]]],
  ['tensor', [[1.7, -1.7], [2], 'int32']],
  ['tensor', [[1, 0, 0.4], null, 'bool']],
  ['tensor', [range(12), [2, 3, 2]]],
  [
    'tensor',
    [
      [range(4), range(4)],
      [2, 2, 2],
    ],
  ],
  ['tensor', [5]],
  ['tensor', [[new Float32Array([1, 2]), new Float32Array([3, 4])]]],
  ['tensor', [range(1000), [10, 100]]],
  ['tensor', [range(30)]],
  ['scalar', [3.5]],
  ['scalar', [true]],
  ['tensor1d', [[1, 2]]],
  ['tensor1d', [new Int32Array([1, 2])]],
  [
    'tensor2d',
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ],
  ['tensor2d', [[1, 2, 3, 4], [2, 2], 'int32']],
  ['tensor3d', [cube]],
  ['tensor4d', [range(16), [2, 2, 2, 2]]],
  ['tensor5d', [range(32), [2, 2, 2, 2, 2]]],
] as [string, unknown[]][])('%s as TF.js %#', (name, args) => {
  const makers: Record<string, unknown> = { tensor, scalar, tensor1d, tensor2d, tensor3d, tensor4d, tensor5d }
  const ours = (makers[name] as (...args: unknown[]) => Tensor)(...args)
  const theirs = ((tf as unknown as Record<string, unknown>)[name] as (...args: unknown[]) => tf.Tensor)(
    ...args,
  )
  expect([ours.shape, ours.dtype, ours.size, ours.rank]).toEqual([
    theirs.shape,
    theirs.dtype,
    theirs.size,
    theirs.rank,
  ])
  expect(ours.dataSync()).toEqual(theirs.dataSync())
  expect(ours.arraySync()).toEqual(theirs.arraySync())
  const trimmed = (text: string) => text.replace(/ +$/gm, '')
  expect(ours.toString()).toBe(trimmed(theirs.toString()))
  expect(ours.toString(true)).toBe(trimmed(theirs.toString(true)))
})

test('a scaled tensor stands for float32 numbers', async () => {
  const scaled = tensor(new Uint8Array([0, 51, 255]), [3], 'uint8', 1 / 255)
  expect(scaled.values).toEqual(new Uint8Array([0, 51, 255]))
  const scale = Math.fround(1 / 255)
  expect(scaled.dataSync()).toEqual(Float32Array.of(0, 51 * scale, 255 * scale))
  expect(await scaled.data()).toEqual(scaled.dataSync())
  expect(await scaled.array()).toEqual([...scaled.dataSync()])
})

test('typed arrays are kept as they are', () => {
  const values = new Float32Array(6)
  expect(tensor(values, [2, 3]).values).toBe(values)
  expect(tensor(new Uint8Array(2)).dtype).toBe('uint8')
  expect(tensor(new Uint8ClampedArray(2)).dtype).toBe('uint8')
  expect(tensor(new Int16Array(2)).dtype).toBe('int32')
  expect(tensor(new Float64Array(2)).dtype).toBe('float32')
  expect(tensor([[], []]).shape).toEqual([2, 0])
  expect(tensor([]).toString()).toBe('Tensor\n    []')
})

test('TF.js memory functions do nothing', () => {
  const t = scalar(2)
  expect(tidy(() => t)).toBe(t)
  expect(tidy('name', () => t)).toBe(t)
  expect(keep(t)).toBe(t)
  dispose(t)
  t.dispose()
  expect(t.dataSync()[0]).toBe(2)
  expect(memory().numTensors).toBe(0)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  t.print()
  expect(log).toHaveBeenCalledWith('Tensor\n    2')
  log.mockRestore()
})

test.each([
  [() => tensor([[1, 2], [3]]), 'RangeError: tensor: values[1] must have 2 elements, got 1'],
  [() => tensor([[1, 2], 3]), 'RangeError: tensor: values[1] must have 2 elements, got 3'],
  [() => tensor([1, [2]]), 'TypeError: tensor: values[1] must be a number or boolean, got [2]'],
  [() => tensor(['a'] as never), 'TypeError: tensor: values[0] must be a number or boolean, got "a"'],
  [() => tensor(null as never), 'TypeError: tensor: values must be a number or boolean, got null'],
  [
    () => tensor([1, 2, 3], [2, 2]),
    'RangeError: tensor: values must have 4 elements for shape [2, 2], got 3',
  ],
  [
    () =>
      tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [3, 2],
      ),
    'RangeError: tensor: values must be nested as shape [3, 2], got [2, 3]',
  ],
  [() => tensor([1], [-1]), 'RangeError: tensor: shape[0] must be a non-negative integer, got -1'],
  [() => tensor([1], 3 as never), 'TypeError: tensor: shape must be an array of sizes, got 3'],
  [
    () => tensor([1], [1], 'float' as never),
    `RangeError: tensor: dtype must be one of ${dtypes}, got "float"; did you mean "float32"?`,
  ],
  [() => tensor([1, 256], null, 'uint8'), 'RangeError: tensor: values must fit uint8, got 256 at element 1'],
  [
    () => tensor([Number.NaN], null, 'int32'),
    'RangeError: tensor: values must fit int32, got NaN at element 0',
  ],
  [
    () => tensor([1], null, 'float32', 0.5),
    'TypeError: tensor: scale must come with dtype "uint8", got "float32"',
  ],
  [
    () => new Tensor(new Float32Array(1), [1], 'int32'),
    'TypeError: tensor: values of dtype "int32" must be a Int32Array, got Float32Array(1)',
  ],
  [
    () => new Tensor(new Int32Array(1), [2], 'int32'),
    'RangeError: tensor: values must have 2 elements for shape [2], got 1',
  ],
  [() => scalar([1] as never), 'TypeError: scalar: value must be a number or boolean, got [1]'],
  [() => tensor1d([[1]] as never), 'RangeError: tensor1d: values must be a flat array, got 2 deep'],
  [() => tensor2d([1, 2]), 'TypeError: tensor2d: shape must be given with flat values, got undefined'],
  [() => tensor2d([1, 2], [2]), 'RangeError: tensor2d: shape must have 2 axes, got [2]'],
  [() => tensor2d(cube), 'RangeError: tensor2d: values must be flat or arrays nested 2 deep, got 3 deep'],
  [() => tensor3d(5), 'RangeError: tensor3d: values must be flat or arrays nested 3 deep, got 5'],
] as [() => unknown, string][])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
