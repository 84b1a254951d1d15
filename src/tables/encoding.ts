import { show } from '../errors.ts'
import type { Column } from './columns.ts'
import type { ColumnType } from './fields.ts'
import { countRows, TextColumn, type Vocabulary, vocabularyOf } from './words.ts'

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

/** Mean and deviation of the numbers there are; of none 0 and 1. Source: B. Welford (1962). */
class Moments {
  private count = 0
  private mean = 0
  private squares = 0

  take(value: number): void {
    if (Number.isNaN(value)) return
    const delta = value - this.mean
    this.mean += delta / ++this.count
    this.squares += delta * (value - this.mean)
  }

  finish(): { mean: number; deviation: number } {
    const { count, mean, squares } = this
    const deviation = count > 0 ? Math.sqrt(squares / count) : 0
    return { mean, deviation: deviation > 1e-12 * Math.abs(mean) && deviation > 0 ? deviation : 1 }
  }
}

export function momentsOf(values: ArrayLike<number>, rows: Uint32Array): { mean: number; deviation: number } {
  const moments = new Moments()
  for (const row of rows) moments.take(values[row]!)
  return moments.finish()
}

function wordsOf(
  counts: ReadonlyMap<string, number>,
  rows: number,
): { words: string[]; other: boolean; embedded: boolean } {
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word)
  const embedded = byCount.length >= leastEmbedded && rows >= manyRows
  const most = embedded ? mostEmbedded : mostWords
  return { words: byCount.slice(0, most), other: byCount.length > most, embedded }
}

/** Learns the encoding of a column from the training rows alone, which come some at a time, in their order. */
export class EncodingLearner {
  private readonly name: string
  private readonly type: ColumnType
  private readonly moments = new Moments()
  /** Rows with each word. */
  private readonly counts = new Map<string, number>()
  private rows = 0
  private indicator = false
  private hours = false

  constructor({ name, type }: Pick<Column, 'name' | 'type'>) {
    this.name = name
    this.type = type
  }

  take(column: Column, rows: ArrayLike<number>): void {
    const { type, moments, counts } = this
    const { values } = column
    this.rows += rows.length
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const value = values[row]!
      if (Number.isNaN(value)) this.indicator = true
      else if (type === 'number') moments.take(value)
      else if (type === 'date') {
        moments.take(value / dayMs)
        if (value % dayMs !== 0) this.hours = true
      } else if (type === 'category') {
        const word = column.word(row)!
        counts.set(word, (counts.get(word) ?? 0) + 1)
      }
    }
    if (column instanceof TextColumn) countRows(column, rows, counts)
  }

  /** One of `texts` columns of text; `trend`: of dates too. */
  finish(trend: boolean, texts: number): Encoding {
    const { name, type, indicator, rows, counts } = this
    if (type === 'number') return { name, type, ...this.moments.finish(), indicator }
    if (type === 'boolean') return { name, type, indicator }
    if (type === 'category') return { name, type, ...wordsOf(counts, rows), indicator }
    if (type === 'text') return { name, type, ...vocabularyOf(counts, rows, 1 / texts), indicator }
    return { name, type, trend: trend ? this.moments.finish() : null, hours: this.hours, indicator }
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
