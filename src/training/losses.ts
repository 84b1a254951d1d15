import { show, suggestion } from '../errors.ts'
import { configurable } from './configurable.ts'
import { alphasOf, crossentropy, type Loss, plain } from './rowLosses.ts'

/** Options that several losses have. */
const crossentropyDefaults = {
  /** Whether predictions are logits, not probabilities. */
  fromLogits: false,
  /** Share of each target that is spread evenly over the classes, in [0, 1]. */
  labelSmoothing: 0,
}

const focalDefaults = {
  /** One weight for all classes, or a list of one for each. */
  alpha: 0.25 as number | readonly number[],
  gamma: 2,
  ...crossentropyDefaults,
}

/** One number for all, or several. */
const apart = (alpha: number | readonly number[]): [one?: number | undefined, several?: readonly number[]] =>
  typeof alpha === 'number' ? [alpha] : [undefined, alpha]

const sparseDefaults = { fromLogits: false, ignoreClass: null as number | null }

/** Every loss by TensorFlow.js' (or Keras 3's) name for it. Rows are the last axis: one loss each. */
export const losses = {
  /** mean (prediction − target)². */
  meanSquaredError: plain('meanSquaredError'),
  /** mean |prediction − target|. */
  meanAbsoluteError: plain('meanAbsoluteError'),
  /** 100·mean (|prediction − target| / |target|), |target| at least 1e-7. */
  meanAbsolutePercentageError: plain('meanAbsolutePercentageError'),
  /** mean (log(1 + prediction) − log(1 + target))², both at least 1e-7. */
  meanSquaredLogarithmicError: plain('meanSquaredLogarithmicError'),
  /** −mean(t·log p + (1 − t)·log(1 − p)); from the logits after a final sigmoid. */
  binaryCrossentropy: configurable(crossentropyDefaults, options =>
    crossentropy({
      name: 'binaryCrossentropy',
      activation: 'sigmoid',
      ofLogits: 'sigmoidCrossentropy',
      options,
    }),
  ),
  /** −Σ t·log p, t a distribution over classes; from the logits after a final softmax. */
  categoricalCrossentropy: configurable(crossentropyDefaults, options =>
    crossentropy({
      name: 'categoricalCrossentropy',
      activation: 'softmax',
      ofLogits: 'softmaxCrossentropy',
      options,
    }),
  ),
  /**
   * −log p[t], t a class number; from the logits after a final softmax. Targets of `ignoreClass` do not count: the
   * loss is the mean over the others.
   */
  sparseCategoricalCrossentropy: configurable(sparseDefaults, options =>
    crossentropy({
      name: 'sparseCategoricalCrossentropy',
      activation: 'softmax',
      ofLogits: 'sparseSoftmaxCrossentropy',
      sparse: true,
      options,
    }),
  ),
  /**
   * Binary cross-entropy times (1 − p of the target)^gamma; with applyClassBalancing times alpha for 1, 1 −
   * alpha for 0, alpha one number or one for each place of the last axis. Source: Lin et al. (2017); Keras 3.
   */
  binaryFocalCrossentropy: configurable({ applyClassBalancing: false, ...focalDefaults }, options => {
    const { alpha, gamma, applyClassBalancing } = options
    const [one, several] = applyClassBalancing ? apart(alpha) : [undefined, undefined]
    const shares = one === undefined ? [1, 1] : [one, 1 - one]
    return crossentropy({
      name: 'binaryFocalCrossentropy',
      activation: 'sigmoid',
      ofLogits: 'sigmoidFocalCrossentropy',
      own: g => [gamma, ...shares, several ? alphasOf(g, several) : 0],
      classes: several?.length,
      options,
    })
  }),
  /** −Σ alpha·t·(1 − p)^gamma·log p, alpha one number or one for each class. Source: Lin et al. (2017); Keras 3. */
  categoricalFocalCrossentropy: configurable(focalDefaults, options => {
    const [one = 1, several] = apart(options.alpha)
    return crossentropy({
      name: 'categoricalFocalCrossentropy',
      activation: 'softmax',
      ofLogits: 'softmaxFocalCrossentropy',
      own: g => [options.gamma, one, several ? alphasOf(g, several) : 0],
      classes: several?.length,
      options,
    })
  }),
  /** Σ t·log(t / p), both clipped to [1e-7, 1]. */
  kullbackLeiblerDivergence: plain('kullbackLeiblerDivergence'),
  /** mean (p − t·log(p + 1e-7)). */
  poisson: plain('poisson'),
  /** mean max(0, 1 − t·p), t = ±1. */
  hinge: plain('hinge'),
  /** mean max(0, 1 − t·p)², t = ±1. */
  squaredHinge: plain('squaredHinge'),
  /** max(0, 1 + max((1 − t)·p) − Σ t·p), t one-hot. */
  categoricalHinge: plain('categoricalHinge'),
  /** −Σ t·p / (|t|·|p|), norms at least √1e-7. */
  cosineProximity: plain('cosineProximity'),
  /** mean log cosh(prediction − target). */
  logcosh: plain('logcosh'),
  /** ½d² for |d| ≤ delta, else delta·(|d| − ½delta), d = prediction − target. Source: Huber (1964). */
  huber: configurable({ delta: 1 }, ({ delta }) => plain('huber', [delta])),
} as const satisfies Record<string, Loss>

/** Other names of losses and metrics. */
export const shortForms = {
  mse: 'meanSquaredError',
  MSE: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  MAE: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  MAPE: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  MSLE: 'meanSquaredLogarithmicError',
  kld: 'kullbackLeiblerDivergence',
  KLD: 'kullbackLeiblerDivergence',
  cosine: 'cosineProximity',
} as const satisfies Record<string, keyof typeof losses>

export type LossName = keyof typeof losses | keyof typeof shortForms

const isLoss = (value: unknown): value is Loss =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && 'record' in value

/** @throws TypeError for something that is no loss, RangeError for an unknown name. */
export function getLoss(identifier: LossName | Loss): Loss {
  if (isLoss(identifier)) return identifier
  if (typeof identifier !== 'string') {
    throw new TypeError(
      `compile: loss must be a name or a loss, got ${show(identifier)}; try 'meanSquaredError'`,
    )
  }
  const name = Object.hasOwn(shortForms, identifier)
    ? shortForms[identifier as keyof typeof shortForms]
    : identifier
  if (Object.hasOwn(losses, name)) return losses[name as keyof typeof losses]
  const names = [...Object.keys(losses), ...Object.keys(shortForms)]
  throw new RangeError(`compile: loss must be a known name, got "${name}"; ${suggestion(name, names)}`)
}
