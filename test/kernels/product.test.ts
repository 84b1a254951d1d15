import { describe, expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { productGradientScratch } from '../../src/ops/scratch.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

// Rows, columns, summands: edges of tiles and panels, more than one block of k (512), of rows (96 and 256),
// of columns of x (192) and of panels (8), strides that are copied (multiples of 128 floats), and nothing at
// all.
const sizes = [
  [0, 4, 4],
  [1, 1, 1],
  [3, 5, 7],
  [4, 16, 16],
  [5, 17, 31],
  [6, 24, 6],
  [9, 33, 15],
  [11, 9, 2],
  [8, 29, 12],
  [2, 15, 3],
  [13, 1, 64],
  [32, 10, 128],
  [67, 100, 3],
  [101, 20, 9],
  [7, 18, 1030],
  [300, 40, 256],
  [20, 150, 200],
] as const

const scratch = new Float32Array(productGradientScratch() / 4)

function packed(values: ArrayLike<number>, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(Float32Array.from(values), shape, panels)
  return panels
}

/** The values and 16 NaNs behind them, which a kernel may read but must not use. */
const followed = (values: Float32Array) => Float32Array.from([...values, ...Array(16).fill(Number.NaN)])

/** aᵀ of a (rows, columns). */
const transpose = (a: ArrayLike<number>, rows: number, columns: number) =>
  Float32Array.from({ length: rows * columns }, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!)

/** c (m,n) = a (m,k)·b (k,n) in float64. */
function multiply(a: ArrayLike<number>, b: ArrayLike<number>, m: number, n: number, k: number): number[] {
  const c: number[] = []
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * n + j]!
      c.push(sum)
    }
  }
  return c
}

describe.each(sizes)('%i rows, %i columns, sum over %i', (m, n, k) => {
  const a = noise(m * k, 1)
  const b = noise(k * n, 2)
  const bias = noise(n, 3)
  const dy = noise(m * n, 4)
  const units = unitsOf([k, n])

  test.each([
    ['product', undefined, Number.NEGATIVE_INFINITY],
    ['product + bias, relu', bias, 0],
  ] as const)('%s', (_, bias, lower) => {
    const [c] = prove({
      inputs: [followed(a), packed(b, [k, n]), bias && packed(bias, [n])],
      outputs: [m * n],
      units: m,
      call: (kernels, begin, end, [a, w, b], [c]) => kernels.product(begin, end, a!, w!, b!, c!, n, k, lower),
    })
    const expected = multiply(a, b, m, n, k).map((sum, i) => Math.max(lower, sum + (bias?.[i % n] ?? 0)))
    expect(relativeError(c!, expected)).toBeLessThan(2e-6)
  })

  // All rows, as one row a sample, and of two rows a sample those of the samples from the second to the last
  // but one.
  test.each([
    [1, 0, m],
    [2, 1, m >> 1],
  ] as const)('weight and bias gradients, %i rows a sample, samples %i to %i', (perSample, first, last) => {
    const [dw] = prove({
      inputs: [followed(a), followed(dy), Int32Array.of(first, last), scratch],
      outputs: [16 * units],
      units,
      call: (kernels, begin, end, [x, dy, span, scratch], [dw]) =>
        kernels.productGradient(begin, end, x!, dy!, dw!, span!, perSample, k, n, scratch!),
    })
    const [db] = prove({
      inputs: [followed(dy), Int32Array.of(first, last)],
      outputs: [16 * unitsOf([n])],
      units: unitsOf([n]),
      call: (kernels, begin, end, [dy, span], [db]) =>
        kernels.sumRows(begin, end, dy!, db!, span!, perSample, n),
    })
    const rows = Math.max(0, last - first) * perSample
    const xs = transpose(a.slice(first * perSample * k, last * perSample * k), rows, k)
    const dys = dy.slice(first * perSample * n, last * perSample * n)
    const values = unpack(dw!, [k, n])
    expect(relativeError(values, multiply(xs, dys, k, n, rows))).toBeLessThan(2e-6)
    expect(packed(values, [k, n])).toEqual(dw)
    const sums = unpack(db!, [n])
    expect(relativeError(sums, multiply(new Float32Array(rows).fill(1), dys, 1, n, rows))).toBeLessThan(2e-6)
    expect(packed(sums, [n])).toEqual(db)
  })

  test.each([1, 3])('sums of samples of %i rows', perSample => {
    const samples = Math.floor(m / perSample)
    const [y] = prove({
      inputs: [followed(dy)],
      outputs: [samples * n],
      units: samples,
      call: (kernels, begin, end, [x], [y]) => kernels.sumSample(begin, end, x!, y!, perSample, n),
    })
    const ones = Array.from({ length: samples * samples * perSample }, (_, i) =>
      Math.floor((i % (samples * perSample)) / perSample) === Math.floor(i / (samples * perSample)) ? 1 : 0,
    )
    expect(relativeError(y!, multiply(ones, dy, samples, n, samples * perSample))).toBeLessThan(2e-6)
  })

  test('transposed panels are the panels of the transpose', () => {
    const [wt] = prove({
      inputs: [packed(b, [k, n])],
      outputs: [16 * unitsOf([n, k])],
      units,
      call: (kernels, begin, end, [w], [wt]) => kernels.transposePanels(begin, end, w!, wt!, k, n),
    })
    // The kernel leaves padding as it was: NaN here.
    const expected = packed(transpose(b, k, n), [n, k])
    const written = packed(new Float32Array(n * k).fill(1), [n, k])
    expect(wt).toEqual(expected.map((value, i) => (written[i] ? value : Number.NaN)))
  })
})

test('a NaN in the input reaches the output, also past the lower bound', () => {
  const [c] = prove({
    inputs: [Float32Array.of(Number.NaN, 1), Float32Array.from({ length: 16 }, (_, i) => (i === 0 ? 1 : 0))],
    outputs: [2],
    units: 2,
    call: (kernels, begin, end, [a, w], [c]) => kernels.product(begin, end, a!, w!, 0, c!, 1, 1, 0),
  })
  expect([...c!]).toEqual([Number.NaN, 1])
})
