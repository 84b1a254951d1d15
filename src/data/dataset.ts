import { nonNegativeInteger, positiveInteger, show } from '../errors.ts'
import { breath } from './breath.ts'
import { type Batched, collate } from './collate.ts'
import { randomBits, seedOf } from './random.ts'

/** Where the elements of a dataset come from: called anew for each pass. */
type Open<T> = () => AsyncIterator<T> | AsyncGenerator<T> | Iterator<T> | Promise<Iterator<T>>

function checkFunction(where: string, name: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new TypeError(`${where}: ${name} must be a function, got ${show(value)}; write x => …`)
}

/**
 * A sequence of elements that is pulled one by one, in TensorFlow.js' manner: what a method returns has read
 * nothing yet, and each pass over it begins anew. `for await (const element of dataset)` is a pass, too.
 */
export class Dataset<T> implements AsyncIterable<T> {
  /** Number of elements: Infinity for endless ones, null where it is not known before they are read. */
  readonly size: number | null
  private readonly open: Open<T>

  constructor(open: Open<T>, size: number | null) {
    this.open = open
    this.size = size
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const source = (await this.open()) as AsyncIterator<T, unknown, undefined>
    let done = false
    try {
      while (true) {
        const next = await source.next()
        if (next.done) {
          done = true
          return
        }
        const pause = breath()
        if (pause) await pause
        yield next.value
      }
    } finally {
      if (!done) await source.return?.()
    }
  }

  /** A pass over the elements. */
  async iterator(): Promise<AsyncGenerator<T, void, undefined>> {
    return this[Symbol.asyncIterator]()
  }

  /** transform(element) of each; a promise is awaited. */
  map<U>(transform: (element: T) => U | Promise<U>): Dataset<U> {
    checkFunction('Dataset.map', 'transform', transform)
    const source = this
    return new Dataset(async function* () {
      for await (const element of source) yield await transform(element)
    }, this.size)
  }

  /** As map: here so that TF.js programs run. */
  mapAsync<U>(transform: (element: T) => Promise<U>): Dataset<U> {
    return this.map(transform)
  }

  /** The elements for which predicate(element) is true. */
  filter(predicate: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    checkFunction('Dataset.filter', 'predicate', predicate)
    const source = this
    const size = this.size === Number.POSITIVE_INFINITY ? this.size : null
    return new Dataset(async function* () {
      for await (const element of source) if (await predicate(element)) yield element
    }, size)
  }

  /**
   * Elements put together, `batchSize` at a time: numbers, arrays and tensors become tensors with a first axis
   * more; objects are taken apart. The last batch is smaller, or left out without `smallLastBatch`.
   * @throws TypeError or RangeError while elements are pulled that do not fit together
   */
  batch(batchSize: number, smallLastBatch = true): Dataset<Batched<T>> {
    positiveInteger('Dataset.batch', 'batchSize', batchSize)
    const source = this
    const batches = this.size === null ? null : this.size / batchSize
    const size = batches === null ? null : smallLastBatch ? Math.ceil(batches) : Math.floor(batches)
    return new Dataset(async function* () {
      let rows: T[] = []
      for await (const element of source) {
        rows.push(element)
        if (rows.length < batchSize) continue
        yield collate(rows)
        rows = []
      }
      if (rows.length > 0 && smallLastBatch) yield collate(rows)
    }, size)
  }

  /** These elements, then those of another dataset. */
  concatenate(other: Dataset<T>): Dataset<T> {
    const source = this
    const size = this.size === null || other.size === null ? null : this.size + other.size
    return new Dataset(async function* () {
      yield* source
      yield* other
    }, size)
  }

  /** The elements `count` times over; without end if it is left out or −1. */
  repeat(count = -1): Dataset<T> {
    if (count !== -1) nonNegativeInteger('Dataset.repeat', 'count', count)
    const source = this
    const times = count === -1 ? Number.POSITIVE_INFINITY : count
    const size = times === 0 || this.size === 0 ? 0 : this.size === null ? null : this.size * times
    return new Dataset(async function* () {
      for (let pass = 0; pass < times; pass++) {
        let empty = true
        for await (const element of source) {
          empty = false
          yield element
        }
        if (empty) return
      }
    }, size)
  }

  /** The first `count` elements; all if it is −1. */
  take(count: number): Dataset<T> {
    if (count === -1) return this
    nonNegativeInteger('Dataset.take', 'count', count)
    const source = this
    return new Dataset(
      async function* () {
        let left = count
        if (left === 0) return
        for await (const element of source) {
          yield element
          if (--left === 0) return
        }
      },
      this.size === null ? null : Math.min(this.size, count),
    )
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    nonNegativeInteger('Dataset.skip', 'count', count)
    const source = this
    return new Dataset(
      async function* () {
        let left = count
        for await (const element of source) if (left-- <= 0) yield element
      },
      this.size === null ? null : Math.max(0, this.size - count),
    )
  }

  /**
   * The elements in another order: each is drawn from a window of `bufferSize`. The order follows from the
   * seed and, with `reshuffleEachIteration`, from the number of the pass; without a seed one is drawn.
   */
  shuffle(bufferSize: number, seed?: number | string, reshuffleEachIteration = true): Dataset<T> {
    positiveInteger('Dataset.shuffle', 'bufferSize', bufferSize)
    const first = seedOf('Dataset.shuffle', seed)
    const source = this
    let passes = 0
    return new Dataset(async function* () {
      const draw = randomBits(reshuffleEachIteration ? first + Math.imul(passes++, 0x85ebca6b) : first)
      const place = (count: number) => Math.floor((draw() / 2 ** 32) * count)
      const window: T[] = []
      for await (const element of source) {
        if (window.length < bufferSize) {
          window.push(element)
          continue
        }
        const i = place(bufferSize)
        const chosen = window[i]!
        window[i] = element
        yield chosen
      }
      while (window.length > 0) {
        const i = place(window.length)
        const chosen = window[i]!
        const last = window.pop()!
        if (i < window.length) window[i] = last
        yield chosen
      }
    }, this.size)
  }

  /** The same elements, `bufferSize` of them asked for ahead. */
  prefetch(bufferSize: number): Dataset<T> {
    positiveInteger('Dataset.prefetch', 'bufferSize', bufferSize)
    const source = this
    return new Dataset(async function* () {
      const elements = source[Symbol.asyncIterator]()
      const ask = () => {
        const next = elements.next()
        // Whoever awaits it hears of the error; until then it is nobody's.
        next.catch(() => {})
        return next
      }
      const asked = Array.from({ length: bufferSize }, ask)
      try {
        while (true) {
          const next = await asked.shift()!
          if (next.done) return
          asked.push(ask())
          yield next.value
        }
      } finally {
        await elements.return()
      }
    }, this.size)
  }

  /** Calls f with each element, one after the other; a promise is awaited. */
  async forEachAsync(f: (element: T) => unknown): Promise<void> {
    checkFunction('Dataset.forEachAsync', 'f', f)
    for await (const element of this) await f(element)
  }

  /** All elements. @throws RangeError for an endless dataset */
  async toArray(): Promise<T[]> {
    if (this.size === Number.POSITIVE_INFINITY)
      throw new RangeError('Dataset.toArray: the dataset must end, got an endless one; call take() first')
    const elements: T[] = []
    for await (const element of this) elements.push(element)
    return elements
  }
}
