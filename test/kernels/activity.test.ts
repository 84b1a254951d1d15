import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const rows = 13

test.each(awkwardSizes.filter(n => n > 0))('activityPenalty of rows of %i', n => {
  const y = noise(rows * n, 5)
  y[0] = 0
  const [l1, l2, scale] = [0.3, 0.7, 0.25].map(Math.fround) as [number, number, number]
  const [values, dy] = prove({
    inputs: [y, Float32Array.of(scale)],
    outputs: [rows, rows * n],
    units: rows,
    call: (k, begin, end, [y, s], [values, dy]) =>
      k.activityPenalty(begin, end, y!, values!, dy!, s!, n, l1, l2),
  })
  const expected = Array.from({ length: rows }, (_, row) =>
    y.subarray(row * n, (row + 1) * n).reduce((sum, x) => sum + l1 * Math.abs(x) + l2 * x * x, 0),
  )
  expect(relativeError(values!, expected)).toBeLessThan(1e-6)
  const slopes = Array.from(y, x => (l1 * Math.sign(x) + 2 * l2 * x) * scale)
  expect(relativeError(dy!, slopes)).toBeLessThan(1e-6)
  const [alone] = prove({
    inputs: [y, Float32Array.of(scale)],
    outputs: [rows],
    units: rows,
    call: (k, begin, end, [y, s], [values]) => k.activityPenalty(begin, end, y!, values!, 0, s!, n, l1, l2),
  })
  expect(alone).toEqual(values)
})
