import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const epsilon = 1e-3
const padded = (n: number) => Math.ceil(n / 16) * 16

/** A vector of n, padded with zeros to slices of 16. */
function pad(values: ArrayLike<number>): Float32Array {
  const result = new Float32Array(padded(values.length))
  result.set(values)
  return result
}

interface Case {
  readonly samples: number
  readonly chunk: number
  readonly perSample: number
  readonly n: number
}

/** All statistics of a case, by the kernels. */
function statistics(
  { samples, chunk, perSample, n }: Case,
  x: Float32Array,
  gamma?: Float32Array,
  beta?: Float32Array,
) {
  const rows = Int32Array.of(samples)
  const [partial] = prove({
    inputs: [x, rows],
    outputs: [Math.ceil(samples / chunk) * 2 * padded(n)],
    units: samples,
    grain: chunk,
    call: (k, begin, end, [x, rows], [p]) => k.batchMoments(begin, end, x!, p!, rows!, chunk, perSample, n),
  })
  const [mean, variance, scale, shift] = prove({
    inputs: [partial!, rows, gamma, beta],
    outputs: Array(4).fill(padded(n)),
    units: padded(n) / 16,
    call: (k, begin, end, [p, rows, gamma, beta], [m, v, a, b]) =>
      k.batchStatistics(begin, end, p!, rows!, chunk, perSample, m!, v!, a!, b!, gamma!, beta!, epsilon, n),
  })
  return { mean: mean!, variance: variance!, scale: scale!, shift: shift! }
}

/** Mean and biased variance of the columns of x (rows,n). */
function reference(x: Float32Array, n: number) {
  const rows = x.length / n
  const mean = new Float64Array(n)
  const variance = new Float64Array(n)
  for (const [i, value] of x.entries()) mean[i % n]! += value / rows
  for (const [i, value] of x.entries()) variance[i % n]! += (value - mean[i % n]!) ** 2 / rows
  return { mean, variance }
}

const cases: Case[] = [
  { samples: 1, chunk: 1, perSample: 5, n: 1 },
  { samples: 5, chunk: 2, perSample: 1, n: 3 },
  { samples: 8, chunk: 4, perSample: 3, n: 16 },
  { samples: 9, chunk: 4, perSample: 7, n: 17 },
  { samples: 13, chunk: 1, perSample: 2, n: 37 },
  { samples: 64, chunk: 32, perSample: 1, n: 8 },
  { samples: 70, chunk: 2, perSample: 9, n: 31 },
  { samples: 33, chunk: 16, perSample: 100, n: 20 },
]
/**
 * Values, and the relative error of their variance: chunks keep their means as floats, and half a unit in the last place
 * of 1000 is 0.5 % of the deviation.
 */
const inputs: [string, number, (noise: number, i: number) => number][] = [
  ['noise', 1e-6, value => value],
  ['mean 10', 5e-6, value => 10 + value],
  ['mean 1000, deviation 0.006', 1e-2, value => 1000 + 0.01 * value],
  ['an outlier first', 1e-5, (value, i) => (i < 20 ? 1e4 : value)],
  ['a constant', 1e-3, () => 0.1],
]

for (const [label, bound, of] of inputs) {
  test.each(cases)(`moments of ${label}: %j`, c => {
    const x = noise(c.samples * c.perSample * c.n, 5).map(of)
    const { mean, variance } = statistics(c, x)
    const wanted = reference(x, c.n)
    const meanErrors = wanted.mean.map(
      (m, j) => Math.abs(mean[j]! - m) / (Math.abs(m) + Math.sqrt(wanted.variance[j]!)),
    )
    expect(Math.max(...meanErrors)).toBeLessThan(4e-7)
    const varianceErrors = wanted.variance.map((v, j) => Math.abs(variance[j]! - v) / (v + 1e-12))
    expect(Math.max(...varianceErrors)).toBeLessThan(bound)
    expect([...mean.slice(c.n), ...variance.slice(c.n)].every(value => value === 0)).toBe(true)
  })
}

/** gamma and beta given, or ones and zeros. */
const affine = (n: number, given: boolean) =>
  given ? ([pad(noise(n, 21)), pad(noise(n, 22))] as const) : ([undefined, undefined] as const)

