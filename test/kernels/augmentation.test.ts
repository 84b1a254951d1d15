import { describe, expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { Draws } from '../reference/random.ts'
import { prove } from './trial.ts'

const [seedLow, seedHigh, step, site] = [0x89abcdef, 0xfedcba98, 77, 5]
const key = Int32Array.of(seedLow, seedHigh, step)
const { uniform, normal } = new Draws([seedLow, seedHigh], step, site)
const rows = 9
/** Behind every array of the bed. */
const scratch = 65536 * 60
const between = (low: number, high: number, element: number, row: number) =>
  low + (high - low) * uniform(element, row)

/** The transform about the middle of an image with the matrix (a b; d e), moved by (c, f). */
function about([height, width]: readonly [number, number], matrix: readonly number[]): number[] {
  const [a, b, c, d, e, f] = matrix as [number, number, number, number, number, number]
  const [r, s] = [(height - 1) / 2, (width - 1) / 2]
  return [a, b, r - a * r - b * s + c, d, e, s - d * r - e * s + f]
}

const image = [7, 6] as const
const transforms = {
  flips: [
    [0.5, 0.5],
    (r: number) => about(image, [uniform(0, r) < 0.5 ? -1 : 1, 0, 0, 0, uniform(1, r) < 0.5 ? -1 : 1, 0]),
  ],
  rotations: [
    [-3, 2],
    (r: number) => {
      const angle = between(-3, 2, 0, r)
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
      return about(image, [cosine, sine, 0, -sine, cosine, 0])
    },
  ],
  zooms: [
    [0.5, 2, 0.75, 1, 0],
    (r: number) => about(image, [between(0.5, 2, 0, r), 0, 0, 0, between(0.75, 1, 1, r), 0]),
  ],
  widths: [[0.5, 1.5], (r: number) => about(image, [1, 0, 0, 0, 1 / between(0.5, 1.5, 0, r), 0])],
  translations: [
    [-3, 4, 0.5, 2],
    (r: number) => about(image, [1, 0, -between(-3, 4, 0, r), 0, 1, -between(0.5, 2, 1, r)]),
  ],
} as const

test.each(Object.keys(transforms) as (keyof typeof transforms)[])('%s', name => {
  const [numbers, expected] = transforms[name]
  const [found] = prove({
    inputs: [key],
    outputs: [6 * rows],
    units: rows,
    call: (k, begin, end, [key], [t]) =>
      (k[name] as (...args: number[]) => void)(begin, end, t!, key!, site, ...image, ...numbers),
  })
  const wanted = Array.from({ length: rows }, (_, r) => expected(r)).flat()
  expect(relativeError(found!, wanted)).toBeLessThan(3e-7)
})

test('crops, and zooms of both axes', () => {
  const [found] = prove({
    inputs: [key],
    outputs: [6 * rows],
    units: rows,
    call: (k, begin, end, [key], [t]) => k.crops(begin, end, t!, key!, site, 3, 0),
  })
  const wanted = Array.from({ length: rows }, (_, r) => [1, 0, Math.floor(4 * uniform(0, r)), 0, 1, 0])
  expect([...found!]).toEqual(wanted.flat())
  const [zoomed] = prove({
    inputs: [key],
    outputs: [6 * rows],
    units: rows,
    call: (k, begin, end, [key], [t]) => k.zooms(begin, end, t!, key!, site, ...image, 0.5, 2, 7, 8, 1),
  })
  for (let r = 0; r < rows; r++) expect(zoomed![6 * r + 4]).toBe(zoomed![6 * r])
})

const modes = ['reflect', 'wrap', 'nearest', 'constant'] as const

/** The pixel of n that pixel i shows, or −1. */
function shown(mode: (typeof modes)[number], i: number, n: number): number {
  if (i >= 0 && i < n) return i
  if (mode === 'constant') return -1
  if (mode === 'nearest') return i < 0 ? 0 : n - 1
  if (mode === 'wrap') return ((i % n) + n) % n
  const at = ((i % (2 * n)) + 2 * n) % (2 * n)
  return at < n ? at : 2 * n - 1 - at
}

const whole = [1, 0, 0, 0, 1, 0]
const turned = [0.6, 0.9, -2.125, -0.8, 0.7, 3.5]
const distant = [1.5, 0.25, -19.5, 0.125, -2, 31.25]

describe.each(modes)('warp with %s outside', mode => {
  const cases = [
    [3, 4, 5, 6],
    [5, 4, 5, 4],
    [1, 1, 3, 3],
  ].flatMap(sizes =>
    [false, true].map(bilinear => [...sizes, bilinear] as [number, number, number, number, boolean]),
  )

  test.each(cases)('%i × %i → %i × %i, bilinear %s', (height, width, outHeight, outWidth, bilinear) => {
    const t = Float32Array.from([...whole, ...turned, ...distant])
    const samples = t.length / 6
    for (const channels of [1, 2, 3, 4, 5, 8, 17]) {
      const x = noise(samples * height * width * channels, 3)
      const dy = noise(samples * outHeight * outWidth * channels, 4)
      const wantedY = new Float64Array(dy.length)
      const wantedDx = new Float64Array(x.length)
      for (let i = 0; i < dy.length; i++) {
        const pixel = Math.floor(i / channels)
        const [c, r] = [pixel % outWidth, Math.floor(pixel / outWidth) % outHeight]
        const s = Math.floor(pixel / outWidth / outHeight)
        const m = t.subarray(6 * s, 6 * s + 6)
        const place = (k: number) => m[k]! * r + m[k + 1]! * c + m[k + 2]! + (bilinear ? 0 : 0.5)
        const [top, left] = [Math.floor(place(0)), Math.floor(place(3))]
        for (const [down, across] of bilinear
          ? ([
              [0, 0],
              [0, 1],
              [1, 0],
              [1, 1],
            ] as const)
          : ([[0, 0]] as const)) {
          const share = (on: number, far: number) => (bilinear ? (on ? far : 1 - far) : 1)
          const weight = share(down, place(0) - top) * share(across, place(3) - left)
          const [row, column] = [shown(mode, top + down, height), shown(mode, left + across, width)]
          const at = ((s * height + row) * width + column) * channels + (i % channels)
          const outside = row < 0 || column < 0
          wantedY[i]! += weight * (outside ? 0.25 : x[at]!)
          if (!outside) wantedDx[at]! += weight * dy[i]!
        }
      }
      const sizes = [
        height,
        width,
        channels,
        outHeight,
        outWidth,
        modes.indexOf(mode),
        Number(bilinear),
      ] as const
      const [y] = prove({
        inputs: [x, t],
        outputs: [dy.length],
        units: samples,
        call: (k, begin, end, [x, t], [y]) => k.warp(begin, end, x!, t!, y!, ...sizes, 0.25, scratch),
      })
      expect(relativeError(y!, wantedY)).toBeLessThan(5e-7)
      const [dx] = prove({
        inputs: [dy, t],
        outputs: [x.length],
        units: samples,
        call: (k, begin, end, [dy, t], [dx]) => k.warpGradient(begin, end, dy!, t!, dx!, ...sizes),
      })
      expect(relativeError(dx!, wantedDx)).toBeLessThan(2e-6)
    }
  })
})

describe.each([1, 2, 3, 4, 5, 8, 17])('%i channels', channels => {
  test.each([1, 3, 7, 8, 9, 33])('adjust: %i pixels', pixels => {
    const samples = 3
    const size = pixels * channels
    const [x, mean] = [noise(samples * size, 3), noise(samples * channels, 4)]
    const factor = Float32Array.of(0.5, 1, 1.75)
    for (const factors of [factor, undefined]) {
      const [y] = prove({
        inputs: [x, factors, mean],
        outputs: [x.length],
        units: samples,
        call: (k, begin, end, [x, factor, mean], [y]) =>
          k.adjust(begin, end, x!, factor!, mean!, y!, pixels, channels, -0.75, 0.5, scratch),
      })
      const wanted = x.map((value, i) => {
        const s = Math.floor(i / size)
        const [f, m] = [factors?.[s] ?? 1, mean[s * channels + (i % channels)]!]
        return Math.min(0.5, Math.max(-0.75, factors ? m + f * (value - m) : value + m))
      })
      expect(relativeError(y!, wanted)).toBeLessThan(3e-7)
    }
  })

  test('erase, and noise in its place', () => {
    const [height, width] = [5, 6]
    const boxes = Float32Array.of(1, 4, 2, 5, 9, 9, 9, 9, 0, 0, 0, 0, 9, 9, 9, 9, 0, 5, 0, 6, 9, 9, 9, 9)
    const size = height * width * channels
    const x = noise(3 * size, 6)
    const [y, noisy] = prove({
      inputs: [x, boxes, key],
      outputs: [x.length, x.length],
      units: 3,
      call: (k, begin, end, [x, boxes, key], [y, noisy]) => {
        k.erase(begin, end, x!, boxes!, y!, height, width, channels, 0.5)
        k.erase(begin, end, x!, boxes!, noisy!, height, width, channels, 0.5)
        k.eraseNoise(begin, end, boxes!, noisy!, key!, site, height, width, channels, 2, -1, 3)
      },
    })
    const inside = (i: number) => {
      const [s, pixel] = [Math.floor(i / size), Math.floor((i % size) / channels)]
      const [top, bottom, left, right] = boxes.subarray(8 * s, 8 * s + 4) as unknown as [
        number,
        number,
        number,
        number,
      ]
      const [r, c] = [Math.floor(pixel / width), pixel % width]
      return r >= top && r < bottom && c >= left && c < right
    }
    expect(y).toEqual(x.map((value, i) => (inside(i) ? 0.5 : value)))
    const drawn = (i: number) => Math.min(3, Math.max(-1, 2 * normal(i % size, Math.floor(i / size))))
    expect(
      relativeError(
        noisy!,
        x.map((value, i) => (inside(i) ? drawn(i) : value)),
      ),
    ).toBeLessThan(1e-6)
  })
})

test.each(awkwardSizes)('uniformRows, clipGradient, mixRows and chooseRows: %i elements', n => {
  const count = 3 * n
  const [a, b] = [noise(count, 3), noise(count, 4)]
  const shares = Float32Array.of(0.25, 0.5, 0.875)
  const [drawn, mixed, chosen, clipped] = prove({
    inputs: [key, a, b, shares],
    outputs: [count, count, count, count],
    units: 3,
    call: (k, begin, end, [key, a, b, shares], [drawn, mixed, chosen, clipped]) => {
      k.uniformRows(begin, end, drawn!, key!, site, n, -1, 3)
      k.mixRows(begin, end, a!, b!, shares!, mixed!, n)
      k.chooseRows(begin, end, a!, b!, shares!, chosen!, n)
      k.clipGradient(begin * n, end * n, a!, b!, clipped!, -0.5, 0.25)
    },
  })
  const row = (i: number) => Math.floor(i / n)
  expect(drawn).toEqual(drawn!.map((_, i) => between(-1, 3, i % n, row(i))))
  const share = (i: number) => shares[row(i)]!
  expect(
    relativeError(
      mixed!,
      a.map((x, i) => share(i) * x + (1 - share(i)) * b[i]!),
    ),
  ).toBeLessThan(3e-7)
  expect(chosen).toEqual(a.map((x, i) => (share(i) >= 0.5 ? x : b[i]!)))
  expect(clipped).toEqual(b.map((dy, i) => (a[i]! > -0.5 && a[i]! < 0.25 ? dy : 0)))
})

test.each([0.001, 0.2, 0.9, 1, 3, 50])('drawMixes: shares have the moments of Beta(%d, %d)', alpha => {
  const count = 4000
  const order = Int32Array.from({ length: count + 5 }, (_, i) => 3 * i)
  const [partners, shares] = prove({
    inputs: [key, order, Int32Array.of(5), Int32Array.of(count)],
    outputs: [count, count],
    units: count,
    call: (k, begin, end, [key, order, position, rows], [partners, shares]) =>
      k.drawMixes(begin, end, partners!, shares!, key!, site, order!, position!, rows!, alpha, scratch),
  })
  const numbers = [...new Int32Array(partners!.buffer)]
  expect(numbers.every(n => n % 3 === 0 && n >= 15 && n < 3 * (count + 5))).toBe(true)
  expect(new Set(numbers).size).toBeGreaterThan(count / 2)
  const variance = 1 / (4 * (2 * alpha + 1))
  const mean = shares!.reduce((sum, x) => sum + x / count, 0)
  expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(variance / count))
  const found = shares!.reduce((sum, x) => sum + (x - 0.5) ** 2 / count, 0)
  expect(Math.abs(found / variance - 1)).toBeLessThan(0.12)
  expect(shares!.every(x => x >= 0 && x <= 1)).toBe(true)
})
