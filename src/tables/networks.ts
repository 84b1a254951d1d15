import { show } from '../errors.ts'
import { dense, dropout } from '../layers/table.ts'
import { type Sequential, sequential } from '../model/sequential.ts'
import { train } from '../training/optimizers.ts'
import { regularizers } from '../training/regularizers.ts'

/** What a network and its training are made of. */
export interface Plan {
  readonly hidden: readonly number[]
  readonly dropout: number
  readonly l2: number
  readonly learningRate: number
  readonly batchSize: number
  readonly epochs: number
  /** Epochs without a better validation loss after which training ends. */
  readonly patience: number
}

/** A sound choice for so many rows to train on: few rows need few weights, many rows few passes. */
export function choosePlan(rows: number): Plan {
  const common = { dropout: 0.1, l2: 1e-2 }
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
    hidden: [256, 128],
    dropout: 0,
    learningRate: 2e-3,
    batchSize: 2048,
    epochs: 20,
    patience: 3,
  }
}

/** @throws RangeError naming what is wrong */
export function checkPlan({ hidden, dropout, l2, learningRate, batchSize, epochs, patience }: Plan): void {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  if (!Array.isArray(hidden) || !hidden.every(isCount))
    throw new RangeError(`train: hidden must be a list of positive integers, got ${show(hidden)}; try 64,32`)
  for (const [name, value] of Object.entries({ batchSize, epochs, patience }))
    if (!isCount(value)) throw new RangeError(`train: ${name} must be a positive integer, got ${show(value)}`)
  if (!(dropout >= 0 && dropout < 1))
    throw new RangeError(`train: dropout must be in [0, 1), got ${show(dropout)}`)
  if (!(l2 >= 0 && l2 < Infinity)) throw new RangeError(`train: l2 must be a number >= 0, got ${show(l2)}`)
  if (!(learningRate > 0 && learningRate < Infinity))
    throw new RangeError(`train: learningRate must be a number > 0, got ${show(learningRate)}`)
}

/** The network: hidden layers of relu, then softmax over `classes`, or one number. */
export function buildNetwork(
  plan: Plan,
  width: number,
  classes: number | undefined,
  seed: number,
): Sequential {
  const kernelRegularizer = plan.l2 > 0 ? regularizers.l2({ l2: plan.l2 }) : null
  const sizes = plan.hidden.flatMap((units, i) => {
    const shape = i === 0 ? { inputShape: [width] } : {}
    const layer = dense({
      units,
      activation: 'relu',
      kernelInitializer: 'heNormal',
      kernelRegularizer,
      ...shape,
    })
    return plan.dropout > 0 ? [layer, dropout({ rate: plan.dropout })] : [layer]
  })
  const end = { kernelRegularizer, ...(plan.hidden.length === 0 ? { inputShape: [width] } : {}) }
  const output = dense(classes ? { ...end, units: classes, activation: 'softmax' } : { ...end, units: 1 })
  const model = sequential({ layers: [...sizes, output], seed })
  model.compile({
    optimizer: train.adam(plan.learningRate),
    loss: classes ? 'sparseCategoricalCrossentropy' : 'meanSquaredError',
  })
  return model
}
