import { describe, expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { type ConvolutionSizes, convolveGradientScratch, convolveScratch } from '../../src/ops/scratch.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const samples = 3

// height width channels, kernelHeight kernelWidth filters, strides, padding before, outHeight outWidth, rates.
const sizes: ConvolutionSizes[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1],
  [5, 4, 2, 1, 1, 3, 1, 1, 0, 0, 5, 4, 1, 1],
  [7, 8, 3, 3, 3, 5, 1, 1, 0, 0, 5, 6, 1, 1],
  [7, 8, 3, 3, 3, 17, 1, 1, 1, 1, 7, 8, 1, 1],
  [9, 7, 1, 3, 2, 4, 2, 3, 0, 0, 4, 2, 1, 1],
  [9, 11, 4, 3, 3, 14, 2, 2, 0, 0, 4, 5, 1, 1],
  [6, 11, 5, 5, 4, 24, 2, 3, 2, 1, 3, 4, 1, 1],
  [3, 3, 2, 5, 5, 2, 1, 1, 2, 2, 3, 3, 1, 1],
  [4, 3, 16, 4, 3, 33, 1, 1, 0, 0, 1, 1, 1, 1],
  [12, 12, 1, 1, 12, 6, 1, 1, 0, 0, 12, 1, 1, 1],
  [2, 300, 3, 2, 3, 10, 1, 1, 0, 0, 1, 298, 1, 1],
  [40, 12, 2, 3, 3, 4, 1, 1, 1, 1, 40, 12, 1, 1],
  [7, 9, 3, 3, 3, 5, 1, 1, 0, 0, 3, 5, 2, 2],
  [7, 9, 3, 3, 2, 17, 1, 1, 2, 1, 7, 8, 2, 3],
  [9, 8, 2, 3, 3, 14, 1, 1, 3, 0, 9, 6, 3, 1],
  [1, 23, 5, 1, 4, 24, 1, 1, 0, 15, 1, 23, 1, 5],
  [1, 19, 1, 1, 3, 33, 2, 2, 0, 2, 1, 9, 1, 2],
  [4, 300, 1, 2, 2, 3, 1, 1, 0, 0, 2, 296, 2, 4],
]

function packed(values: ArrayLike<number>, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(Float32Array.from(values), shape, panels)
  return panels
}

/** Calls visit(x, w, y) with the indices of each term y += x·w of a sample. */
function eachTerm(sizes: ConvolutionSizes, visit: (x: number, w: number, y: number) => void): void {
  const [height, width, channels, kernelHeight, kernelWidth, filters] = sizes
  const [strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth, rateHeight, rateWidth] =
    sizes.slice(6) as number[]
  for (let oh = 0; oh < outHeight!; oh++) {
    for (let ow = 0; ow < outWidth!; ow++) {
      for (let kh = 0; kh < kernelHeight; kh++) {
        for (let kw = 0; kw < kernelWidth; kw++) {
          const row = oh * strideHeight! + kh * rateHeight! - padTop!
          const column = ow * strideWidth! + kw * rateWidth! - padLeft!
          if (row < 0 || row >= height || column < 0 || column >= width) continue
          for (let c = 0; c < channels; c++) {
            for (let f = 0; f < filters; f++) {
              const tap = (kh * kernelWidth + kw) * channels + c
              visit(
                (row * width + column) * channels + c,
                tap * filters + f,
                (oh * outWidth! + ow) * filters + f,
              )
            }
          }
        }
      }
    }
  }
}

