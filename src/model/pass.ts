import { isPlainObject, show } from '../errors.ts'
import { checkCount } from './batchSizes.ts'
import type { Columns, Inputs } from './fitData.ts'
import { checkColumns, weighted } from './fitData.ts'
import type { Internals } from './internals.ts'

/** A mini-batch: inputs, targets and, if samples have weights, those of each output. */
export type BatchElement =
  | { readonly xs: Inputs; readonly ys: Inputs; readonly sampleWeight?: Inputs }
  | readonly [xs: Inputs, ys: Inputs]
  | readonly [xs: Inputs, ys: Inputs, sampleWeight: Inputs]

type Iterators<T> = Iterator<T> | AsyncIterator<T> | Iterable<T> | AsyncIterable<T>

/**
 * Mini-batches one after the other: a dataset, anything else that can be iterated anew for each pass, or a
 * function (a generator, say) that makes an iterator.
 */
export type Batches<T = BatchElement> =
  | Iterable<T>
  | AsyncIterable<T>
  | { iterator(): Promise<{ next(): Promise<IteratorResult<T>> }> }
  | (() => Iterators<T> | Promise<Iterators<T>>)

interface Opened {
  next(): unknown
  return?(): unknown
}

const has = (value: unknown, key: PropertyKey): boolean =>
  typeof (value as Record<PropertyKey, unknown> | null | undefined)?.[key] === 'function'

/** Whether something gives batches, and is no data itself, as [x, y] is. */
export function isBatches(value: unknown): value is Batches {
  if (Array.isArray(value)) return value.every(each => isPlainObject(each) && 'xs' in each && 'ys' in each)
  return typeof value === 'function' || has(value, Symbol.asyncIterator) || has(value, 'iterator')
}

async function open(where: string, batches: unknown): Promise<Opened> {
  const made = typeof batches === 'function' ? await batches() : batches
  const key = [Symbol.asyncIterator, Symbol.iterator, 'iterator'].find(name => has(made, name))
  const opened = key === undefined ? made : await (made as Record<PropertyKey, () => unknown>)[key]!()
  if (has(opened, 'next')) return opened as Opened
  const kinds = 'a dataset, an iterable of batches or a function that makes an iterator'
  throw new TypeError(`${where}: the dataset must be ${kinds}, got ${show(batches)}; see ls.data`)
}

/** What is asked of a pass. */
export interface PassOptions {
  /** The caller: `fitDataset`. */
  readonly where: string
  readonly classWeight?: unknown
  /** Hears of every batch. */
  readonly seen?: ((columns: Columns) => void) | undefined
}

/** One pass over a dataset: its batches, checked against the model, one at a time. */
export class Pass {
  private readonly model: Internals
  private readonly batches: unknown
  private readonly options: PassOptions
  private opened: Opened | undefined
  private asking = false
  private done = false

  constructor(model: Internals, batches: unknown, options: PassOptions) {
    this.model = model
    this.batches = batches
    this.options = options
  }

  /**
   * The next batch, undefined at the end. `at` says in messages which it is.
   * @throws Error with the dataset's own as its cause; TypeError or RangeError for a batch that does not fit
   */
  async next(at: string): Promise<Columns | undefined> {
    if (this.done) return undefined
    const { where } = this.options
    this.opened ??= await open(where, this.batches)
    const element = await this.ask(`${where} ${at}`)
    if (element === undefined) return undefined
    const columns = this.check(`${where} ${at}`, element)
    this.options.seen?.(columns)
    return columns
  }

  /** Lets the dataset end, unless it has. Not waited for while it owes a batch: that may never come. */
  async close(): Promise<void> {
    if (this.done || !this.opened) return
    this.done = true
    const closed = Promise.resolve(this.opened.return?.())
    if (this.asking) closed.catch(() => {})
    else await closed
  }

  private async ask(where: string): Promise<unknown> {
    this.asking = true
    try {
      const { done, value } = (await this.opened!.next()) as IteratorResult<unknown>
      if (done) this.done = true
      return done ? undefined : value
    } catch (error) {
      this.done = true
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`${where}: the dataset failed: ${reason}`, { cause: error })
    } finally {
      this.asking = false
    }
  }

  private check(where: string, element: unknown): Columns {
    const [xs, ys, sampleWeight] = partsOf(where, element)
    const { model } = this
    const { classWeight } = this.options
    const columns = checkColumns(where, ['xs', 'ys'], model, xs, ys)
    checkCount(where, 'xs', model, columns.x[0]!.count, true)
    return weighted(where, model, columns, { sampleWeight, classWeight })
  }
}

/** Inputs, targets and weights of a batch. @throws TypeError for anything else */
function partsOf(where: string, element: unknown): readonly unknown[] {
  const wanted = '{ xs, ys } or [xs, ys]'
  if (Array.isArray(element) && (element.length === 2 || element.length === 3)) return element
  if (!isPlainObject(element))
    throw new TypeError(
      `${where}: a batch must be ${wanted}, got ${show(element)}; put inputs and targets so`,
    )
  const { xs, ys, sampleWeight } = element
  if (xs === undefined || xs === null || ys === undefined || ys === null)
    throw new TypeError(`${where}: a batch must be ${wanted}, got ${show(element)}; add what is missing`)
  return [xs, ys, sampleWeight]
}
