import type { losses } from '../../src/training/losses.ts'
import { softplus } from '../float64.ts'
import { logSoftmax } from './activations.ts'

type Near = (distance: number) => void

/** A loss of one row in float64: predictions p, targets t (one class number for the sparse ones). */
export type RowLoss = (p: Float64Array, t: Float64Array, near: Near) => number

const meanOf = (p: Float64Array, f: (p: number, i: number) => number): number =>
  p.reduce((sum, x, i) => sum + f(x, i), 0) / p.length
const total = (p: Float64Array): number => p.reduce((sum, x) => sum + x, 0)

/** To where TensorFlow.js clips probabilities. */
const clip = (p: number): number => Math.min(Math.max(p, 1e-7), 1 - 1e-7)

const nearClip = (p: Float64Array, near: Near): void => {
  for (const x of p) near(Math.min(Math.abs(x - 1e-7), Math.abs(1 - 1e-7 - x)))
}

/** Every loss, naively, in float64. */
export const lossReferences: Record<keyof typeof losses, RowLoss> = {
  meanSquaredError: (p, t) => meanOf(p, (x, i) => (x - t[i]!) ** 2),
  meanAbsoluteError: (p, t, near) =>
    meanOf(p, (x, i) => {
      near(Math.abs(x - t[i]!))
      return Math.abs(x - t[i]!)
    }),
  binaryCrossentropy(p, t, near) {
    nearClip(p, near)
    return -meanOf(p, (x, i) => t[i]! * Math.log(clip(x)) + (1 - t[i]!) * Math.log(1 - clip(x)))
  },
  categoricalCrossentropy(p, t, near) {
    const q = p.map(x => x / total(p))
    nearClip(q, near)
    return -total(q.map((x, i) => t[i]! * Math.log(clip(x))))
  },
  sparseCategoricalCrossentropy(p, t, near) {
    nearClip(p, near)
    const q = p.map(clip)
    return -Math.log(clip(q[t[0]!]! / total(q)))
  },
  hinge: (p, t, near) =>
    meanOf(p, (x, i) => {
      near(Math.abs(1 - t[i]! * x))
      return Math.max(0, 1 - t[i]! * x)
    }),
  logcosh: (p, t) =>
    meanOf(p, (x, i) => Math.abs(x - t[i]!) + Math.log1p(Math.exp(-2 * Math.abs(x - t[i]!))) - Math.LN2),
  huber: (p, t) =>
    meanOf(p, (x, i) => {
      const d = Math.abs(x - t[i]!)
      return d <= 1 ? d ** 2 / 2 : d - 0.5
    }),
}

/** Cross-entropies of softmax(p) or sigmoid(p), which stay finite where the probabilities are 0 or 1. */
export const logitLossReferences = {
  binaryCrossentropy: (p, t) => meanOf(p, (x, i) => softplus(x) - t[i]! * x),
  categoricalCrossentropy: (p, t) => -total(logSoftmax(p).map((x, i) => x * t[i]!)),
  sparseCategoricalCrossentropy: (p, t) => -logSoftmax(p)[t[0]!]!,
} as const satisfies Partial<Record<keyof typeof losses, RowLoss>>
