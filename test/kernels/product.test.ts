import { describe, expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { productGradientScratch } from '../../src/ops/scratch.ts'
import { canRevectorize } from '../../src/runtime/tiers.ts'
import { Bed, noise, relativeError } from '../bed.ts'

const beds = canRevectorize ? [new Bed('simd256'), new Bed('simd128')] : [new Bed('simd128')]
const sizes = [
  [0, 4, 4],
  [1, 1, 1],
  [3, 5, 7],
  [4, 16, 16],
  [5, 17, 31],
  [9, 33, 15],
  [32, 10, 128],
  [67, 100, 3],
] as const

function packed(values: Float32Array, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(values, shape, panels)
  return panels
}

/** c (m,n) = a (m,k)·b (k,n) in float64. */
function multiply(a: ArrayLike<number>, b: ArrayLike<number>, m: number, n: number, k: number): number[] {
  const c: number[] = []
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * n + j]!
      c.push(sum)
    }
  }
  return c
}

describe.each(sizes)('%i rows, %i columns, sum over %i', (m, n, k) => {
  const a = noise(m * k, 1)
  const b = noise(k * n, 2)
  const bias = noise(n, 3)

  test('product: value, cuts, tiers, guards', () => {
    const results = beds.map(bed => {
      bed.reset()
      const addresses = [bed.put(a), bed.put(packed(b, [k, n])), bed.put(packed(bias, [n]))] as const
      const whole = bed.out(m * n)
      const cut = bed.out(m * n)
      const middle = Math.floor(m / 2)
      bed.kernels.product(0, m, ...addresses, whole, n, k, 0)
      bed.kernels.product(0, middle, ...addresses, cut, n, k, 0)
      bed.kernels.product(middle, m, ...addresses, cut, n, k, 0)
      bed.checkGuards()
      expect(bed.floats(cut, m * n)).toEqual(bed.floats(whole, m * n))
      return bed.floats(whole, m * n)
    })
    for (const result of results) expect(result).toEqual(results[0])
    const expected = multiply(a, b, m, n, k).map((sum, i) => Math.max(0, sum + bias[i % n]!))
    expect(relativeError(results[0]!, expected)).toBeLessThan(1e-6)
  })

  test('weight gradient and bias gradient: value, padding, cuts, tiers, guards', () => {
    const dy = noise(m * n, 4)
    const units = unitsOf([k, n])
    const results = beds.map(bed => {
      bed.reset()
      const [x, d, span] = [bed.put(a), bed.put(dy), bed.putInts([0, m])]
      const scratch = bed.put(new Float32Array(productGradientScratch() / 4))
      const [whole, cut, sums] = [bed.out(16 * units), bed.out(16 * units), bed.out(16 * unitsOf([n]))]
      const middle = Math.floor(units / 3)
      bed.kernels.productGradient(0, units, x, d, whole, span, 1, k, n, scratch)
      bed.kernels.productGradient(0, middle, x, d, cut, span, 1, k, n, scratch)
      bed.kernels.productGradient(middle, units, x, d, cut, span, 1, k, n, scratch)
      bed.kernels.sumRows(0, unitsOf([n]), d, sums, span, 1, n)
      bed.checkGuards()
      expect(bed.floats(cut, 16 * units)).toEqual(bed.floats(whole, 16 * units))
      const bias = unpack(bed.floats(sums, 16 * unitsOf([n])), [n])
      const ones = new Float32Array(m).fill(1)
      expect(relativeError(bias, multiply(ones, dy, 1, n, m))).toBeLessThan(1e-5)
      return bed.floats(whole, 16 * units)
    })
    for (const result of results) expect(result).toEqual(results[0])
    const transposed = Float32Array.from({ length: k * m }, (_, i) => a[(i % m) * k + Math.floor(i / m)]!)
    const values = unpack(results[0]!, [k, n])
    expect(relativeError(values, multiply(transposed, dy, k, n, m))).toBeLessThan(1e-5)
    expect(packed(values, [k, n])).toEqual(results[0])
  })

  test('transposed panels are the panels of the transpose', () => {
    const bed = beds[0]!
    bed.reset()
    const w = bed.put(packed(b, [k, n]))
    const wt = bed.put(new Float32Array(16 * unitsOf([n, k])))
    bed.kernels.transposePanels(0, unitsOf([k, n]), w, wt, k, n)
    bed.checkGuards()
    const transposed = Float32Array.from({ length: n * k }, (_, i) => b[(i % k) * n + Math.floor(i / k)]!)
    expect(bed.floats(wt, 16 * unitsOf([n, k]))).toEqual(packed(transposed, [n, k]))
  })
})

test('a NaN in the input reaches the output, also past the lower bound', () => {
  const bed = beds[0]!
  bed.reset()
  const c = bed.out(1)
  bed.kernels.product(0, 1, bed.put([Number.NaN]), bed.put(packed(noise(1), [1, 1])), 0, c, 1, 1, 0)
  expect(bed.floats(c, 1)[0]).toBeNaN()
})
