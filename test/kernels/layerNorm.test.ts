import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const epsilon = 1e-3

/** A vector of n, padded with zeros to slices of 16. */
function pad(values: ArrayLike<number>): Float32Array {
  const result = new Float32Array(Math.ceil(values.length / 16) * 16)
  result.set(values)
  return result
}

/** gamma and beta given, or ones and zeros. */
const affine = (n: number, given: boolean) =>
  given ? ([pad(noise(n, 21)), pad(noise(n, 22))] as const) : ([undefined, undefined] as const)

/** Mean and 1 / deviation of each row of x (rows,n). */
function reference(x: Float32Array, rows: number, n: number) {
  return Array.from({ length: rows }, (_, r) => {
    const row = Float64Array.from(x.subarray(r * n, r * n + n))
    const mean = row.reduce((sum, value) => sum + value, 0) / n
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n
    return { mean, inverse: 1 / Math.sqrt(variance + Math.fround(epsilon)) }
  })
}

/** Rows, columns, whether gamma and beta are given. */
const cases = [0, 1, 5, 7]
  .flatMap(rows => [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100].map(n => [rows, n] as const))
  .flatMap(([rows, n]) => [true, false].map(given => [rows, n, given] as const))

test.each(cases)('%i rows of %i, gamma and beta %s', (rows, n, given) => {
  const x = noise(rows * n, 5).map(value => 3 + value)
  const dy = noise(rows * n, 6).map(value => 0.3 + value)
  const [gamma, beta] = affine(n, given)
  const wanted = reference(x, rows, n)
  const [y, mean, inverse] = prove({
    inputs: [x, gamma, beta],
    outputs: [rows * n, rows, rows],
    units: rows,
    call: (k, begin, end, [x, a, b], [y, m, i]) =>
      k.layerNorm(begin, end, x!, y!, m!, i!, a!, b!, epsilon, n),
  })
  const xhat = (i: number) => {
    const { mean, inverse } = wanted[Math.floor(i / n)]!
    return (x[i]! - mean) * inverse
  }
  const at = (i: number) => xhat(i) * (gamma?.[i % n] ?? 1) + (beta?.[i % n] ?? 0)
  expect(
    relativeError(
      y!,
      Array.from(x, (_, i) => at(i)),
    ),
  ).toBeLessThan(2e-6)
  const [dx] = prove({
    inputs: [x, dy, mean, inverse, gamma],
    outputs: [rows * n],
    units: rows,
    call: (k, begin, end, [x, dy, m, i, a], [dx]) =>
      k.layerNormGradient(begin, end, x!, dy!, dx!, m!, i!, a!, n),
  })
  const g = Array.from(dy, (d, i) => d * (gamma?.[i % n] ?? 1))
  const gradient = (i: number) => {
    const first = i - (i % n)
    const row = Array.from({ length: n }, (_, j) => first + j)
    const [sum, dot] = [row.reduce((s, j) => s + g[j]!, 0), row.reduce((s, j) => s + g[j]! * xhat(j), 0)]
    return wanted[Math.floor(i / n)]!.inverse * (g[i]! - sum / n - (xhat(i) * dot) / n)
  }
  const scale = Math.max(...wanted.map(({ inverse }) => inverse))
  const errors = Array.from(dx!, (value, i) => Math.abs(value - gradient(i)) / scale)
  expect(Math.max(0, ...errors)).toBeLessThan(2e-6)
})

test.each(cases.filter(([, , given]) => given))('dgamma of %i samples of two rows of %i', (samples, n) => {
  const rows = 2 * samples
  const [x, dy] = [noise(rows * n, 5), noise(rows * n, 6)]
  const [mean, inverse] = [noise(rows, 7), noise(rows, 8)]
  const [first, last] = [samples >> 1, samples]
  const [dgamma] = prove({
    inputs: [x, dy, mean, inverse, Int32Array.of(first, last)],
    outputs: [pad(new Float32Array(n)).length],
    units: Math.ceil(n / 16),
    call: (k, begin, end, [x, dy, m, i, span], [dw]) =>
      k.layerNormGammaGradient(begin, end, x!, dy!, m!, i!, dw!, span!, 2, n),
  })
  const expected = new Float64Array(n)
  for (let i = 2 * first * n; i < rows * n; i++) {
    const r = Math.floor(i / n)
    expected[i % n]! += dy[i]! * (x[i]! - mean[r]!) * inverse[r]!
  }
  expect(relativeError(dgamma!, pad(expected))).toBeLessThan(2e-6)
})
