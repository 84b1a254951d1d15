import { finiteNumber, inRange, show, suggestion, withDefaults } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { each, slices, update, type Value } from '../graph/value.ts'
import type { Schedule } from './schedules.ts'

/** A parameter, its gradient and the optimizer's state arrays for it (in the order of `slots`). */
export interface Update {
  readonly w: Value
  readonly dw: Value
  readonly slots: readonly Value[]
}

/** Limits on gradients, applied before the update in this order. */
export interface ClipOptions {
  /** Largest absolute value of an element. */
  clipValue?: number
  /** Largest Euclidean norm of one parameter's gradient. */
  clipNorm?: number
  /** Largest Euclidean norm of all gradients together. */
  globalClipNorm?: number
}

/** Learning rate: a number, or a schedule over the updates made. */
export type LearningRate = number | Schedule

/** How an optimizer's kernel is called; `correction` is the address of [1 − beta1ᵗ, 1 − beta2ᵗ] where `betas` are given. */
type Record = (g: Graph, cut: ReturnType<typeof slices>, update: Update, correction: Value) => void

interface Recipe {
  readonly className: string
  /** Names and initial values of the state arrays. */
  readonly slots: readonly { name: string; initial: number }[]
  readonly betas?: readonly [number, number]
  readonly record: Record
}

/** A rule for updating parameters from their averaged gradients. */
export class Optimizer {
  readonly className: string
  readonly config: Readonly<globalThis.Record<string, unknown>>
  readonly clip: Readonly<ClipOptions>
  readonly slots: Recipe['slots']
  readonly schedule: Schedule | undefined
  /** Updates made so far. */
  iterations = 0
  private rate: number
  private readonly recipe: Recipe

  constructor(rate: LearningRate, clip: ClipOptions, config: object, recipe: Recipe) {
    this.className = recipe.className
    this.schedule = typeof rate === 'number' ? undefined : rate
    this.rate = typeof rate === 'number' ? rate : rate.at(0)
    this.clip = clip
    this.config = { ...config }
    this.slots = recipe.slots
    this.recipe = recipe
  }

  /** Rate of the next update. Setting it ends nothing but a constant rate: a schedule cannot be set. */
  get learningRate(): number {
    return this.rateAt(this.iterations)
  }

  set learningRate(rate: number) {
    if (this.schedule) {
      throw new Error(
        `${this.className}: learningRate follows a schedule, so it cannot be set; give a number instead of a schedule`,
      )
    }
    this.rate = inRange(this.className, 'learningRate', rate, '[0, Infinity)')
  }

  /** Rate of the update after `iterations` updates. */
  rateAt(iterations: number): number {
    return this.schedule ? this.schedule.at(iterations) : this.rate
  }

  /** Records clipping and one fused update kernel a parameter. */
  record(g: Graph, updates: readonly Update[]): void {
    this.recordClipping(g, updates)
    const correction = g.allocate('worker', 'correction', [2], 8)
    const { betas, record } = this.recipe
    if (betas) g.call('adamCorrection', each, update(correction), g.cells.step, ...betas)
    for (const each of updates) record(g, slices(each.w.storage.bytes / 64), each, correction)
  }

  private recordClipping(g: Graph, updates: readonly Update[]): void {
    const { clipValue, clipNorm, globalClipNorm } = this.clip
    if (clipValue !== undefined) {
      for (const { dw } of updates) g.call('clipValue', slices(dw.storage.bytes / 64), update(dw), clipValue)
    }
    if (clipNorm !== undefined) for (const one of updates) recordNormClip(g, [one], clipNorm)
    if (globalClipNorm !== undefined) recordNormClip(g, updates, globalClipNorm)
  }
}

/** Units of 16 floats a chunk of the norm's sum; must be the kernel's. */
export const normChunkUnits = 64

/** Scales gradients so that their common Euclidean norm is at most `limit`. */
function recordNormClip(g: Graph, updates: readonly Update[], limit: number): void {
  const chunksOf = (dw: Value) => Math.ceil(dw.storage.bytes / 64 / normChunkUnits)
  const total = updates.reduce((sum, { dw }) => sum + chunksOf(dw), 0)
  const partials = g.allocate('shared', 'squared norms', [total], 8 * total)
  let first = 0
  for (const { dw } of updates) {
    g.call('squaredNorm', slices(chunksOf(dw)), dw, update(partials), dw.storage.bytes / 64, first)
    first += chunksOf(dw)
  }
  for (const { dw } of updates)
    g.call('clipNorm', slices(dw.storage.bytes / 64), update(dw), partials, total, limit)
}

