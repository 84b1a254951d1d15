import { describe, expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { sizeOf } from '../../src/graph/value.ts'
import { type ConvolutionSizes, convolveGradientScratch, convolveScratch } from '../../src/ops/scratch.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const samples = 3

// height width channels, kernelHeight kernelWidth filters, strides, padding before, outHeight outWidth, rates.
const images = [
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

// The same in depth, height and width.
const volumes: ConvolutionSizes[] = [
  [2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
  [4, 5, 3, 2, 2, 3, 2, 5, 1, 1, 1, 0, 0, 0, 3, 3, 2, 1, 1, 1],
  [5, 4, 6, 3, 3, 2, 3, 17, 1, 1, 1, 1, 0, 1, 5, 4, 6, 1, 1, 1],
  [7, 5, 4, 1, 3, 3, 1, 14, 2, 2, 3, 1, 1, 0, 4, 3, 2, 1, 1, 1],
  [6, 1, 5, 16, 2, 1, 1, 33, 1, 2, 2, 0, 0, 0, 3, 1, 3, 3, 1, 1],
  [5, 6, 7, 3, 2, 2, 3, 8, 1, 1, 1, 1, 0, 2, 5, 5, 7, 2, 1, 2],
  [3, 30, 12, 2, 2, 2, 2, 4, 1, 1, 1, 0, 0, 0, 2, 29, 11, 1, 1, 1],
]

const ones = [1, 1, 1] as const

/** An image's sizes as those of a volume of depth 1. */
function flat(image: readonly number[]): ConvolutionSizes {
  const pairs = [6, 8, 10, 12].map(at => image.slice(at, at + 2))
  const [strides, before, out, rates] = pairs as [number[], number[], number[], number[]]
  const [kernel, filters] = [image.slice(3, 5), image[5]!]
  return [
    ...[1, ...image.slice(0, 3), 1, ...kernel, filters],
    ...[1, ...strides, 0, ...before, 1, ...out, 1, ...rates],
  ] as unknown as ConvolutionSizes
}

const sizes = [...images.map(flat), ...volumes]

function packed(values: ArrayLike<number>, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(Float32Array.from(values), shape, panels)
  return panels
}

/** Numbers that say so much: input, channels, kernel, filters, strides, padding before, output, rates. */
function parts(sizes: ConvolutionSizes) {
  const [input, kernel, strides, before, out, rates] = [0, 4, 8, 11, 14, 17].map(at =>
    sizes.slice(at, at + 3),
  )
  const [channels, filters] = [sizes[3], sizes[7]]
  return { input, kernel, strides, before, out, rates, channels, filters } as {
    [K in 'input' | 'kernel' | 'strides' | 'before' | 'out' | 'rates']: [number, number, number]
  } & { channels: number; filters: number }
}

/** All (i, j, k) below the sizes, and their number. */
function* places([a, b, c]: readonly [number, number, number]): Generator<[number, number[]]> {
  for (let i = 0; i < a * b * c; i++) yield [i, [Math.floor(i / c / b), Math.floor(i / c) % b, i % c]]
}

/** Calls visit(x, w, y) with the indices of each term y += x·w of a sample. */
function eachTerm(sizes: ConvolutionSizes, visit: (x: number, w: number, y: number) => void): void {
  const { input, kernel, strides, before, out, rates, channels, filters } = parts(sizes)
  for (const [o, at] of places(out)) {
    for (const [tap, offset] of places(kernel)) {
      const place = at.map((n, axis) => n * strides[axis]! + offset[axis]! * rates[axis]! - before[axis]!)
      if (place.some((n, axis) => n < 0 || n >= input[axis]!)) continue
      const i = (place[0]! * input[1] + place[1]!) * input[2] + place[2]!
      for (let c = 0; c < channels; c++) {
        for (let f = 0; f < filters; f++)
          visit(i * channels + c, (tap * channels + c) * filters + f, o * filters + f)
      }
    }
  }
}

describe.each(sizes.map(sizes => ({ sizes, title: sizes.join(' ') })))('convolution $title', ({ sizes }) => {
  const { input, kernel, strides, before, out, rates, channels, filters } = parts(sizes)
  const taps = sizeOf(kernel)
  const shape = [taps * channels, filters]
  const inputCount = sizeOf(input) * channels
  const outputCount = sizeOf(out) * filters
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
        new Float32Array(convolveScratch(...sizes, ...ones) / 4),
      ],
      outputs: [samples * outputCount],
      units: samples,
      call: (kernels, begin, end, [x, w, b, scratch], [y]) =>
        kernels.convolve(begin, end, x!, w!, b!, y!, scratch!, lower, ...sizes, ...ones),
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
    const back = kernel.map((n, axis) => (n - 1) * rates[axis]! - before[axis]!)
    const backward = [
      ...[...out, filters, ...kernel, channels, ...ones, ...back, ...input, ...rates, ...strides],
    ] as unknown as [...ConvolutionSizes, number, number, number]
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
