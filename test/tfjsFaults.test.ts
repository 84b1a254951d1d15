import { expect, test } from 'vitest'
import { relativeError } from './bed.ts'
import type { Outcome } from './reference/faults/evidence.ts'
import { faults } from './reference/tfjsFaults.ts'

const agrees = (found: Outcome, expected: Outcome): boolean =>
  typeof found === 'string' || typeof expected === 'string'
    ? found === expected
    : relativeError(found, expected) < 1e-5

test.each(Object.entries(faults))('%s is a fault of TensorFlow.js, not ours', async (_, fault) => {
  const { theirs, expected, ours } = await fault.show()
  expect(agrees(ours, expected), `ours: ${show(ours)}, not ${show(expected)}`).toBe(true)
  expect(agrees(theirs, expected), `theirs: ${show(theirs)}, as expected`).toBe(false)
})

const show = (found: Outcome): string => (typeof found === 'string' ? found : `[${Array.from(found)}]`)
