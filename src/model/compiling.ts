import { finiteNumber, inRange, isPlainObject, positiveInteger, show, suggestion } from '../errors.ts'
import { Graph } from '../graph/graph.ts'
import { closed, type OpenShape } from '../layers/shapes.ts'
import { getLoss, type LossName } from '../training/losses.ts'
import { distinct, getMetric, type MetricName } from '../training/metrics.ts'
import type { Optimizer } from '../training/optimizer.ts'
import type { OptimizerName } from '../training/optimizers.ts'
import { type Compute, ownLoss, ownMetric } from '../training/ownLosses.ts'
import type { Loss } from '../training/rowLosses.ts'
import type { Metric } from '../training/rowMetrics.ts'
import type { Compiled, TrainedOutput } from './record.ts'

export type PerOutput<T> = T | readonly T[] | Readonly<Record<string, T>>
/** Names, what `ls.losses` and `ls.metrics` hold or make, or functions of ops: (yTrue, yPred) => value. */
export type AnyLoss = LossName | Loss | Compute
export type AnyMetric = MetricName | Metric | Compute

const isFunction = (given: unknown): given is Compute => typeof given === 'function' && !('record' in given)

export interface CompileOptions {
  optimizer: OptimizerName | Optimizer
  /** Of all outputs, or of each: a list in their order, or by name; an output without one is not trained. */
  loss: AnyLoss | readonly (AnyLoss | null)[] | Readonly<Record<string, AnyLoss | null>>
  /** Share of each output's loss in the sum that is minimized; 1 by default. */
  lossWeights?: readonly number[] | Readonly<Record<string, number>>
  /** Of all outputs, or by name. */
  metrics?: AnyMetric | readonly AnyMetric[] | Readonly<Record<string, AnyMetric | readonly AnyMetric[]>>
  /** Fixed parts of a mini-batch whose gradients are summed in a fixed tree. Default 1. */
  leaves?: number
  /**
   * In training each sample is mixed with another one of its mini-batch, inputs, targets and weights alike: share·own
   * + (1 − share)·other, share drawn for each sample from Beta(mixUp, mixUp); 0.2 is usual. Of class numbers both
   * count, each with its share. Only for inputs that can be averaged: no tokens. Default 0: none are mixed.
   */
  mixUp?: number
  /**
   * Whether logs of training have `gradientNorm`: of the norm of all gradients before they are clipped, the root mean
   * square over the steps. Costs one more pass over the gradients a step. Default false.
   */
  gradientNorm?: boolean
}

export const compileNames: readonly (keyof CompileOptions)[] = [
  'optimizer',
  'loss',
  'lossWeights',
  'metrics',
  'leaves',
  'mixUp',
  'gradientNorm',
]

interface Outputs {
  readonly outputNames: readonly string[]
  readonly outputShapes: readonly OpenShape[]
}

/** Whether something is given for outputs by their names. */
export const isByName = (given: unknown): given is Record<string, unknown> =>
  isPlainObject(given) && !('record' in given)

/** What is given for each output; a single thing counts for all. */
function forEach<T>(
  what: string,
  given: PerOutput<T> | undefined,
  names: readonly string[],
): (T | undefined)[] {
  if (isByName(given)) {
    for (const key of Object.keys(given)) {
      if (names.includes(key)) continue
      throw new RangeError(`compile: ${what} must name outputs, got "${key}"; ${suggestion(key, names)}`)
    }
    return names.map(name => given[name] as T | undefined)
  }
  if (!Array.isArray(given)) return names.map(() => given as T | undefined)
  if (given.length !== names.length) {
    const hint = `the outputs are ${names.join(', ')}`
    throw new RangeError(`compile: ${what} must be ${names.length}, got ${given.length}; ${hint}`)
  }
  return given as T[]
}

/** A function as a metric of the targets that the loss takes. */
const metricOf = (given: AnyMetric, { sparse }: Loss): MetricName | Metric =>
  isFunction(given) ? ownMetric(given.name || 'metric', given, { sparse }) : given

/** Records a loss and metrics in vain: what is wrong with users' own shows here, not in `fit`. */
function tryOut(shape: readonly number[], loss: Loss, metrics: TrainedOutput['metrics']): void {
  const g = new Graph({ training: true, leaves: 1, rows: 1 })
  const prediction = { ...g.batch('prediction', shape), differentiable: true }
  const target = g.batch('target', loss.targetShape(shape))
  loss.record(g, { prediction, target, weight: undefined })
  for (const { metric } of metrics) metric.record(g, prediction, target)
}

/** How each output is trained. @throws TypeError or RangeError for what is unknown or does not fit */
export function settleOutputs(
  { outputNames, outputShapes }: Outputs,
  options: CompileOptions,
): TrainedOutput[] {
  const losses = forEach('loss', options.loss as PerOutput<AnyLoss | null>, outputNames)
  const lossWeights = forEach('lossWeights', options.lossWeights, outputNames)
  const metrics = options.metrics
  const wanted = isByName(metrics)
    ? forEach('metrics', metrics as PerOutput<AnyMetric | readonly AnyMetric[]>, outputNames)
    : outputNames.map(() => metrics)
  const several = outputNames.length > 1
  const outputs = outputNames.flatMap((name, index): TrainedOutput[] => {
    const given = losses[index]
    if (given === null || (given === undefined && several)) return []
    const loss = getLoss(
      isFunction(given) ? ownLoss(given.name || 'loss', given) : (given as LossName | Loss),
    )
    const lossWeight = finiteNumber('compile', 'a loss weight', lossWeights[index] ?? 1)
    const list = ([wanted[index] ?? []].flat() as AnyMetric[]).map(each => metricOf(each, loss))
    const shape = closed(outputShapes[index]!)
    const found = distinct(list.map(metric => getMetric(metric, loss, shape)))
    tryOut(shape, loss, found)
    const prefixed = found.map(({ key, metric }) => ({ key: several ? `${name}_${key}` : key, metric }))
    return [{ name, index, loss, lossWeight, metrics: prefixed }]
  })
  if (outputs.length === 0)
    throw new TypeError(`compile: loss must be given, got ${show(options.loss)}; try 'meanSquaredError'`)
  // Throws for options of a loss that do not fit the prediction.
  for (const { loss, index } of outputs) loss.targetShape(closed(outputShapes[index]!))
  return outputs
}

/** The rest of what is trained. @throws TypeError or RangeError for what is wrong or does not fit */
export function settleExtras(
  { leaves = 1, mixUp = 0, gradientNorm = false }: CompileOptions,
  outputs: readonly TrainedOutput[],
): Pick<Compiled, 'leaves' | 'mixUp' | 'gradientNorm'> {
  positiveInteger('compile', 'leaves', leaves)
  inRange('compile', 'mixUp', mixUp, '[0, Infinity)')
  if (mixUp > 0 && outputs.some(({ loss }) => typeof loss.ignoreClass === 'number'))
    throw new RangeError(
      `compile: mixUp must be 0 for a loss with ignoreClass, got ${mixUp}; leave one of them out`,
    )
  if (typeof gradientNorm !== 'boolean')
    throw new TypeError(`compile: gradientNorm must be true or false, got ${show(gradientNorm)}; correct it`)
  return { leaves, mixUp, gradientNorm }
}
