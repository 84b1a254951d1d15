import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { getRegularizer, L1L2, regularizers } from '../src/training/regularizers.ts'
import { caught } from './caught.ts'

test.each([
  [regularizers.l1(), tf.regularizers.l1()],
  [regularizers.l2(), tf.regularizers.l2()],
  [regularizers.l1l2(), tf.regularizers.l1l2()],
  [regularizers.l1({ l1: 0.5 }), tf.regularizers.l1({ l1: 0.5 })],
  [regularizers.l2({ l2: 0 }), tf.regularizers.l2({ l2: 0 })],
  [regularizers.l1l2({ l2: 0.3 }), tf.regularizers.l1l2({ l2: 0.3 })],
])('class and config are those of TF.js %#', (ours, theirs) => {
  const { className, config } = ours
  expect({ className, config }).toEqual({ className: theirs.getClassName(), config: theirs.getConfig() })
  expect(getRegularizer({ className, config })).toEqual(ours)
})

test('names and saved forms', () => {
  expect(getRegularizer(null)).toBe(null)
  expect(getRegularizer('l1l2')!.config).toEqual({ l1: 0.01, l2: 0.01 })
  expect(getRegularizer('l2')!.config).toEqual({ l1: 0, l2: 0.01 })
  expect(getRegularizer({ className: 'L2', config: { l2: 0.5 } })!.config).toEqual({ l1: 0, l2: 0.5 })
  expect(getRegularizer({ className: 'L1L2', config: { l1: 0.5, l2: null } })!.config).toEqual({
    l1: 0.5,
    l2: 0.01,
  })
  const given = new L1L2()
  expect(getRegularizer(given)).toBe(given)
})

test.each([
  [() => regularizers.l1({ l2: 1 } as never), 'TypeError: l1: unknown option "l2"; did you mean "l1"?'],
  [() => regularizers.l2(0.1 as never), 'TypeError: l2: options must be an object, got 0.1'],
  [() => regularizers.l1l2({ l1: -1 }), 'RangeError: L1L2: l1 must be a number >= 0, got -1'],
  [
    () => getRegularizer('l1_l2'),
    'RangeError: getRegularizer: unknown regularizer "l1_l2"; did you mean "l1l2"?',
  ],
  [
    () => getRegularizer(0.1 as never),
    'TypeError: getRegularizer: a regularizer must be a name or a regularizer, got 0.1',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
