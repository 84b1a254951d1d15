import { oneOf, show } from '../errors.ts'
import * as layers from '../layers/table.ts'
import type { Model } from '../model/functional.ts'
import { type Sequential, sequential } from '../model/sequential.ts'
import type { Callback } from '../training/callback.ts'
import { callbacks } from '../training/callbacks.ts'
import { train } from '../training/optimizers.ts'
import { regularizers } from '../training/regularizers.ts'
import { schedules } from '../training/schedules.ts'
import { type Lookups, withLookups } from './lookups.ts'

export const optimizerNames = ['adam', 'momentum', 'rmsprop', 'lion'] as const
export const scheduleNames = ['plateau', 'cosine', 'constant'] as const

/** What a network and its training are made of. */
export interface Plan {
  readonly hidden: readonly number[]
  readonly dropout: number
  readonly l2: number
  /** An update takes learning rate · weightDecay of each weight away, whatever the loss says. */
  readonly weightDecay: number
  /** Deviation of the noise that is added to inputs in training. */
  readonly noise: number
  readonly optimizer: (typeof optimizerNames)[number]
  /**
   * plateau: the rate is halved where the validation loss stands still; cosine: it rises for a twentieth of all steps, then
   * falls to 0; constant: neither.
   */
  readonly schedule: (typeof scheduleNames)[number]
  readonly learningRate: number
  readonly batchSize: number
  /** Parts of a mini-batch whose gradients are summed in a fixed order; in turns, where only that fits into memory. */
  readonly leaves: number
  readonly epochs: number
  /** Epochs without a better validation loss after which training ends. */
  readonly patience: number
}

/** Fewer rows than these are trained on to the end of the schedule, and once more with those of the validation part. */
export const fewRows = 10_000

/** So many rows are trained on in large mini-batches and few passes. */
const manyRows = 200_000

/**
 * Units of the hidden layers: fewer where rows are few, and where they are so many that speed counts. More than 1,000 inputs,
 * which words of texts have, are told apart by fewer units as well, and in less time.
 */
function hiddenFor({ rows, shape }: Pick<Problem, 'rows' | 'shape'>): readonly number[] {
  if (shape[0]! > 1000) return [64, 32]
  return rows < 1000 || rows >= manyRows ? [128, 64] : [256, 128]
}

/**
 * A sound choice for so many rows to train on: many rows need few passes. The penalty on weights is what a normal distribution
 * of them, thought likely before any row is seen, comes to beside the mean loss of few rows.
 * @param asked what is said of the schedule, with which the rest must agree
 */
export function choosePlan(
  problem: Pick<Problem, 'rows' | 'classes' | 'shape'>,
  asked: Partial<Pick<Plan, 'hidden' | 'schedule' | 'epochs'>> = {},
): Plan {
  const { rows, classes = 0 } = problem
  const { hidden = hiddenFor(problem) } = asked
  const common = {
    hidden,
    dropout: 0,
    weightDecay: 0,
    noise: 0,
    leaves: 1,
    optimizer: 'adam',
    schedule: 'cosine',
  } as const
  if (rows < fewRows) {
    const isLinear = hidden.length === 0
    // Of a linear model that of scikit-learn's logistic regression (C = 1), whose two classes share one column, and ridge.
    const l2 = Number(((isLinear ? (classes > 2 ? 0.5 : 1) : 1.5) / rows).toPrecision(2))
    const pace = isLinear
      ? { learningRate: 0.05, batchSize: 64, epochs: rows < 1000 ? 200 : 100 }
      : rows < 1000
        ? { dropout: 0.05, learningRate: 3e-3, batchSize: 32, epochs: 60 }
        : { learningRate: 4e-3, batchSize: 64, epochs: 80 }
    const { schedule = 'cosine', epochs = pace.epochs } = asked
    // While the rate falls, classes are told apart better although their loss rises: the temperature puts that right.
    const patience = classes && schedule === 'cosine' ? epochs : 30
    return { ...common, ...pace, l2, patience }
  }
  const large = { ...common, l2: 1e-5, batchSize: 256 }
  // The squared error rises early where numbers are predicted, long before a cosine has fallen.
  const falling = { schedule: 'plateau', dropout: 0.05, learningRate: 1e-3, epochs: 60, patience: 8 } as const
  if (rows < manyRows)
    return classes ? { ...large, learningRate: 2e-3, epochs: 40, patience: 15 } : { ...large, ...falling }
  return {
    ...large,
    ...falling,
    dropout: 0,
    learningRate: 2e-3,
    batchSize: 4096,
    epochs: 20,
    patience: 3,
  }
}

