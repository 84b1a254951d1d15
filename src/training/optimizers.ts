import { show, suggestion } from '../errors.ts'
import { update } from '../graph/value.ts'
import {
  build,
  type LearningRate,
  Optimizer,
  omitUndefined,
  optionsOf,
  type SharedOptions,
} from './optimizer.ts'
import { schedules } from './schedules.ts'

const slot = (name: string, initial = 0) => ({ name, initial })

/** w ← w − rate·dw */
function sgd(
  learningRate: LearningRate | (SharedOptions & { learningRate?: LearningRate }) = 0.01,
): Optimizer {
  return build('SGD', { learningRate: 0.01 as LearningRate }, optionsOf(learningRate, {}), () => ({
    slots: [],
    record: (g, cut, { w, dw, rate }) => g.update('sgd', cut, update(w), dw, rate),
  }))
}

const momentumDefaults = { learningRate: 0.01 as LearningRate, momentum: 0.9, useNesterov: false }
type MomentumOptions = Partial<typeof momentumDefaults> & SharedOptions

/**
 * v ← momentum·v + dw; w ← w − rate·v (with Nesterov: w − rate·(dw + momentum·v)). Source: Sutskever et al.
 * (2013).
 */
function momentum(
  learningRate: LearningRate | MomentumOptions,
  momentum?: number,
  useNesterov?: boolean,
): Optimizer {
  const given = optionsOf<MomentumOptions>(learningRate, omitUndefined({ momentum, useNesterov }))
  return build('Momentum', momentumDefaults, given, ({ momentum, useNesterov }) => ({
    slots: [slot('momentum')],
    record: (g, cut, { w, dw, rate, slots: [v] }) => {
      g.update('momentum', cut, update(w), dw, update(v!), rate, momentum, useNesterov ? 1 : 0)
    },
  }))
}

const rmspropDefaults = {
  learningRate: 0.001 as LearningRate,
  decay: 0.9,
  momentum: 0,
  epsilon: 1e-7,
  centered: false,
}
type RmspropOptions = Partial<typeof rmspropDefaults> & SharedOptions

/**
 * Divides by a running root mean square of gradients. Source: Hinton, lecture 6e (2012); centered: Graves
 * (2013), eq. 38–45.
 */
function rmsprop(
  learningRate: LearningRate | RmspropOptions,
  decay?: number,
  momentum?: number,
  epsilon?: number,
  centered?: boolean,
): Optimizer {
  const given = optionsOf<RmspropOptions>(learningRate, omitUndefined({ decay, momentum, epsilon, centered }))
  return build('RMSProp', rmspropDefaults, given, ({ decay, momentum, epsilon, centered }) => ({
    slots: [slot('rms'), slot('momentum'), ...(centered ? [slot('mg')] : [])],
    record: (g, cut, { w, dw, rate, slots: [square, moment, mean] }) => {
      const averages = [update(square!), update(moment!), mean ? update(mean) : 0] as const
      g.update('rmsprop', cut, update(w), dw, ...averages, rate, decay, momentum, epsilon)
    },
  }))
}

const adagradDefaults = { learningRate: 0.001 as LearningRate, initialAccumulatorValue: 0.1, epsilon: 1e-7 }
type AdagradOptions = Partial<typeof adagradDefaults> & SharedOptions

/** a ← a + dw²; w ← w − rate·dw / √(a + epsilon). Source: Duchi, Hazan & Singer, JMLR 12 (2011). */
function adagrad(learningRate: LearningRate | AdagradOptions, initialAccumulatorValue?: number): Optimizer {
  const given = optionsOf<AdagradOptions>(learningRate, omitUndefined({ initialAccumulatorValue }))
  return build('Adagrad', adagradDefaults, given, ({ initialAccumulatorValue, epsilon }) => ({
    slots: [slot('accumulator', initialAccumulatorValue)],
    record: (g, cut, { w, dw, rate, slots: [a] }) =>
      g.update('adagrad', cut, update(w), dw, update(a!), rate, epsilon),
  }))
}

