import { type Input, type Rows, toRows } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { isPlainObject, show, suggestion } from '../errors.ts'
import { checkCount } from './batchSizes.ts'
import { checkLabels, type RowsByName, weightsOf } from './feed.ts'
import type { Internals } from './internals.ts'
import type { FitSettings } from './options.ts'
import type { TrainedOutput } from './record.ts'

/** Data of one input or output; of several, as a list in their order or by their names. */
export type Inputs = Input | readonly Input[] | Readonly<Record<string, Input>>

/** Samples: one each of the inputs, and of the outputs that are trained targets and perhaps weights. */
export interface Columns {
  readonly x: readonly Rows[]
  readonly y: readonly Rows[]
  readonly weight: readonly (Rows | undefined)[]
}

/** Samples of which `count` from `start` on are used. */
export interface Part {
  readonly columns: Columns
  readonly start: number
  readonly count: number
}

/** What one `fit` trains on and validates with. */
export interface FitData {
  readonly training: Part
  readonly validation: Part | undefined
}

/** Columns by the names that plans know them by. */
export function byName({ x, y, weight }: Columns): RowsByName {
  const named = (prefix: string, columns: readonly (Rows | undefined)[]) =>
    columns.flatMap((rows, i) => (rows ? [[`${prefix}${i}`, rows] as const] : []))
  return Object.fromEntries([...named('x', x), ...named('y', y), ...named('weight', weight)])
}

interface Named {
  /** What messages call it. */
  readonly what: string
  readonly value: unknown
}

const hasShape = (value: unknown): boolean => {
  return value instanceof Tensor || Array.isArray((value as { shape?: unknown } | null)?.shape)
}

const isByName = (value: unknown): value is Record<string, unknown> =>
  isPlainObject(value) && !hasShape(value)

/** One piece of data for each name. @throws TypeError or RangeError if their names or number differ */
function spread(where: string, what: string, given: unknown, names: readonly string[]): Named[] {
  if (isByName(given)) return spreadByName(where, what, given, names)
  if (names.length === 1) {
    const alone = Array.isArray(given) && given.length === 1 && hasShape(given[0])
    return [{ what, value: alone ? given[0] : given }]
  }
  const hint = `give a list of ${names.length}, or an object with ${names.join(', ')}`
  if (!Array.isArray(given))
    throw new TypeError(`${where}: ${what} must be several, got ${show(given)}; ${hint}`)
  if (given.length !== names.length)
    throw new RangeError(`${where}: ${what} must be ${names.length}, got ${given.length}; ${hint}`)
  return given.map((value, i) => ({ what: `${what}.${names[i]}`, value }))
}

function spreadByName(
  where: string,
  what: string,
  given: Record<string, unknown>,
  names: readonly string[],
): Named[] {
  for (const key of Object.keys(given)) {
    if (!names.includes(key))
      throw new RangeError(
        `${where}: ${what} must be named as in the model, got "${key}"; ${suggestion(key, names)}`,
      )
  }
  return names.map(name => {
    if (given[name] === undefined)
      throw new RangeError(
        `${where}: ${what} must have "${name}", got ${Object.keys(given).join(', ')}; add it`,
      )
    return { what: names.length === 1 ? what : `${what}.${name}`, value: given[name] }
  })
}

/** Checks samples against the model's inputs. */
export function checkInputs(where: string, what: string, model: Internals, x: unknown): Rows[] {
  const columns = spread(where, what, x, model.inputNames).map(({ what, value }, i) => {
    return { what, rows: toRows(where, what, value, model.inputShapes[i]!) }
  })
  checkCounts(where, columns)
  checkCount(where, what, model, columns[0]!.rows.count)
  return columns.map(({ rows }) => rows)
}

function checkCounts(where: string, columns: readonly { what: string; rows: Rows }[]): void {
  const [first, ...others] = columns
  for (const { what, rows } of others) {
    if (rows.count === first!.rows.count) continue
    const counts = `${first!.rows.count} and ${rows.count}`
    throw new RangeError(
      `${where}: ${first!.what} and ${what} must have the same number of samples, got ${counts}; correct one`,
    )
  }
}