const clipKeys = ['clipValue', 'clipNorm', 'globalClipNorm'] as const

/** Separates rate and clipping from an optimizer's own options, which are checked against its defaults. */
function build<T extends Readonly<{ learningRate: LearningRate }>>(
  where: string,
  defaults: T,
  given: Partial<T> & ClipOptions,
  recipe: (config: T) => Omit<Recipe, 'className'>,
): Optimizer {
  const clip: ClipOptions = {}
  const own: globalThis.Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue
    if ((clipKeys as readonly string[]).includes(key)) {
      clip[key as keyof ClipOptions] = inRange(where, key, value, '(0, Infinity)')
    } else own[key] = value
  }
  const config = withDefaults<globalThis.Record<string, unknown>>(where, defaults, own) as unknown as T
  for (const [key, value] of Object.entries(config)) {
    if (typeof defaults[key as keyof T] !== 'number' || (key === 'learningRate' && isSchedule(value)))
      continue
    finiteNumber(where, key, value)
    inRange(where, key, value, key === 'epsilon' ? '(0, Infinity)' : '[0, Infinity)')
  }
  return new Optimizer(config.learningRate, clip, config, { className: where, ...recipe(config) })
}

const isSchedule = (value: unknown): value is Schedule => {
  return typeof value === 'object' && value !== null && typeof (value as Schedule).at === 'function'
}

/** TF.js takes positional arguments; an object with the same names is taken too, and is where clipping is said. */
function optionsOf<T extends object>(first: LearningRate | T | undefined, rest: T): T {
  const object = typeof first === 'object' && first !== null && !isSchedule(first)
  const given = object ? { ...first, ...rest } : { ...rest, learningRate: first }
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as T
}

const slot = (name: string, initial = 0) => ({ name, initial })

/** w ← w − rate·dw */
function sgd(learningRate: LearningRate | (ClipOptions & { learningRate?: LearningRate }) = 0.01): Optimizer {
  return build('SGD', { learningRate: 0.01 as LearningRate }, optionsOf(learningRate, {}), () => ({
    slots: [],
    record: (g, cut, { w, dw }) => g.update('sgd', cut, update(w), dw, g.cells.rate),
  }))
}

const momentumDefaults = { learningRate: 0.01 as LearningRate, momentum: 0.9, useNesterov: false }
type MomentumOptions = Partial<typeof momentumDefaults> & ClipOptions

/** v ← momentum·v + dw; w ← w − rate·v (with Nesterov: w − rate·(dw + momentum·v)). Source: Sutskever et al. (2013). */
function momentum(
  learningRate: LearningRate | MomentumOptions,
  momentum?: number,
  useNesterov?: boolean,
): Optimizer {
  const given = optionsOf<MomentumOptions>(learningRate, omitUndefined({ momentum, useNesterov }))
  return build('Momentum', momentumDefaults, given, ({ momentum, useNesterov }) => ({
    slots: [slot('momentum')],
    record: (g, cut, { w, dw, slots: [v] }) => {
      g.update('momentum', cut, update(w), dw, update(v!), g.cells.rate, momentum, useNesterov ? 1 : 0)
    },
  }))
}

function omitUndefined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

const rmspropDefaults = {
  learningRate: 0.001 as LearningRate,
  decay: 0.9,
  momentum: 0,
  epsilon: 1e-7,
  centered: false,
}
type RmspropOptions = Partial<typeof rmspropDefaults> & ClipOptions

/** Divides by a running root mean square of gradients. Source: Hinton, lecture 6e (2012); centered: Graves (2013), eq. 38–45. */
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
    record: (g, cut, { w, dw, slots: [square, moment, mean] }) => {
      const averages = [update(square!), update(moment!), mean ? update(mean) : 0] as const
      g.update('rmsprop', cut, update(w), dw, ...averages, g.cells.rate, decay, momentum, epsilon)
    },
  }))
}

const adagradDefaults = { learningRate: 0.001 as LearningRate, initialAccumulatorValue: 0.1, epsilon: 1e-7 }
type AdagradOptions = Partial<typeof adagradDefaults> & ClipOptions

/** a ← a + dw²; w ← w − rate·dw / √(a + epsilon). Source: Duchi, Hazan & Singer, JMLR 12 (2011). */
function adagrad(learningRate: LearningRate | AdagradOptions, initialAccumulatorValue?: number): Optimizer {
  const given = optionsOf<AdagradOptions>(learningRate, omitUndefined({ initialAccumulatorValue }))
  return build('Adagrad', adagradDefaults, given, ({ initialAccumulatorValue, epsilon }) => ({
    slots: [slot('accumulator', initialAccumulatorValue)],
    record: (g, cut, { w, dw, slots: [a] }) =>
      g.update('adagrad', cut, update(w), dw, update(a!), g.cells.rate, epsilon),
  }))
}

