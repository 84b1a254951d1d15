import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

/** n0 … n3, a0 … a3 and the rows k of alpha; `shared` if all columns have one slope. */
interface Layout {
  readonly n: [number, number, number, number]
  readonly a: [number, number, number, number]
  readonly k: number
  readonly shared: 0 | 1
}

const layouts: Layout[] = [
  { n: [1, 1, 1, 1], a: [0, 0, 0, 0], k: 1, shared: 0 },
  { n: [1, 1, 1, 1], a: [0, 0, 0, 0], k: 1, shared: 1 },
  { n: [1, 1, 3, 4], a: [0, 0, 4, 1], k: 12, shared: 0 },
  { n: [1, 1, 3, 4], a: [0, 0, 0, 0], k: 1, shared: 0 },
  { n: [1, 1, 3, 4], a: [0, 0, 0, 1], k: 4, shared: 1 },
  { n: [2, 3, 2, 2], a: [2, 0, 1, 0], k: 4, shared: 0 },
  { n: [2, 3, 2, 2], a: [0, 4, 2, 1], k: 12, shared: 1 },
]
const samples = 3
const cases = layouts.flatMap(layout => awkwardSizes.slice(1, -1).map(n => [n, layout] as const))

test.each(cases)('prelu: rows of %i, %j', (n, { n: sizes, a, k, shared }) => {
  const rows = sizes.reduce((product, size) => product * size, 1)
  const count = samples * rows * n
  const columns = shared ? 1 : n
  const floats = 16 * k * Math.ceil(columns / 16)
  const [x, dy, alpha] = [noise(count, 2), noise(count, 3), noise(floats, 4)]
  const placeOf = (i: number) => {
    let rest = Math.floor(i / n) % rows
    let row = 0
    for (let axis = 3; axis >= 0; axis--) {
      row += (rest % sizes[axis]!) * a[axis]!
      rest = Math.floor(rest / sizes[axis]!)
    }
    const column = shared ? 0 : i % n
    return (Math.floor(column / 16) * k + row) * 16 + (column % 16)
  }
  const args = [...sizes, n, ...a, k, shared] as const
  const [y] = prove({
    inputs: [x, alpha],
    outputs: [count],
    units: samples,
    call: (kernels, begin, end, [x, alpha], [y]) => kernels.prelu(begin, end, x!, alpha!, y!, ...args),
  })
  expect(y).toEqual(x.map((value, i) => (value > 0 ? value : value * alpha[placeOf(i)]!)))
  const [dx] = prove({
    inputs: [x, alpha, dy],
    outputs: [count],
    units: samples,
    call: (kernels, begin, end, [x, alpha, dy], [dx]) =>
      kernels.preluGradient(begin, end, x!, alpha!, dy!, dx!, ...args),
  })
  expect(dx).toEqual(dy.map((value, i) => (x[i]! > 0 ? value : value * alpha[placeOf(i)]!)))
  const [sums] = prove({
    inputs: [x, dy],
    outputs: [samples * floats],
    units: samples,
    call: (kernels, begin, end, [x, dy], [sums]) => kernels.preluSlopes(begin, end, x!, dy!, sums!, ...args),
  })
  const wanted = new Float64Array(samples * floats)
  for (let i = 0; i < count; i++)
    wanted[Math.floor(i / n / rows) * floats + placeOf(i)]! += Math.min(x[i]!, 0) * dy[i]!
  expect(relativeError([...sums!, 1], [...wanted, 1])).toBeLessThan(1e-6)
})
