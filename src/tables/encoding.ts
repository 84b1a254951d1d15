import { show } from '../errors.ts'
import type { Column } from './columns.ts'

/** How a column becomes inputs of the network; all of it was computed from the training part. */
export type Encoding =
  | {
      readonly name: string
      readonly type: 'number'
      readonly mean: number
      readonly deviation: number
      /** Whether one input more tells that there is no value. */
      readonly indicator: boolean
    }
  | { readonly name: string; readonly type: 'boolean'; readonly indicator: boolean }
  | {
      readonly name: string
      readonly type: 'category'
      /** One input each. */
      readonly words: readonly string[]
      /** Whether rarer words share one input, and those never seen. */
      readonly other: boolean
      readonly indicator: boolean
    }
  | {
      readonly name: string
      readonly type: 'date'
      /** Of the time itself, in days since 1970; none in a split by time, where all later times are new. */
      readonly trend: { readonly mean: number; readonly deviation: number } | null
      /** Whether there are times of day. */
      readonly hours: boolean
      readonly indicator: boolean
    }

/** Words that get an input of their own. */
const mostWords = 64
/** Standardised values are cut here: one slip of the pen must not undo a training. */
export const clip = 10
const dayMs = 86_400_000

export function widthOf(encoding: Encoding): number {
  const indicator = encoding.indicator ? 1 : 0
  switch (encoding.type) {
    case 'category':
      return encoding.words.length + (encoding.other ? 1 : 0) + indicator
    case 'date':
      return (encoding.trend ? 1 : 0) + 4 + (encoding.hours ? 2 : 0) + indicator
    default:
      return 1 + indicator
  }
}

/** Mean and deviation of the numbers there are; of none 0 and 1. */
export function momentsOf(values: ArrayLike<number>, rows: Uint32Array): { mean: number; deviation: number } {
  let [count, mean, squares] = [0, 0, 0]
  for (const row of rows) {
    const value = values[row]!
    if (Number.isNaN(value)) continue
    // Source: B. Welford (1962).
    const delta = value - mean
    mean += delta / ++count
    squares += delta * (value - mean)
  }
  const deviation = count > 0 ? Math.sqrt(squares / count) : 0
  return { mean, deviation: deviation > 1e-12 * Math.abs(mean) && deviation > 0 ? deviation : 1 }
}

function wordsOf(column: Column, rows: Uint32Array): { words: string[]; other: boolean } {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const word = column.word(row)
    if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word)
  return { words: byCount.slice(0, mostWords), other: byCount.length > mostWords }
}

/** The encoding of a column, from the training rows alone. */
export function fitEncoding(column: Column, rows: Uint32Array, trend: boolean): Encoding {
  const { name, type, values } = column
  const indicator = rows.some(row => Number.isNaN(values[row]!))
  if (type === 'number') return { name, type, ...momentsOf(values, rows), indicator }
  if (type === 'boolean') return { name, type, indicator }
  if (type === 'category') return { name, type, ...wordsOf(column, rows), indicator }
  const days = trend
    ? momentsOf(
        values.map(ms => ms / dayMs),
        rows,
      )
    : null
  const hours = rows.some(row => values[row]! % dayMs !== 0 && !Number.isNaN(values[row]!))
  return { name, type: 'date', trend: days, hours, indicator }
}

const standardised = (value: number, { mean, deviation }: { mean: number; deviation: number }) =>
  Math.max(-clip, Math.min(clip, (value - mean) / deviation))

function writeAngle(target: Float32Array, at: number, share: number): number {
  target[at] = Math.sin(2 * Math.PI * share)
  target[at + 1] = Math.cos(2 * Math.PI * share)
  return at + 2
}

function writeDate(
  encoding: Extract<Encoding, { type: 'date' }>,
  value: number,
  target: Float32Array,
  from: number,
): void {
  let at = from
  if (encoding.trend) target[at++] = standardised(value / dayMs, encoding.trend)
  const yearStart = Date.UTC(new Date(value).getUTCFullYear(), 0)
  at = writeAngle(target, at, (value - yearStart) / (365.25 * dayMs))
  // The first of January 1970 was a Thursday.
  at = writeAngle(target, at, (Math.floor(value / dayMs) + 4) / 7)
  if (encoding.hours) writeAngle(target, at, (value / dayMs) % 1)
}

/** Writes rows as inputs; a missing value is 0, which is the mean of numbers, with its indicator at 1. */
export class Encoder {
  readonly encodings: readonly Encoding[]
  readonly width: number
  private readonly places: readonly (ReadonlyMap<string, number> | undefined)[]

