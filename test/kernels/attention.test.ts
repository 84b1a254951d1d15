import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import type { Array64 } from '../reference/arrays.ts'
import { attend, type Heads } from '../reference/attention.ts'
import { prove } from './trial.ts'

/** Samples, heads, queries, keys, features of a key and of a value in each head. */
const sizes = [
  [1, 1, 1, 1, 1, 1],
  [2, 1, 3, 3, 4, 4],
  [3, 2, 5, 7, 3, 9],
  [1, 4, 16, 16, 8, 8],
  [2, 3, 17, 31, 16, 17],
  [1, 2, 33, 15, 33, 5],
  [2, 1, 64, 64, 32, 32],
  [1, 2, 65, 70, 5, 16],
  [1, 1, 130, 130, 4, 3],
] as const
const cases = sizes.flatMap(size => [false, true].map(causal => [...size, causal] as const))

const wide = (values: Float32Array, shape: readonly number[]): Array64 => ({
  shape,
  values: Float64Array.from(values),
})

/** Σ y·dy by central differences in each element of `x`. */
function slopes(x: Array64, dy: Float32Array, f: () => Array64): Float64Array {
  const value = () => f().values.reduce((sum, y, i) => sum + y * dy[i]!, 0)
  return x.values.map((before, i) => {
    x.values[i] = before + 1e-5
    const above = value()
    x.values[i] = before - 1e-5
    const below = value()
    x.values[i] = before
    return (above - below) / 2e-5
  })
}

test.each(cases)('%i samples, %i heads, %i queries, %i keys of %i, values of %i, causal %s', (...given) => {
  const [samples, heads, tq, tk, dk, dv, causal] = given
  const [qSize, kSize, vSize] = [
    samples * tq * heads * dk,
    samples * tk * heads * dk,
    samples * tk * heads * dv,
  ]
  const inputs = [
    noise(qSize, 1),
    noise(kSize, 2),
    noise(vSize, 3),
    noise(samples * tq * heads * dv, 4),
  ] as const
  const [t16, k16, d16] = [tk, dk, dv].map(n => Math.ceil(n / 16) * 16) as [number, number, number]
  const statistics = samples * heads * tq * 2
  const scale = 1 / Math.sqrt(dk)
  // A scratch for each range of units: kernels may not rely on what another call left there.
  const forward = t16 * (dk + 64) + tk * d16
  const backward = t16 * (dk + dv + 128) + tk * k16 + 64 * Math.max(k16, d16)
  const [y, , dq, dk0, dv0] = prove({
    inputs: [...inputs, new Float32Array(forward + backward).fill(Number.NaN)],
    outputs: [inputs[3].length, statistics, qSize, kSize, vSize],
    units: samples * heads,
    call(kernels, begin, end, [q, k, v, dy, scratch], [y, stats, dq, dk0, dv0]) {
      const rest = [heads, tq, tk, dk, dv, causal ? 1 : 0, scale] as const
      kernels.attention(begin, end, q!, k!, v!, y!, stats!, ...rest, scratch!)
      const room = scratch! + 4 * forward
      const outputs = [dq!, dk0!, dv0!] as const
      kernels.attentionGradient(begin, end, q!, k!, v!, y!, stats!, dy!, ...outputs, ...rest, room)
    },
  })
  const options: Heads = { heads, causal }
  const [q, k, v] = [
    wide(inputs[0], [samples, tq, heads * dk]),
    wide(inputs[1], [samples, tk, heads * dk]),
    wide(inputs[2], [samples, tk, heads * dv]),
  ]
  const reference = () => attend(q, k, v, options)
  expect(relativeError(y!, reference().values)).toBeLessThan(2e-6)
  if (tq * tk * heads * samples > 2500) return
  for (const [x, dx] of [
    [q, dq],
    [k, dk0],
    [v, dv0],
  ] as const)
    expect(relativeError(dx!, slopes(x, inputs[3], reference))).toBeLessThan(5e-6)
})
