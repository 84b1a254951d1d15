import { describe, expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const samples = 3

/** height, width, channels, multiplier, kernel, strides, padding before, output, rates: of each two, height first. */
type Sizes = readonly [
  ...[number, number, number, number, number, number, number],
  ...[number, number, number, number, number, number, number],
]

const sizes: Sizes[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1],
  [5, 4, 3, 1, 3, 3, 1, 1, 1, 1, 5, 4, 1, 1],
  [6, 9, 16, 1, 3, 3, 1, 1, 1, 1, 6, 9, 1, 1],
  [7, 8, 33, 1, 3, 4, 1, 1, 0, 0, 5, 5, 1, 1],
  [5, 11, 17, 1, 5, 7, 1, 1, 2, 3, 5, 11, 1, 1],
  [9, 8, 8, 1, 3, 3, 2, 2, 0, 1, 4, 4, 1, 1],
  [7, 10, 20, 1, 2, 3, 3, 4, 0, 0, 3, 3, 1, 1],
  [8, 9, 5, 1, 1, 2, 3, 3, 0, 0, 3, 3, 1, 1],
  [7, 9, 18, 1, 3, 2, 1, 1, 2, 1, 7, 9, 2, 3],
  [3, 3, 4, 1, 2, 2, 1, 1, 2, 2, 3, 3, 5, 5],
  [2, 3, 9, 1, 5, 6, 1, 1, 2, 2, 2, 3, 1, 1],
  [5, 6, 3, 2, 3, 3, 1, 1, 1, 1, 5, 6, 1, 1],
  [6, 7, 5, 4, 3, 2, 2, 1, 1, 0, 3, 6, 1, 1],
  [4, 5, 1, 33, 2, 2, 1, 1, 0, 0, 2, 3, 2, 2],
]

/** Calls visit(x, w, y) with the indices of each term y += x·w of a sample. */
function eachTerm(sizes: Sizes, visit: (x: number, w: number, y: number) => void): void {
  const [height, width, channels, multiplier, kernelHeight, kernelWidth] = sizes
  const [strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth, rateHeight, rateWidth] =
    sizes.slice(6) as [number, number, number, number, number, number, number, number]
  const n = channels * multiplier
  for (let at = 0; at < outHeight * outWidth; at++) {
    for (let tap = 0; tap < kernelHeight * kernelWidth; tap++) {
      const row =
        Math.floor(at / outWidth) * strideHeight + Math.floor(tap / kernelWidth) * rateHeight - padTop
      const column = (at % outWidth) * strideWidth + (tap % kernelWidth) * rateWidth - padLeft
      if (row < 0 || row >= height || column < 0 || column >= width) continue
      const place = (row * width + column) * channels
      for (let o = 0; o < n; o++) visit(place + Math.floor(o / multiplier), tap * n + o, at * n + o)
    }
  }
}

describe.each(sizes.map(sizes => ({ sizes, title: sizes.join(' ') })))('depthwise $title', ({ sizes }) => {
  const [height, width, channels, multiplier, kernelHeight, kernelWidth] = sizes
  const [outHeight, outWidth] = sizes.slice(10) as [number, number]
  const n = channels * multiplier
  const shape = [kernelHeight * kernelWidth, n]
  const inputCount = height * width * channels
  const outputCount = outHeight * outWidth * n
  const units = unitsOf(shape)
  const x = noise(samples * inputCount, 1)
  const w = noise(kernelHeight * kernelWidth * n, 2)
  const bias = noise(n, 3)
  const dy = noise(samples * outputCount, 4)
  const scratch = new Float32Array(height * width * n)
  const packed = (values: Float32Array, shape: number[]) => {
    const panels = new Float32Array(16 * unitsOf(shape))
    pack(values, shape, panels)
    return panels
  }

  test.each([
    ['linear', undefined, Number.NEGATIVE_INFINITY],
    ['bias, relu', bias, 0],
  ] as const)('forward, %s', (_, bias, lower) => {
    const [y] = prove({
      inputs: [x, packed(w, shape), bias && packed(bias, [n]), scratch],
      outputs: [samples * outputCount],
      units: samples,
      call: (kernels, begin, end, [x, w, b, scratch], [y]) =>
        kernels.depthwise(begin, end, x!, w!, b!, y!, scratch!, lower, ...sizes),
    })
    const expected = Float64Array.from({ length: samples * outputCount }, (_, i) => bias?.[i % n] ?? 0)
    for (let s = 0; s < samples; s++)
      eachTerm(sizes, (i, j, o) => (expected[s * outputCount + o]! += x[s * inputCount + i]! * w[j]!))
    const clipped = expected.map(value => Math.max(lower, value))
    expect(relativeError(y!, clipped)).toBeLessThan(2e-6)
  })

  test('input gradient', () => {
    const [dx] = prove({
      inputs: [dy, packed(w, shape), scratch],
      outputs: [samples * inputCount],
      units: samples,
      call: (kernels, begin, end, [dy, w, scratch], [dx]) =>
        kernels.depthwiseGradient(begin, end, dy!, w!, dx!, scratch!, ...sizes),
    })
    const expected = new Float64Array(samples * inputCount)
    for (let s = 0; s < samples; s++)
      eachTerm(sizes, (i, j, o) => (expected[s * inputCount + i]! += dy[s * outputCount + o]! * w[j]!))
    expect(relativeError(dx!, expected)).toBeLessThan(2e-6)
  })

  test('weight gradient of each sample', () => {
    const [dw] = prove({
      inputs: [x, dy, scratch],
      outputs: [samples * 16 * units],
      units: samples,
      call: (kernels, begin, end, [x, dy, scratch], [dw]) =>
        kernels.depthwiseWeightGradient(begin, end, x!, dy!, dw!, scratch!, ...sizes),
    })
    for (let s = 0; s < samples; s++) {
      const expected = new Float64Array(w.length)
      eachTerm(sizes, (i, j, o) => (expected[j]! += x[s * inputCount + i]! * dy[s * outputCount + o]!))
      const panels = dw!.slice(s * 16 * units, (s + 1) * 16 * units)
      const values = unpack(panels, shape)
      expect(relativeError(values, expected)).toBeLessThan(2e-6)
      expect(packed(values, shape)).toEqual(panels)
    }
  })
})
