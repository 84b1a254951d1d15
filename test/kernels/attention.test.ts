import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import type { Array64 } from '../reference/arrays.ts'
import { attend, type Heads, placeOf } from '../reference/attention.ts'
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
  [1, 1, 66, 3, 2, 2],
  [1, 1, 5, 33, 2, 3],
] as const
/** Nothing, or masks of queries, keys and pairs; and what is dropped. */
const seenBy = [
  { masked: false, rate: 0 },
  { masked: true, rate: 0 },
  { masked: false, rate: 0.3 },
  { masked: true, rate: 0.5 },
] as const
const cases = sizes.flatMap(size =>
  [false, true].flatMap(causal => seenBy.map(({ masked, rate }) => [...size, causal, masked, rate] as const)),
)

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

const bits = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => Number((i * 7) % step !== 1))

test.each(cases)(
  '%i samples, %i heads, %i queries, %i keys of %i, values of %i, causal %s, masked %s, rate %f',
  (...given) => {
    const [samples, heads, tq, tk, dk, dv, causal, masked, rate] = given
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
    const masks = [bits(samples * tq, 5), bits(samples * tk, 3), bits(samples * tq * tk, 4)] as const
    const [t16, k16, d16] = [tk, dk, dv].map(n => Math.ceil(n / 16) * 16) as [number, number, number]
    const statistics = samples * heads * tq * 2
    const perSample = heads * tq * t16
    const scale = 1 / Math.sqrt(dk)
    // A scratch for each range of units: kernels may not rely on what another call left there.
    const forward = t16 * (dk + 65) + tk * d16
    const backward = t16 * (dk + dv + 129) + tk * k16 + 64 * Math.max(k16, d16)
    const scratch = new Float32Array(forward + backward).fill(Number.NaN)
    const [y, , dq, dk0, dv0, drawn] = prove({
      inputs: [
        ...inputs,
        scratch,
        Int32Array.of(11, 12, 13),
        ...masks.map(mask => (masked ? mask : undefined)),
      ],
      outputs: [inputs[3].length, statistics, qSize, kSize, vSize, samples * perSample],
      units: samples * heads,
      call(kernels, begin, end, [q, k, v, dy, scratch, key, ...seen], [y, stats, dq, dk0, dv0, drawn]) {
        const [queryMask, keyMask, mask] = seen as [number, number, number]
        const who = [queryMask, keyMask, mask, key!, 5, rate] as const
        const rest = [heads, tq, tk, dk, dv, causal ? 1 : 0, scale, ...who] as const
        kernels.attention(begin, end, q!, k!, v!, y!, stats!, ...rest, scratch!)
        const room = scratch! + 4 * forward
        const outputs = [dq!, dk0!, dv0!] as const
        kernels.attentionGradient(begin, end, q!, k!, v!, y!, stats!, dy!, ...outputs, ...rest, room)
        // What attention draws and never stores.
        kernels.dropoutMask(0, samples, drawn!, key!, 5, perSample, rate, 1 / (1 - rate), 0)
      },
    })
    const options: Heads = {
      heads,
      causal,
      sees: (s, i, j) =>
        !masked || masks[0][s * tq + i]! * masks[1][s * tk + j]! * masks[2][(s * tq + i) * tk + j]! === 1,
      factor: (s, h, i, j) => (rate > 0 ? drawn![s * perSample + placeOf(h, i, j, tq, tk)]! : 1),
    }
    const [q, k, v] = [
      wide(inputs[0], [samples, tq, heads * dk]),
      wide(inputs[1], [samples, tk, heads * dk]),
      wide(inputs[2], [samples, tk, heads * dv]),
    ]
    const reference = () => attend(q, k, v, options)
    expect(relativeError(y!, reference().values)).toBeLessThan(2e-6)
    // Central differences of the larger ones take seconds.
    if (tq * tk * heads * samples > (masked || rate > 0 ? 700 : 2500)) return
    for (const [x, dx] of [
      [q, dq],
      [k, dk0],
      [v, dv0],
    ] as const)
      expect(relativeError(dx!, slopes(x, inputs[3], reference))).toBeLessThan(5e-6)
  },
)

test('the rate is the share of weights that are dropped', () => {
  const [tk, rate, samples] = [48, 0.25, 50]
  const zeros = new Float32Array(samples * tk)
  const scratch = new Float32Array(48 * 66 + tk * 16)
  const [y] = prove({
    inputs: [zeros, new Float32Array(samples * tk).fill(1), Int32Array.of(1, 2, 3), scratch],
    outputs: [samples * tk, 2 * samples * tk],
    units: samples,
    call: (kernels, begin, end, [q, v, key, scratch], [y, stats]) =>
      kernels.attention(
        begin,
        end,
        q!,
        q!,
        v!,
        y!,
        stats!,
        1,
        tk,
        tk,
        1,
        1,
        0,
        1,
        0,
        0,
        0,
        key!,
        9,
        rate,
        scratch!,
      ),
  })
  // Each query sees 48 keys of weight 1/48, of which a share of 0.25 is dropped and the others count 4/3.
  const kept = y!.map(value => (value * tk * 3) / 4)
  expect(kept.every(count => Math.abs(count - Math.round(count)) < 1e-4)).toBe(true)
  const mean = kept.reduce((sum, count) => sum + count / tk, 0) / kept.length
  expect(Math.abs(mean - (1 - rate))).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / (samples * tk * tk)))
  expect(new Set(kept.map(Math.round)).size).toBeGreaterThan(10)
})
