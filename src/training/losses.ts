import { show, suggestion } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/** What a loss compares: a prediction, its target and, per sample, a weight (or none). */
export interface Comparison {
  readonly prediction: Value
  readonly target: Value
  readonly weight: Value | undefined
}

/** Losses of the rows of a prediction: `inner` rows a sample, one loss each. */
export interface RowLosses {
  readonly values: Value
  readonly inner: number
}

/** A loss function. */
export interface Loss {
  readonly name: string
  /** Shape of the target of one sample, for a prediction of the given shape. */
  targetShape(prediction: readonly number[]): readonly number[]
  /** Whether targets are class numbers, below the size of the prediction's last axis. */
  readonly sparse: boolean
  /** Records the losses of all rows and, in training, the gradient of their weighted mean. */
  record(g: Graph, comparison: Comparison): RowLosses
}

type LossKernel =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'binaryCrossentropy'
  | 'sigmoidCrossentropy'
  | 'categoricalCrossentropy'
  | 'softmaxCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'sparseSoftmaxCrossentropy'
  | 'hinge'
  | 'logcosh'

/** Records one kernel that computes the losses of rows of n and, in training, writes the gradient of `p`. */
function recordRows(
  g: Graph,
  kernel: LossKernel | 'huber',
  p: Value,
  { target, weight }: Comparison,
  rest: number[] = [],
): RowLosses {
  const n = p.shape.at(-1) ?? 1
  const inner = sizeOf(p.shape) / n
  const values = g.batch('loss', [inner])
  const wanted = g.training && p.differentiable
  const dp = wanted ? g.batch(`d ${p.storage.label}`, p.shape) : undefined
  const { scale } = g.cells
  const output = dp ? write(dp) : 0
  if (kernel === 'huber') {
    g.call(kernel, samples(inner), p, target, write(values), output, weight ?? 0, scale, n, inner, rest[0]!)
  } else {
    g.call(kernel, samples(inner), p, target, write(values), output, weight ?? 0, scale, n, inner)
  }
  if (dp) g.contributeValue(p, dp)
  return { values, inner }
}

const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const withoutLast = (prediction: readonly number[]): readonly number[] => [...prediction.slice(0, -1), 1]

/** A loss on predictions as they are. */
function plain(name: LossKernel): Loss {
  return {
    name,
    sparse: false,
    targetShape: sameShape,
    record: (g, comparison) => recordRows(g, name, comparison.prediction, comparison),
  }
}

/**
 * The logits that `prediction` is the activation of, row by row: a softmax that was cut into other rows has
 * none.
 */
export function logitsOf(g: Graph, prediction: Value, activation: 'softmax' | 'sigmoid'): Value | undefined {
  const known = g.logitsOf(prediction)
  if (known?.activation !== activation) return undefined
  if (activation === 'softmax' && known.logits.shape.at(-1) !== prediction.shape.at(-1)) return undefined
  return g.view(known.logits, prediction.shape)
}

/**
 * A loss on probabilities that is computed from the logits wherever the model ends in the matching
 * activation.
 */
function crossentropy(
  name: LossKernel,
  activation: 'softmax' | 'sigmoid',
  fromLogits: LossKernel,
  sparse: boolean,
): Loss {
  return {
    name,
    sparse,
    targetShape: sparse ? withoutLast : sameShape,
    record(g, comparison) {
      const logits = logitsOf(g, comparison.prediction, activation)
      if (logits) return recordRows(g, fromLogits, logits, comparison)
      return recordRows(g, name, comparison.prediction, comparison)
    },
  }
}

/**
 * Huber's loss: ½d² for |d| ≤ delta, else delta·(|d| − ½delta), d = prediction − target. Source: Huber
 * (1964).
 */
export function huber(delta = 1): Loss {
  return {
    name: 'huber',
    sparse: false,
    targetShape: sameShape,
    record: (g, comparison) => recordRows(g, 'huber', comparison.prediction, comparison, [delta]),
  }
}

/** Every loss by TensorFlow.js' name for it. */
export const losses = {
  /** mean (prediction − target)². */
  meanSquaredError: plain('meanSquaredError'),
  /** mean |prediction − target|. */
  meanAbsoluteError: plain('meanAbsoluteError'),
  /** −mean(t·log p + (1 − t)·log(1 − p)); from the logits after a final sigmoid. */
  binaryCrossentropy: crossentropy('binaryCrossentropy', 'sigmoid', 'sigmoidCrossentropy', false),
  /** −Σ t·log p, t a distribution over classes; from the logits after a final softmax. */
  categoricalCrossentropy: crossentropy('categoricalCrossentropy', 'softmax', 'softmaxCrossentropy', false),
  /** −log p[t], t a class number; from the logits after a final softmax. */
  sparseCategoricalCrossentropy: crossentropy(
    'sparseCategoricalCrossentropy',
    'softmax',
    'sparseSoftmaxCrossentropy',
    true,
  ),
  /** mean max(0, 1 − t·p), t = ±1. */
  hinge: plain('hinge'),
  /** mean log cosh(prediction − target). */
  logcosh: plain('logcosh'),
  huber: huber(),
} as const satisfies Record<string, Loss>

const shortForms: Record<string, keyof typeof losses> = { mse: 'meanSquaredError', mae: 'meanAbsoluteError' }

export type LossName = keyof typeof losses | 'mse' | 'mae'

/** @throws TypeError for something that is no loss, RangeError for an unknown name. */
export function getLoss(identifier: LossName | Loss): Loss {
  if (typeof identifier === 'object' && identifier !== null && 'record' in identifier) return identifier
  if (typeof identifier !== 'string') {
    throw new TypeError(
      `compile: loss must be a name or a loss, got ${show(identifier)}; try 'meanSquaredError'`,
    )
  }
  const name = shortForms[identifier] ?? identifier
  if (Object.hasOwn(losses, name)) return losses[name as keyof typeof losses]
  const names = [...Object.keys(losses), ...Object.keys(shortForms)]
  throw new RangeError(`compile: loss must be a known name, got "${name}"; ${suggestion(name, names)}`)
}