const adadeltaDefaults = { learningRate: 0.001 as LearningRate, rho: 0.95, epsilon: 1e-7 }
type AdadeltaOptions = Partial<typeof adadeltaDefaults> & ClipOptions

/** Scales gradients by the ratio of running root mean squares of updates and gradients. Source: Zeiler (2012), algorithm 1. */
function adadelta(learningRate?: LearningRate | AdadeltaOptions, rho?: number, epsilon?: number): Optimizer {
  const given = optionsOf<AdadeltaOptions>(learningRate, omitUndefined({ rho, epsilon }))
  return build('Adadelta', adadeltaDefaults, given, ({ rho, epsilon }) => ({
    slots: [slot('accumulatedGrad'), slot('accumulatedUpdate')],
    record: (g, cut, { w, dw, slots: [a, b] }) => {
      g.update('adadelta', cut, update(w), dw, update(a!), update(b!), g.cells.rate, rho, epsilon)
    },
  }))
}

const adamDefaults = { learningRate: 0.001 as LearningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }
type AdamOptions = Partial<typeof adamDefaults> & ClipOptions

/** Running mean m and mean square v of the gradient, both corrected for their start. Source: Kingma & Ba (2015), algorithm 1. */
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
    record: (g, cut, { w, dw, slots: [m, v] }, correction) => {
      g.update(
        'adam',
        cut,
        update(w),
        dw,
        update(m!),
        update(v!),
        g.cells.rate,
        correction,
        beta1,
        beta2,
        epsilon,
      )
    },
  }))
}

const adamaxDefaults = { ...adamDefaults, learningRate: 0.002 as LearningRate }

/** Adam with a running maximum in place of the mean square. Source: Kingma & Ba (2015), algorithm 2. */
function adamax(
  learningRate?: LearningRate | AdamOptions,
  beta1?: number,
  beta2?: number,
  epsilon?: number,
): Optimizer {
  const given = optionsOf<AdamOptions>(learningRate, omitUndefined({ beta1, beta2, epsilon }))
  return build('Adamax', adamaxDefaults, given, ({ beta1, beta2, epsilon }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    record: (g, cut, { w, dw, slots: [m, u] }, correction) => {
      g.update(
        'adamax',
        cut,
        update(w),
        dw,
        update(m!),
        update(u!),
        g.cells.rate,
        correction,
        beta1,
        beta2,
        epsilon,
      )
    },
  }))
}

const adamwDefaults = { ...adamDefaults, weightDecay: 0.004 }
type AdamwOptions = Partial<typeof adamwDefaults> & ClipOptions

/** Adam after w ← w − rate·weightDecay·w. Source: Loshchilov & Hutter (2019), algorithm 2. */
function adamw(learningRate?: LearningRate | AdamwOptions, weightDecay?: number): Optimizer {
  const given = optionsOf<AdamwOptions>(learningRate, omitUndefined({ weightDecay }))
  return build('AdamW', adamwDefaults, given, ({ beta1, beta2, epsilon, weightDecay }) => ({
    slots: [slot('m'), slot('v')],
    betas: [beta1, beta2],
    record: (g, cut, { w, dw, slots: [m, v] }, correction) => {
      const moments = [update(m!), update(v!)] as const
      g.update(
        'adamw',
        cut,
        update(w),
        dw,
        ...moments,
        g.cells.rate,
        correction,
        beta1,
        beta2,
        epsilon,
        weightDecay,
      )
    },
  }))
}

/** Optimizers, under TensorFlow.js' names and with its positional arguments; or one object of options, clipping included. */
export const train = { sgd, momentum, rmsprop, adagrad, adadelta, adam, adamax, adamw }

export type OptimizerName = keyof typeof train

/** @throws TypeError for something that is no optimizer, RangeError for an unknown name. */
export function getOptimizer(identifier: OptimizerName | Optimizer): Optimizer {
  if (identifier instanceof Optimizer) return identifier
  if (typeof identifier !== 'string') {
    throw new TypeError(
      `compile: optimizer must be a name or an optimizer, got ${show(identifier)}; try 'adam'`,
    )
  }
  if (Object.hasOwn(train, identifier))
    return identifier === 'momentum' ? momentum(0.01) : train[identifier as 'sgd']()
  const guess = suggestion(identifier, Object.keys(train))
  throw new RangeError(`compile: optimizer must be a known name, got "${identifier}"; ${guess}`)
}
