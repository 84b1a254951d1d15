import { show } from '../errors.ts'
import type { Column } from './columns.ts'
import { TextColumn, type Vocabulary, vocabularyOf } from './words.ts'

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
      /** Whether the network looks its words up instead: no inputs, but a number for each row. */
      readonly embedded: boolean
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
  | ({ readonly name: string; readonly type: 'text'; readonly indicator: boolean } & Vocabulary)

/** Words that get an input of their own, and those that may be looked up. */
const [mostWords, mostEmbedded] = [64, 10_000]
/** Words of a column from which on they are looked up, in a table of so many rows. */
const [leastEmbedded, manyRows] = [9, 200_000]
/** Standardised values are cut here: one slip of the pen must not undo a training. */
export const clip = 10
export const dayMs = 86_400_000

export function widthOf(encoding: Encoding): number {
  const indicator = encoding.indicator ? 1 : 0
  switch (encoding.type) {
    case 'category':
      if (encoding.embedded) return 0
      return encoding.words.length + (encoding.other ? 1 : 0) + indicator
    case 'text':
      return encoding.words.length + indicator
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

function wordsOf(column: Column, rows: Uint32Array): { words: string[]; other: boolean; embedded: boolean } {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const word = column.word(row)
    if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word)
  const embedded = byCount.length >= leastEmbedded && rows.length >= manyRows
  const most = embedded ? mostEmbedded : mostWords
  return { words: byCount.slice(0, most), other: byCount.length > most, embedded }
}

/** The encoding of a column, from the training rows alone; one of `texts` columns of text. */
export function fitEncoding(column: Column, rows: Uint32Array, trend: boolean, texts = 1): Encoding {
  const { name, type, values } = column
  const indicator = rows.some(row => Number.isNaN(values[row]!))
  if (type === 'number') return { name, type, ...momentsOf(values, rows), indicator }
  if (type === 'boolean') return { name, type, indicator }
  if (type === 'category') return { name, type, ...wordsOf(column, rows), indicator }
  if (column instanceof TextColumn)
    return { name, type: 'text', ...vocabularyOf(column, rows, 1 / texts), indicator }
  const days = trend
    ? momentsOf(
        values.map(ms => ms / dayMs),
        rows,
      )
    : null
  const hours = rows.some(row => values[row]! % dayMs !== 0 && !Number.isNaN(values[row]!))
  return { name, type: 'date', trend: days, hours, indicator }
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
  if (value.type === 'category')
    return areWords(value.words) && [value.other, value.embedded].every(one => typeof one === 'boolean')
  if (value.type === 'text')
    return (
      areWords(value.words) &&
      Array.isArray(value.rarity) &&
      value.rarity.length === value.words.length &&
      value.rarity.every(isNumber)
    )
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
