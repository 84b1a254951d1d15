import type { Recompute } from '../graph/options.ts'
import { bytesOf } from '../graph/parameter.ts'
import { blockBytes } from '../runtime/arena.ts'
import { controlBytes } from '../runtime/control.ts'
import { mustStream, residentBlocks } from './feed.ts'
import { byName, type FitData } from './fitData.ts'
import type { Internals } from './internals.ts'
import type { FitSettings } from './options.ts'
import { type Prepared, prepare } from './program.ts'
import type { Compiled, Recorded } from './record.ts'
import type { Slots } from './ring.ts'

/** Bytes that a training takes of the memory shared with the workers, by what they are for. */
export interface MemoryPlan {
  /** Weights, moving statistics and what layers keep between mini-batches. */
  readonly weights: number
  /** The optimizer's state. */
  readonly optimizer: number
  /** The copy of both that a failed epoch is undone with. */
  readonly snapshot: number
  /** What a mini-batch needs: activations and gradients. Falls with the batch size, and with `accumulate`. */
  readonly activations: number
  /** What is derived from the weights once a step, and sums of losses and metrics. */
  readonly derived: number
  /** Samples, their order and learning rates; a ring of batches with `stream`. */
  readonly data: number
  /** The same three of the validation. */
  readonly validation: number
  /** What workers have of their own, all together. */
  readonly workers: number
  readonly total: number
  /** Whether batches are streamed, and whether leaves run one after the other. */
  readonly stream: boolean
  readonly accumulate: boolean
}

export type Parts = Omit<MemoryPlan, 'total' | 'stream' | 'accumulate'>

/** What a training will take, and the steps that were recorded to know it. */
export interface FitPlan {
  readonly memory: MemoryPlan
  readonly training: Prepared
  readonly validation: Prepared | undefined
}

export const sumOf = (parts: Partial<Parts>): number =>
  Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)

/** What the model itself takes, and its copy. */
function ofModel({ state, compiled }: Internals): Pick<Parts, 'weights' | 'optimizer' | 'snapshot'> {
  const slots = [...compiled.slots.values()].flat()
  const optimizer = slots.reduce((sum, { shape, columnAxes }) => sum + bytesOf(shape, columnAxes), 0)
  const both = blockBytes(state.bytes)
  return { weights: both - optimizer, optimizer, snapshot: both }
}

/** What the plan of a step takes. */
const ofPlan = ({ plan }: Recorded, workers: number) => ({
  activations: blockBytes(plan.arenaBytes),
  derived: blockBytes(plan.runBytes),
  workers: blockBytes(plan.workerBytes * workers),
})

/** What samples take, beside those of another step that are there already. */
const ofData = ({ part, slots }: Prepared, other?: Prepared): number =>
  slots ? blockBytes(slots.bytes) : residentBlocks(byName(part.columns), other && byName(other.part.columns))

/** What a step over batches of a dataset takes; `taken` is what its training has beside. */
export function partsOfStream(
  model: Internals,
  recorded: Recorded,
  slots: Slots,
  workers: number,
  taken: number,
): Parts {
  const own = ofPlan(recorded, workers)
  const rest = { workers: own.workers + blockBytes(controlBytes(workers)), validation: taken }
  return { ...ofModel(model), ...own, data: blockBytes(slots.bytes), ...rest }
}

type Way = Pick<MemoryPlan, 'stream' | 'accumulate'>

/** Plans a training one way. */
function planWay(
  model: Internals,
  compiled: Compiled,
  { training, validation }: FitData,
  settings: FitSettings,
  workers: number,
  { stream, accumulate }: Way,
  recompute: Recompute,
): FitPlan {
  const { batchSize } = settings
  const options = { batchSize, stream, recompute }
  const trained = prepare(model, compiled, training, { ...options, mode: 'train', ordered: true, accumulate })
  const held = { ...options, mode: 'evaluate', ordered: false, accumulate: false } as const
  const validated = validation && prepare(model, compiled, validation, held)
  const own = ofPlan(trained.recorded, workers)
  const other = validated && ofPlan(validated.recorded, workers)
  const order = blockBytes(4 * training.count) + blockBytes(4 * stepsOf(training.count, settings))
  const parts = {
    ...ofModel(model),
    ...own,
    data: ofData(trained) + order,
    validation: validated ? ofData(validated, trained) + other!.activations + other!.derived : 0,
    workers: own.workers + (other?.workers ?? 0) + blockBytes(controlBytes(workers)),
  }
  return {
    memory: { ...parts, total: sumOf(parts), stream, accumulate },
    training: trained,
    validation: validated,
  }
}

/** Steps of an epoch. */
export function stepsOf(count: number, { batchSize, stepsPerEpoch }: FitSettings): number {
  const all = Math.ceil(count / batchSize)
  return Math.min(all, stepsPerEpoch ?? all)
}

/** Ways to run leaves, the first the one that is asked for. */
export function accumulations({ leaves }: Compiled, asked: boolean | null): boolean[] {
  return asked === null ? (leaves > 1 ? [false, true] : [false]) : [asked]
}

/** Ways that lead to the same bits, those that take less memory last. */
function waysOf(model: Internals, compiled: Compiled, { training }: FitData, settings: FitSettings): Way[] {
  const must = mustStream(model.engine.arena, byName(training.columns))
  const streams = settings.stream === null ? (must ? [true] : [false, true]) : [settings.stream]
  return accumulations(compiled, settings.accumulate).flatMap(accumulate =>
    streams.map(stream => ({ stream, accumulate })),
  )
}

