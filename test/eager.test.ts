import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'

await tf.setBackend('cpu')

/** What scripts use of both libraries, as one of them. */
type Library = typeof ls
const peer = tf as unknown as Library

const x = (library: Library) =>
  library.tensor(
    [
      [1.5, -2, 0.25],
      [4, 5.5, -6],
    ],
    [2, 3],
  )
const row = (library: Library) => library.tensor([2, 0.5, -4])
const whole = (library: Library) =>
  library.tensor(
    [
      [7, -7, 3],
      [1, 2, 2],
    ],
    [2, 3],
    'int32',
  )
const cube = (library: Library) =>
  library
    .randomUniform([2, 3, 4], 0, 1)
    .mul(0)
    .add(library.reshape(library.range(0, 24), [2, 3, 4]))

const programs: Record<string, (library: Library) => ls.Tensor> = {
  'add, broadcast': library => library.add(x(library), row(library)),
  'add of a number': library => x(library).add(1),
  'sub, the other way round': library => library.sub(row(library), x(library)),
  'mul of two axes of length 1': library => library.mul(library.ones([2, 1]), library.fill([1, 3], 2.5)),
  div: library => x(library).div(row(library)),
  'div by 0': library => library.div(library.tensor([1, -1]), library.zeros([2])),
  'div of integers': library => whole(library).div(library.scalar(2, 'int32')),
  'mul of integers': library => whole(library).mul(whole(library)),
  'integer and float': library => whole(library).add(row(library)),
  square: library => library.square(x(library)),
  sqrt: library => library.sqrt(x(library)),
  'sum of all': library => library.sum(x(library)),
  'sum along an axis': library => x(library).sum(1),
  'sum along axes, kept': library => library.sum(cube(library), [0, -1], true),
  'sum of integers': library => whole(library).sum(0),
  mean: library => cube(library).mean([1]),
  'mean of integers': library => library.mean(whole(library)),
  min: library => library.min(x(library), 0),
  max: library => library.max(cube(library), [0, 2]),
  'max of all': library => whole(library).max(),
  argMax: library => library.argMax(cube(library).mul(-1), 1),
  'argMax of equals': library => whole(library).argMax(-1),
  reshape: library => cube(library).reshape([4, -1]),
  expandDims: library => library.expandDims(x(library), -1),
  squeeze: library => library.squeeze(library.ones([1, 2, 1, 3])),
  'squeeze of an axis': library => library.ones([1, 2, 1, 3]).squeeze([-2]),
  'cast to integers': library => library.cast(library.tensor([1.7, -1.7, 0]), 'int32'),
  'cast to booleans': library => library.cast(library.tensor([1.7, -1.7, 0]), 'bool'),
  'slice of rows': library => library.slice(cube(library), 1),
  'slice of a block': library => cube(library).slice([0, 1, 2], [2, -1, 1]),
  concat: library => library.concat([x(library), library.zeros([2, 1])], -1),
  'concat of rows': library => library.concat([cube(library), cube(library)]),
  stack: library => library.stack([x(library), x(library)], 1),
  'stack at the end': library => library.stack([row(library), row(library)], -1),
  oneHot: library => library.oneHot(library.tensor([0, 2, 1, 5], [2, 2], 'int32'), 3),
  'oneHot with values': library => library.oneHot(library.tensor1d([1, 0], 'int32'), 2, 0.9, 0.1, 'float32'),
  linspace: library => library.linspace(-1, 1, 7),
  'linspace of one': library => library.linspace(3, 4, 1),
  range: library => library.range(1, 2, 0.25),
  'range backwards': library => library.range(5, 1),
  'range of integers': library => library.range(0, 7, 3, 'int32'),
  'scaling of a table': library => {
    const [low, high] = [x(library).min(0), x(library).max(0)]
    return x(library).sub(low).div(high.sub(low))
  },
}

describe('functions on tensors give what TensorFlow.js gives', () => {
  test.each(Object.entries(programs))('%s', (_, program) => {
    const [ours, theirs] = [program(ls), program(peer)]
    expect(ours.shape).toEqual(theirs.shape)
    expect(ours.dtype).toBe(theirs.dtype)
    const expected = [...theirs.dataSync()]
    const got = [...ours.dataSync()]
    for (const [i, value] of got.entries()) {
      if (Number.isFinite(expected[i]))
        expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(expected[i]!)))
      else expect(value).toBe(expected[i])
    }
  })
})

