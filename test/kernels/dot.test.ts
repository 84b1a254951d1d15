import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const samples = 3
/** Scratch behind every array of the bed. */
const scratch = 65536 * 60
const sizes = [
  [1, 1, 1],
  [1, 1, 33],
  [1, 5, 3],
  [7, 1, 18],
  [3, 17, 16],
  [13, 4, 35],
  [16, 33, 5],
]

test.each(sizes)('products of %i and %i rows of %i', (m, n, k) => {
  const [a, b, dy] = [noise(samples * m * k, 1), noise(samples * n * k, 2), noise(samples * m * n, 3)]
  const [y, da, db] = [new Float64Array(dy.length), new Float64Array(a.length), new Float64Array(b.length)]
  for (let i = 0; i < dy.length; i++) {
    const [row, other] = [Math.floor(i / n), Math.floor(i / n / m) * n + (i % n)]
    for (let l = 0; l < k; l++) {
      y[i]! += a[row * k + l]! * b[other * k + l]!
      da[row * k + l]! += dy[i]! * b[other * k + l]!
      db[other * k + l]! += dy[i]! * a[row * k + l]!
    }
  }
  const found = prove({
    inputs: [a, b, dy],
    outputs: [y.length, da.length, db.length],
    units: samples,
    call: (kernels, begin, end, [a, b, dy], [y, da, db]) => {
      kernels.rowProducts(begin, end, a!, b!, y!, m, n, k, scratch)
      kernels.rowProductsLeft(begin, end, dy!, b!, da!, m, n, k, scratch)
      kernels.rowProductsRight(begin, end, dy!, a!, db!, m, n, k, scratch)
    },
  })
  for (const [i, wanted] of [y, da, db].entries()) expect(relativeError(found[i]!, wanted)).toBeLessThan(1e-6)
})

test.each(awkwardSizes.filter(n => n > 0))('unit vectors of %i', n => {
  const rows = 4
  const x = noise(rows * n, 1)
  x.fill(1e-5, 0, n)
  const dy = noise(rows * n, 2)
  const wanted = { y: new Float64Array(x.length), dx: new Float64Array(x.length) }
  for (let r = 0; r < rows; r++) {
    const [from, to] = [r * n, (r + 1) * n]
    const square = x.subarray(from, to).reduce((sum, v) => sum + v * v, 0)
    const norm = Math.sqrt(Math.max(square, 1e-7))
    const along = x.subarray(from, to).reduce((sum, v, i) => sum + v * dy[from + i]!, 0)
    for (let i = from; i < to; i++) {
      wanted.y[i] = x[i]! / norm
      wanted.dx[i] = (dy[i]! - (square > 1e-7 ? (x[i]! * along) / square : 0)) / norm
    }
  }
  const [y, norm] = prove({
    inputs: [x],
    outputs: [x.length, rows],
    units: rows,
    call: (k, begin, end, [x], [y, norm]) => k.unitRows(begin, end, x!, y!, norm!, n),
  })
  expect(relativeError(y!, wanted.y)).toBeLessThan(1e-6)
  const [dx] = prove({
    inputs: [y!, norm!, dy],
    outputs: [x.length],
    units: rows,
    call: (k, begin, end, [y, norm, dy], [dx]) => k.unitRowsGradient(begin, end, y!, norm!, dy!, dx!, n),
  })
  expect(relativeError(dx!, wanted.dx)).toBeLessThan(2e-6)
})

test.each(awkwardSizes)('standardize: %i elements', n => {
  const rows = 3
  const [x, centre, scale] = [noise(rows * n, 1), noise(n, 2), noise(n, 3)]
  const [y] = prove({
    inputs: [x, centre, scale],
    outputs: [x.length],
    units: rows,
    call: (k, begin, end, [x, centre, scale], [y]) => k.standardize(begin, end, x!, centre!, scale!, y!, n),
  })
  expect(y).toEqual(x.map((v, i) => Math.fround(v - centre[i % n]!) * scale[i % n]!))
})

test('standardScale reads panels of 18 columns and 2 rows', () => {
  const panels = (values: Float32Array) =>
    Float32Array.from({ length: 64 }, (_, i) => {
      const [row, column] = [Math.floor(i / 16) % 2, 16 * Math.floor(i / 32) + (i % 16)]
      return column < 18 ? values[row * 18 + column]! : 7
    })
  const [mean, variance] = [noise(36, 1), noise(36, 2).map(Math.abs)]
  variance[3] = 0
  for (const invert of [0, 1]) {
    const [centre, scale, zeros] = prove({
      inputs: [panels(mean), panels(variance)],
      outputs: [108, 108, 108],
      units: 1,
      call: (k, begin, end, [mean, variance], [centre, scale, zeros]) =>
        k.standardScale(
          begin,
          end,
          mean!,
          variance!,
          centre!,
          scale!,
          zeros!,
          invert,
          2,
          18,
          1,
          2,
          3,
          1,
          18,
          0,
          18,
          0,
          0,
          1,
        ),
    })
    const at = (i: number) => Math.floor(i / 54) * 18 + (i % 18)
    expect(centre).toEqual(centre!.map((_, i) => mean[at(i)]!))
    const deviation = (i: number) => Math.max(Math.sqrt(variance[at(i)]!), 1e-7)
    expect(
      relativeError(
        scale!,
        Array.from(scale!, (_, i) => (invert ? deviation(i) : 1 / deviation(i))),
      ),
    ).toBeLessThan(2e-7)
    expect(zeros).toEqual(new Float32Array(108))
  }
})
