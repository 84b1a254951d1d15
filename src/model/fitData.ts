import { type Rows, toRows } from '../data/inputs.ts'
import { show } from '../errors.ts'
import { checkLabels, makeResident, type Resident, weightsOf } from './feed.ts'
import type { Internals } from './internals.ts'
import type { FitSettings } from './options.ts'
import type { Sources } from './record.ts'

/** Samples with targets, in the shared memory. */
export interface ResidentPairs {
  readonly x: Resident
  readonly y: Resident
  /** First sample and number of samples that count. */
  readonly start: number
  readonly count: number
}

/** What one `fit` trains on and validates with. */
export interface FitData {
  readonly training: ResidentPairs
  readonly weight: Resident | undefined
  readonly validation: ResidentPairs | undefined
  free(): void
}

interface Pair {
  x: Rows
  y: Rows
}

/** Checks a pair of samples and targets against the model. */
export function checkPair(
  where: string,
  names: readonly [string, string],
  model: Internals,
  x: unknown,
  y: unknown,
): Pair {
  const { loss } = model.compiled
  const xs = toRows(where, names[0], x, model.inputShape)
  const targetShape = loss.targetShape(model.outputShape)
  const ys = toTargets(where, names[1], y, targetShape)
  if (xs.count !== ys.count) {
    throw new RangeError(
      `${where}: ${names[0]} and ${names[1]} must have the same number of samples, got ${xs.count} and ${ys.count}; correct one`,
    )
  }
  checkLabels(where, names[1], ys, loss, model.outputShape.at(-1)!)
  return { x: xs, y: ys }
}

/** Targets of one number a sample may come as [n] or as [n, 1]. */
function toTargets(where: string, name: string, y: unknown, shape: readonly number[]): Rows {
  const given = (y as { shape?: readonly number[] } | null)?.shape
  const flat = shape.length === 1 && shape[0] === 1 && isFlat(y, given)
  return toRows(where, name, y, flat ? [] : shape)
}

function isFlat(y: unknown, shape: readonly number[] | undefined): boolean {
  if (shape) return shape.length === 1
  return ArrayBuffer.isView(y) || (Array.isArray(y) && typeof y[0] === 'number')
}

/** Copies what `fit` was given into the shared memory; all of it is checked before anything is copied. */
export function loadFitData(model: Internals, x: unknown, y: unknown, settings: FitSettings): FitData {
  const { arena } = model.engine
  const pair = checkPair('fit', ['x', 'y'], model, x, y)
  const held = settings.validationData
  const other = held
    ? checkPair('fit', ['validationData[0]', 'validationData[1]'], model, held[0], held[1])
    : undefined
  const { count } = pair.x
  const kept = other ? count : Math.floor(count * (1 - settings.validationSplit))
  if (kept === 0) {
    throw new RangeError(
      `fit: validationSplit must leave a sample to train on, got ${show(settings.validationSplit)} of ${count}; lower it`,
    )
  }
  const own =
    settings.sampleWeight === null ? undefined : toRows('fit', 'sampleWeight', settings.sampleWeight, [])
  const weights = weightsOf(
    'fit',
    pair.y,
    model.compiled.loss,
    own && Float32Array.from(own.values),
    settings.classWeight ?? undefined,
  )
  const resident: Resident[] = []
  const load = (rows: Rows, what: string): Resident => {
    const made = makeResident(arena, rows, what)
    resident.push(made)
    return made
  }
  const free = () => {
    for (const { block } of resident.splice(0)) arena.free(block)
  }
  try {
    const pairs = { x: load(pair.x, 'x'), y: load(pair.y, 'y') }
    const weight =
      weights && load({ values: weights, scale: 1, count, shape: [] }, 'the weights of the samples')
    const validation = other
      ? {
          x: load(other.x, 'validationData'),
          y: load(other.y, 'validationData'),
          start: 0,
          count: other.x.count,
        }
      : kept < count
        ? { ...pairs, start: kept, count: count - kept }
        : undefined
    return { training: { ...pairs, start: 0, count: kept }, weight, validation, free }
  } catch (error) {
    free()
    throw error
  }
}

export function sourcesOf({ x, y }: ResidentPairs, weighted: boolean, ordered: boolean): Sources {
  return { x: x.kind, y: y.kind, weighted, ordered }
}