/** Bytes that a training may take, its model included. */
export function limitOf({ engine, state }: Internals, maxMemory: number | null, held = 0): number {
  const { mostBytes, bytes } = engine.arena
  const left = mostBytes - bytes + blockBytes(state.bytes) + held
  return Math.min(left, maxMemory ?? left)
}

/** The first way that fits, undefined if none does; where there is no limit, the way that is asked for. */
function firstThatFits(
  model: Internals,
  compiled: Compiled,
  data: FitData,
  settings: FitSettings,
  workers: number,
  limit: number,
  recompute: Recompute = 'asked',
): FitPlan | undefined {
  for (const [i, way] of waysOf(model, compiled, data, settings).entries()) {
    try {
      const plan = planWay(model, compiled, data, settings, workers, way, recompute)
      if (plan.memory.total <= limit) return plan
    } catch (error) {
      // Some layers need the whole mini-batch: nothing that nobody asked for may fail.
      if (i === 0) throw error
    }
  }
  return undefined
}

/**
 * How a training runs and what it takes. Batches are streamed, and leaves run one after the other, where only that
 * fits and neither was chosen.
 * @throws RangeError where nothing fits, before anything takes memory
 */
export function planFit(model: Internals, data: FitData, settings: FitSettings, workers: number): FitPlan {
  const { compiled } = model
  const { maxMemory } = settings
  const limit = limitOf(model, maxMemory)
  const plan = firstThatFits(model, compiled, data, settings, workers, limit)
  if (plan) return plan
  const fits: Fits = (changed, leaves = compiled.leaves, recompute = 'asked') => {
    try {
      const other = { ...compiled, leaves }
      const all = { ...settings, ...changed }
      return firstThatFits(model, other, data, all, workers, limit, recompute) !== undefined
    } catch {
      return false
    }
  }
  const [way] = waysOf(model, compiled, data, settings)
  const { memory } = planWay(model, compiled, data, settings, workers, way!, 'asked')
  throw tooLarge('fit', memory, limit, maxMemory, remedies(settings, data.training.count, fits))
}

type Fits = (changed: Partial<FitSettings>, leaves?: number, recompute?: Recompute) => boolean

/** Leaves that are thought of, at most: a step has the calls of each. */
export const mostLeaves = 64

/** What each by itself would make a training fit. */
function remedies({ batchSize, stream, accumulate }: FitSettings, count: number, fits: Fits): string[] {
  const rows = Math.min(batchSize, count)
  const found: string[] = []
  if (stream === false && fits({ stream: null })) found.push('leave stream: false out')
  if (accumulate === false && fits({ accumulate: null })) found.push('leave accumulate: false out')
  let leaves = 2
  const most = Math.min(rows, mostLeaves)
  while (leaves <= most && !fits({ accumulate: true }, leaves)) leaves *= 2
  if (leaves <= most) found.push(`compile with leaves: ${leaves} and set accumulate: true`)
  let smaller = rows >> 1
  while (smaller > 0 && !fits({ batchSize: smaller })) smaller >>= 1
  if (smaller > 0) found.push(`lower batchSize to ${smaller}`)
  if (fits({}, undefined, 'models')) found.push('set recompute: true in the models that are layers')
  return found
}

export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 3 : 1)

/** A step over samples in memory, without a training around it. */
interface Step {
  readonly where: string
  /** What is to fit: `evaluation`. */
  readonly what: string
  readonly workers: number
  /** Samples of a mini-batch. */
  readonly rows: number
  record(rows: number): Recorded
  /** Bytes of samples and results. */
  dataBytes(rows: number): number
  /** What to do, if so few samples in a mini-batch would fit; undefined if none would. */
  advice(rows: number | undefined): string
}

/** Records a step. @throws RangeError where it does not fit into memory, before it takes any */
export function recordFitting(model: Internals, step: Step): Recorded {
  const { where, what, rows, workers } = step
  const limit = limitOf(model, null)
  const partsOf = (recorded: Recorded, count: number): Parts => ({
    ...{ weights: blockBytes(model.state.bytes), optimizer: 0, snapshot: 0, validation: 0 },
    ...{ ...ofPlan(recorded, workers), data: step.dataBytes(count) },
  })
  const recorded = step.record(rows)
  const parts = partsOf(recorded, rows)
  if (sumOf(parts) <= limit) return recorded
  let smaller = rows >> 1
  while (smaller > 0 && sumOf(partsOf(step.record(smaller), smaller)) > limit) smaller >>= 1
  throw tooLarge(where, parts, limit, null, [step.advice(smaller || undefined)], what)
}

/** `limit` as it is, which is less than `maxMemory` where others have taken memory. */
export function tooLarge(
  where: string,
  { weights, optimizer, snapshot, activations, derived, data, validation, workers }: Parts,
  limit: number,
  maxMemory: number | null,
  remedies: readonly string[],
  what = 'training',
): RangeError {
  const parts = { weights, optimizer, snapshot, activations, derived, data, validation, workers }
  const sum = Object.entries(parts)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${mebibytes(bytes)} ${name}`)
    .join(' + ')
  const of = limit === maxMemory ? 'of maxMemory' : 'that are left'
  const advice = remedies.length > 0 ? remedies.join(', or ') : 'use a smaller model, or dispose of others'
  return new RangeError(
    `${where}: ${what} must fit into the ${mebibytes(limit)} MiB ${of}, got ${mebibytes(sumOf(parts))} MiB: ${sum}; ${advice}`,
  )
}