  constructor(encodings: readonly Encoding[]) {
    this.encodings = encodings
    this.width = encodings.reduce((sum, encoding) => sum + widthOf(encoding), 0)
    this.places = encodings.map(encoding =>
      encoding.type === 'category' ? new Map(encoding.words.map((word, i) => [word, i])) : undefined,
    )
  }

  /** Rows of columns that are in memory, in the order of the encodings; `unseen` hears of words that are new. */
  encode(
    columns: readonly Column[],
    rows: ArrayLike<number>,
    unseen?: (name: string, row: number) => void,
  ): Float32Array {
    const inputs = new Float32Array(rows.length * this.width)
    let start = 0
    for (const [c, encoding] of this.encodings.entries()) {
      const column = columns[c]!
      const width = widthOf(encoding)
      const { values } = column
      // A category's words are looked up once each.
      const places = this.places[c] && column.words.map(word => this.places[c]!.get(word))
      for (let i = 0; i < rows.length; i++) {
        const value = values[rows[i]!]!
        const at = i * this.width + start
        if (Number.isNaN(value)) {
          if (encoding.indicator) inputs[at + width - 1] = 1
        } else if (encoding.type === 'number') inputs[at] = standardised(value, encoding)
        else if (encoding.type === 'boolean') inputs[at] = value
        else if (encoding.type === 'date') writeDate(encoding, value, inputs, at)
        else {
          const place = places![value]
          if (place !== undefined) inputs[at + place] = 1
          else {
            if (encoding.other) inputs[at + encoding.words.length] = 1
            else unseen?.(encoding.name, i)
          }
        }
      }
      start += width
    }
    return inputs
  }
}

/** What is predicted: one of classes, or a number that was standardised. */
export type Target =
  | {
      readonly name: string
      readonly task: 'class'
      readonly type: 'category' | 'boolean' | 'number'
      readonly classes: readonly string[]
      /** Probabilities p are said as softmax(log p / temperature); found after training. Default 1. */
      temperature?: number
      /** Probability from which on the second of two classes is predicted. Default: where it is the likelier. */
      threshold?: number
    }
  | {
      readonly name: string
      readonly task: 'regression'
      readonly type: 'number'
      readonly mean: number
      readonly deviation: number
    }

/** All that a model's data goes through before and after the network. */
export interface Preprocessing {
  readonly format: 'lockstep preprocessing 1'
  readonly columns: readonly Encoding[]
  readonly target: Target
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const areWords = (value: unknown) => Array.isArray(value) && value.every(word => typeof word === 'string')
const isScale = (value: { mean?: unknown; deviation?: unknown } | null) =>
  isNumber(value?.mean) && isNumber(value.deviation) && value.deviation > 0

function isEncoding(value: Encoding): boolean {
  if (typeof value?.name !== 'string' || typeof value.indicator !== 'boolean') return false
  if (value.type === 'number') return isScale(value)
  if (value.type === 'category') return areWords(value.words) && typeof value.other === 'boolean'
  if (value.type === 'date')
    return typeof value.hours === 'boolean' && (value.trend === null || isScale(value.trend))
  return value.type === 'boolean'
}

/** @throws RangeError for what was not written by `train` */
export function checkPreprocessing(where: string, value: unknown): Preprocessing {
  const { format, columns, target } = (value ?? {}) as Preprocessing
  if (format !== 'lockstep preprocessing 1')
    throw new RangeError(
      `${where}: format must be "lockstep preprocessing 1", got ${show(format)}; train again`,
    )
  if (!Array.isArray(columns) || columns.length === 0 || !columns.every(isEncoding))
    throw new RangeError(`${where}: columns must be a list of encodings, got ${show(columns)}; train again`)
  checkTarget(where, target)
  return value as Preprocessing
}

const areDecisions = ({ classes, temperature = 1, threshold }: Extract<Target, { task: 'class' }>) =>
  isNumber(temperature) &&
  temperature > 0 &&
  (threshold === undefined || (isNumber(threshold) && classes.length === 2))

/** @throws RangeError for what was not written by `train` */
export function checkTarget(where: string, target: Target): void {
  const isTarget =
    typeof target?.name === 'string' &&
    (target.task === 'class'
      ? areWords(target.classes) && target.classes.length > 1 && areDecisions(target)
      : target.task === 'regression' && isScale(target))
  if (!isTarget)
    throw new RangeError(`${where}: target must be classes or a scale, got ${show(target)}; train again`)
}
