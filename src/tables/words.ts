import { Column } from './columns.ts'
import { type ColumnType, isMissing, wordOf } from './fields.ts'
import type { Field } from './source.ts'

/** Words that get an input of their own, in all columns of text together, and bytes that these may take. */
const [mostWords, mostBytes] = [4096, 2 ** 28]
/** A word must occur in so many rows, and in one of so many. */
const [leastRows, rarest] = [2, 2000]

/** Words of a row that are shown. */
const shownWords = 12

/** Letters of a script that has no spaces, one by one; runs of letters or of digits; signs that tell a tone. */
const pieces =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}]+(?:['’]\p{L}+)?|\p{N}+|[!?$%€£]/gu
const several = /\S\s+\S|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{4}/u

/** Whether a field is of several words: names and numbers of things, which do not repeat, are not. */
export const isProse = (field: Field): boolean => typeof field === 'string' && several.test(field)

/** A list of integers that grows. */
class Integers {
  length = 0
  private store = new Int32Array(1024)

  push(value: number): void {
    if (this.length === this.store.length) {
      const larger = new Int32Array(2 * this.length)
      larger.set(this.store)
      this.store = larger
    }
    this.store[this.length++] = value
  }

  at(place: number): number {
    return this.store[place]!
  }

  get bytes(): number {
    return this.store.byteLength
  }
}

/** A column of texts: of each row the words and how often they occur. */
export class TextColumn extends Column {
  private readonly numbers = new Map<string, number>()
  /** Where each row's words end, and pairs of a word's number and its count. */
  private readonly ends = new Integers()
  private readonly pairs = new Integers()

  constructor(name: string) {
    super(name, 'text')
  }

  override get bytes(): number {
    return super.bytes + this.ends.bytes + this.pairs.bytes
  }

  /** Calls `take` with the number of each word of a row, and its count. */
  each(row: number, take: (word: number, count: number) => void): void {
    const end = this.ends.at(row)
    for (let at = row === 0 ? 0 : this.ends.at(row - 1); at < end; at += 2)
      take(this.pairs.at(at), this.pairs.at(at + 1))
  }

  /** The first words of a row. */
  override word(row: number): string | undefined {
    if (Number.isNaN(this.values[row]!)) return undefined
    const found: string[] = []
    this.each(row, word => {
      if (found.length < shownWords) found.push(this.words[word]!)
    })
    return found.join(' ')
  }

  protected override read(field: Field): number {
    const missing = isMissing(field)
    const counts = new Map<number, number>()
    if (!missing)
      for (const [word] of wordOf(field).toLowerCase().matchAll(pieces)) {
        let number = this.numbers.get(word)
        if (number === undefined) {
          number = this.words.length
          this.numbers.set(word, number)
          this.words.push(word)
        }
        counts.set(number, (counts.get(number) ?? 0) + 1)
      }
    for (const [number, count] of counts) {
      this.pairs.push(number)
      this.pairs.push(count)
    }
    this.ends.push(this.pairs.length)
    return missing ? Number.NaN : counts.size
  }
}

/** A column in memory, as its type has it. */
export const columnOf = (name: string, type: ColumnType): Column =>
  type === 'text' ? new TextColumn(name) : new Column(name, type)

/** Words of a text column that are inputs, and how rare each is. */
export interface Vocabulary {
  readonly words: readonly string[]
  /** ln((1 + rows) / (1 + rows with the word)) + 1. */
  readonly rarity: readonly number[]
}

/** Counts the rows that each word occurs in. */
export function countRows(column: TextColumn, rows: ArrayLike<number>, counts: Map<string, number>): void {
  const found = new Uint32Array(column.words.length)
  for (let i = 0; i < rows.length; i++)
    column.each(rows[i]!, word => {
      found[word]!++
    })
  for (const [word, count] of found.entries())
    if (count > 0) counts.set(column.words[word]!, (counts.get(column.words[word]!) ?? 0) + count)
}

/** Words of all columns of text that may be inputs, for so many rows. */
export const mostWordsFor = (rows: number): number =>
  Math.max(64, Math.min(mostWords, Math.floor(mostBytes / (4 * rows))))

/** The words that occur in most of so many training rows, but not in all of them; `share` of columns has the inputs. */
export function vocabularyOf(counts: ReadonlyMap<string, number>, rows: number, share: number): Vocabulary {
  const least = Math.max(leastRows, rows / rarest)
  const found = [...counts]
    .filter(([, count]) => count >= least && count < rows)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, Math.max(1, Math.floor(mostWordsFor(rows) * share)))
  return {
    words: found.map(([word]) => word),
    rarity: found.map(([, count]) => Math.log((1 + rows) / (1 + count)) + 1),
  }
}

/**
 * Writes a row's words: (1 + ln count) · rarity each, brought to length 1 in all. Source: G. Salton and C. Buckley (1988),
 * as scikit-learn has it. `places` of the column's words among the inputs.
 */
export function writeText(
  column: TextColumn,
  row: number,
  { rarity }: Vocabulary,
  places: readonly (number | undefined)[],
  target: Float32Array,
  at: number,
): void {
  let squares = 0
  column.each(row, (word, count) => {
    const place = places[word]
    if (place === undefined) return
    const value = (1 + Math.log(count)) * rarity[place]!
    target[at + place] = value
    squares += value * value
  })
  if (squares === 0) return
  const length = Math.sqrt(squares)
  column.each(row, word => {
    const place = places[word]
    if (place !== undefined) target[at + place]! /= length
  })
}
