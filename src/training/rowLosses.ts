import type { Graph } from '../graph/graph.ts'
import { each, samples, sizeOf, type Value, write } from '../graph/value.ts'

/** What a loss compares: a prediction and its target. */
export interface Comparison {
  readonly prediction: Value
  readonly target: Value
  /** One weight a sample, shape [1], or one for each step of a prediction (steps, …), shape [steps]; or none. */
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
  /** A class number of rows that do not count. */
  readonly ignoreClass?: number | null
  /** Records the losses of all rows and, in training, the gradient of their weighted mean. */
  record(g: Graph, comparison: Comparison): RowLosses
}

/** Kernels of one signature; those of `Tuned` take numbers of their own at the end. */
type LossKernel =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'meanAbsolutePercentageError'
  | 'meanSquaredLogarithmicError'
  | 'squaredHinge'
  | 'hinge'
  | 'categoricalHinge'
  | 'logcosh'
  | 'poisson'
  | 'kullbackLeiblerDivergence'
  | 'cosineProximity'
  | 'binaryCrossentropy'
  | 'sigmoidCrossentropy'
  | 'categoricalCrossentropy'
  | 'softmaxCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'sparseSoftmaxCrossentropy'
type Tuned = {
  huber: [delta: number]
  binaryFocalCrossentropy: [gamma: number, positive: number, negative: number, alphas: Value | 0]
  sigmoidFocalCrossentropy: [gamma: number, positive: number, negative: number, alphas: Value | 0]
  categoricalFocalCrossentropy: [gamma: number, alpha: number, alphas: Value | 0]
  softmaxFocalCrossentropy: [gamma: number, alpha: number, alphas: Value | 0]
}
type AnyKernel = LossKernel | keyof Tuned
/** What a kernel takes besides. */
type Own = readonly (number | Value)[]

/** Records one kernel that computes the losses of rows of n and, in training, writes the gradient of `p`. */
function recordRows(
  g: Graph,
  kernel: AnyKernel,
  p: Value,
  { target, weight }: Comparison,
  own: Own,
): RowLosses {
  const n = p.shape.at(-1) ?? 1
  const inner = sizeOf(p.shape) / n
  const values = g.batch('loss', [inner])
  const wanted = g.training && p.differentiable
  const dp = wanted ? g.batch(`d ${p.storage.label}`, p.shape) : undefined
  const output = dp ? write(dp) : 0
  const perWeight = weight ? inner / sizeOf(weight.shape) : inner
  const rest = [weight ?? 0, g.cells.scale, n, perWeight, ...(own as readonly [number])] as const
  g.call(kernel as 'huber', samples(inner), p, target, write(values), output, ...rest)
  if (dp) g.contributeValue(p, dp)
  return { values, inner }
}

const sameShape = (prediction: readonly number[]): readonly number[] => prediction
const withoutLast = (prediction: readonly number[]): readonly number[] => [...prediction.slice(0, -1), 1]

/** A loss on predictions as they are. */
export function plain(name: LossKernel | 'huber', own: Own = []): Loss {
  return {
    name,
    sparse: false,
    targetShape: sameShape,
    record: (g, comparison) => recordRows(g, name, comparison.prediction, comparison, own),
  }
}

/**
 * The logits that `prediction` is the activation of, row by row: a softmax that was cut into other rows has
 * none.
 */
export function logitsOf(g: Graph, prediction: Value, activation: 'softmax' | 'sigmoid'): Value | undefined {
  const known = g.logits.of(prediction)
  if (known?.activation !== activation) return undefined
  if (activation === 'softmax' && known.logits.shape.at(-1) !== prediction.shape.at(-1)) return undefined
  return g.view(known.logits, prediction.shape)
}

/** What cross-entropies have in common. */
interface Crossentropy {
  readonly name: AnyKernel
  readonly activation: 'softmax' | 'sigmoid'
  /** The kernel that takes logits. */
  readonly ofLogits: AnyKernel
  readonly sparse?: boolean
  readonly own?: (g: Graph) => Own
  /** How many classes there must be. */
  readonly classes?: number | undefined
  readonly options: {
    readonly fromLogits: boolean
    readonly labelSmoothing?: number
    readonly ignoreClass?: number | null
  }
}

/**
 * A loss on probabilities that is computed from the logits wherever the model ends in the matching
 * activation, or says that it ends in logits.
 */
export function crossentropy({
  name,
  activation,
  ofLogits,
  sparse = false,
  own = () => [],
  classes: wanted,
  options,
}: Crossentropy): Loss {
  const { fromLogits, labelSmoothing = 0, ignoreClass = null } = options
  return {
    name,
    sparse,
    ignoreClass,
    targetShape(prediction) {
      if (wanted !== undefined && prediction.at(-1) !== wanted)
        throw new RangeError(
          `compile: alpha of ${name} must be ${prediction.at(-1)}, one a class, got ${wanted}; correct it`,
        )
      return sparse ? withoutLast(prediction) : prediction
    },
    record(g, comparison) {
      const { prediction, weight } = comparison
      const classes = activation === 'sigmoid' ? 2 : (prediction.shape.at(-1) ?? 1)
      const smooth = { prediction, weight, target: smoothed(g, comparison.target, labelSmoothing, classes) }
      const logits = fromLogits ? prediction : logitsOf(g, prediction, activation)
      return logits
        ? recordRows(g, ofLogits, logits, smooth, own(g))
        : recordRows(g, name, prediction, smooth, own(g))
    },
  }
}

/** t·(1 − smoothing) + smoothing / classes. Source: Szegedy et al. (2016), section 7. */
function smoothed(g: Graph, target: Value, smoothing: number, classes: number): Value {
  if (smoothing === 0) return target
  const y = g.batch('smooth y', target.shape)
  const elements = samples(sizeOf(target.shape))
  g.call('scaleShift', elements, target, write(y), 1 - smoothing, smoothing / classes)
  return y
}

/** Weights of classes as an array in memory. */
export function alphasOf(g: Graph, alphas: readonly number[]): Value {
  const bytes = 16 * Math.ceil(alphas.length / 4)
  return g.constant(`alphas ${alphas.join()}`, [alphas.length], bytes, y => {
    for (const [i, alpha] of alphas.entries()) g.call('putNumber', each, y, i, alpha)
  })
}