const adadeltaDefaults = { learningRate: 0.001 as LearningRate, rho: 0.95, epsilon: 1e-7 }
type AdadeltaOptions = Partial<typeof adadeltaDefaults> & SharedOptions

/**
 * Scales gradients by the ratio of running root mean squares of updates and gradients. Source: Zeiler (2012),
 * algorithm 1.
 */
function adadelta(learningRate?: LearningRate | AdadeltaOptions, rho?: number, epsilon?: number): Optimizer {
  const given = optionsOf<AdadeltaOptions>(learningRate, omitUndefined({ rho, epsilon }))
  return build('Adadelta', adadeltaDefaults, given, ({ rho, epsilon }) => ({
    slots: [slot('accum_grad'), slot('accum_var')],
    record: (g, cut, { w, dw, rate, slots: [a, b] }) => {
      g.update('adadelta', cut, update(w), dw, update(a!), update(b!), rate, rho, epsilon)
    },
  }))
}

const adamDefaults = { learningRate: 0.001 as LearningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }
type AdamOptions = Partial<typeof adamDefaults> & SharedOptions

/**
 * Running mean m and mean square v of the gradient, both corrected for their start. Source: Kingma & Ba
 * (2015), algorithm 1.
 */
function adam(
  learningRate?: LearningRate | AdamOptions,
  beta1?: number,
  beta2?: number,
  epsilon?: number,
): Optimizer {
  const given = optionsOf<AdamOptions>(learningRate, omitUndefined({ beta1, beta2, epsilon }))
  return build('Adam', adamDefaults, given, ({ beta1, beta2, epsilon }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    record: (g, cut, { w, dw, rate, slots: [m, v] }, correction) => {
      g.update('adam', cut, update(w), dw, update(m!), update(v!), rate, correction, beta1, beta2, epsilon)
    },
  }))
}

const adamaxDefaults = {
  ...adamDefaults,
  learningRate: 0.002 as LearningRate,
  /** The learning rate falls with the updates t, as learningRate / (1 + decay·t). */
  decay: 0,
}
type AdamaxOptions = Partial<typeof adamaxDefaults> & SharedOptions

/**
 * Adam with a running maximum in place of the mean square. Source: Kingma & Ba (2015), algorithm 2. With `decay`
 * the rate falls as inverseTime: learningRate / (1 + decay·updates), as in TensorFlow.js.
 */
function adamax(
  learningRate?: LearningRate | AdamaxOptions,
  beta1?: number,
  beta2?: number,
  epsilon?: number,
  decay?: number,
): Optimizer {
  const given = optionsOf<AdamaxOptions>(learningRate, omitUndefined({ beta1, beta2, epsilon, decay }))
  return build('Adamax', adamaxDefaults, decaying(given), ({ beta1, beta2, epsilon }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    record: (g, cut, { w, dw, rate, slots: [m, u] }, correction) => {
      g.update('adamax', cut, update(w), dw, update(m!), update(u!), rate, correction, beta1, beta2, epsilon)
    },
  }))
}

/** A decay as the schedule that it is. */
function decaying({ decay, ...given }: AdamaxOptions): AdamaxOptions {
  const rate = given.learningRate ?? adamaxDefaults.learningRate
  if (!decay) return { ...given, ...(decay !== undefined && { decay }) }
  if (typeof rate !== 'number')
    throw new TypeError(
      'Adamax: learningRate must be a number where there is a decay, got a schedule; leave decay out',
    )
  const learningRate = schedules.inverseTime({ initialLearningRate: rate, decayRate: decay, decaySteps: 1 })
  return { ...given, learningRate }
}

const adamwDefaults = { ...adamDefaults, weightDecay: 0.004 }
type AdamwOptions = Partial<typeof adamwDefaults> & SharedOptions

