import { describe, expect, test } from 'vitest'
import { awkwardSizes, Bed, noise } from '../bed.ts'
import { prove } from './trial.ts'

const rowCount = 7
const rowsOf = (x: Float32Array, n: number) =>
  Array.from({ length: rowCount }, (_, r) => [...x.subarray(r * n, r * n + n)])
const argmax = (row: number[]) => row.indexOf(Math.max(...row))

describe.each(awkwardSizes.slice(1))('rows of %i', n => {
  const p = noise(rowCount * n, n).map(u => Math.round(8 * u) / 8) // with ties
  const t = noise(rowCount * n, 3)

  test('markMaximum', () => {
    const found = prove({
      inputs: [p],
      outputs: [p.length],
      units: rowCount,
      call: (k, begin, end, [x], [y]) => k.markMaximum(begin, end, x!, y!, n),
    })[0]!
    expect([...found]).toEqual(rowsOf(p, n).flatMap(row => row.map((_, i) => Number(i === argmax(row)))))
  })

  test.each([1, 2, 5, 40])('keepLargest %i', k => {
    const found = prove({
      inputs: [p],
      outputs: [p.length],
      units: rowCount,
      call: (kernels, begin, end, [x], [y]) => kernels.keepLargest(begin, end, x!, y!, n, k),
    })[0]!
    const wanted = rowsOf(p, n).flatMap(row => {
      const order = [...row.keys()].sort((i, j) => row[j]! - row[i]! || i - j)
      return row.map((value, i) => (order.indexOf(i) < k ? value : Number.NEGATIVE_INFINITY))
    })
    expect([...found]).toEqual(wanted)
  })

  test.each([1, 2, 5, 40])('top %i', k => {
    const classes = rowsOf(t, n).map(argmax)
    const wanted = rowsOf(p, n).map((row, r) => Number(row.filter(x => x > row[classes[r]!]!).length < k))
    for (const [name, target] of [
      ['topKCategoricalAccuracy', t],
      ['sparseTopKCategoricalAccuracy', Float32Array.from(classes)],
    ] as const) {
      const found = prove({
        inputs: [p, target],
        outputs: [rowCount],
        units: rowCount,
        call: (kernels, begin, end, [p, t], [value]) => kernels[name](begin, end, p!, t!, value!, n, k),
      })[0]!
      expect([...found]).toEqual(wanted)
    }
  })
})

test('no class outside, and none that is not finite, is among the largest', () => {
  const p = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY)
  const found = prove({
    inputs: [Float32Array.of(...p, ...p, ...p, ...p, ...p), Float32Array.of(-1, 3, 1, 2, 0)],
    outputs: [5],
    units: 5,
    call: (k, begin, end, [p, t], [value]) =>
      k.sparseTopKCategoricalAccuracy(begin, end, p!, t!, value!, 3, 3),
  })[0]!
  expect([...found]).toEqual([0, 0, 0, 0, 1])
})

describe('totals', () => {
  const bed = new Bed()
  const run = (width: number, call: (totals: number) => void) => {
    const totals = bed.put(new Float32Array(2 * width))
    new Float64Array(bed.memory.buffer, totals, width).fill(1)
    call(totals)
    bed.checkGuards()
    return [...bed.doubles(totals, width)]
  }

  /** Which samples count where a mask is given. */
  const maskOf = (samples: number) => Float32Array.from({ length: samples }, (_, i) => Number(i % 3 !== 1))
  const masks = awkwardSizes.flatMap(samples => [false, true].map(masked => [samples, masked] as const))

  test.each([1, 2].flatMap(columns => masks.map(([samples, masked]) => [samples, masked, columns] as const)))(
    'countScores of %i samples, masked %s, %i columns',
    (samples, masked, columns) => {
      bed.reset()
      const counts = maskOf(samples)
      const mask = masked ? bed.put(counts) : 0
      const p = noise(2 * samples, 5).map((u, i) => (i % 9 === 0 ? Math.round(u) : 0.5 + 0.6 * u))
      const t = noise(2 * samples, 6).map(u => Number(u > 0))
      const [pAddress, tAddress, rows] = [bed.put(p), bed.put(t), bed.putInts([samples])]
      const buckets = 11
      const found = run(2 * columns * buckets, totals =>
        bed.kernels.countScores(0, 1, pAddress, tAddress, totals, rows, 2, columns, buckets, mask, 2),
      )
      const wanted = new Array(2 * columns * buckets).fill(1)
      p.forEach((x, i) => {
        if (masked && counts[Math.floor(i / 2)] === 0) return
        // How many of the thresholds 0.1, 0.2 … 0.9 lie below.
        const bucket = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter(j => x * 10 > j).length
        wanted[(2 * (i % columns) + (t[i] === 1 ? 0 : 1)) * buckets + bucket]++
      })
      expect(found).toEqual(wanted)
    },
  )

  test.each(masks)('accumulateMoments of %i samples, masked %s', (samples, masked) => {
    bed.reset()
    const counts = maskOf(samples)
    const mask = masked ? bed.put(counts) : 0
    const [n, inner] = [3, 2]
    const p = noise(samples * inner * n, 5)
    const t = noise(samples * inner * n, 6)
    const [pAddress, tAddress, rows] = [bed.put(p), bed.put(t), bed.putInts([samples])]
    const found = run(3 * n, totals =>
      bed.kernels.accumulateMoments(0, 1, pAddress, tAddress, totals, rows, n, inner, mask, inner),
    )
    const wanted = new Array(3 * n).fill(1)
    t.forEach((y, i) => {
      if (masked && counts[Math.floor(i / (n * inner))] === 0) return
      const at = 3 * (i % n)
      wanted[at] += y
      wanted[at + 1] += y * y
      wanted[at + 2] += (y - p[i]!) ** 2
    })
    wanted.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 10))
  })

  test('scores outside, and none, are counted at the ends', () => {
    bed.reset()
    const p = bed.put([-1, 0, 1, 7, Number.NaN, Number.POSITIVE_INFINITY])
    const [t, rows] = [bed.put(new Float32Array(6).fill(1)), bed.putInts([6])]
    const found = run(8, totals => bed.kernels.countScores(0, 1, p, t, totals, rows, 1, 1, 4, 0, 1))
    expect(found).toEqual([4, 1, 4, 1, 1, 1, 1, 1])
  })
})
