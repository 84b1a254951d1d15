import { exp, log } from '../training/elementary.ts'
import type { Target } from './encoding.ts'

type Classes = Extract<Target, { task: 'class' }>

/** Least probability that counts: its logarithm must be finite. */
const least = 1e-30
/** Rows from which a temperature is found, at most: it is one number. */
const mostRows = 20_000
const bins = 15

/** softmax(log p / temperature) of each row of `count` probabilities. */
export function tempered(outputs: ArrayLike<number>, count: number, temperature: number): ArrayLike<number> {
  if (temperature === 1) return outputs
  const result = new Float64Array(outputs.length)
  for (let at = 0; at < outputs.length; at += count) {
    let largest = 0
    for (let c = 0; c < count; c++) largest = Math.max(largest, outputs[at + c]!)
    let sum = 0
    for (let c = 0; c < count; c++) {
      const ratio = Math.max(outputs[at + c]!, least) / Math.max(largest, least)
      sum += result[at + c] = exp(log(ratio) / temperature)
    }
    for (let c = 0; c < count; c++) result[at + c]! /= sum
  }
  return result
}

/** Probabilities as they are said: those of the network, tempered. */
export const probabilities = (target: Classes, outputs: ArrayLike<number>): ArrayLike<number> =>
  tempered(outputs, target.classes.length, target.temperature ?? 1)

/** The class that probabilities from `at` on mean: the likeliest, or of two the second from its threshold on. */
export function decided({ classes, threshold }: Classes, p: ArrayLike<number>, at: number): number {
  if (threshold !== undefined) return p[at + 1]! >= threshold ? 1 : 0
  let best = 0
  for (let c = 1; c < classes.length; c++) if (p[at + c]! > p[at + best]!) best = c
  return best
}

/**
 * The temperature with the least mean −log p of the true classes (C. Guo et al., On Calibration of Modern Neural Networks,
 * 2017), between e^−3 and e^3; few rows keep it near 1, as if its logarithm were normally distributed.
 */
export function temperatureOf(outputs: ArrayLike<number>, truth: ArrayLike<number>, count: number): number {
  const rows = Math.min(truth.length, mostRows)
  const loss = (logarithm: number) => {
    const temperature = exp(logarithm)
    let sum = (logarithm * logarithm) / 2
    for (let row = 0; row < rows; row++) {
      const at = row * count
      let largest = least
      for (let c = 0; c < count; c++) largest = Math.max(largest, outputs[at + c]!)
      let all = 0
      for (let c = 0; c < count; c++)
        all += exp(log(Math.max(outputs[at + c]!, least) / largest) / temperature)
      sum += log(all) - log(Math.max(outputs[at + truth[row]!]!, least) / largest) / temperature
    }
    return sum
  }
  // Golden section search: the loss has one valley.
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [-3, 3]
  let [a, b] = [high - golden * (high - low), low + golden * (high - low)]
  let [atA, atB] = [loss(a), loss(b)]
  while (high - low > 1e-3) {
    if (atA < atB) {
      ;[high, b, atB] = [b, a, atA]
      a = high - golden * (high - low)
      atA = loss(a)
    } else {
      ;[low, a, atA] = [a, b, atB]
      b = low + golden * (high - low)
      atB = loss(b)
    }
  }
  return exp((low + high) / 2)
}

/** What a threshold is to bring to its most: the mean of both recalls, or the F score of the second class. */
export const thresholdAims = ['balanced', 'f1'] as const
export type ThresholdAim = (typeof thresholdAims)[number]

/** The threshold of the second of two classes that does best on these rows, half way between two of their probabilities. */
export function thresholdOf(p: ArrayLike<number>, truth: ArrayLike<number>, aim: ThresholdAim): number {
  const order = Uint32Array.from({ length: truth.length }, (_, row) => row)
  order.sort((a, b) => p[2 * b + 1]! - p[2 * a + 1]! || a - b)
  const positives = order.reduce((sum, row) => sum + truth[row]!, 0)
  const negatives = truth.length - positives
  let [hits, wrong, best, threshold] = [0, 0, -1, 0.5]
  for (const [i, row] of order.entries()) {
    if (truth[row] === 1) hits++
    else wrong++
    const [own, next] = [p[2 * row + 1]!, i + 1 < order.length ? p[2 * order[i + 1]! + 1]! : 0]
    if (own === next) continue
    const score =
      aim === 'f1'
        ? (2 * hits) / (positives + hits + wrong)
        : (hits / Math.max(positives, 1) + (negatives - wrong) / Math.max(negatives, 1)) / 2
    if (score > best) [best, threshold] = [score, (own + next) / 2]
  }
  return threshold
}

/** Expected calibration error: how far accuracy and confidence lie apart in each of 15 bins of confidence, on average. */
export class CalibrationError {
  private readonly confidence = new Float64Array(bins)
  private readonly hits = new Float64Array(bins)
  private rows = 0

  take(confidence: number, isHit: boolean): void {
    const bin = Math.min(bins - 1, Math.floor(confidence * bins))
    this.confidence[bin]! += confidence
    if (isHit) this.hits[bin]!++
    this.rows++
  }

  get value(): number {
    const apart = this.hits.reduce((sum, hits, bin) => sum + Math.abs(hits - this.confidence[bin]!), 0)
    return apart / Math.max(this.rows, 1)
  }
}