test('bytes with a scale count as the numbers that they stand for', () => {
  const bytes = ls.tensor(Uint8Array.of(0, 51, 255), [3], 'uint8', 1 / 255)
  expect(bytes.add(1).dtype).toBe('float32')
  expect([...bytes.mul(5).dataSync()].map(value => Math.round(value * 1e5) / 1e5)).toEqual([0, 1, 5])
  expect(
    ls
      .tensor(Uint8Array.of(200, 100))
      .add(ls.tensor(Uint8Array.of(100, 1)))
      .arraySync(),
  ).toEqual([300, 101])
})

test('random numbers have the distribution asked for, and are the same for the same seed', () => {
  const moments = (x: ls.Tensor) => {
    const mean = x.mean().dataSync()[0]!
    return [mean, Math.sqrt(x.sub(mean).square().mean().dataSync()[0]!)]
  }
  const [mean, deviation] = moments(ls.randomNormal([100, 200], 3, 2, 'float32', 5))
  expect(mean).toBeCloseTo(3, 1)
  expect(deviation).toBeCloseTo(2, 1)
  const uniform = ls.randomUniform([20_000], -1, 3, 'float32', 'a name')
  expect(moments(uniform)[0]).toBeCloseTo(1, 1)
  expect(moments(uniform)[1]).toBeCloseTo(4 / Math.sqrt(12), 1)
  expect(uniform.min().dataSync()[0]).toBeGreaterThanOrEqual(-1)
  expect(uniform.max().dataSync()[0]).toBeLessThan(3)
  const again = () => ls.randomUniform([5], 0, 1, 'float32', 9).arraySync()
  expect(again()).toEqual(again())
  expect(ls.randomUniform([5]).arraySync()).not.toEqual(ls.randomUniform([5]).arraySync())
})

test('shuffling keeps all elements', () => {
  const indices = ls.util.createShuffledIndices(100, 3)
  expect(indices).toBeInstanceOf(Uint32Array)
  expect([...indices]).not.toEqual([...indices].sort((a, b) => a - b))
  expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  const words = ['a', 'b', 'c', 'd']
  ls.util.shuffle(words)
  expect([...words].sort()).toEqual(['a', 'b', 'c', 'd'])
})

test.each<[string, () => unknown]>([
  [
    'RangeError: add: shapes must be equal, or 1, from the last axis on, got [2, 3] and [2]; reshape one',
    () => x(ls).add([1, 2]),
  ],
  ['RangeError: sum: axis must be an integer from -2 to 1, got 2; correct it', () => x(ls).sum(2)],
  [
    'RangeError: argMax: axis 0 must have elements, got shape [0, 2]; leave it out',
    () => ls.zeros([0, 2]).argMax(),
  ],
  [
    'RangeError: reshape: shape must hold the 6 elements of shape [2, 3], got [4, -1]; correct it',
    () => x(ls).reshape([4, -1]),
  ],
  ['RangeError: squeeze: axis 0 must have length 1, got shape [2, 3]; keep it', () => x(ls).squeeze([0])],
  [
    'RangeError: slice: begin and size must lie in shape [2, 3], got begin [1, 2] and size [1, 2]; correct them',
    () => x(ls).slice([1, 2], [1, 2]),
  ],
  [
    'RangeError: concat: tensors must have shape [*, 3] and dtype "float32", got [3] and "float32"; correct them',
    () => ls.concat([x(ls), row(ls)]),
  ],
  ['RangeError: concat: tensors must be one or more, got none; give an array of them', () => ls.concat([])],
  [
    'RangeError: stack: tensors must all have shape [2, 3], got [3]; correct them',
    () => ls.stack([x(ls), row(ls)]),
  ],
  ['RangeError: range: step must not be 0, got 0; leave it out', () => ls.range(0, 1, 0)],
  ['TypeError: zeros: shape must be an array of sizes, got 3', () => ls.zeros(3 as never)],
  ['RangeError: oneHot: depth must be a positive integer, got 0', () => ls.oneHot([1], 0)],
  [
    'RangeError: cast: dtype must be one of "float32", "int32", "uint8", "bool", got "string"',
    () => x(ls).cast('string' as never),
  ],
])('%s', async (message, run) => {
  expect(await caught(run as () => never)).toBe(message)
})
