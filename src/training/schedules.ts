import { finiteNumber, inRange, positiveInteger, show, suggestion, withDefaults } from '../errors.ts'
import { cos, pow } from './elementary.ts'

/** A learning rate as a function of the number of updates made so far. */
export interface Schedule {
  /** Keras' class name, under which it is saved. */
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** The rate of the update after `step` updates (0 at first). */
  at(step: number): number
}

const checkRate = (where: string, name: string, value: unknown) =>
  inRange(where, name, value, '[0, Infinity)')

function constant(rate: number): Schedule {
  checkRate('Constant', 'rate', rate)
  return { name: 'Constant', config: { rate }, at: () => rate }
}

export interface DecayOptions {
  initialLearningRate: number
  /** Updates after which `decayRate` has applied once. */
  decaySteps: number
  decayRate: number
  /** Whether the rate falls in steps of `decaySteps` instead of at every update. */
  staircase?: boolean
}

function checkDecay(name: string, options: DecayOptions): Required<DecayOptions> {
  const defaults = { initialLearningRate: Number.NaN, decaySteps: 0, decayRate: Number.NaN, staircase: false }
  const config = withDefaults(name, defaults, options)
  checkRate(name, 'initialLearningRate', options?.initialLearningRate)
  positiveInteger(name, 'decaySteps', options.decaySteps)
  inRange(name, 'decayRate', options.decayRate, '[0, Infinity)')
  return config
}

/** Decays passed after `step` updates, whole ones with `staircase`. */
function decays(step: number, { decaySteps, staircase }: { decaySteps: number; staircase: boolean }): number {
  return staircase ? Math.floor(step / decaySteps) : step / decaySteps
}

function exponential(options: DecayOptions): Schedule {
  const config = checkDecay('ExponentialDecay', options)
  const at = (step: number) => config.initialLearningRate * pow(config.decayRate, decays(step, config))
  return { name: 'ExponentialDecay', config: { ...config }, at }
}

function inverseTime(options: DecayOptions): Schedule {
  const config = checkDecay('InverseTimeDecay', options)
  const at = (step: number) => config.initialLearningRate / (1 + config.decayRate * decays(step, config))
  return { name: 'InverseTimeDecay', config: { ...config }, at }
}

export interface StepOptions {
  initialLearningRate: number
  /** Updates between two falls. */
  stepSize: number
  factor?: number
}

function step(options: StepOptions): Schedule {
  const name = 'StepDecay'
  const defaults = { initialLearningRate: Number.NaN, stepSize: 0, factor: 0.1 }
  const config = withDefaults(name, defaults, options)
  checkRate(name, 'initialLearningRate', options?.initialLearningRate)
  positiveInteger(name, 'stepSize', options.stepSize)
  inRange(name, 'factor', config.factor, '[0, Infinity)')
  const at = (step: number) =>
    config.initialLearningRate * pow(config.factor, Math.floor(step / config.stepSize))
  return { name, config, at }
}

export interface PiecewiseOptions {
  /** Increasing counts of updates. */
  boundaries: readonly number[]
  /** One rate more than there are boundaries. */
  values: readonly number[]
}

function piecewiseConstant(options: PiecewiseOptions): Schedule {
  const name = 'PiecewiseConstantDecay'
  const { boundaries, values } = withDefaults<PiecewiseOptions>(name, { boundaries: [], values: [] }, options)
  for (const list of ['boundaries', 'values'] as const) {
    if (Array.isArray(options?.[list])) continue
    throw new TypeError(`${name}: ${list} must be an array of numbers, got ${show(options?.[list])}`)
  }
  if (values.length !== boundaries.length + 1) {
    throw new RangeError(`${name}: values must have ${boundaries.length + 1} elements, got ${values.length}`)
  }
  boundaries.forEach((boundary, i) => {
    finiteNumber(name, `boundaries[${i}]`, boundary)
    if (i === 0 || boundary > boundaries[i - 1]!) return
    throw new RangeError(`${name}: boundaries must increase, got ${show(boundaries)}`)
  })
  values.forEach((value, i) => void checkRate(name, `values[${i}]`, value))
  const at = (step: number) => {
    const index = boundaries.findIndex(boundary => step <= boundary)
    return values[index < 0 ? boundaries.length : index]!
  }
  return { name, config: { boundaries: [...boundaries], values: [...values] }, at }
}