/** @throws RangeError naming what is wrong */
export function checkPlan(plan: Plan): void {
  const { hidden, dropout, l2, weightDecay, noise, learningRate, batchSize, leaves, epochs, patience } = plan
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  if (!Array.isArray(hidden) || !hidden.every(isCount))
    throw new RangeError(`train: hidden must be a list of positive integers, got ${show(hidden)}; try 64,32`)
  for (const [name, value] of Object.entries({ batchSize, leaves, epochs, patience }))
    if (!isCount(value)) throw new RangeError(`train: ${name} must be a positive integer, got ${show(value)}`)
  if (!(dropout >= 0 && dropout < 1))
    throw new RangeError(`train: dropout must be in [0, 1), got ${show(dropout)}`)
  for (const [name, value] of Object.entries({ l2, weightDecay, noise }))
    if (!(value >= 0 && value < Infinity))
      throw new RangeError(`train: ${name} must be a number >= 0, got ${show(value)}`)
  oneOf('train', 'optimizer', plan.optimizer, optimizerNames)
  oneOf('train', 'schedule', plan.schedule, scheduleNames)
  if (!(learningRate > 0 && learningRate < Infinity))
    throw new RangeError(`train: learningRate must be a number > 0, got ${show(learningRate)}`)
}

/** Of the validation part; what decides which weights are kept. */
export type Monitor = 'val_loss' | 'val_acc'

/**
 * The loss; of many rows the accuracy of classes, since a few rare rows that are surely taken for something else may raise
 * the loss while all others are still learned. Of few rows accuracy is too coarse.
 */
export const monitorOf = ({ rows, classes }: Pick<Problem, 'rows' | 'classes'>): Monitor =>
  classes && rows >= fewRows ? 'val_acc' : 'val_loss'

/** Ends training once it has learned what there is to learn, with the best weights; the rate falls before. */
export function stoppingOf(
  { schedule, patience }: Pick<Plan, 'schedule' | 'patience'>,
  monitor: Monitor,
): { readonly monitor: Monitor; readonly callbacks: Callback[] } {
  const early = callbacks.earlyStopping({ monitor, patience, restoreBestWeights: true })
  if (schedule !== 'plateau') return { monitor, callbacks: [early] }
  const wait = Math.max(2, Math.floor(patience / 3))
  const falling = callbacks.reduceLROnPlateau({ monitor: 'val_loss', factor: 0.5, patience: wait })
  return { monitor, callbacks: [early, falling] }
}

type Rates = Pick<Plan, 'optimizer' | 'weightDecay' | 'schedule' | 'learningRate' | 'batchSize' | 'epochs'>

function rateOf({ schedule, learningRate, batchSize, epochs }: Rates, rows: number) {
  if (schedule !== 'cosine') return learningRate
  const steps = epochs * Math.ceil(rows / batchSize)
  const warmupSteps = Math.ceil(steps / 20)
  return schedules.cosine({
    initialLearningRate: learningRate / 10,
    warmupTarget: learningRate,
    warmupSteps,
    decaySteps: Math.max(1, steps - warmupSteps),
  })
}

export function optimizerOf(plan: Rates, rows: number) {
  const options = { learningRate: rateOf(plan, rows), weightDecay: plan.weightDecay }
  if (plan.optimizer === 'momentum') return train.momentum({ ...options, momentum: 0.9 })
  return train[plan.optimizer](options)
}

/** What a network is made for. */
export interface Problem {
  /** Of a sample: columns, or height, width and channels. */
  readonly shape: readonly number[]
  /** Words that columns have instead of inputs. */
  readonly lookups?: Lookups | undefined
  /** Undefined where a number is predicted. */
  readonly classes: number | undefined
  /** Whether a sample is of characters, numbers below `classes`, and what follows each of them is predicted. */
  readonly isText?: boolean
  /** Samples that are trained on. */
  readonly rows: number
}

/** Name of the loss: log loss of classes, else the squared error. */
export const lossFor = (classes: number | undefined) =>
  classes ? ('sparseCategoricalCrossentropy' as const) : ('meanSquaredError' as const)

/** The loss, and what else is told of each epoch. */
export const judgedBy = (classes: number | undefined) => ({
  loss: lossFor(classes),
  metrics: classes ? (['accuracy'] as const) : [],
})

/** The network: hidden layers of relu, then softmax over `classes`, or one number. */
export function buildNetwork(
  plan: Plan,
  { shape, lookups, classes, rows }: Problem,
  seed: number,
): Sequential | Model {
  const kernelRegularizer = plan.l2 > 0 ? regularizers.l2({ l2: plan.l2 }) : null
  const noise =
    plan.noise > 0
      ? [layers.gaussianNoise({ stddev: plan.noise, ...(!lookups && { inputShape: shape }) })]
      : []
  const first = noise.length > 0 || lookups ? {} : { inputShape: shape }
  const sizes = plan.hidden.flatMap((units, i) => {
    const dense = layers.dense({
      units,
      activation: 'relu',
      kernelInitializer: 'heNormal',
      kernelRegularizer,
      ...(i === 0 ? first : {}),
    })
    return plan.dropout > 0 ? [dense, layers.dropout({ rate: plan.dropout })] : [dense]
  })
  const end = { kernelRegularizer, ...(plan.hidden.length === 0 ? first : {}) }
  const output = layers.dense(
    classes ? { ...end, units: classes, activation: 'softmax' } : { ...end, units: 1 },
  )
  const stack = [...noise, ...sizes, output]
  const network = lookups ? withLookups(stack, lookups, shape[0]!, seed) : sequential({ layers: stack, seed })
  network.compile({
    optimizer: optimizerOf(plan, rows),
    ...judgedBy(classes),
    gradientNorm: true,
    leaves: plan.leaves,
  })
  return network
}
