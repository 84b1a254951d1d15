import { expect, test } from 'vitest'
import { pack, unitsOf } from '../../src/graph/parameter.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

/** Tokens, rows and columns of the table. */
const cases = [
  [0, 3, 4],
  [1, 1, 1],
  [3, 5, 3],
  [4, 2, 5],
  [9, 7, 8],
  [15, 4, 15],
  [8, 33, 16],
  [31, 9, 17],
  [33, 6, 31],
  [40, 17, 33],
  [100, 3, 64],
] as const

function packed(values: Float32Array, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(values, shape, panels)
  return panels
}

const tokensOf = (count: number, k: number) =>
  noise(count, 3).map(value => Math.min(k - 1, Math.floor(((value + 1) / 2) * k)))

test.each(cases)('%i tokens of a table (%i,%i)', (count, k, n) => {
  const tokens = tokensOf(count, k)
  const table = noise(k * n, 4)
  const [y, fault] = prove({
    inputs: [tokens, packed(table, [k, n]), Int32Array.of(0)],
    outputs: [count * n, 1],
    units: count,
    call: (kernels, begin, end, [x, w, zero], [y, fault]) => {
      kernels.copy(0, 1, zero!, fault!)
      kernels.embed(begin, end, x!, w!, y!, fault!, 5, k, n)
    },
  })
  expect([...y!]).toEqual([...tokens].flatMap(row => [...table.subarray(row * n, row * n + n)]))
  if (count > 0) expect(fault![0]).toBe(0)
})

test.each(cases)('gradient of %i tokens of a table (%i,%i), two a sample', (count, k, n) => {
  const samples = count >> 1
  const [first, last] = [samples >> 1, samples]
  const tokens = tokensOf(count, k)
  const dy = noise(count * n, 6)
  // Names no row.
  if (count > 8) tokens[count - 3] = k
  const [dw] = prove({
    inputs: [tokens, dy, Int32Array.of(first, last)],
    outputs: [16 * unitsOf([k, n])],
    units: unitsOf([k, n]),
    call: (kernels, begin, end, [x, dy, span], [dw]) =>
      kernels.embedGradient(begin, end, x!, dy!, dw!, span!, 2, k, n),
  })
  const expected = new Float64Array(k * n)
  for (let i = 2 * first; i < 2 * last; i++) {
    if (tokens[i]! < k) for (let j = 0; j < n; j++) expected[tokens[i]! * n + j]! += dy[i * n + j]!
  }
  expect(relativeError(dw!, packed(Float32Array.from(expected), [k, n]))).toBeLessThan(1e-6)
})

test.each([-1, -0.5, 0.5, 3, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a token of %d makes zeros and sets the fault',
  token => {
    const [y, fault] = prove({
      inputs: [Float32Array.of(2, token, 0), packed(noise(15, 1), [3, 5]), Int32Array.of(0)],
      outputs: [15, 1],
      units: 3,
      call: (kernels, begin, end, [x, w, zero], [y, fault]) => {
        if (end === 3) kernels.copy(0, 1, zero!, fault!)
        kernels.embed(begin, end, x!, w!, y!, fault!, 5, 3, 5)
      },
    })
    expect([...y!.subarray(5, 10)]).toEqual([0, 0, 0, 0, 0])
    expect(new Int32Array(fault!.buffer)[0]).toBe(5)
  },
)

test('the lowest fault stays', () => {
  for (const [before, after] of [
    [0, 5],
    [3, 3],
    [9, 5],
  ] as const) {
    const [fault] = prove({
      inputs: [Float32Array.of(7), packed(noise(3, 1), [3, 1]), Int32Array.of(before)],
      outputs: [1, 1],
      units: 1,
      call: (kernels, begin, end, [x, w, b], [fault, y]) => {
        kernels.copy(begin, end, b!, fault!)
        kernels.embed(begin, end, x!, w!, y!, fault!, 5, 3, 1)
      },
    })
    expect(new Int32Array(fault!.buffer)[0]).toBe(after)
  }
})