export interface PolynomialOptions {
  initialLearningRate: number
  decaySteps: number
  endLearningRate?: number
  power?: number
  /** Whether, once at the end, decay starts anew over the next multiple of `decaySteps`. */
  cycle?: boolean
}

function polynomial(options: PolynomialOptions): Schedule {
  const name = 'PolynomialDecay'
  const start = { initialLearningRate: Number.NaN, decaySteps: 0 }
  const config = withDefaults(name, { ...start, endLearningRate: 1e-4, power: 1, cycle: false }, options)
  const initial = checkRate(name, 'initialLearningRate', options?.initialLearningRate)
  positiveInteger(name, 'decaySteps', options.decaySteps)
  const end = checkRate(name, 'endLearningRate', config.endLearningRate)
  inRange(name, 'power', config.power, '(0, Infinity)')
  const at = (step: number) => {
    const cycles = config.cycle ? Math.max(1, Math.ceil(step / config.decaySteps)) : 1
    const length = cycles * config.decaySteps
    return (initial - end) * pow(1 - Math.min(step, length) / length, config.power) + end
  }
  return { name, config, at }
}

/** ½·(1 + cos(π·fraction)) between 1 and alpha. */
const cosineBetween = (fraction: number, alpha: number, height = 1) =>
  (1 - alpha) * 0.5 * height * (1 + cos(Math.PI * fraction)) + alpha

export interface CosineOptions {
  initialLearningRate: number
  /** Updates from the top to the bottom, not counting the warm-up. */
  decaySteps: number
  /** The last rate, as a fraction of the top one. */
  alpha?: number
  /** The rate at the end of the warm-up; the decay starts there. */
  warmupTarget?: number | null
  /** Updates in which the rate rises evenly from `initialLearningRate` to `warmupTarget`. */
  warmupSteps?: number
}

function cosine(options: CosineOptions): Schedule {
  const name = 'CosineDecay'
  const start = { initialLearningRate: Number.NaN, decaySteps: 0, alpha: 0 }
  const config = withDefaults<Required<CosineOptions>>(
    name,
    { ...start, warmupTarget: null, warmupSteps: 0 },
    options,
  )
  const { alpha, decaySteps, warmupTarget, warmupSteps } = config
  const initial = checkRate(name, 'initialLearningRate', options?.initialLearningRate)
  positiveInteger(name, 'decaySteps', options.decaySteps)
  inRange(name, 'alpha', alpha, '[0, 1]')
  inRange(name, 'warmupSteps', warmupSteps, '[0, Infinity)')
  if (warmupTarget !== null) checkRate(name, 'warmupTarget', warmupTarget)
  else if (warmupSteps > 0)
    throw new TypeError(`${name}: warmupTarget must be given with warmupSteps, got null`)
  const top = warmupTarget ?? initial
  const at = (step: number) => {
    if (step < warmupSteps) return initial + (top - initial) * (step / warmupSteps)
    return top * cosineBetween(Math.min(step - warmupSteps, decaySteps) / decaySteps, alpha)
  }
  return { name, config, at }
}

export interface CosineRestartsOptions {
  initialLearningRate: number
  /** Updates of the first period. */
  firstDecaySteps: number
  /** Length of each period in those of the period before. */
  tMul?: number
  /** Height of each period in that of the period before. */
  mMul?: number
  alpha?: number
}

