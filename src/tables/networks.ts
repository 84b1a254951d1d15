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

/** A sound choice for so many rows to train on: few rows need few weights, many rows few passes. */
export function choosePlan(rows: number): Plan {
  const common = {
    dropout: 0.1,
    l2: 1e-2,
    weightDecay: 0,
    noise: 0,
    leaves: 1,
    optimizer: 'adam',
    schedule: 'plateau',
  } as const
  if (rows < 1000)
    return { ...common, hidden: [64, 32], learningRate: 3e-3, batchSize: 32, epochs: 200, patience: 25 }
  if (rows < 10_000)
    return {
      ...common,
      hidden: [128, 64],
      l2: 1e-4,
      learningRate: 2e-3,
      batchSize: 64,
      epochs: 100,
      patience: 15,
    }
  const large = { ...common, l2: 1e-5, learningRate: 1e-3, dropout: 0.05 }
  if (rows < 200_000) return { ...large, hidden: [256, 128], batchSize: 256, epochs: 60, patience: 8 }
  return {
    ...large,
    hidden: [128, 64],
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

/** Ends training once it has learned what there is to learn, with the best weights; the rate falls before. */
export function stoppingOf({ schedule, patience }: Pick<Plan, 'schedule' | 'patience'>): Callback[] {
  const monitor = 'val_loss'
  const early = callbacks.earlyStopping({ monitor, patience, restoreBestWeights: true })
  if (schedule !== 'plateau') return [early]
  const wait = Math.max(2, Math.floor(patience / 3))
  return [early, callbacks.reduceLROnPlateau({ monitor, factor: 0.5, patience: wait })]
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
  /** Samples that are trained on. */
  readonly rows: number
}

/** Name of the loss: log loss of classes, else the squared error. */
export const lossFor = (classes: number | undefined) =>
  classes ? 'sparseCategoricalCrossentropy' : 'meanSquaredError'

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
    loss: lossFor(classes),
    gradientNorm: true,
    leaves: plan.leaves,
  })
  return network
}
