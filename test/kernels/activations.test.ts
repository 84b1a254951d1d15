import { describe, expect, test } from 'vitest'
import { awkwardSizes, Bed, noise, relativeError } from '../bed.ts'
import { erf, sigmoid, slope, softplus } from '../float64.ts'
import { prove } from './trial.ts'

type Name =
  | 'relu'
  | 'relu6'
  | 'clippedRelu'
  | 'thresholdedRelu'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'softplus'
  | 'softsign'
  | 'tanh'
  | 'swish'
  | 'mish'
  | 'gelu'
  | 'geluNew'

interface Row {
  readonly name: Name
  readonly f: (x: number) => number
  /** What the gradient kernel reads beside dy: the input x or the output y; or the slope is made with the output. */
  readonly from: 'x' | 'y' | 'slope'
  readonly alpha?: number
  /** Where f has no derivative. */
  readonly kinks?: number[]
  /** f(-1000) and f(1000), f'(-1000) and f'(1000). */
  readonly ends: [number, number, number, number]
}

const scale = 1.0507009873554805
const alpha = 0.3
const rows: Row[] = [
  { name: 'relu', f: x => Math.max(x, 0), from: 'y', kinks: [0], ends: [0, 1000, 0, 1] },
  { name: 'relu6', f: x => Math.min(Math.max(x, 0), 6), from: 'y', kinks: [0, 6], ends: [0, 6, 0, 0] },
  {
    name: 'clippedRelu',
    f: x => Math.min(Math.max(x, 0), 2.5),
    from: 'y',
    alpha: 2.5,
    kinks: [0, 2.5],
    ends: [0, 2.5, 0, 0],
  },
  {
    name: 'thresholdedRelu',
    f: x => (x > alpha ? x : 0),
    from: 'x',
    alpha,
    kinks: [alpha],
    ends: [0, 1000, 0, 1],
  },
  {
    name: 'leakyRelu',
    f: x => (x > 0 ? x : alpha * x),
    from: 'x',
    alpha,
    kinks: [0],
    ends: [-300, 1000, alpha, 1],
  },
  {
    name: 'elu',
    f: x => (x > 0 ? x : alpha * Math.expm1(x)),
    from: 'y',
    alpha,
    kinks: [0],
    ends: [-alpha, 1000, 0, 1],
  },
  {
    name: 'selu',
    f: x => (x > 0 ? scale * x : 1.7580993408473768 * Math.expm1(x)),
    from: 'y',
    kinks: [0],
    ends: [-1.7580993408473768, 1000 * scale, 0, scale],
  },
  { name: 'sigmoid', f: sigmoid, from: 'y', ends: [0, 1, 0, 0] },
  {
    name: 'hardSigmoid',
    f: x => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
    from: 'y',
    kinks: [-2.5, 2.5],
    ends: [0, 1, 0, 0],
  },
  { name: 'softplus', f: softplus, from: 'y', ends: [0, 1000, 0, 1] },
  {
    name: 'softsign',
    f: x => x / (1 + Math.abs(x)),
    from: 'x',
    ends: [-1000 / 1001, 1000 / 1001, 1 / 1001 ** 2, 1 / 1001 ** 2],
  },
  { name: 'tanh', f: Math.tanh, from: 'y', ends: [-1, 1, 0, 0] },
  { name: 'swish', f: x => x * sigmoid(x), from: 'slope', ends: [0, 1000, 0, 1] },
  { name: 'mish', f: x => x * Math.tanh(softplus(x)), from: 'slope', ends: [0, 1000, 0, 1] },
  { name: 'gelu', f: x => (x * (1 + erf(x / Math.SQRT2))) / 2, from: 'slope', ends: [0, 1000, 0, 1] },
  {
    name: 'geluNew',
    f: x => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
    from: 'slope',
    ends: [0, 1000, 0, 1],
  },
]

const forward = ({ name, alpha = 0 }: Row, x: Float32Array) =>
  prove({
    inputs: [x],
    outputs: [x.length],
    units: x.length,
    call: (k, begin, end, [x], [y]) => k[name](begin, end, x!, y!, alpha),
  })[0]!

type Gated = 'swish' | 'mish' | 'gelu' | 'geluNew'
type Chained = Exclude<Name, Gated>

/** Outputs and slopes at x. */
const withSlope = (name: Gated, x: Float32Array) =>
  prove({
    inputs: [x],
    outputs: [x.length, x.length],
    units: x.length,
    call: (k, begin, end, [x], [y, slopes]) => k[`${name}WithSlope`](begin, end, x!, y!, slopes!),
  })

const backward = (row: Row, s: Float32Array, dy: Float32Array) => {
  if (row.from !== 'slope') return chained(row, s, dy)
  const [y, slopes] = withSlope(row.name as Gated, s)
  expect(y).toEqual(forward(row, s))
  return dy.map((dy, i) => dy * slopes![i]!)
}

const chained = ({ name, alpha = 0 }: Row, s: Float32Array, dy: Float32Array) =>
  prove({
    inputs: [s, dy],
    outputs: [s.length],
    units: s.length,
    call: (k, begin, end, [s, dy], [dx]) => k[`${name as Chained}Gradient`](begin, end, s!, dy!, dx!, alpha),
  })[0]!

describe.each(rows)('$name', row => {
  const { f, kinks = [] } = row

  test.each(awkwardSizes)('%i elements', size => {
    const x = noise(size, 7).map(u => {
      const near = kinks.find(kink => Math.abs(8 * u - kink) < 0.02)
      return near === undefined ? 8 * u : near + 0.02
    })
    const dy = noise(size, 9)
    if (size > 0) x[0] = dy[0] = 1 // errors are relative to the largest element, which must not be a saturated one
    const y = forward(row, x)
    expect(relativeError(y, Array.from(x, f))).toBeLessThan(3e-7)
    const wanted = Array.from(x, (x, i) => dy[i]! * slope(f, x))
    expect(relativeError(backward(row, row.from === 'y' ? y : x, dy), wanted)).toBeLessThan(1e-6)
  })

  test('far out, and NaN', () => {
    const x = Float32Array.of(-1000, 1000, -3e38, 3e38)
    const y = forward(row, x)
    const dx = backward(row, row.from === 'y' ? y : x, Float32Array.of(1, 1, 1, 1))
    expect(relativeError([...y.slice(0, 2), ...dx.slice(0, 2)], row.ends)).toBeLessThan(3e-7)
    expect([...y, ...dx].every(Number.isFinite)).toBe(true)
    const bed = new Bed()
    const nan = bed.put([Number.NaN])
    bed.kernels[row.name](0, 1, nan, nan, row.alpha ?? 0)
    expect(bed.floats(nan, 1)[0]).toBeNaN()
  })

  test('in place', () => {
    const x = noise(33, 3)
    const dy = noise(33, 4)
    const bed = new Bed()
    const y = bed.put(x)
    bed.kernels[row.name](0, 33, y, y, row.alpha ?? 0)
    expect(bed.floats(y, 33)).toEqual(forward(row, x))
    const [s, dx] = [bed.put(x), bed.put(dy)]
    if (row.from === 'slope') {
      bed.kernels[`${row.name as Gated}WithSlope`](0, 33, s, dx, s)
      expect(bed.floats(s, 33)).toEqual(withSlope(row.name as Gated, x)[1])
    } else {
      bed.kernels[`${row.name as Chained}Gradient`](0, 33, s, dx, dx, row.alpha ?? 0)
      expect(bed.floats(dx, 33)).toEqual(backward(row, x, dy))
    }
  })
})
