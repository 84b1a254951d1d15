import { expect, test } from 'vitest'
import { Bed } from './bed.ts'

test('relu', () => {
  const bed = new Bed()
  const x = bed.put([-1, 2, -3, 4, 5]),
    y = bed.out(5)
  bed.kernels.relu(0, 5, x, y)
  expect([...bed.floats(y, 5)]).toEqual([0, 2, 0, 4, 5])
  bed.checkGuards()
})
