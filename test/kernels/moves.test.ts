import { describe, expect, test } from 'vitest'
import { awkwardSizes, noise } from '../bed.ts'
import { prove } from './trial.ts'

type Five = [number, number, number, number, number]

interface Walk {
  readonly n: Five
  readonly x: Five
  readonly y: Five
  readonly xStart?: number
  readonly yStart?: number
}

/** The last element of a walk, plus 1. */
const reach = (n: Five, strides: Five, start: number) =>
  n.includes(0) ? start : start + n.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 1)

function* steps(n: Five): Generator<Five> {
  for (let a = 0; a < n[0]; a++)
    for (let b = 0; b < n[1]; b++)
      for (let c = 0; c < n[2]; c++)
        for (let d = 0; d < n[3]; d++) for (let e = 0; e < n[4]; e++) yield [a, b, c, d, e]
}

/** y of three samples after a walk over noise; what is not written stays NaN. */
function check({ n, x, y, xStart = 0, yStart = 0 }: Walk): void {
  const samples = 3
  const [xSize, ySize] = [reach(n, x, xStart), reach(n, y, yStart)]
  const source = noise(samples * xSize, 5)
  const expected = new Float32Array(samples * ySize).fill(Number.NaN)
  const dot = (i: Five, strides: Five) => i.reduce((sum, at, axis) => sum + at * strides[axis]!, 0)
  for (let s = 0; s < samples; s++) {
    for (const i of steps(n))
      expected[s * ySize + yStart + dot(i, y)] = source[s * xSize + xStart + dot(i, x)]!
  }
  const [found] = prove({
    inputs: [source],
    outputs: [samples * ySize],
    units: samples,
    call: (k, begin, end, [from], [to]) =>
      k.move(begin, end, from!, to!, xSize, ySize, xStart, yStart, ...n, ...x, ...y),
  })
  expect(found).toEqual(expected)
}

describe('move', () => {
  test.each(awkwardSizes)('runs of %i', n => {
    check({ n: [1, 1, 1, 1, n], x: [0, 0, 0, 0, 1], y: [0, 0, 0, 0, 1] })
    check({ n: [1, 1, 2, 3, n], x: [0, 0, 0, n, 1], y: [0, 0, 4 * n, n, 1], xStart: 5, yStart: 3 })
    check({ n: [1, 2, 2, 3, n], x: [0, 9 * n, 4 * n, n, 1], y: [0, 6 * n, 3 * n, n, 1] })
  })

  test.each(awkwardSizes)('matrices with %i rows or columns are transposed', n => {
    for (const m of [1, 2, 3, 4, 5, 8, 9, 17]) {
      check({ n: [1, 1, 1, m, n], x: [0, 0, 0, 1, m], y: [0, 0, 0, n, 1] })
      check({ n: [1, 1, 2, n, m], x: [0, 0, n * m, 1, n], y: [0, 0, n * m + 1, m, 1], yStart: 2 })
    }
  })

  test.each(awkwardSizes)('%i elements with gaps', n => {
    check({ n: [1, 1, 1, 2, n], x: [0, 0, 0, 3 * n, 3], y: [0, 0, 0, n, 1] })
    check({ n: [1, 1, 1, 2, n], x: [0, 0, 0, n, 1], y: [0, 0, 0, 5 * n, 4], yStart: 1 })
    check({ n: [1, 1, 1, 3, n], x: [0, 0, 0, 1, 0], y: [0, 0, 0, n, 1] })
  })

  test('five axes', () => {
    check({ n: [2, 3, 2, 4, 5], x: [60, 20, 120, 1, 4], y: [120, 40, 20, 5, 1] })
  })
})

test.each(awkwardSizes)('clear: %i elements', n => {
  const [y] = prove({
    inputs: [],
    outputs: [n],
    units: n,
    call: (k, begin, end, _, [y]) => k.clear(begin, end, y!),
  })
  expect(y).toEqual(new Float32Array(n))
})
