import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

type Words = [number, number, number, number]

/** Philox4x32-10 from 64-bit integers. */
function philox(counter: Words, key: [number, number]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const p = BigInt(c0) * 0xd2511f53n
    const q = BigInt(c2) * 0xcd9e8d57n
    c0 = (Number(q >> 32n) ^ c1 ^ k0) >>> 0
    c2 = (Number(p >> 32n) ^ c3 ^ k1) >>> 0
    c1 = Number(q & 0xffffffffn)
    c3 = Number(p & 0xffffffffn)
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

test.each([
  [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  [Array(4).fill(0xffffffff), [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  ],
] as [Words, [number, number], string][])(
  'the reference gives the published words of %j',
  (counter, key, words) => {
    const found = philox(counter, key).map(word => word.toString(16).padStart(8, '0'))
    expect(found.join(' ')).toBe(words)
  },
)

const [seedLow, seedHigh, step] = [0x89abcdef, 0xfedcba98, 77]
const key = Int32Array.of(seedLow, seedHigh, step)
const site = 5
const word = (element: number, row: number) =>
  philox([element >> 2, row, step, site], [seedLow, seedHigh])[element & 3]!
const uniform = (element: number, row = 0) => (word(element, row) >>> 8) / 2 ** 24

test.each(awkwardSizes)('dropout and multiply: rows of %i', size => {
  for (const [rows, rate] of [
    [5, 0.25],
    [3, 0.7],
  ] as const) {
    const x = noise(rows * size, 3)
    const scale = Math.fround(1 / (1 - Math.fround(rate)))
    const [y, mask] = prove({
      inputs: [x, key],
      outputs: [rows * size, rows * size],
      units: rows,
      call: (k, begin, end, [x, key], [y, mask]) =>
        k.dropout(begin, end, x!, y!, mask!, key!, site, size, rate),
    })
    expect(mask).toEqual(
      mask!.map((_, i) => (uniform(i % size, Math.floor(i / size)) >= Math.fround(rate) ? scale : 0)),
    )
    const [product] = prove({
      inputs: [x, mask!],
      outputs: [rows * size],
      units: rows * size,
      call: (k, begin, end, [a, b], [y]) => k.multiply(begin, end, a!, b!, y!),
    })
    expect(product).toEqual(y)
    expect(y).toEqual(x.map((value, i) => value * mask![i]!))
  }
})

/** Box and Muller's normal for an element, from words of attempt `row`. */
function normal(element: number, row = 0): number {
  const first = element & ~1
  const angle = 2 * Math.PI * uniform(first + 1, row)
  return Math.sqrt(-2 * Math.log(1 - uniform(first, row))) * (element & 1 ? Math.sin(angle) : Math.cos(angle))
}

function truncated(element: number): number {
  for (let attempt = 0; ; attempt++) {
    const z = normal(element, attempt)
    if (Math.abs(z) <= 2) return z
  }
}

test.each([
  ['randomUniform', uniform, -2, 3],
  ['randomNormal', (e: number) => normal(e), 0.5, 2],
  ['truncatedNormal', truncated, 0.5, 2],
] as const)('%s', (name, draw, a, b) => {
  for (const count of [...awkwardSizes, 1000]) {
    const [y] = prove({
      inputs: [key],
      outputs: [count],
      units: count,
      call: (k, begin, end, [key], [y]) => k[name](begin, end, y!, key!, site, a, b),
    })
    const spread = name === 'randomUniform' ? b - a : b
    expect(
      relativeError(
        y!,
        Array.from(y!, (_, i) => a + spread * draw(i)),
      ),
    ).toBeLessThan(1e-6)
  }
})

test('moments of normals, chi-square of uniforms', () => {
  const count = 200_000
  const draw = (name: 'randomUniform' | 'randomNormal' | 'truncatedNormal') =>
    prove({
      inputs: [key],
      outputs: [count],
      units: count,
      call: (k, begin, end, [key], [y]) => k[name](begin, end, y!, key!, site, 0, 1),
    })[0]!
  const moment = (values: Float32Array, power: number) =>
    values.reduce((sum, z) => sum + z ** power, 0) / count
  const normals = draw('randomNormal')
  for (const [power, wanted, deviation] of [
    [1, 0, 1],
    [2, 1, 1.42],
    [3, 0, 3.9],
    [4, 3, 9.8],
  ] as const) {
    expect(Math.abs(moment(normals, power) - wanted)).toBeLessThan((4 * deviation) / Math.sqrt(count))
  }
  const kept = draw('truncatedNormal')
  expect(Math.max(...kept.slice(0, 50_000).map(Math.abs))).toBeLessThanOrEqual(2)
  expect(Math.abs(moment(kept, 2) - 0.7737)).toBeLessThan(0.01)
  const uniforms = draw('randomUniform')
  for (const shift of [8, 16, 24]) {
    const counts = new Float64Array(256)
    for (const u of uniforms) counts[Math.floor(u * 2 ** shift) & 255]!++
    const chi2 = counts.reduce((sum, n) => sum + (n - count / 256) ** 2 / (count / 256), 0)
    expect(chi2).toBeGreaterThan(170)
    expect(chi2).toBeLessThan(350)
  }
})

/** Fisher and Yates with words drawn as the kernel draws them, and how many were drawn again. */
function shuffled(count: number, [low, high, step]: Int32Array) {
  const order = Array.from({ length: count }, (_, i) => i)
  const draw = (block: number, attempt: number, place: number) =>
    BigInt(philox([block, attempt, step!, site], [low! >>> 0, high! >>> 0])[place]!)
  let again = 0
  for (let i = count - 1; i >= 0; i--) {
    const bound = BigInt(i + 1)
    const threshold = 2n ** 32n % bound
    let product = draw(i >> 2, 0, i & 3) * bound
    for (let attempt = 1; (product & 0xffffffffn) < threshold; attempt++, again++) {
      product = draw(i, attempt, 0) * bound
    }
    const j = Number(product >> 32n)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return { order, again }
}

const shuffle = (count: number, words = key) => {
  const [order] = prove({
    inputs: [words],
    outputs: [count],
    units: 1,
    call: (k, begin, end, [key], [order]) => k.shuffle(begin, end, order!, count, key!, site),
  })
  return [...new Int32Array(order!.buffer)]
}

test('shuffle', () => {
  for (const count of [...awkwardSizes, 2000]) expect(shuffle(count)).toEqual(shuffled(count, key).order)
  const rare = Int32Array.of(1, 0, 0) // the draw for element 58,065 is rejected
  const { order, again } = shuffled(58_070, rare)
  expect(again).toBe(1)
  expect(shuffle(58_070, rare)).toEqual(order)
})

test('shuffle: each element comes to each place equally often', () => {
  const [count, trials] = [6, 3000]
  const places = new Float64Array(count * count)
  for (let seed = 0; seed < trials; seed++) {
    for (const [place, value] of shuffle(count, Int32Array.of(seed, 0, 0)).entries()) {
      places[place * count + value]!++
    }
  }
  const expected = trials / count
  expect(places.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)).toBeLessThan(60) // 25 degrees of freedom
})
