import { describe, expect, test } from 'vitest'
import { awkwardSizes, Bed, noise, relativeError } from '../bed.ts'
import { slope } from '../float64.ts'
import { prove } from './trial.ts'

const rowCount = 5

function softmax(x: number[]): number[] {
  const top = Math.max(...x)
  const sum = x.reduce((sum, x) => sum + Math.exp(x - top), 0)
  return x.map(x => Math.exp(x - top) / sum)
}

function logSoftmax(x: number[]): number[] {
  const top = Math.max(...x)
  const log = Math.log(x.reduce((sum, x) => sum + Math.exp(x - top), 0))
  return x.map(x => x - top - log)
}

const overRows = (x: Float32Array, n: number, f: (row: number[], first: number) => number[]): number[] =>
  Array.from({ length: x.length / n }, (_, r) => f([...x.subarray(r * n, r * n + n)], r * n)).flat()

describe.each([
  { name: 'softmax', f: softmax },
  { name: 'logSoftmax', f: logSoftmax },
] as const)('$name', ({ name, f }) => {
  const forward = (x: Float32Array, n: number) =>
    prove({
      inputs: [x],
      outputs: [x.length],
      units: x.length / n,
      call: (k, begin, end, [x], [y]) => k[name](begin, end, x!, y!, n),
    })[0]!

  test.each([...awkwardSizes.slice(1), 1000])(
    'rows of %i',
    n => {
      const x = noise(rowCount * n, n).map(u => 6 * u)
      const dy = noise(rowCount * n, 2)
      const y = forward(x, n)
      expect(relativeError(y, overRows(x, n, f))).toBeLessThan(5e-7)
      const [dx] = prove({
        inputs: [y, dy],
        outputs: [x.length],
        units: rowCount,
        call: (k, begin, end, [y, dy], [dx]) => k[`${name}Gradient`](begin, end, y!, dy!, dx!, n),
      })
      const wanted = overRows(x, n, (row, first) =>
        row.map((at, i) =>
          slope(z => f(row.with(i, z)).reduce((sum, y, j) => sum + y * dy[first + j]!, 0), at),
        ),
      )
      const expected = n === 1 ? [0, 0, 0, 0, 0] : wanted
      expect(relativeError([...dx!, 1], [...expected, 1])).toBeLessThan(2e-6)
    },
    60_000,
  )

  test('logits of ±1000, in place', () => {
    const x = Float32Array.of(1000, -1000, 999, 0, 1000, -1000, -1000, -1000, -1001, -999)
    expect(relativeError(forward(x, 5), overRows(x, 5, f))).toBeLessThan(3e-7)
    const bed = new Bed()
    const y = bed.put(x)
    bed.kernels[name](0, 2, y, y, 5)
    expect(bed.floats(y, 10)).toEqual(forward(x, 5))
  })
})
