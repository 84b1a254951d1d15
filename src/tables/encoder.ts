import { Tensor } from '../data/tensor.ts'
import type { Column } from './columns.ts'
import { clip, dayMs, type Encoding, widthOf } from './encoding.ts'
import type { Lookups } from './lookups.ts'
import { type TextColumn, writeText } from './words.ts'

type Category = Extract<Encoding, { type: 'category' }>

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

/** Hears of words that are new, by column and place of the row among those encoded. */
type Unseen = (name: string, row: number) => void

/** Writes rows as inputs; a missing value is 0, which is the mean of numbers, with its indicator at 1. */
export class Encoder {
  /** Numbers of a row. */
  readonly width: number
  /** Undefined where no column is looked up. */
  readonly lookups: Lookups | undefined
  /** Where the numbers of each column stand in `joined` rows: [from, to). */
  readonly places: readonly { readonly from: number; readonly to: number }[]
  private readonly encodings: readonly Encoding[]
  private readonly numbers: readonly (ReadonlyMap<string, number> | undefined)[]

  constructor(encodings: readonly Encoding[]) {
    this.encodings = encodings
    this.width = encodings.reduce((sum, encoding) => sum + widthOf(encoding), 0)
    this.numbers = encodings.map(encoding =>
      'words' in encoding ? new Map(encoding.words.map((word, i) => [word, i])) : undefined,
    )
    const embedded = encodings.filter(one => one.type === 'category' && one.embedded) as Category[]
    const words = embedded.reduce((sum, one) => sum + one.words.length + 2, 0)
    this.lookups = embedded.length > 0 ? { columns: embedded.length, words } : undefined
    let [start, lookup] = [0, this.width]
    this.places = encodings.map(encoding => {
      const isLookup = encoding.type === 'category' && encoding.embedded
      const from = isLookup ? lookup++ : start
      if (!isLookup) start += widthOf(encoding)
      return { from, to: isLookup ? lookup : start }
    })
  }

  /** Shapes of a row's inputs: numbers, then words that are looked up; those that there are. */
  get shapes(): number[][] {
    return [...(this.width > 0 ? [[this.width]] : []), ...(this.lookups ? [[this.lookups.columns]] : [])]
  }

  /** What a network takes for rows of columns that are in memory, in the order of the encodings. */
  tensors(columns: readonly Column[], rows: ArrayLike<number>, unseen?: Unseen): Tensor | Tensor[] {
    const count = rows.length
    const { numbers, words } = this.encode(columns, rows, unseen)
    const tensors = this.shapes.map(([width], i) =>
      i === 0 && this.width > 0
        ? new Tensor(numbers, [count, width!], 'float32')
        : new Tensor(words, [count, width!], 'int32'),
    )
    return tensors.length === 1 ? tensors[0]! : tensors
  }

  /** Rows of all that a network takes side by side: words stand behind numbers. */
  joined(x: Tensor | Tensor[]): Tensor {
    if (!Array.isArray(x)) return x
    const [numbers, words] = x as [Tensor, Tensor]
    const [rows, width] = [numbers.shape[0]!, this.width + words.shape[1]!]
    const values = new Float32Array(rows * width)
    for (let i = 0; i < rows; i++) {
      values.set((numbers.values as Float32Array).subarray(i * this.width, (i + 1) * this.width), i * width)
      for (let c = this.width; c < width; c++)
        values[i * width + c] = words.values[i * words.shape[1]! + c - this.width]!
    }
    return new Tensor(values, [rows, width], 'float32')
  }

  /** What a network takes for `joined` rows. */
  parted(x: Tensor): Tensor | Tensor[] {
    if (!this.lookups) return x
    const [rows, width] = x.shape as [number, number]
    if (this.width === 0) return new Tensor(Int32Array.from(x.values), x.shape, 'int32')
    const numbers = new Float32Array(rows * this.width)
    const words = new Int32Array(rows * this.lookups.columns)
    for (let i = 0; i < rows; i++) {
      numbers.set((x.values as Float32Array).subarray(i * width, i * width + this.width), i * this.width)
      for (let c = this.width; c < width; c++)
        words[i * this.lookups.columns + c - this.width] = x.values[i * width + c]!
    }
    return [
      new Tensor(numbers, [rows, this.width], 'float32'),
      new Tensor(words, [rows, this.lookups.columns], 'int32'),
    ]
  }

  private encode(columns: readonly Column[], rows: ArrayLike<number>, unseen?: Unseen) {
    const numbers = new Float32Array(rows.length * this.width)
    const words = new Int32Array(rows.length * (this.lookups?.columns ?? 0))
    let [start, lookup, offset] = [0, 0, 0]
    for (const [c, encoding] of this.encodings.entries()) {
      const column = columns[c]!
      // A category's words are looked up once each.
      const places = this.numbers[c] ? column.words.map(word => this.numbers[c]!.get(word)) : []
      if (encoding.type === 'category' && encoding.embedded) {
        this.writeNumbers(encoding, column, rows, places, words, lookup++, offset, unseen)
        offset += encoding.words.length + 2
      } else {
        this.writeInputs(encoding, column, rows, places, numbers, start, unseen)
        start += widthOf(encoding)
      }
    }
    return { numbers, words }
  }

  /** Numbers of the words, from `offset` on; after the column's words come others, then none. */
  private writeNumbers(
    { name, words, other }: Category,
    { values }: Column,
    rows: ArrayLike<number>,
    places: readonly (number | undefined)[],
    target: Int32Array,
    lookup: number,
    offset: number,
    unseen?: Unseen,
  ): void {
    const { columns } = this.lookups!
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      const isMissing = Number.isNaN(value)
      const place = isMissing ? words.length + 1 : places[value]
      if (place === undefined && !other) unseen?.(name, i)
      target[i * columns + lookup] = offset + (place ?? words.length)
    }
  }

  private writeInputs(
    encoding: Encoding,
    column: Column,
    rows: ArrayLike<number>,
    places: readonly (number | undefined)[],
    target: Float32Array,
    start: number,
    unseen?: Unseen,
  ): void {
    const { values } = column
    const width = widthOf(encoding)
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      const at = i * this.width + start
      if (Number.isNaN(value)) {
        if (encoding.indicator) target[at + width - 1] = 1
      } else if (encoding.type === 'number') target[at] = standardised(value, encoding)
      else if (encoding.type === 'boolean') target[at] = value
      else if (encoding.type === 'date') writeDate(encoding, value, target, at)
      else if (encoding.type === 'text')
        writeText(column as TextColumn, rows[i]!, encoding, places, target, at)
      else {
        const place = places[value]
        if (place !== undefined) target[at + place] = 1
        else if (encoding.other) target[at + encoding.words.length] = 1
        else unseen?.(encoding.name, i)
      }
    }
  }
}
