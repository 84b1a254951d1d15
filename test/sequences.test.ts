import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'

const { layerNormalization } = ls.layers
const add = (make: () => object) => () => ls.sequential({ layers: [make() as never] })

describe('messages', () => {
  test.each<[() => unknown, string]>([
    [
      add(() => layerNormalization({ name: 'n', axis: 1, inputShape: [3, 4] })),
      'RangeError: n: axis must be the last one (-1 or 2), got 1; move the features to the last axis',
    ],
    [
      add(() => layerNormalization({ name: 'n', axis: [1, 2], inputShape: [3, 4] })),
      'RangeError: n: axis must be the last one (-1 or 2), got [1, 2]; move the features to the last axis',
    ],
    [
      () => layerNormalization({ epsilon: 0 }),
      'RangeError: LayerNormalization: epsilon must be a number > 0, got 0',
    ],
  ])('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})
