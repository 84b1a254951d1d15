import { describe, expect, test } from 'vitest'
import { awkwardSizes, Bed, noise } from '../bed.ts'
import { prove } from './trial.ts'

const rowCount = 7
const sizes = [...awkwardSizes.slice(1), 1000]

type Name = 'binaryAccuracy' | 'categoricalAccuracy' | 'sparseCategoricalAccuracy' | 'binaryCounts'

/** Values of the rows of p (rows,n), `width` a row. */
const values = (name: Name, p: ArrayLike<number>, t: ArrayLike<number>, n: number, threshold = 0.25) => {
  const rows = p.length / n
  return prove({
    inputs: [Float32Array.from(p), Float32Array.from(t)],
    outputs: [rows * (name === 'binaryCounts' ? 4 : 1)],
    units: rows,
    call: (k, begin, end, [p, t], [value]) => k[name](begin, end, p!, t!, value!, n, threshold),
  })[0]!
}

const rowsOf = (x: Float32Array, n: number) =>
  Array.from({ length: rowCount }, (_, r) => [...x.subarray(r * n, r * n + n)])
const argmax = (row: number[]) => row.indexOf(Math.max(...row))

describe.each(sizes)('rows of %i', n => {
  const p = noise(rowCount * n, n).map(u => Math.round(8 * u) / 8) // with ties
  const t = noise(rowCount * n, 3).map(u => Math.round(8 * u) / 8)
  const labels = t.map(t => (t > 0 ? 1 : 0))
  const classes = rowsOf(p, n).map((row, r) => (r & 1 ? argmax(row) : r % n))

  test('accuracies', () => {
    const best = rowsOf(p, n).map(argmax)
    const hits = rowsOf(t, n).map((row, r) => (argmax(row) === best[r] ? 1 : 0))
    expect([...values('categoricalAccuracy', p, t, n)]).toEqual(hits)
    const found = values('sparseCategoricalAccuracy', p, classes, n)
    expect([...found]).toEqual(classes.map((t, r) => (best[r] === t ? 1 : 0)))
    const right = rowsOf(p, n).map((row, r) => row.filter((p, i) => +(p > 0.25) === labels[r * n + i]).length)
    expect([...values('binaryAccuracy', p, labels, n)]).toEqual(right.map(count => Math.fround(count / n)))
  })

  test('counts', () => {
    const wanted = rowsOf(p, n).flatMap((row, r) => {
      const actual = rowsOf(labels, n)[r]!
      const positives = row.map(p => p > 0.25)
      const count = (flags: boolean[]) => flags.filter(Boolean).length
      return [
        count(positives.map((yes, i) => yes && actual[i] === 1)),
        count(positives),
        count(actual.map(t => t === 1)),
        n,
      ]
    })
    expect([...values('binaryCounts', p, labels, n)]).toEqual(wanted)
  })
})

test('argmax passes over NaN and accepts -Infinity', () => {
  const { NaN: nan, NEGATIVE_INFINITY: low } = Number
  const p = [nan, 1, 2, nan, nan, nan, low, low, low]
  expect([...values('sparseCategoricalAccuracy', p, [2, 0, 0], 3)]).toEqual([1, 0, 1])
})

describe('accumulate', () => {
  const bed = new Bed()
  const total = (values: Float32Array, width: number, inner: number, weight?: Float32Array, before = 0) => {
    bed.reset()
    const totals = bed.put(new Float32Array(2 * width))
    new Float64Array(bed.memory.buffer, totals, width).fill(before)
    const rows = bed.putInts([values.length / width / inner])
    const x = bed.put([...values, Number.NaN, Number.NaN, Number.NaN])
    bed.kernels.accumulate(0, 1, x, weight ? bed.put(weight) : 0, totals, rows, width, inner)
    bed.checkGuards()
    return [...bed.doubles(totals, width)]
  }

  test.each(awkwardSizes)('%i samples', samples => {
    for (const [width, inner] of [
      [1, 1],
      [1, 3],
      [3, 1],
      [4, 2],
    ] as const) {
      const x = noise(samples * inner * width, 5)
      const weight = noise(samples, 8)
      for (const weights of [undefined, weight]) {
        const sums = new Float64Array(width).fill(2)
        x.forEach((x, i) => {
          sums[i % width]! += x * (weights?.[Math.floor(i / width / inner)] ?? 1)
        })
        const found = total(x, width, inner, weights, 2)
        for (const [j, sum] of sums.entries()) expect(Math.abs(found[j]! - sum)).toBeLessThan(1e-13)
      }
    }
  })

  test('sums in float64', () => {
    expect(total(Float32Array.of(1e6, 1, 1e-6, -1e6), 1, 1)[0]).toBeCloseTo(1.000001, 9)
  })
})

describe('checkFinite', () => {
  const bed = new Bed()
  const fault = (x: Float32Array, begin: number, end: number, before = 0, id = 5) => {
    bed.reset()
    const cell = bed.putInts([before])
    bed.kernels.checkFinite(begin, end, bed.put(x), cell, id)
    bed.checkGuards()
    return bed.ints(cell, 1)[0]
  }

  test.each(awkwardSizes)('%i elements', size => {
    const x = noise(size, 2).map(u => 3e38 * u)
    expect(fault(x, 0, size)).toBe(0) // the bytes behind x are no number either
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let at = 0; at < size; at++) {
        const broken = x.with(at, bad)
        expect(fault(broken, 0, size)).toBe(5)
        expect(fault(broken, 0, at)).toBe(0)
        expect(fault(broken, at + 1, size)).toBe(0)
      }
    }
  })

  test('the lowest number stays', () => {
    const bad = Float32Array.of(Number.NaN)
    expect([fault(bad, 0, 1, 3), fault(bad, 0, 1, 7), fault(bad, 0, 0, 7)]).toEqual([3, 5, 7])
  })
})
