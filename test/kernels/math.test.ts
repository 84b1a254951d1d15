import { describe, expect, test } from 'vitest'
import type { Numerics } from '../../src/runtime/tiers.ts'
import { Bed, noise } from '../bed.ts'
import { erf, sigmoid, softplus, ulp } from '../float64.ts'

type Unary = 'exponential' | 'logarithm' | 'cosine' | 'tanh' | 'sigmoid' | 'softplus' | 'gelu'

interface Row {
  readonly kernel: Unary | 'elu'
  readonly reference: (x: number) => number
  readonly range: [number, number]
  /** Largest error in units in the last place of `unit` (of the result if not said). */
  readonly ulps: number
  readonly unit?: (x: number, y: number) => number
  /** Pairs of an input and its exact result. */
  readonly exact: [number, number][]
}

const { POSITIVE_INFINITY: infinity, NaN: nan } = Number
const tiny = 2 ** -149
const largest = 3.4028234663852886e38

const rows: Row[] = [
  {
    kernel: 'exponential',
    reference: Math.exp,
    range: [-104, 88.7],
    ulps: 1.1,
    exact: [
      [-infinity, 0],
      [infinity, infinity],
      [nan, nan],
      [0, 1],
      [-0, 1],
      [tiny, 1],
      [-105, 0],
      [88.73, infinity],
      [-103.2, tiny],
    ],
  },
  {
    kernel: 'logarithm',
    reference: Math.log,
    range: [0, 10],
    ulps: 1,
    exact: [
      [0, -infinity],
      [-0, -infinity],
      [-1, nan],
      [-tiny, nan],
      [-infinity, nan],
      [infinity, infinity],
      [nan, nan],
      [1, 0],
      [tiny, Math.fround(-149 * Math.LN2)],
      [largest, Math.fround(128 * Math.LN2)],
    ],
  },
  {
    kernel: 'cosine',
    reference: Math.cos,
    range: [-100, 100],
    ulps: 1.6,
    unit: (_, y) => Math.max(Math.abs(y), 1e-3),
    exact: [
      [0, 1],
      [-0, 1],
      [infinity, nan],
      [nan, nan],
      [tiny, 1],
    ],
  },
  {
    kernel: 'tanh',
    reference: Math.tanh,
    range: [-12, 12],
    ulps: 2.5,
    exact: [
      [0, 0],
      [-0, -0],
      [infinity, 1],
      [-infinity, -1],
      [nan, nan],
      [tiny, tiny],
      [-largest, -1],
    ],
  },
  {
    kernel: 'sigmoid',
    reference: sigmoid,
    range: [-104, 40],
    ulps: 2.2,
    exact: [
      [0, 0.5],
      [-infinity, 0],
      [infinity, 1],
      [nan, nan],
      [-1000, 0],
      [1000, 1],
    ],
  },
  {
    kernel: 'softplus',
    reference: softplus,
    range: [-104, 40],
    ulps: 1.7,
    exact: [
      [-infinity, 0],
      [infinity, infinity],
      [nan, nan],
      [1000, 1000],
      [-1000, 0],
    ],
  },
  // What the reference's sum loses for x < 0 is counted in units of x/2.
  {
    kernel: 'gelu',
    reference: x => (x * (1 + erf(x / Math.SQRT2))) / 2,
    range: [-8, 8],
    ulps: 6,
    unit: (x, y) => Math.max(Math.abs(x / 2), Math.abs(y)),
    exact: [
      [0, 0],
      [nan, nan],
      [infinity, infinity],
      [10, 10],
    ],
  },
  // exp(x) - 1 where x < 0.
  {
    kernel: 'elu',
    reference: Math.expm1,
    range: [-30, 0],
    ulps: 1,
    exact: [
      [0, 0],
      [-infinity, -1],
      [nan, nan],
      [-tiny, -tiny],
      [3, 3],
    ],
  },
]

/** Half evenly spread over the range, half with all exponents that it holds. */
function inputs([low, high]: [number, number], count = 100_000): Float32Array {
  return noise(count, 5).map((u, i, all) => {
    if (i & 1) return low + ((high - low) * (u + 1)) / 2
    const small = all[i + 1]! > 0 ? high : low
    return small * 2 ** (-60 * Math.abs(u))
  })
}

describe.each(['fused', 'portable'] as Numerics[])('%s', numerics => {
  const bed = new Bed(undefined, numerics)
  const apply = (kernel: Row['kernel'], values: Float32Array): Float32Array => {
    bed.reset()
    const x = bed.put(values)
    const y = bed.out(values.length)
    bed.kernels[kernel](0, values.length, x, y, 1)
    return bed.floats(y, values.length)
  }

  test.each(rows)('$kernel', ({ kernel, reference, range, ulps, unit = (_, y) => y, exact }) => {
    const xs = inputs(range)
    let worst = 0
    apply(kernel, xs).forEach((y, i) => {
      const wanted = reference(xs[i]!)
      if (Math.fround(wanted) === y) return
      const error = Math.abs(y - wanted) / ulp(unit(xs[i]!, wanted))
      if (!(error <= worst)) worst = error
    })
    expect(worst).toBeGreaterThan(0.5)
    expect(worst).toBeLessThan(ulps)
    const found = apply(
      kernel,
      Float32Array.from(exact, ([x]) => x),
    )
    expect([...found]).toEqual(exact.map(([, y]) => y))
  })
})