describe.each(sizes.map(sizes => ({ sizes, title: sizes.join(' ') })))('convolution $title', ({ sizes }) => {
  const [height, width, channels, kernelHeight, kernelWidth, filters] = sizes
  const [strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth, rateHeight, rateWidth] =
    sizes.slice(6) as number[]
  const taps = kernelHeight * kernelWidth
  const shape = [taps * channels, filters]
  const inputCount = height * width * channels
  const outputCount = outHeight! * outWidth! * filters
  const x = noise(samples * inputCount, 1)
  const w = noise(taps * channels * filters, 2)
  const bias = noise(filters, 3)
  const dy = noise(samples * outputCount, 4)
  const units = unitsOf(shape)

  test.each([
    ['linear', undefined, Number.NEGATIVE_INFINITY],
    ['bias, relu', bias, 0],
  ] as const)('forward, %s', (_, bias, lower) => {
    const [y] = prove({
      inputs: [
        x,
        packed(w, shape),
        bias && packed(bias, [filters]),
        new Float32Array(convolveScratch(...sizes, 1, 1) / 4),
      ],
      outputs: [samples * outputCount],
      units: samples,
      call: (kernels, begin, end, [x, w, b, scratch], [y]) =>
        kernels.convolve(begin, end, x!, w!, b!, y!, scratch!, lower, ...sizes, 1, 1),
    })
    const expected = Float64Array.from({ length: samples * outputCount }, (_, i) => bias?.[i % filters] ?? 0)
    for (let s = 0; s < samples; s++) {
      eachTerm(sizes, (i, j, o) => (expected[s * outputCount + o]! += x[s * inputCount + i]! * w[j]!))
    }
    expect(
      relativeError(
        y!,
        expected.map(value => Math.max(lower, value)),
      ),
    ).toBeLessThan(2e-6)
  })

  test('input gradient: the same kernel, strides as dilation, with flipped panels', () => {
    const [wt] = prove({
      inputs: [packed(w, shape)],
      outputs: [16 * unitsOf([taps * filters, channels])],
      units,
      call: (kernels, begin, end, [w], [wt]) =>
        kernels.flipPanels(begin, end, w!, wt!, taps, channels, filters),
    })
    const backward = [
      ...[outHeight!, outWidth!, filters, kernelHeight, kernelWidth, channels, 1, 1],
      ...[(kernelHeight - 1) * rateHeight! - padTop!, (kernelWidth - 1) * rateWidth! - padLeft!],
      ...[height, width, rateHeight!, rateWidth!, strideHeight!, strideWidth!],
    ] as unknown as [...ConvolutionSizes, number, number]
    const [dx] = prove({
      inputs: [dy, wt!.map(value => value || 0), new Float32Array(convolveScratch(...backward) / 4)],
      outputs: [samples * inputCount],
      units: samples,
      call: (kernels, begin, end, [dy, wt, scratch], [dx]) =>
        kernels.convolve(begin, end, dy!, wt!, 0, dx!, scratch!, Number.NEGATIVE_INFINITY, ...backward),
    })
    const expected = new Float64Array(samples * inputCount)
    for (let s = 0; s < samples; s++) {
      eachTerm(sizes, (i, j, o) => (expected[s * inputCount + i]! += dy[s * outputCount + o]! * w[j]!))
    }
    expect(relativeError(dx!, expected)).toBeLessThan(2e-6)
  })

  test.each([
    [0, samples],
    [1, 2],
    [2, 2],
  ])('weight gradient of samples %i to %i', (first, last) => {
    const [dw] = prove({
      inputs: [x, dy, Int32Array.of(first, last), new Float32Array(convolveGradientScratch(...sizes) / 4)],
      outputs: [16 * units],
      units,
      call: (kernels, begin, end, [x, dy, span, scratch], [dw]) =>
        kernels.convolveGradient(begin, end, x!, dy!, dw!, span!, scratch!, ...sizes),
    })
    const expected = new Float64Array(taps * channels * filters)
    for (let s = first; s < last; s++) {
      eachTerm(sizes, (i, j, o) => (expected[j]! += x[s * inputCount + i]! * dy[s * outputCount + o]!))
    }
    const values = unpack(dw!, shape)
    expect(relativeError(values, expected)).toBeLessThan(2e-6)
    expect(packed(values, shape)).toEqual(dw)
  })
})
