import type { losses } from '../../src/training/losses.ts'
import { sigmoid, softplus } from '../float64.ts'
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

const clip1 = (p: number): number => Math.min(Math.max(p, 1e-7), 1)
const dot = (a: Float64Array, b: Float64Array): number => total(a.map((x, i) => x * b[i]!))
const norm = (a: Float64Array): number => Math.sqrt(Math.max(dot(a, a), 1e-7))

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
  meanAbsolutePercentageError: (p, t, near) =>
    meanOf(p, (x, i) => {
      near(Math.abs(x - t[i]!))
      return (100 * Math.abs(x - t[i]!)) / Math.max(Math.abs(t[i]!), 1e-7)
    }),
  meanSquaredLogarithmicError: (p, t, near) =>
    meanOf(p, (x, i) => {
      near(Math.abs(x - 1e-7))
      return (Math.log1p(Math.max(x, 1e-7)) - Math.log1p(Math.max(t[i]!, 1e-7))) ** 2
    }),
  binaryFocalCrossentropy(p, t, near) {
    nearClip(p, near)
    return meanOf(p, (x, i) => focal(clip(x), t[i]!, 2))
  },
  categoricalFocalCrossentropy(p, t, near) {
    const q = p.map(x => x / total(p))
    nearClip(q, near)
    return -0.25 * total(q.map((x, i) => t[i]! * (1 - clip(x)) ** 2 * Math.log(clip(x))))
  },
  kullbackLeiblerDivergence(p, t, near) {
    nearClip(p, near)
    return total(p.map((x, i) => t[i]! * Math.log(clip1(t[i]!) / clip1(x))))
  },
  poisson: (p, t, near) =>
    meanOf(p, (x, i) => {
      // No kink, but a pole.
      near(x > -1e-7 ? x + 1e-7 : 0)
      return x - t[i]! * Math.log(x + 1e-7)
    }),
  squaredHinge: (p, t) => meanOf(p, (x, i) => Math.max(0, 1 - t[i]! * x) ** 2),
  categoricalHinge(p, t, near) {
    const others = p.map((x, i) => (1 - t[i]!) * x)
    const [first, second = Number.NEGATIVE_INFINITY] = others.toSorted().reverse()
    const short = 1 + first! - dot(p, t)
    near(Math.min(first! - second, Math.abs(short)))
    return Math.max(0, short)
  },
  cosineProximity: (p, t, near) => {
    near(Math.abs(dot(p, p) - 1e-7))
    return -dot(p, t) / norm(p) / norm(t)
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

/** Binary focal cross-entropy of one element. */
function focal(q: number, t: number, gamma: number): number {
  return (t * (1 - q) + (1 - t) * q) ** gamma * -(t * Math.log(q) + (1 - t) * Math.log(1 - q))
}

/** Cross-entropies of softmax(p) or sigmoid(p), which stay finite where the probabilities are 0 or 1. */
export const logitLossReferences = {
  binaryCrossentropy: (p, t) => meanOf(p, (x, i) => softplus(x) - t[i]! * x),
  categoricalCrossentropy: (p, t) => -total(logSoftmax(p).map((x, i) => x * t[i]!)),
  sparseCategoricalCrossentropy: (p, t) => -logSoftmax(p)[t[0]!]!,
  binaryFocalCrossentropy: (p, t) =>
    meanOf(p, (x, i) => {
      const r = t[i]! * sigmoid(-x) + (1 - t[i]!) * sigmoid(x)
      return r ** 2 * (softplus(x) - t[i]! * x)
    }),
  categoricalFocalCrossentropy: (p, t) =>
    -0.25 * total(logSoftmax(p).map((x, i) => t[i]! * Math.expm1(x) ** 2 * x)),
} as const satisfies Partial<Record<keyof typeof losses, RowLoss>>
