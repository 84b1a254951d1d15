import { describe, expect, test } from 'vitest'
import { opCases } from './cases/ops.ts'
import { proveOp } from './reference/ops.ts'

const forwardLimit = 5e-6
const gradientLimit = 1e-5

describe.each(Object.entries(opCases))('%s', (_, list) => {
  test.each(list.map(one => [one.title, one] as const))('%s', (_, one) => {
    const { forward, gradients } = proveOp(one)
    expect(forward).toBeLessThan(forwardLimit)
    for (const [i, error] of gradients.entries())
      expect(error, `gradient of input ${i}`).toBeLessThan(gradientLimit)
  })
})
