import { finiteNumber, inRange, show, withDefaults } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { each, slices, update, type Value } from '../graph/value.ts'
import { isSchedule, type Schedule } from './schedules.ts'
import { averageSlot, Upkeep, type UpkeepOptions, upkeepKeys } from './upkeep.ts'

/** A parameter, its gradient and the optimizer's state arrays for it (in the order of `slots`). */
export interface Update {
  readonly w: Value
  readonly dw: Value
  readonly slots: readonly Value[]
  /** As the parameter's. */
  readonly columnAxes?: number | undefined
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

/** Options of every optimizer. */
export type SharedOptions = ClipOptions & UpkeepOptions

/** Learning rate: a number, or a schedule over the updates made. */
export type LearningRate = number | Schedule

/** An update with the address of its learning rate and its weight decay. */
export interface RatedUpdate extends Update {
  readonly rate: Value
  readonly decay: number
}

/**
 * How an optimizer's kernel is called; `correction` is the address of what its correction kernel makes of the
 * step and of `betas`, where they are given.
 */
type Record = (g: Graph, cut: ReturnType<typeof slices>, update: RatedUpdate, correction: Value) => void

interface Recipe {
  readonly className: string
  /** Names and initial values of the state arrays. */
  readonly slots: readonly { name: string; initial: number }[]
  readonly betas?: readonly [number, number]
  /** [1 − beta1ᵗ, 1 − beta2ᵗ] if left out. */
  readonly correction?: 'nadamCorrection'
  /** Whether `record` decays the weights itself. */
  readonly decays?: boolean
  /** Whether a user defined it. */
  readonly isOwn?: boolean
  readonly record: Record
}

/** A rule for updating parameters from their averaged gradients. */
export class Optimizer {
  readonly className: string
  readonly config: Readonly<globalThis.Record<string, unknown>>
  readonly clip: Readonly<ClipOptions>
  readonly upkeep: Upkeep
  readonly slots: Recipe['slots']
  readonly schedule: Schedule | undefined
  /** Updates made so far. */
  iterations = 0
  /** Rates by updates made, in place of its own: for a range test. */
  rateInstead: ((iterations: number) => number) | undefined
  private rate: number
  private readonly recipe: Recipe

  constructor(rate: LearningRate, clip: ClipOptions, upkeep: Upkeep, config: object, recipe: Recipe) {
    this.className = recipe.className
    this.schedule = typeof rate === 'number' ? undefined : rate
    this.rate = typeof rate === 'number' ? rate : rate.at(0)
    this.clip = clip
    this.upkeep = upkeep
    this.config = { ...config }
    this.slots = upkeep.averages ? [...recipe.slots, { name: averageSlot, initial: 0 }] : recipe.slots
    this.recipe = recipe
  }

  /** Whether a user defined it: files cannot name it. */
  get isOwn(): boolean {
    return this.recipe.isOwn ?? false
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
    if (this.rateInstead) return this.rateInstead(iterations)
    return this.schedule ? this.schedule.at(iterations) : this.rate
  }

  /** Records clipping, one fused update kernel a parameter, and what is done beside it. */
  record(g: Graph, updates: readonly Update[]): void {
    this.recordClipping(g, updates)
    const correction = g.allocate('worker', 'correction', [4], 16)
    const { betas, correction: kernel = 'adamCorrection' } = this.recipe
    if (betas) g.call(kernel, each, update(correction), g.cells.step, ...betas)
    for (const one of updates) this.recordUpdate(g, one, correction)
  }

  private recordUpdate(g: Graph, one: Update, correction: Value): void {
    const { upkeep, recipe } = this
    const { w, slots } = one
    const cut = slices(w.storage.bytes / 64)
    const rate = upkeep.rateOf(g, w.storage.label)
    const decay = upkeep.decayOf(w.storage.label)
    if (decay > 0 && !recipe.decays) g.update('decayWeights', cut, update(w), rate, decay)
    recipe.record(g, cut, { ...one, rate, decay }, correction)
    if (upkeep.averages) upkeep.recordAverage(g, w, slots.at(-1)!)
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

/** Separates rate, clipping and upkeep from an optimizer's own options, which are checked against its defaults. */
export function build<T extends Readonly<{ learningRate: LearningRate }>>(
  where: string,
  defaults: T,
  given: Partial<T> & SharedOptions,
  recipe: (config: T) => Omit<Recipe, 'className'>,
): Optimizer {
  const clip: ClipOptions = {}
  const own: globalThis.Record<string, unknown> = {}
  const shared: globalThis.Record<string, unknown> = {}
  const isUpkeep = (key: string) => (upkeepKeys as readonly string[]).includes(key)
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue
    if ((clipKeys as readonly string[]).includes(key)) {
      clip[key as keyof ClipOptions] = inRange(where, key, value, '(0, Infinity)')
    } else if (isUpkeep(key) && !(key in defaults)) shared[key] = value
    else own[key] = value
  }
  const config = withDefaults<globalThis.Record<string, unknown>>(where, defaults, own) as unknown as T
  for (const [key, value] of Object.entries(config)) {
    if (typeof defaults[key as keyof T] === 'boolean' && typeof value !== 'boolean')
      throw new TypeError(`${where}: ${key} must be true or false, got ${show(value)}; correct it`)
    if (typeof defaults[key as keyof T] !== 'number' || (key === 'learningRate' && isSchedule(value)))
      continue
    finiteNumber(where, key, value)
    inRange(where, key, value, key === 'epsilon' ? '(0, Infinity)' : '[0, Infinity)')
    if (isUpkeep(key)) shared[key] = value
  }
  const parts = { className: where, ...recipe(config) }
  return new Optimizer(config.learningRate, clip, new Upkeep(where, shared), { ...config, ...shared }, parts)
}

/**
 * TF.js takes positional arguments; an object with the same names is taken too, and is where clipping is
 * said.
 */
export function optionsOf<T extends object>(first: LearningRate | T | undefined, rest: T): T {
  const object = typeof first === 'object' && first !== null && !isSchedule(first)
  const given = object ? { ...first, ...rest } : { ...rest, learningRate: first }
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as T
}

/** Leaves out what was not given. */
export function omitUndefined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
