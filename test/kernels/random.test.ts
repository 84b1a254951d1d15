import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { Draws, philox, type Words } from '../reference/random.ts'
import { prove } from './trial.ts'

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
const { uniform, normal } = new Draws([seedLow, seedHigh], step, site)

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

test.each(awkwardSizes)('dropoutMask, normalRows and alphaDropout: rows of %i', size => {
  const rows = 4
  const count = rows * size
  for (const together of [0, 1] as const) {
    const [mask] = prove({
      inputs: [key],
      outputs: [count],
      units: rows,
      call: (k, begin, end, [key], [mask]) =>
        k.dropoutMask(begin, end, mask!, key!, site, size, 0.4, 1.5, together),
    })
    const kept = (i: number) => uniform(i % size, together ? 0 : Math.floor(i / size)) >= Math.fround(0.4)
    expect(mask).toEqual(mask!.map((_, i) => (kept(i) ? 1.5 : 0)))
    const x = noise(count, 3)
    const [y] = prove({
      inputs: [x, mask!],
      outputs: [count],
      units: count,
      call: (k, begin, end, [x, mask], [y]) => k.alphaDropout(begin, end, x!, mask!, y!, 0.25, -0.75),
    })
    const expected = Array.from(x, (value, i) => (kept(i) ? 1.5 * value + 0.25 : -0.75))
    expect(relativeError(y!, expected)).toBeLessThan(2e-7)
  }
  const [normals] = prove({
    inputs: [key],
    outputs: [count],
    units: rows,
    call: (k, begin, end, [key], [y]) => k.normalRows(begin, end, y!, key!, site, size, 0.5, 2),
  })
  const wanted = Array.from(normals!, (_, i) => 0.5 + 2 * normal(i % size, Math.floor(i / size)))
  expect(relativeError(normals!, wanted)).toBeLessThan(1e-6)
})

function truncated(element: number): number {
  for (let attempt = 0; ; attempt++) {
    const z = normal(element, attempt)
    if (Math.abs(z) <= 2) return z
  }
}

test.each([
  ['randomUniform', (e: number) => uniform(e), -2, 3],
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