/** Adam after w ← w − rate·weightDecay·w. Source: Loshchilov & Hutter (2019), algorithm 2. */
function adamw(learningRate?: LearningRate | AdamwOptions, weightDecay?: number): Optimizer {
  const given = optionsOf<AdamwOptions>(learningRate, omitUndefined({ weightDecay }))
  return build('AdamW', adamwDefaults, given, ({ beta1, beta2, epsilon }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    decays: true,
    record: (g, cut, { w, dw, rate, decay, slots: [m, v] }, correction) => {
      const moments = [update(m!), update(v!)] as const
      g.update('adamw', cut, update(w), dw, ...moments, rate, correction, beta1, beta2, epsilon, decay)
    },
  }))
}

/** Adam with Nesterov's momentum. Source: Dozat (2016); the momentum's schedule as in Keras 3. */
function nadam(
  learningRate?: LearningRate | AdamOptions,
  beta1?: number,
  beta2?: number,
  epsilon?: number,
): Optimizer {
  const given = optionsOf<AdamOptions>(learningRate, omitUndefined({ beta1, beta2, epsilon }))
  return build('Nadam', adamDefaults, given, ({ beta1, beta2, epsilon }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    correction: 'nadamCorrection',
    record: (g, cut, { w, dw, rate, slots: [m, v] }, correction) => {
      const moments = [update(m!), update(v!)] as const
      g.update('nadam', cut, update(w), dw, ...moments, rate, correction, beta1, beta2, epsilon)
    },
  }))
}

const lionDefaults = { learningRate: 0.001 as LearningRate, beta1: 0.9, beta2: 0.99 }
type LionOptions = Partial<typeof lionDefaults> & SharedOptions

/** w ← w − rate·sign(beta1·m + (1 − beta1)·dw). Source: Chen et al. (2023), algorithm 2; defaults of Keras 3. */
function lion(learningRate?: LearningRate | LionOptions, beta1?: number, beta2?: number): Optimizer {
  const given = optionsOf<LionOptions>(learningRate, omitUndefined({ beta1, beta2 }))
  return build('Lion', lionDefaults, given, ({ beta1, beta2 }) => ({
    slots: [slot('m')],
    record: (g, cut, { w, dw, rate, slots: [m] }) =>
      g.update('lion', cut, update(w), dw, update(m!), rate, beta1, beta2),
  }))
}

/**
 * Optimizers, under TensorFlow.js' names and with its positional arguments; or one object of options,
 * clipping included.
 */
export const train = { sgd, momentum, rmsprop, adagrad, adadelta, adam, adamax, adamw, nadam, lion }

/** Optimizers by name: the learning rates are those that TensorFlow.js gives to names, not to its functions. */
const byName = {
  ...train,
  momentum: () => momentum(0.01),
  adadelta: () => adadelta(1),
  adagrad: () => adagrad(0.01),
  rmsprop: () => rmsprop(0.001),
}
const classes = {
  Adadelta: byName.adadelta,
  Adagrad: byName.adagrad,
  Adam: adam,
  Adamax: adamax,
  RMSProp: byName.rmsprop,
  SGD: sgd,
}
const named: Readonly<Record<string, () => Optimizer>> = { ...byName, ...classes }

export type OptimizerName = keyof typeof byName | keyof typeof classes

/** @throws TypeError for something that is no optimizer, RangeError for an unknown name. */
export function getOptimizer(identifier: OptimizerName | Optimizer): Optimizer {
  if (identifier instanceof Optimizer) return identifier
  if (typeof identifier !== 'string') {
    throw new TypeError(
      `compile: optimizer must be a name or an optimizer, got ${show(identifier)}; try 'adam'`,
    )
  }
  if (Object.hasOwn(named, identifier)) return named[identifier]!()
  const guess = suggestion(identifier, Object.keys(train))
  throw new RangeError(`compile: optimizer must be a known name, got "${identifier}"; ${guess}`)
}
