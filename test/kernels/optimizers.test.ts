import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import type { Kernels } from '../../src/runtime/tiers.ts'
import { Bed, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

/** Addresses of what an update reads and writes. */
interface Cells {
  w: number
  dw: number
  slots: number[]
  rate: number
  correction: number
}

interface Row {
  readonly name: string
  /** Initial values of the slots. */
  readonly slots: number[]
  readonly call: (k: Kernels, begin: number, end: number, cells: Cells) => void
  /** The float64 step t = 1, 2, …: changes the slots in place, returns the new w. */
  readonly step: (w: number, g: number, s: number[], t: number) => number
  readonly theirs?: () => tf.Optimizer
  readonly correction?: 'nadamCorrection'
}

const rate = Math.fround(0.05)
const [beta1, beta2, rho, epsilon] = [0.9, 0.999, 0.95, Math.fround(1e-7)]
const inertia = Math.fround(0.9)
const weightDecay = Math.fround(0.1)
const blend = (average: number, x: number, keep: number) => keep * average + (1 - keep) * x

function momentumStep(w: number, g: number, s: number[], nesterov: boolean): number {
  s[0] = inertia * s[0]! + g
  return w - rate * (nesterov ? g + inertia * s[0] : s[0])
}

function rmspropStep(w: number, g: number, s: number[], centered: boolean): number {
  s[0] = blend(s[0]!, g * g, beta1)
  if (centered) s[2] = blend(s[2]!, g, beta1)
  const variance = centered ? s[0] - s[2]! ** 2 : s[0]
  s[1] = inertia * s[1]! + (rate * g) / Math.sqrt(variance + epsilon)
  return w - s[1]
}

function adamStep(w: number, g: number, s: number[], t: number): number {
  s[0] = blend(s[0]!, g, beta1)
  s[1] = blend(s[1]!, g * g, beta2)
  return w - (rate * s[0]) / (1 - beta1 ** t) / (Math.sqrt(s[1] / (1 - beta2 ** t)) + epsilon)
}

const rows: Row[] = [
  {
    name: 'sgd',
    slots: [],
    call: (k, begin, end, { w, dw, rate }) => k.sgd(begin, end, w, dw, rate),
    step: (w, g) => w - rate * g,
    theirs: () => tf.train.sgd(rate),
  },
  {
    name: 'momentum',
    slots: [0],
    call: (k, begin, end, { w, dw, slots: [v], rate }) => k.momentum(begin, end, w, dw, v!, rate, inertia, 0),
    step: (w, g, s) => momentumStep(w, g, s, false),
    theirs: () => tf.train.momentum(rate, inertia),
  },
  {
    name: 'momentum, nesterov',
    slots: [0],
    call: (k, begin, end, { w, dw, slots: [v], rate }) => k.momentum(begin, end, w, dw, v!, rate, inertia, 1),
    step: (w, g, s) => momentumStep(w, g, s, true),
    theirs: () => tf.train.momentum(rate, inertia, true),
  },
  {
    name: 'rmsprop',
    slots: [0, 0],
    call: (k, begin, end, { w, dw, slots: [s, m], rate }) =>
      k.rmsprop(begin, end, w, dw, s!, m!, 0, rate, beta1, inertia, epsilon),
    step: (w, g, s) => rmspropStep(w, g, s, false),
    theirs: () => tf.train.rmsprop(rate, beta1, inertia, epsilon),
  },
  {
    name: 'rmsprop, centered',
    slots: [0, 0, 0],
    call: (k, begin, end, { w, dw, slots: [s, m, c], rate }) =>
      k.rmsprop(begin, end, w, dw, s!, m!, c!, rate, beta1, inertia, epsilon),
    step: (w, g, s) => rmspropStep(w, g, s, true),
    // TensorFlow.js subtracts epsilon where TensorFlow adds it.
    theirs: () => tf.train.rmsprop(rate, beta1, inertia, -epsilon, true),
  },
  {
    name: 'adagrad',
    slots: [0.1],
    call: (k, begin, end, { w, dw, slots: [a], rate }) => k.adagrad(begin, end, w, dw, a!, rate, epsilon),
    step: (w, g, s) => {
      s[0]! += g * g
      return w - (rate * g) / Math.sqrt(s[0]! + epsilon)
    },
    theirs: () => tf.train.adagrad(rate, 0.1),
  },
  {
    name: 'adadelta',
    slots: [0, 0],
    call: (k, begin, end, { w, dw, slots: [a, b], rate }) =>
      k.adadelta(begin, end, w, dw, a!, b!, rate, rho, epsilon),
    step: (w, g, s) => {
      const step = (g * Math.sqrt(s[1]! + epsilon)) / Math.sqrt(s[0]! + epsilon)
      s[0] = blend(s[0]!, g * g, rho)
      s[1] = blend(s[1]!, step * step, rho)
      return w - rate * step
    },
    theirs: () => tf.train.adadelta(rate, rho, epsilon),
  },
  {
    name: 'adam',
    slots: [0, 0],
    call: (k, begin, end, { w, dw, slots: [m, v], rate, correction }) =>
      k.adam(begin, end, w, dw, m!, v!, rate, correction, beta1, beta2, epsilon),
    step: adamStep,
    theirs: () => tf.train.adam(rate, beta1, beta2, epsilon),
  },
  {
    name: 'adamw',
    slots: [0, 0],
    call: (k, begin, end, { w, dw, slots: [m, v], rate, correction }) =>
      k.adamw(begin, end, w, dw, m!, v!, rate, correction, beta1, beta2, epsilon, weightDecay),
    step: (w, g, s, t) => adamStep(w - rate * weightDecay * w, g, s, t),
  },
  {
    name: 'adamax',
    slots: [0, 0],
    call: (k, begin, end, { w, dw, slots: [m, u], rate, correction }) =>
      k.adamax(begin, end, w, dw, m!, u!, rate, correction, beta1, beta2, epsilon),
    step: (w, g, s, t) => {
      s[0] = blend(s[0]!, g, beta1)
      s[1] = Math.max(beta2 * s[1]!, Math.abs(g))
      return w - ((rate / (1 - beta1 ** t)) * s[0]) / (s[1] + epsilon)
    },
    theirs: () => tf.train.adamax(rate, beta1, beta2, epsilon),
  },
  {
    name: 'nadam',
    slots: [0, 0],
    correction: 'nadamCorrection',
    call: (k, begin, end, { w, dw, slots: [m, v], rate, correction }) =>
      k.nadam(begin, end, w, dw, m!, v!, rate, correction, beta1, beta2, epsilon),
    step: (w, g, s, t) => {
      const momentum = (i: number) => beta1 * (1 - 0.5 * 0.96 ** i)
      const product = Array.from({ length: t }, (_, i) => momentum(i + 1)).reduce((a, b) => a * b)
      s[0] = blend(s[0]!, g, beta1)
      s[1] = blend(s[1]!, g * g, beta2)
      const ahead = (momentum(t + 1) * s[0]) / (1 - product * momentum(t + 1))
      const now = ((1 - momentum(t)) * g) / (1 - product)
      return w - (rate * (ahead + now)) / (Math.sqrt(s[1] / (1 - beta2 ** t)) + epsilon)
    },
  },
  {
    name: 'lion',
    slots: [0],
    call: (k, begin, end, { w, dw, slots: [m], rate }) => k.lion(begin, end, w, dw, m!, rate, beta1, rho),
    step: (w, g, s) => {
      const direction = Math.sign(blend(s[0]!, g, beta1))
      s[0] = blend(s[0]!, g, rho)
      return w - rate * direction
    },
  },
]

const steps = 5

/**
 * Gradients of all steps, none too close to 0: a method that divides by their size would blow up rounding
 * errors.
 */
const gradients = (size: number) =>
  Array.from({ length: steps }, (_, t) => noise(size, 10 + t).map(u => u + 0.05 * (Math.sign(u) || 1)))

/** w and the slots after all steps, each range of slices taken through all steps by itself. */
function run(
  { call, correction: kernel }: Row,
  slots: number[],
  w: Float32Array,
  dw: Float32Array[],
): Float32Array[] {
  const size = w.length
  const flat = Float32Array.from(dw.flatMap(g => [...g]))
  const start = slots.map(initial => new Float32Array(size).fill(initial))
  return prove({
    inputs: [
      Float32Array.of(rate),
      Int32Array.of(1, 2, 3, 4, 5),
      Float32Array.of(0, 0, 0, 0),
      flat,
      w,
      ...start,
    ],
    outputs: [size, ...slots.map(() => size)],
    units: size / 16,
    call(k, begin, end, [rate, step, correction, dw, ...initial], outputs) {
      for (const [i, from] of initial.entries()) k.copy(16 * begin, 16 * end, from, outputs[i]!)
      const [w, ...slots] = outputs
      for (let t = 0; t < steps; t++) {
        k[kernel ?? 'adamCorrection'](0, 1, correction!, step! + 4 * t, beta1, beta2)
        call(k, begin, end, { w: w!, dw: dw! + 4 * t * size, slots, rate: rate!, correction: correction! })
      }
    },
  })
}

describe.each(rows)('$name', row => {
  test.each([1, 2, 3, 5, 70])('float64, %i slices', units => {
    const size = 16 * units
    const w = noise(size, 3).map(u => u / 100)
    const dw = gradients(size)
    // Slots that start alike may stay alike (adadelta's do): start in the middle.
    const slots = row.slots.map((initial, j) => Math.fround(initial + 0.3 / (j + 1) ** 2))
    const wanted = Array.from(w, (w, i) => {
      const s = [...slots]
      for (let t = 1; t <= steps; t++) w = row.step(w, dw[t - 1]![i]!, s, t)
      return [w, ...s]
    })
    for (const [j, values] of run(row, slots, w, dw).entries()) {
      const expected = wanted.map(all => all[j]!)
      expect(relativeError(values, expected)).toBeLessThan(2e-6)
    }
  })

  test('padding stays 0', () => {
    const none = new Float32Array(16)
    const [w] = run(row, row.slots, none, Array(steps).fill(none))
    expect([...w!]).toEqual([...none])
  })
})

const known = rows.flatMap(row => (row.theirs ? [{ ...row, theirs: row.theirs }] : []))
test.each(known)('$name: TensorFlow.js', async row => {
  await tf.setBackend('cpu')
  const w = noise(160, 4)
  const dw = gradients(160)
  const variable = tf.variable(tf.tensor1d(w), true, `w of ${row.name}`)
  const optimizer = row.theirs()
  for (const g of dw) optimizer.applyGradients([{ name: variable.name, tensor: tf.tensor1d(g) }])
  expect(relativeError(run(row, row.slots, w, dw)[0]!, await variable.data())).toBeLessThan(1e-5)
})

test('adamCorrection at late steps', () => {
  const bed = new Bed()
  for (const t of [1, 2, 3, 10, 1000, 123_457, 2_000_000_000]) {
    const correction = bed.out(2)
    bed.kernels.adamCorrection(0, 1, correction, bed.putInts([t]), beta1, beta2)
    expect([...bed.floats(correction, 2)]).toEqual([beta1, beta2].map(b => Math.fround(1 - b ** t)))
  }
})

test('nadamCorrection at late steps', () => {
  const bed = new Bed()
  for (const t of [1, 2, 30, 1000, 2_000_000_000]) {
    const correction = bed.out(3)
    bed.kernels.nadamCorrection(0, 1, correction, bed.putInts([t]), beta1, beta2)
    const momentum = (i: number) => beta1 * (1 - 0.5 * 0.96 ** i)
    let product = 1
    for (let i = 1; i <= Math.min(t, 5000); i++) product *= momentum(i)
    const next = momentum(t + 1)
    const wanted = [next / (1 - product * next), (1 - momentum(t)) / (1 - product), 1 - beta2 ** t]
    expect(relativeError(bed.floats(correction, 3), wanted)).toBeLessThan(1e-7)
  }
})

describe.each([1, 2, 5, 70])('beside the update, %i slices', units => {
  const w = noise(16 * units, 3)

  test('decayWeights', () => {
    const [found] = prove({
      inputs: [w, Float32Array.of(rate)],
      outputs: [w.length],
      units,
      call: (k, begin, end, [w, rate], [y]) => {
        k.copy(16 * begin, 16 * end, w!, y!)
        k.decayWeights(begin, end, y!, rate!, weightDecay)
      },
    })
    expect(
      relativeError(
        found!,
        w.map(w => w - rate * weightDecay * w),
      ),
    ).toBeLessThan(2e-7)
  })

  test.each([
    [1, 0],
    [4, 0],
    [4, 2],
    [5, 2],
  ])('averageWeights at step %i, period %i', (step, period) => {
    const before = noise(16 * units, 4)
    const [found, average] = prove({
      inputs: [w, before, Int32Array.of(step)],
      outputs: [w.length, w.length],
      units,
      call: (k, begin, end, [w, before, step], [y, average]) => {
        k.copy(16 * begin, 16 * end, w!, y!)
        k.copy(16 * begin, 16 * end, before!, average!)
        k.averageWeights(begin, end, y!, average!, step!, 0.9, period)
      },
    })
    const expected = w.map((w, i) => (step === 1 ? w : 0.9 * before[i]! + 0.1 * w))
    expect(relativeError(average!, expected)).toBeLessThan(2e-7)
    expect(found).toEqual(period > 0 && step % period === 0 ? average : w)
  })
})
