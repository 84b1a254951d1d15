import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

test.each(awkwardSizes)('rescale: %i elements', size => {
  const x = noise(size, 3)
  const [y] = prove({
    inputs: [x],
    outputs: [size],
    units: size,
    call: (k, begin, end, [x], [y]) => k.rescale(begin, end, x!, y!, 0.3, -0.7),
  })
  const expected = Array.from(x, value => Math.fround(0.3) * value - Math.fround(0.7))
  expect(relativeError(y!, expected)).toBeLessThan(2e-7)
})

const encoded = (x: Float32Array, tokens: number, n: number, count: 0 | 1) =>
  prove({
    inputs: [x],
    outputs: [(x.length / tokens) * n],
    units: x.length / tokens,
    call: (k, begin, end, [x], [y]) => k.encode(begin, end, x!, y!, tokens, n, count),
  })[0]!

test.each(awkwardSizes.slice(1))('encode: rows of %i', n => {
  for (const tokens of [1, 2, 5]) {
    const x = noise(6 * tokens, n).map(value => ((value + 1) / 2) * n)
    const counts = new Float32Array(6 * n)
    x.forEach((value, i) => counts[Math.floor(i / tokens) * n + Math.floor(value)]!++)
    expect(encoded(x, tokens, n, 1)).toEqual(counts)
    expect(encoded(x, tokens, n, 0)).toEqual(counts.map(count => Math.min(count, 1)))
  }
})

test('encode: a token that is none makes its row NaN', () => {
  const x = Float32Array.of(0, 2, 1, 3, -1, 0, Number.NaN, 1, 2, 1e30, 0, -0)
  const none = [Number.NaN, Number.NaN, Number.NaN]
  expect([...encoded(x, 2, 3, 1)]).toEqual([[1, 0, 1], none, none, none, none, [2, 0, 0]].flat())
})
