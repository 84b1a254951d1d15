import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const positive = awkwardSizes.filter(n => n > 0)
const steps = 5
const samples = 4
const rows = samples * steps
/** Of the second sample no step counts. */
const mask = Float32Array.from({ length: rows }, (_, i) =>
  Number(Math.floor(i / steps) !== 1 && (i * 7) % 3 !== 0),
)

test.each(positive)('stepMask of %i features', n => {
  const x = new Float32Array(rows * n).fill(2)
  // One element differs, each time another one; NaN is no padding either.
  for (let r = 0; r < rows; r++) if (mask[r] === 1) x[r * n + (r % n)] = r % 2 === 0 ? 0 : Number.NaN
  const [found] = prove({
    inputs: [x],
    outputs: [rows],
    units: rows,
    call: (kernels, begin, end, [x], [y]) => kernels.stepMask(begin, end, x!, y!, n, 2),
  })
  expect(found).toEqual(mask)
})

test.each(positive)('keepSteps of %i features, into another array and in place', n => {
  const x = noise(rows * n, 3).map((value, i) => (mask[Math.floor(i / n)] === 1 ? value : Number.NaN))
  const expected = x.map(value => (Number.isNaN(value) ? 0 : value))
  const [apart, within] = prove({
    inputs: [x, mask],
    outputs: [rows * n, rows * n],
    units: rows,
    call(kernels, begin, end, [x, mask], [apart, within]) {
      kernels.keepSteps(begin, end, x!, mask!, apart!, n)
      kernels.copy(begin * n, end * n, x!, within!)
      kernels.keepSteps(begin, end, within!, mask!, within!, n)
    },
  })
  expect(apart).toEqual(expected)
  expect(within).toEqual(expected)
})

test.each(positive)('weighSteps of %i steps makes a mean of those that count', n => {
  const [own, factors] = [noise(samples * n, 2).map(x => Number(x > 0)), noise(samples, 4)]
  const count = own.reduce((sum, one) => sum + one, 0)
  const [weighed, plain] = prove({
    inputs: [own, factors, Int32Array.of(samples), new Float32Array(2)],
    outputs: [samples * n, samples * n],
    units: samples,
    call(kernels, begin, end, [own, factors, rows, total], [weighed, plain]) {
      kernels.countSteps(0, 1, own!, total!, rows!, n, 0)
      kernels.weighSteps(begin, end, own!, factors!, total!, rows!, weighed!, n)
      kernels.weighSteps(begin, end, own!, 0, total!, rows!, plain!, n)
    },
  })
  const share = count === 0 ? 0 : samples / count
  expect(
    relativeError(
      plain!,
      own.map(one => one * share),
    ),
  ).toBeLessThan(1e-6)
  const expected = own.map((one, i) => one * share * factors[Math.floor(i / n)]!)
  expect(relativeError(weighed!, expected)).toBeLessThan(1e-6)
})

test('countSteps sets, or adds', () => {
  const [total] = prove({
    inputs: [mask, Int32Array.of(samples)],
    outputs: [2],
    units: 1,
    call(kernels, begin, end, [mask, rows], [total]) {
      kernels.countSteps(begin, end, mask!, total!, rows!, steps, 0)
      kernels.countSteps(begin, end, mask!, total!, rows!, steps, 1)
    },
  })
  expect(new Float64Array(total!.buffer)[0]).toBe(2 * mask.reduce((sum, one) => sum + one, 0))
})

test.each(positive)('maskedAverage of %i channels, and its gradient', channels => {
  const [x, dy] = [noise(rows * channels, 5), noise(samples * channels, 6)]
  const [y, dx] = prove({
    inputs: [x, mask, dy],
    outputs: [samples * channels, rows * channels],
    units: samples,
    call(kernels, begin, end, [x, mask, dy], [y, dx]) {
      kernels.maskedAverage(begin, end, x!, mask!, y!, steps, channels)
      kernels.maskedAverageGradient(begin, end, mask!, dy!, dx!, steps, channels)
    },
  })
  const countOf = (s: number) => mask.subarray(s * steps, (s + 1) * steps).reduce((sum, one) => sum + one, 0)
  const mean = new Float64Array(samples * channels)
  const slope = new Float64Array(rows * channels)
  for (let r = 0; r < rows; r++) {
    const s = Math.floor(r / steps)
    if (mask[r] === 0) continue
    for (let c = 0; c < channels; c++) {
      mean[s * channels + c]! += x[r * channels + c]! / countOf(s)
      slope[r * channels + c] = dy[s * channels + c]! / countOf(s)
    }
  }
  expect(relativeError(y!, mean)).toBeLessThan(1e-6)
  expect(relativeError(dx!, slope)).toBeLessThan(1e-6)
  expect(y!.subarray(channels, 2 * channels).every(value => value === 0)).toBe(true)
})

test.each(positive)('sinePositions of %i features, far out too', n => {
  const t = 1000
  const [panels] = prove({
    inputs: [],
    outputs: [Math.ceil(n / 16) * t * 16],
    units: Math.ceil(n / 16) * t,
    call: (kernels, begin, end, _, [p]) => kernels.sinePositions(begin, end, p!, t, n, 10000 ** (-2 / n)),
  })
  const expected = panels!.map((_, at) => {
    const [row, j] = [Math.floor(at / 16), Math.floor(at / (16 * t)) * 16 + (at % 16)]
    const angle = (row % t) / 10000 ** ((2 * Math.floor(j / 2)) / n)
    if (j >= n) return 0
    return j % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  expect(relativeError(panels!, expected)).toBeLessThan(1e-7)
})