function cosineRestarts(options: CosineRestartsOptions): Schedule {
  const name = 'CosineDecayRestarts'
  const start = { initialLearningRate: Number.NaN, firstDecaySteps: 0 }
  const config = withDefaults(name, { ...start, tMul: 2, mMul: 1, alpha: 0 }, options)
  const initial = checkRate(name, 'initialLearningRate', options?.initialLearningRate)
  positiveInteger(name, 'firstDecaySteps', options.firstDecaySteps)
  inRange(name, 'tMul', config.tMul, '[1, Infinity)')
  inRange(name, 'mMul', config.mMul, '[0, Infinity)')
  inRange(name, 'alpha', config.alpha, '[0, 1]')
  const at = (step: number) => {
    let [length, rest, period] = [config.firstDecaySteps, step, 0]
    if (config.tMul === 1) {
      period = Math.floor(rest / length)
      rest -= period * length
    }
    for (; rest >= length; period++) {
      rest -= length
      length *= config.tMul
    }
    return initial * cosineBetween(rest / length, config.alpha, pow(config.mMul, period))
  }
  return { name, config, at }
}

/**
 * Learning rates that change from update to update, for `train.*(schedule)`. `t` counts the updates made so
 * far. Names, options, defaults and formulas are Keras 3's
 * (https://keras.io/api/optimizers/learning_rate_schedules/), but computed in float64 without the engine's
 * `Math`, so that every machine gets the same rates.
 * @throws TypeError for unknown options and wrong kinds, RangeError for wrong values
 */
export const schedules = {
  /** rate */
  constant,
  /** initialLearningRate · decayRate^(t / decaySteps) */
  exponential,
  /** initialLearningRate · factor^⌊t / stepSize⌋; Keras has no such class: saved as StepDecay. */
  step,
  /** values[i] for the first i with t ≤ boundaries[i], else the last one. */
  piecewiseConstant,
  /**
   * (initialLearningRate − endLearningRate) · (1 − min(t, decaySteps) / decaySteps)^power + endLearningRate
   */
  polynomial,
  /**
   * top · ((1 − alpha) · ½(1 + cos(π·t / decaySteps)) + alpha), after a linear warm-up, if any; top is
   * warmupTarget or initialLearningRate. I. Loshchilov and F. Hutter, SGDR, 2016,
   * https://arxiv.org/abs/1608.03983, eq. 5. Deviation: Keras ignores `warmupSteps` without `warmupTarget`,
   * here that is an error.
   */
  cosine,
  /**
   * As `cosine`, starting anew after firstDecaySteps, then after tMul times as many updates, at mMul times
   * the height. Same source. Deviation: tMul < 1 is refused (the periods would shrink to nothing).
   */
  cosineRestarts,
  /** initialLearningRate / (1 + decayRate · t / decaySteps) */
  inverseTime,
}

const byName: Record<string, (config: never) => Schedule> = {
  Constant: ({ rate }: { rate: number }) => constant(rate),
  ExponentialDecay: exponential,
  StepDecay: step,
  PiecewiseConstantDecay: piecewiseConstant,
  PolynomialDecay: polynomial,
  CosineDecay: cosine,
  CosineDecayRestarts: cosineRestarts,
  InverseTimeDecay: inverseTime,
}

/** Whether its name and config make the same schedule again. */
export const isSavable = ({ name }: Schedule): boolean => Object.hasOwn(byName, name)

/** Whether a value is a schedule and not a plain rate. */
export const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'object' && value !== null && typeof (value as Schedule).at === 'function'

/**
 * The schedule of a rate, a schedule, or the saved form `{ name, config }`.
 * @throws TypeError for anything else, RangeError for an unknown name
 */
export function getSchedule(from: number | Schedule | { name: string; config: object }): Schedule {
  if (typeof from === 'number') return constant(from)
  if (isSchedule(from)) return from
  if (typeof from !== 'object' || from === null || typeof from.name !== 'string') {
    throw new TypeError(`getSchedule: a schedule must be a number or a schedule, got ${show(from)}`)
  }
  const make = Object.hasOwn(byName, from.name) ? byName[from.name] : undefined
  if (make) return make(from.config as never)
  throw new RangeError(
    `getSchedule: unknown schedule "${from.name}"; ${suggestion(from.name, Object.keys(byName))}`,
  )
}