for (const given of [true, false]) {
  test.each(cases)(`scale, shift and normalize${given ? ', gamma and beta' : ''}: %j`, c => {
    const { n } = c
    const rows = c.samples * c.perSample
    const x = noise(rows * n, 5)
    const [gamma, beta] = affine(n, given)
    const { mean, variance, scale, shift } = statistics(c, x, gamma, beta)
    const wanted = reference(x, n)
    const factor = (j: number) => (gamma?.[j] ?? 1) / Math.sqrt(wanted.variance[j]! + Math.fround(epsilon))
    const [y] = prove({
      inputs: [x, scale, shift],
      outputs: [rows * n],
      units: rows,
      call: (k, begin, end, [x, a, b], [y]) => k.normalize(begin, end, x!, a!, b!, y!, n),
    })
    const normalized = (value: number, i: number) =>
      (value - wanted.mean[i % n]!) * factor(i % n) + (beta?.[i % n] ?? 0)
    expect(relativeError(y!, Array.from(x, normalized))).toBeLessThan(1e-6)
    const moved = prove({
      inputs: [mean, variance, gamma, beta],
      outputs: [padded(n), padded(n)],
      units: padded(n) / 16,
      call: (k, begin, end, [m, v, gamma, beta], [a, b]) =>
        k.inferenceScale(begin, end, m!, v!, a!, b!, gamma!, beta!, epsilon),
    })
    expect(moved).toEqual([scale, shift])
  })

  test.each(cases)(`gradients${given ? ', gamma' : ''}: %j`, c => {
    const { samples, chunk, perSample, n } = c
    const count = samples * perSample
    const x = noise(count * n, 5)
    const dy = noise(count * n, 6).map(value => value + 0.3)
    const [gamma] = affine(n, given)
    const { mean, variance } = statistics(c, x)
    const rows = Int32Array.of(samples)
    const [partial] = prove({
      inputs: [x, dy, mean, variance, rows],
      outputs: [Math.ceil(samples / chunk) * 2 * padded(n)],
      units: samples,
      grain: chunk,
      call: (k, begin, end, [x, dy, m, v, rows], [p]) =>
        k.batchGradientSums(begin, end, x!, dy!, m!, v!, epsilon, p!, rows!, chunk, perSample, n),
    })
    const [sumDy, sumDyXhat] = prove({
      inputs: [partial!, rows],
      outputs: [padded(n), padded(n)],
      units: padded(n) / 16,
      call: (k, begin, end, [p, rows], [s, t]) =>
        k.batchGradientCombine(begin, end, p!, rows!, chunk, perSample, s!, t!, n),
    })
    const wanted = reference(x, n)
    const inverse = (j: number) => 1 / Math.sqrt(wanted.variance[j]! + Math.fround(epsilon))
    const xhat = (i: number) => (x[i]! - wanted.mean[i % n]!) * inverse(i % n)
    const [dbeta, dgamma] = [new Float64Array(n), new Float64Array(n)]
    for (const [i, d] of dy.entries()) {
      dbeta[i % n]! += d
      dgamma[i % n]! += d * xhat(i)
    }
    expect(relativeError(sumDy!, pad(dbeta))).toBeLessThan(1e-6)
    expect(relativeError(sumDyXhat!, pad(dgamma))).toBeLessThan(count === 1 ? 1 : 1e-5)
    const [dx] = prove({
      inputs: [x, dy, mean, variance, gamma, sumDy!, sumDyXhat!, rows],
      outputs: [count * n],
      units: count,
      call: (k, begin, end, [x, dy, m, v, gamma, s, t, rows], [dx]) =>
        k.batchGradient(begin, end, x!, dy!, dx!, m!, v!, gamma!, s!, t!, rows!, perSample, n, epsilon),
    })
    const gradient = (d: number, i: number) => {
      const rest = d - dbeta[i % n]! / count - (xhat(i) * dgamma[i % n]!) / count
      return (gamma?.[i % n] ?? 1) * inverse(i % n) * rest
    }
    expect(relativeError(dx!, Array.from(dy, gradient))).toBeLessThan(2e-6)
  })
}

test('movingAverage', () => {
  const [moving, value] = [noise(48, 1), noise(48, 2)]
  const [result] = prove({
    inputs: [value, moving],
    outputs: [48],
    units: 3,
    call: (k, begin, end, [value, before], [moving]) => {
      k.copy(16 * begin, 16 * end, before!, moving!)
      k.movingAverage(begin, end, moving!, value!, 0.9)
    },
  })
  expect(
    relativeError(
      result!,
      moving.map((m, i) => m * 0.9 + value[i]! * 0.1),
    ),
  ).toBeLessThan(3e-7)
})
