import { type Rows, toRows } from '../data/inputs.ts'
import { show } from '../errors.ts'
import { checkLabels, weightsOf } from './feed.ts'
import type { Internals } from './internals.ts'
import type { FitSettings } from './options.ts'

/** Samples with targets and perhaps weights, of which `count` from `start` on are used. */
export interface Part {
  readonly rows: { readonly x: Rows; readonly y: Rows; readonly weight?: Rows }
  readonly start: number
  readonly count: number
}

/** What one `fit` trains on and validates with. */
export interface FitData {
  readonly training: Part
  readonly validation: Part | undefined
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

/** Checks all that `fit` was given, before anything is copied or changed. */
export function checkFitData(model: Internals, x: unknown, y: unknown, settings: FitSettings): FitData {
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
  const given = own && Float32Array.from(own.values)
  const weights = weightsOf('fit', pair.y, model.compiled.loss, given, settings.classWeight ?? undefined)
  const rows = weights ? { ...pair, weight: { values: weights, scale: 1, count, shape: [] } } : pair
  const training = { rows, start: 0, count: kept }
  if (other) return { training, validation: { rows: other, start: 0, count: other.x.count } }
  return { training, validation: kept < count ? { rows: pair, start: kept, count: count - kept } : undefined }
}
