import { expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { recurrentActivations } from '../../src/ops/recurrent.ts'
import { productGradientScratch, recurrentScratch } from '../../src/ops/scratch.ts'
import { noise, relativeError } from '../bed.ts'
import { gradientError } from '../reference/prove.ts'
import { gru, lstm, simpleRNN } from '../reference/recurrent.ts'
import { prove } from './trial.ts'

const gatesOf = { gru: 3, gruAfter: 3, lstm: 4, simpleRnn: 1 } as const
type Name = keyof typeof gatesOf
/** Bytes of scratch, forward and backward. */
const scratches: Record<Name, (units: number) => number[]> = {
  gru: units => [recurrentScratch(units + 15, 1, 1), recurrentScratch(units, 2, 2)],
  gruAfter: units => [recurrentScratch(units, 0, 1), recurrentScratch(units, 1, 2)],
  lstm: units => [recurrentScratch(units, 0, 1), recurrentScratch(units, 2, 3)],
  simpleRnn: units => [0, recurrentScratch(units, 1, 0)],
}
const references = { gru, gruAfter: gru, lstm, simpleRnn: simpleRNN }
const [activation, recurrentActivation] = ['tanh', 'sigmoid'] as const
const tanh = recurrentActivations.indexOf(activation)
const sigmoid = recurrentActivations.indexOf(recurrentActivation)

/** Samples, steps, units, whether all states are put out, whether the steps go backwards. */
const cases = [
  [0, 2, 3, true, false],
  [1, 1, 1, true, false],
  [3, 3, 3, false, true],
  [5, 2, 4, true, true],
  [2, 4, 5, true, false],
  [4, 3, 7, false, false],
  [3, 2, 8, true, true],
  [7, 2, 9, false, true],
  [2, 3, 15, true, false],
  [3, 2, 16, false, false],
  [2, 2, 17, true, true],
  [3, 2, 31, false, true],
  [2, 2, 33, true, false],
  // More than one block of 48 samples, with a cut inside.
  [101, 2, 3, true, true],
] as const
/** Whether some steps do not count, and the first does not begin with zeros. */
const named = (Object.keys(gatesOf) as Name[]).flatMap(name =>
  cases.flatMap(c => [false, true].map(given => [name, ...c, given] as const)),
)

function packed(values: Float32Array, shape: number[]): Float32Array {
  const panels = new Float32Array(16 * unitsOf(shape))
  pack(values, shape, panels)
  return panels
}

const title = '%s: %i samples, %i steps, %i units, all states %s, backwards %s, steps and states given %s'
test.each(named)(title, (name, ...c) => {
  const [samples, time, units, sequences, backwards, given] = c
  const n = gatesOf[name] * units
  const z = noise(samples * time * n, 1).map(value => 2 * value)
  const u = noise(units * n, 2).map(value => value / Math.sqrt(units))
  const ut = Float32Array.from(u, (_, i) => u[(i % units) * n + Math.floor(i / units)]!)
  const mask = noise(samples * units, 3).map(value => (value < 0 ? 0 : 2))
  const dy = noise((sequences ? samples * time : samples) * units, 4)
  const bias = noise(n, 5)
  // The last sample begins and ends with steps that do not count.
  const steps = given
    ? noise(samples * time, 6).map((value, i) =>
        Number(value < 0.2 && (i < (samples - 1) * time || (i % time) % (time - 1) > 0)),
      )
    : undefined
  const [h0, c0, dc] = [7, 8, 9].map(seed => (given ? noise(samples * units, seed) : undefined))
  const flags = [Number(sequences), Number(backwards)] as const
  const states = samples * time * units
  const [forward, backward] = scratches[name](units).map(bytes => new Float32Array(bytes / 4))
  const gated = [time, units, tanh, sigmoid, ...flags] as const

  const [gates, y, h, extra] = prove({
    inputs: [z, packed(u, [units, n]), steps, mask, h0, c0, forward, packed(bias, [n])],
    outputs: [z.length, dy.length, states, name === 'gruAfter' ? z.length : states],
    units: samples,
    call: (k, begin, end, [x, u, steps, mask, h0, c0, scratch, bias], [z, y, h, c]) => {
      k.copy(begin * time * n, end * time * n, x!, z!)
      const masks = [steps!, mask!, h0!] as const
      if (name === 'lstm') k.lstm(begin, end, z!, u!, ...masks, c0!, h!, c!, y!, scratch!, ...gated)
      else if (name === 'gruAfter')
        k.gruAfter(begin, end, z!, u!, bias!, ...masks, h!, c!, y!, scratch!, ...gated)
      else if (name === 'gru') k.gru(begin, end, z!, u!, ...masks, h!, c!, y!, scratch!, ...gated)
      else k.simpleRnn(begin, end, z!, u!, ...masks, h!, y!, time, units, tanh, ...flags)
    },
  })
  const [dz, , dh0, dc0] = prove({
    inputs: [gates, packed(ut, [n, units]), steps, mask, h0, c0, extra, h, dy, dc, backward],
    outputs: [z.length, extra!.length, samples * units, samples * units],
    units: samples,
    call: (k, begin, end, [x, ut, steps, mask, h0, c0, c, h, dy, dc, scratch], [z, inner, dh0, dc0]) => {
      k.copy(begin * time * n, end * time * n, x!, z!)
      const each = extra!.length / Math.max(1, samples)
      k.copy(begin * each, end * each, c!, inner!)
      const masks = [steps!, mask!] as const
      const to = given ? dh0! : 0
      if (name === 'lstm') {
        const gradients = [dy!, dc!, to, given ? dc0! : 0] as const
        k.lstmGradient(begin, end, z!, ut!, ...masks, c0!, c!, ...gradients, scratch!, ...gated)
      } else if (name === 'gruAfter')
        k.gruAfterGradient(begin, end, z!, ut!, ...masks, h!, inner!, dy!, to, scratch!, ...gated)
      else if (name === 'gru')
        k.gruGradient(begin, end, z!, ut!, ...masks, h0!, h!, dy!, to, scratch!, ...gated)
      else k.simpleRnnGradient(begin, end, z!, ut!, ...masks, dy!, to, scratch!, time, units, tanh, ...flags)
    },
  })

  const [wideZ, wideH, wideC] = [z, h0 ?? [], c0 ?? []].map(values => Float64Array.from(values)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const options = {
    units,
    activation,
    recurrentActivation,
    returnSequences: sequences,
    goBackwards: backwards,
    steps,
    ...(given && { initial: [wideH, wideC] }),
  }
  const expected = () =>
    references[name](
      { shape: [samples, time, n], values: wideZ },
      { recurrent_kernel: Float64Array.from(u), bias: Float64Array.from([...bias, ...bias]) },
      { ...options, resetAfter: name === 'gruAfter', dropout: 0, recurrentDropout: 0, stateMask: mask },
      { training: true, observed: [], near() {}, becomes() {} },
    )
  expect(relativeError(y!, expected().values)).toBeLessThan(2e-6)
  if (samples === 0) return
  const weighed = (values: Float64Array, by: Float32Array) =>
    values.reduce((sum, value, i) => sum + value * by[i]!, 0)
  const f = () => {
    const { values, states } = expected()
    return weighed(values, dy) + (name === 'lstm' && dc ? weighed(states[1]!, dc) : 0)
  }
  expect(gradientError(f, wideZ, dz!)).toBeLessThan(5e-6)
  if (!given) return
  expect(gradientError(f, wideH, dh0!)).toBeLessThan(5e-6)
  if (name === 'lstm') expect(gradientError(f, wideC, dc0!)).toBeLessThan(5e-6)
})

test.each([1, 3, 5, 8, 9, 16, 17, 31, 33])('weight gradient of a GRU of %i units', units => {
  const [samples, time, n] = [5, 3, 3 * units]
  const rows = samples * time
  const [h, reset, dz] = [noise(rows * units, 1), noise(rows * units, 2), noise(rows * n, 3)]
  const [du] = prove({
    inputs: [h, reset, dz, Int32Array.of(1, 4), new Float32Array(productGradientScratch() / 4 + 16 * units)],
    outputs: [16 * unitsOf([units, n])],
    units: unitsOf([units, n]),
    call: (k, begin, end, [h, reset, dz, span, scratch], [du]) =>
      k.gruWeightGradient(begin, end, h!, reset!, dz!, du!, span!, time, units, scratch!),
  })
  const expected = Float32Array.from({ length: units * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    const left = j < 2 * units ? h : reset
    let sum = 0
    for (let r = time; r < 4 * time; r++) sum += left[r * units + i]! * dz[r * n + j]!
    return sum
  })
  const values = unpack(du!, [units, n])
  expect(relativeError(values, expected)).toBeLessThan(2e-6)
  expect(packed(values, [units, n])).toEqual(du)
})

test.each([1, 3, 8, 15, 16, 17, 33])('the rows of a bias (2,%i), and their gradient', n => {
  const b = noise(2 * n, 1)
  const rows = [b.subarray(0, n), b.subarray(n)]
  const split = prove({
    inputs: [packed(b, [2, n])],
    outputs: rows.map(() => 16 * unitsOf([n])),
    units: unitsOf([2, n]),
    call: (k, begin, end, [b], [first, second]) => k.splitRows(begin, end, b!, first!, second!),
  })
  expect(split).toEqual(rows.map(row => packed(row, [n])))
  const [x0, x1] = [noise(10 * n, 2), noise(10 * n, 3)]
  const [db] = prove({
    inputs: [x0, x1, Int32Array.of(1, 4)],
    outputs: [16 * unitsOf([2, n])],
    units: unitsOf([2, n]),
    call: (k, begin, end, [x0, x1, span], [db]) => k.sumRowPairs(begin, end, x0!, x1!, db!, span!, 2, n),
  })
  const sums = [x0, x1].flatMap(x =>
    Array.from({ length: n }, (_, j) => [2, 3, 4, 5, 6, 7].reduce((sum, r) => sum + x[r * n + j]!, 0)),
  )
  expect(relativeError(db!, packed(Float32Array.from(sums), [2, n]))).toBeLessThan(2e-6)
})

test.each([
  [0, 3, 4],
  [3, 1, 1],
  [2, 3, 7],
  [4, 2, 17],
])('multiplySteps and dropoutMask: %i samples, %i steps of %i', (samples, time, size) => {
  const x = noise(samples * time * size, 1)
  const [mask, y] = prove({
    inputs: [x, Int32Array.of(1, 2, 3)],
    outputs: [samples * size, x.length],
    units: samples,
    call: (k, begin, end, [x, key], [mask, y]) => {
      k.dropoutMask(begin, end, mask!, key!, 4, size, 0.3, 1 / 0.7, 0)
      k.multiplySteps(begin, end, x!, mask!, y!, time, size)
    },
  })
  const [dropped, same] = prove({
    inputs: [new Float32Array(samples * size).fill(1), Int32Array.of(1, 2, 3)],
    outputs: [samples * size, samples * size],
    units: samples,
    call: (k, begin, end, [x, key], [y, mask]) => k.dropout(begin, end, x!, y!, mask!, key!, 4, size, 0.3),
  })
  expect(mask).toEqual(same)
  expect(mask).toEqual(dropped)
  const expected = x.map((value, i) => value * mask![Math.floor(i / time / size) * size + (i % size)]!)
  expect(y).toEqual(expected)
})
