import { expect, test } from 'vitest'
import { pack } from '../../src/graph/parameter.ts'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

test.each(awkwardSizes)('fill %i elements with a number', size => {
  const [given, found] = prove({
    inputs: [Float32Array.of(0.3)],
    outputs: [size, size],
    units: size,
    call(k, begin, end, [x], [given, found]) {
      k.fillWith(begin, end, given!, 0.7)
      k.fill(begin, end, x!, found!)
    },
  })
  expect(given).toEqual(new Float32Array(size).fill(0.7))
  expect(found).toEqual(new Float32Array(size).fill(0.3))
})

test.each([
  [1, 1],
  [1, 16],
  [3, 5],
  [2, 19],
  [4, 35],
])('a parameter [%i, %i], repeated for samples; its padding set to 0', (k, n) => {
  const values = noise(k * n, 1)
  const panels = new Float32Array(Math.ceil(n / 16) * k * 16)
  pack(values, [k, n], panels)
  const [repeated] = prove({
    inputs: [panels],
    outputs: [3 * k * n],
    units: 3,
    call: (kernels, begin, end, [p], [y]) => kernels.repeatPanels(begin, end, p!, y!, k, n),
  })
  expect(repeated).toEqual(Float32Array.from([...values, ...values, ...values]))
  // Junk where the padding is.
  const dirty = panels.map((value, i) => {
    const column = Math.floor(i / (16 * k)) * 16 + (i % 16)
    return column < n ? value : Number.NaN
  })
  const [clean] = prove({
    inputs: [dirty],
    outputs: [panels.length],
    units: panels.length / 16,
    call: (kernels, begin, end, [from], [to]) => kernels.keepColumns(begin, end, from!, to!, k, n),
  })
  expect(clean).toEqual(panels)
})

test('four numbers at a place, and the number of the step', () => {
  const [four, step] = prove({
    inputs: [Int32Array.of(12345)],
    outputs: [8, 1],
    units: 1,
    call(k, begin, end, [step], [y, to]) {
      k.fillWith(0, 8, y!, 9)
      k.setFour(begin, end, y!, 2, 1, 2, 3, 4)
      k.stepNumber(begin, end, step!, to!)
    },
  })
  expect([...four!]).toEqual([9, 9, 1, 2, 3, 4, 9, 9])
  expect([...step!]).toEqual([12345])
})

test.each(awkwardSizes.slice(1))('sums, maxima and their places of rows of %i', n => {
  const rows = 5
  const [x, dy] = [noise(rows * n, 3), noise(rows, 4)]
  const rowOf = (row: number) => [...x.subarray(row * n, row * n + n)]
  const each = Array.from({ length: rows }, (_, row) => rowOf(row))
  const [sums, largest, dx, places] = prove({
    inputs: [x, dy],
    outputs: [rows, rows, rows * n, rows],
    units: rows,
    call(k, begin, end, [x, dy], [sums, largest, dx, places]) {
      k.rowSums(begin, end, x!, sums!, n)
      k.rowMaximum(begin, end, x!, largest!, n)
      k.rowMaximumGradient(begin, end, x!, dy!, dx!, n)
      k.rowArgMax(begin, end, x!, places!, n)
    },
  })
  const place = each.map(row => row.indexOf(Math.max(...row)))
  expect(
    relativeError(
      sums!,
      each.map(row => row.reduce((a, b) => a + b)),
    ),
  ).toBeLessThan(1e-6)
  expect([...largest!]).toEqual(each.map(row => Math.max(...row)))
  expect([...places!]).toEqual(place)
  expect([...dx!]).toEqual(each.flatMap((row, r) => row.map((_, j) => (j === place[r] ? dy[r]! : 0))))
})

test('factors of a loss: weight · scale / inner', () => {
  const [weight, scale] = [Float32Array.of(1, 2, 3), Float32Array.of(0.5)]
  const [weighted, plain] = prove({
    inputs: [weight, scale],
    outputs: [6, 6],
    units: 6,
    call(k, begin, end, [weight, scale], [weighted, plain]) {
      k.lossFactors(begin, end, weighted!, weight!, scale!, 2)
      k.lossFactors(begin, end, plain!, 0, scale!, 2)
    },
  })
  expect([...weighted!]).toEqual([0.25, 0.25, 0.5, 0.5, 0.75, 0.75])
  expect([...plain!]).toEqual(Array(6).fill(0.25))
})
