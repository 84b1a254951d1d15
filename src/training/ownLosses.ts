import { show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { type Configurable, configurable } from './configurable.ts'
import type { Loss } from './rowLosses.ts'
import { type Metric, mean } from './rowMetrics.ts'

// Losses and metrics that users write as functions of targets and predictions, made of ops.

/** What a loss or a metric computes from the targets and predictions of a sample. */
export type Compute<O = object> = (yTrue: Value, yPred: Value, options: O) => Value

export interface LossOptions<O> {
  /** Whether targets are class numbers, one for each row of a prediction: yTrue is (…, 1) then. */
  sparse?: boolean
  /** Refuses wrong values of options; `where` is the name. */
  check?: (where: string, options: O) => void
}

export interface MetricOptions<O> extends LossOptions<O> {
  /** How many numbers the last axis of what is computed holds, each of them added up; 1, and no axis, by default. */
  width?: number
  /** The metric, from these sums over the epoch and the number of rows that were added; their mean by default. */
  result?: (sums: readonly number[], rows: number) => number
}

const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const withoutLast = (prediction: readonly number[]): readonly number[] => [...prediction.slice(0, -1), 1]
const targetShapeOf = (sparse: boolean) => (sparse ? withoutLast : sameShape)

/** What the function computes, checked: rows of `width` numbers, some for each step of a masked prediction. */
function computed(
  g: Graph,
  name: string,
  prediction: Value,
  compute: () => Value,
  width = 1,
): { values: Value; inner: number } {
  const values = compute()
  if (typeof values !== 'object' || values === null || !('storage' in values))
    throw new TypeError(`${name}: it must return a value, got ${show(values)}; return what an op made`)
  const { shape } = values
  const inner = sizeOf(shape) / width
  if (width > 1 && shape.at(-1) !== width)
    throw new RangeError(
      `${name}: its last axis must hold ${width} numbers, got [${shape}]; stack them there`,
    )
  const mask = prediction.shape.length > 1 ? g.masks.of(prediction) : undefined
  if (mask && shape[0] !== mask.shape[0])
    throw new RangeError(
      `${name}: of a masked prediction the steps must be kept, [${mask.shape[0]}, …], got [${shape}]; ` +
        'reduce its last axis only',
    )
  return { values, inner }
}

/** A loss of one's own: the mean of what the function computes, and its gradient. */
export function ownLoss(name: string, compute: Compute, sparse = false): Loss {
  return {
    name,
    sparse,
    targetShape: targetShapeOf(sparse),
    record(g, { prediction, target, weight }) {
      const found = computed(g, name, prediction, () => compute(target, prediction, {}))
      const { values, inner } = found
      if (!g.training || !prediction.differentiable) return found
      if (!values.differentiable)
        throw new TypeError(
          `${name}: a loss must have a gradient by yPred, got none; use ops that have one on the way from it`,
        )
      const perWeight = weight ? inner / sizeOf(weight.shape) : inner
      const dy = g.batch(`d ${name}`, values.shape)
      g.call('lossFactors', samples(inner), write(dy), weight ?? 0, g.cells.scale, perWeight)
      g.contributeValue(values, dy)
      return found
    },
  }
}

/** A metric of one's own: the mean over the epoch of what the function computes, or another result of its sums. */
export function ownMetric(name: string, compute: Compute, options: MetricOptions<never> = {}): Metric {
  const { sparse = false, width = 1, result = mean } = options
  return {
    name,
    targetShape: targetShapeOf(sparse),
    result,
    record(g, prediction, target) {
      const constant = { ...prediction, differentiable: false }
      return { ...computed(g, name, prediction, () => compute(target, constant, {}), width), width }
    },
  }
}

function checkDefinition(where: string, name: unknown, compute: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`${where}: name must be a word, got ${show(name)}; write 'myError'`)
  if (typeof compute !== 'function')
    throw new TypeError(
      `${where}: it must be given a function, got ${show(compute)}; write (yTrue, yPred) => …`,
    )
}

/**
 * A loss of your own: what `compute` makes of targets and predictions, (…, n) each, is its value, row by row or sample
 * by sample; the mean of all is minimized. Give it to `compile` as it is, or called with other options.
 * @throws TypeError for something else
 */
export function defineLoss<O extends object>(
  name: string,
  defaults: O,
  compute: Compute<O>,
  { sparse = false, check = () => {} }: LossOptions<O> = {},
): Configurable<Loss, O> {
  checkDefinition('defineLoss', name, compute)
  const make = (options: O) => ownLoss(name, (yTrue, yPred) => compute(yTrue, yPred, options), sparse)
  return configurable(defaults, make, options => check(name, options))
}

/**
 * A metric of your own, exact over the epoch: what `compute` makes of targets and predictions is added up, row by row
 * or sample by sample, and its mean is the metric. `name` is an option of each, too: the name in logs.
 * @throws TypeError for something else
 */
export function defineMetric<O extends object>(
  name: string,
  defaults: O,
  compute: Compute<O>,
  { check = () => {}, ...rest }: MetricOptions<O> = {},
): Configurable<Metric, O & { name: string }> {
  checkDefinition('defineMetric', name, compute)
  const make = (options: O & { name: string }) =>
    ownMetric(options.name, (yTrue, yPred) => compute(yTrue, yPred, options), rest)
  return configurable({ ...defaults, name }, make, options => {
    if (typeof options.name !== 'string')
      throw new TypeError(`${name}: name must be a word, got ${show(options.name)}; leave it out`)
    check(name, options)
  })
}
