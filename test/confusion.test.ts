import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const { confusionMatrix } = ls.math
const [n, classes] = [50, 4]
const numbers = (seed: number) => Array.from(noise(n, seed), u => Math.floor(2 * (u + 1)))

test('is that of TensorFlow.js, from numbers and from rows', async () => {
  await tf.setBackend('cpu')
  const [labels, predictions] = [numbers(2), numbers(3)]
  const theirs = tf.math.confusionMatrix(
    tf.tensor1d(labels, 'int32'),
    tf.tensor1d(predictions, 'int32'),
    classes,
  )
  const expected = [...theirs.dataSync()]
  const ours = confusionMatrix(labels, predictions, classes)
  expect(ours.shape).toEqual([classes, classes])
  expect([...ours.values]).toEqual(expected)
  const rows = (list: number[]) =>
    list.map(c => Array.from({ length: classes }, (_, j) => (j === c ? 0.6 : 0.1 + j / 100)))
  const found = confusionMatrix(ls.tensor(rows(labels)), ls.tensor(rows(predictions)), classes)
  expect([...found.values]).toEqual(expected)
})

test.each([
  [
    () => confusionMatrix([0, 4], [0, 1], 4),
    'RangeError: confusionMatrix: labels must be class numbers below 4, got 4 at 1; correct it',
  ],
  [
    () => confusionMatrix([0, 1], [0, 0.5], 4),
    'RangeError: confusionMatrix: predictions must be class numbers below 4, got 0.5 at 1; correct it',
  ],
  [
    () => confusionMatrix([0, 1], [0], 4),
    'RangeError: confusionMatrix: predictions must have 2 rows as the labels, got 1; correct them',
  ],
  [
    () => confusionMatrix([0], [[0, 1]], 4),
    'RangeError: confusionMatrix: predictions must have shape [*] or [*, 4], got [1, 2]; correct it',
  ],
  [
    () => confusionMatrix([0], [0], 0),
    'RangeError: confusionMatrix: numClasses must be a positive integer, got 0',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
