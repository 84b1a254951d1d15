import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

/** height, width, channels, poolHeight, poolWidth, strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth. */
type Sizes = [number, number, number, number, number, number, number, number, number, number, number]

const geometries: Sizes[] = [
  [4, 6, 8, 2, 2, 2, 2, 0, 0, 2, 3],
  [5, 7, 24, 2, 2, 2, 2, 0, 0, 2, 3],
  [5, 7, 16, 2, 2, 2, 2, 0, 0, 3, 4],
  [6, 4, 13, 2, 2, 2, 2, 0, 0, 3, 2],
  [7, 6, 1, 3, 2, 2, 1, 1, 0, 4, 6],
  [6, 9, 9, 3, 3, 1, 2, 1, 1, 6, 5],
  [8, 8, 3, 2, 3, 3, 4, 0, 1, 3, 2],
  [1, 12, 20, 1, 5, 1, 3, 0, 2, 1, 4],
  [3, 3, 17, 3, 3, 3, 3, 0, 0, 1, 1],
]
const samples = 5
const name = (sizes: Sizes) => `${sizes.slice(0, 3)} pool ${sizes.slice(3, 5)} strides ${sizes.slice(5, 7)}`

/** For each output element the indices of the input elements in its window, in order. */
function windows(sizes: Sizes): number[][] {
  const [height, width, channels, poolHeight, poolWidth, strideHeight, strideWidth, padTop, padLeft] = sizes
  const [outHeight, outWidth] = sizes.slice(9) as [number, number]
  const result: number[][] = []
  for (let i = 0; i < samples * outHeight * outWidth * channels; i++) {
    const c = i % channels
    const ow = Math.floor(i / channels) % outWidth
    const oh = Math.floor(i / channels / outWidth) % outHeight
    const s = Math.floor(i / channels / outWidth / outHeight)
    const window: number[] = []
    for (let h = oh * strideHeight - padTop; h < oh * strideHeight - padTop + poolHeight; h++) {
      for (let w = ow * strideWidth - padLeft; w < ow * strideWidth - padLeft + poolWidth; w++) {
        if (h >= 0 && h < height && w >= 0 && w < width)
          window.push(((s * height + h) * width + w) * channels + c)
      }
    }
    result.push(window)
  }
  return result
}

/** Noise rounded to a grid, so that windows hold equal maxima. */
const coarse = (count: number) => noise(count, 9).map(value => Math.round(value * 3) / 3)
const inputCount = ([height, width, channels]: Sizes) => samples * height * width * channels

function scatter(
  count: number,
  windows: number[][],
  share: (window: number[], i: number) => [number, number][],
) {
  const dx = new Float64Array(count)
  for (const [i, window] of windows.entries()) for (const [at, value] of share(window, i)) dx[at]! += value
  return dx
}

test.each(geometries.map(sizes => [name(sizes), sizes] as const))('maxPool %s', (_, sizes) => {
  const x = coarse(inputCount(sizes))
  x[3] = Number.NEGATIVE_INFINITY
  const places = windows(sizes)
  const largest = (window: number[]) => Math.max(...window.map(at => x[at]!))
  const [y] = prove({
    inputs: [x],
    outputs: [places.length],
    units: samples,
    call: (k, begin, end, [x], [y]) => k.maxPool(begin, end, x!, y!, ...sizes),
  })
  expect([...y!]).toEqual(places.map(largest))
  const dy = noise(places.length, 4)
  const [dx] = prove({
    inputs: [x, y!, dy],
    outputs: [x.length],
    units: samples,
    call: (k, begin, end, [x, y, dy], [dx]) => k.maxPoolGradient(begin, end, x!, y!, dy!, dx!, ...sizes),
  })
  const first = (window: number[]) => window.find(at => x[at] === largest(window))!
  expect(
    relativeError(
      dx!,
      scatter(x.length, places, (window, i) => [[first(window), dy[i]!]]),
    ),
  ).toBeLessThan(3e-7)
})

test.each(geometries.map(sizes => [name(sizes), sizes] as const))('averagePool %s', (_, sizes) => {
  const x = noise(inputCount(sizes), 2)
  const places = windows(sizes)
  const [y] = prove({
    inputs: [x],
    outputs: [places.length],
    units: samples,
    call: (k, begin, end, [x], [y]) => k.averagePool(begin, end, x!, y!, ...sizes),
  })
  const mean = (window: number[]) => window.reduce((sum, at) => sum + x[at]!, 0) / window.length
  expect(relativeError(y!, places.map(mean))).toBeLessThan(3e-7)
  const dy = noise(places.length, 4)
  const [dx] = prove({
    inputs: [dy],
    outputs: [x.length],
    units: samples,
    call: (k, begin, end, [dy], [dx]) => k.averagePoolGradient(begin, end, dy!, dx!, ...sizes),
  })
  const shares = (window: number[], i: number): [number, number][] =>
    window.map(at => [at, dy[i]! / window.length])
  expect(relativeError(dx!, scatter(x.length, places, shares))).toBeLessThan(3e-7)
})

test.each(geometries.map(sizes => [name(sizes), sizes] as const))('a NaN stays: maxPool %s', (_, sizes) => {
  const count = inputCount(sizes)
  for (const at of [0, 1, Math.floor(count / 2), count - 1]) {
    const x = coarse(count)
    x[at] = Number.NaN
    const places = windows(sizes)
    const [y] = prove({
      inputs: [x],
      outputs: [places.length],
      units: samples,
      call: (k, begin, end, [x], [y]) => k.maxPool(begin, end, x!, y!, ...sizes),
    })
    expect([...y!].map(Number.isNaN)).toEqual(places.map(window => window.includes(at)))
  }
})

test.each([
  [1, 1],
  [7, 3],
  [49, 8],
  [30, 21],
  [12, 64],
])('globalAverage of %i positions, %i channels', (positions, channels) => {
  const x = noise(samples * positions * channels, 6)
  const [y] = prove({
    inputs: [x],
    outputs: [samples * channels],
    units: samples,
    call: (k, begin, end, [x], [y]) => k.globalAverage(begin, end, x!, y!, positions, channels),
  })
  const wanted = new Float64Array(samples * channels)
  const outOf = (i: number) => Math.floor(i / channels / positions) * channels + (i % channels)
  for (const [i, value] of x.entries()) wanted[outOf(i)]! += value / positions
  expect(relativeError(y!, wanted)).toBeLessThan(1e-6)
  const [dx] = prove({
    inputs: [y!],
    outputs: [x.length],
    units: samples,
    call: (k, begin, end, [dy], [dx]) => k.globalAverageGradient(begin, end, dy!, dx!, positions, channels),
  })
  expect([...dx!]).toEqual(Array.from(x, (_, i) => Math.fround(y![outOf(i)]! / positions)))
})