/** Checks samples and targets against the model. */
export function checkColumns(
  where: string,
  names: readonly [string, string],
  model: Internals,
  x: unknown,
  y: unknown,
): Columns {
  const xs = checkInputs(where, names[0], model, x)
  const { outputs } = model.compiled
  const predictions = model.outputShapesFor(xs.map(({ shape }) => shape))
  const targets = spread(
    where,
    names[1],
    y,
    outputs.map(({ name }) => name),
  )
  const ys = targets.map(({ what, value }, i) => {
    const { loss, index } = outputs[i]!
    const prediction = predictions[index]!
    const rows = toTargets(where, what, value, loss.targetShape(prediction))
    checkCounts(where, [
      { what: names[0], rows: xs[0]! },
      { what, rows },
    ])
    checkLabels(where, what, rows, loss, prediction.at(-1)!)
    return rows
  })
  return { x: xs, y: ys, weight: [] }
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

/** What is given for each output, or undefined: alone for a single one, else as a list or by name. */
function perOutput(
  where: string,
  what: string,
  given: unknown,
  outputs: readonly TrainedOutput[],
): unknown[] {
  if (given === null || given === undefined) return outputs.map(() => undefined)
  if (outputs.length === 1) return [given]
  if (Array.isArray(given) && given.length === outputs.length) return given
  const names = outputs.map(({ name }) => name)
  if (isByName(given) && Object.keys(given).every(key => names.includes(key)))
    return names.map(name => given[name])
  const hint = `give a list of ${names.length}, or an object with ${names.join(', ')}`
  throw new TypeError(`${where}: ${what} must be given for each output, got ${show(given)}; ${hint}`)
}

/** Samples with one weight each, for every output that has weights of samples or of classes. */
export function weighted(
  where: string,
  model: Internals,
  columns: Columns,
  { sampleWeight, classWeight }: { sampleWeight?: unknown; classWeight?: unknown },
): Columns {
  const { outputs } = model.compiled
  const own = perOutput(where, 'sampleWeight', sampleWeight, outputs)
  const classes = perOutput(where, 'classWeight', classWeight, outputs)
  const weight = outputs.map(({ loss }, i): Rows | undefined => {
    const y = columns.y[i]!
    const rows =
      own[i] === undefined || own[i] === null ? undefined : toRows(where, 'sampleWeight', own[i], [])
    const given = rows && Float32Array.from(rows.values)
    const byClass = (classes[i] ?? undefined) as Readonly<Record<number, number>> | undefined
    const values = weightsOf(where, y, loss, given, byClass)
    return values && { values, scale: 1, count: y.count, shape: [] }
  })
  return { ...columns, weight }
}

/** Checks all that `fit` was given, before anything is copied or changed. */
export function checkFitData(model: Internals, x: unknown, y: unknown, settings: FitSettings): FitData {
  const columns = checkColumns('fit', ['x', 'y'], model, x, y)
  const held = settings.validationData
  const other = held
    ? checkColumns('fit', ['validationData[0]', 'validationData[1]'], model, held[0], held[1])
    : undefined
  const { count } = columns.x[0]!
  const kept = other ? count : Math.floor(count * (1 - settings.validationSplit))
  if (kept === 0) {
    throw new RangeError(
      `fit: validationSplit must leave a sample to train on, got ${show(settings.validationSplit)} of ${count}; lower it`,
    )
  }
  checkCount('fit', 'the part that validationSplit leaves', model, kept)
  const training = { columns: weighted('fit', model, columns, settings), start: 0, count: kept }
  if (other) return { training, validation: { columns: other, start: 0, count: other.x[0]!.count } }
  const rest = { columns, start: kept, count: count - kept }
  return { training, validation: kept < count ? rest : undefined }
}
