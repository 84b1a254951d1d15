import { inRange, positiveInteger, show, withDefaults } from '../errors.ts'
import { FaultError } from '../runtime/run.ts'
import type { Inputs } from './fitData.ts'
import type { FitOptions } from './options.ts'
import type { Trainable } from './trainable.ts'

const defaults = {
  /** The first rate. */
  from: 1e-6,
  /** The last one, unless the loss grows too large before. */
  to: 10,
  /** Updates: as many passes over the data as it takes. */
  steps: 200,
  /** Weight of the past in the running mean of the loss, in [0, 1). */
  smoothing: 0.95,
  /** It ends where the smoothed loss is so many times its lowest value. */
  divergence: 4,
}

/** Options of `findLearningRate`: its own, and some of `fit`. */
export interface RateRangeOptions
  extends Partial<typeof defaults>,
    Pick<FitOptions, 'batchSize' | 'classWeight' | 'sampleWeight' | 'seed' | 'workers' | 'signal'> {}

/** What a range test found; lists have an element for each update. */
export interface RateRange {
  readonly rates: readonly number[]
  readonly losses: readonly number[]
  readonly smoothed: readonly number[]
  /** Whether it ended before the last rate. */
  readonly diverged: boolean
  /** The rate where the smoothed loss is lowest. */
  readonly lowest: number
  /** The rate where the smoothed loss falls fastest over the rate's logarithm. */
  readonly steepest: number
  /** A tenth of `lowest`. */
  readonly suggested: number
}

/** Updates over which a slope is taken, on either side: as many as the running mean remembers at first. */
const reach = 10

/** Of a running mean that begins at 0, as if it had begun before: Kingma & Ba (2015), section 3. */
function smoothedOf(losses: readonly number[], smoothing: number): number[] {
  let mean = 0
  return losses.map((loss, i) => {
    mean = smoothing * mean + (1 - smoothing) * loss
    return mean / (1 - smoothing ** (i + 1))
  })
}

/** The step of the fastest fall before the lowest point. */
function steepestOf(smoothed: readonly number[], lowest: number): number {
  let [best, fastest] = [lowest, 0]
  for (let i = 2 * reach; i + reach <= lowest; i++) {
    const slope = smoothed[i + reach]! - smoothed[i - reach]!
    if (slope >= fastest) continue
    best = i
    fastest = slope
  }
  return best
}

/**
 * Trains with a learning rate that rises exponentially from update to update, until the loss grows: where it fell
 * lies a good rate (L. Smith 2017, https://arxiv.org/abs/1506.01186). The model is then as it was: its weights, its optimizer's
 * state and rate.
 * @throws TypeError or RangeError for wrong data or options; Error where the loss grows from the first updates on
 */
export async function findLearningRate(
  model: Trainable,
  x: Inputs,
  y: Inputs,
  options: RateRangeOptions = {},
): Promise<RateRange> {
  const where = 'findLearningRate'
  const { batchSize, classWeight, sampleWeight, seed, workers, signal, ...own } = options
  const { from, to, steps, smoothing, divergence } = withDefaults(where, defaults, own)
  inRange(where, 'from', from, '(0, Infinity)')
  inRange(where, 'to', to, '(0, Infinity)')
  if (from >= to)
    throw new RangeError(`${where}: from must be less than to, got ${show([from, to])}; swap them`)
  positiveInteger(where, 'steps', steps)
  inRange(where, 'smoothing', smoothing, '[0, 1)')
  inRange(where, 'divergence', divergence, '(1, Infinity)')
  const { optimizer } = model
  const putBack = keep(model)
  const begun = optimizer.iterations
  const rateAt = (step: number) => from * (to / from) ** (step / Math.max(1, steps - 1))
  optimizer.rateInstead = iterations => rateAt(iterations - begun)
  const losses: number[] = []
  let lowest = Number.POSITIVE_INFINITY
  let diverged = false
  const onBatchEnd = (_: number, logs: Readonly<Record<string, number>> = {}) => {
    losses.push(logs.loss!)
    const smoothed = smoothedOf(losses, smoothing).at(-1)!
    lowest = Math.min(lowest, smoothed)
    diverged = smoothed > divergence * lowest
    if (diverged || losses.length === steps) model.stopTraining = true
  }
  const given = { batchSize, classWeight, sampleWeight, seed, workers, signal }
  try {
    const fit = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    await model.fit(x, y, { ...fit, epochs: steps, callbacks: { onBatchEnd } })
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof FaultError)) throw error
    diverged = true
  } finally {
    optimizer.rateInstead = undefined
    putBack()
  }
  return summed(losses, smoothing, diverged, rateAt)
}

/** Copies of all that training changes; gives the function that puts them back. */
function keep(model: Trainable): () => void {
  const { optimizer, slots } = model.compiled
  const { iterations } = optimizer
  const { epochsTrained } = model
  const parameters = [...model.weights, ...model.states, ...[...slots.values()].flat()]
  const values = parameters.map(parameter => model.state.read(parameter))
  return () => {
    for (const [i, parameter] of parameters.entries()) model.state.write(parameter, values[i]!)
    optimizer.iterations = iterations
    model.epochsTrained = epochsTrained
    model.stopTraining = false
    model.own()
  }
}

function summed(
  losses: readonly number[],
  smoothing: number,
  diverged: boolean,
  rateAt: (step: number) => number,
): RateRange {
  const smoothed = smoothedOf(losses, smoothing)
  const lowest = smoothed.indexOf(Math.min(...smoothed))
  if (lowest < 1)
    throw new Error(
      `findLearningRate: the loss must fall at first, got ${show(losses)}; lower from (${rateAt(0)})`,
    )
  const rates = losses.map((_, step) => rateAt(step))
  return {
    rates,
    losses,
    smoothed,
    diverged,
    lowest: rates[lowest]!,
    steepest: rates[steepestOf(smoothed, lowest)]!,
    suggested: rates[lowest]! / 10,
  }
}
