import { show } from '../errors.ts'
import { csv } from './csv.ts'
import { Dataset } from './dataset.ts'

/**
 * The items of an array.
 * @throws TypeError for anything else
 */
function array<T>(items: readonly T[]): Dataset<T> {
  if (!Array.isArray(items))
    throw new TypeError(`array: items must be an array, got ${show(items)}; write [1, 2, 3]`)
  return new Dataset(() => items[Symbol.iterator](), items.length)
}

/**
 * What an iterator gives that the function makes, anew for each pass: a generator function, asynchronous or
 * not, will do.
 * @throws TypeError for no function; while elements are pulled for a function that makes no iterator
 */
function generator<T>(
  make: () => Iterator<T> | AsyncIterator<T> | Promise<Iterator<T> | AsyncIterator<T>>,
): Dataset<T> {
  if (typeof make !== 'function')
    throw new TypeError(`generator: must be given a function, got ${show(make)}; write function* () { … }`)
  const open = async () => {
    const made = (await make()) as Iterator<T>
    if (typeof made?.next === 'function') return made
    throw new TypeError(`generator: the function must return an iterator, got ${show(made)}; write function*`)
  }
  return new Dataset<T>(open, null)
}

/**
 * What a function returns, call after call, as the `next` of an iterator: { value, done }. It goes on where the pass
 * before has ended.
 * @throws TypeError for no function
 */
function func<T>(f: () => IteratorResult<T> | Promise<IteratorResult<T>>): Dataset<T> {
  if (typeof f !== 'function')
    throw new TypeError(
      `func: must be given a function, got ${show(f)}; write () => ({ value, done: false })`,
    )
  return new Dataset<T>(() => ({ next: async () => f() }), null)
}

type Element<D> = D extends Dataset<infer T> ? T : never

/** Elements of several datasets side by side, in an array or object of the same kind; the shortest ends it. */
function zip<D extends readonly Dataset<unknown>[] | Readonly<Record<string, Dataset<unknown>>>>(
  datasets: D,
): Dataset<{ -readonly [K in keyof D]: Element<D[K]> }> {
  const entries = Object.entries(datasets ?? {}) as [string, Dataset<unknown>][]
  const wrong = entries.find(([, dataset]) => !(dataset instanceof Dataset))
  if (entries.length === 0 || wrong)
    throw new TypeError(
      `zip: must be given an array or object of datasets, got ${show(wrong ? wrong[1] : datasets)}; make them by ls.data`,
    )
  const sizes = entries.map(([, { size }]) => size)
  const size = sizes.includes(null) ? null : Math.min(...(sizes as number[]))
  return new Dataset(async function* () {
    const passes = entries.map(([name, dataset]) => [name, dataset[Symbol.asyncIterator]()] as const)
    try {
      while (true) {
        const next = await Promise.all(passes.map(([, pass]) => pass.next()))
        if (next.some(({ done }) => done)) return
        const values = next.map(({ value }) => value)
        const named = () => Object.fromEntries(passes.map(([name], i) => [name, values[i]]))
        yield (Array.isArray(datasets) ? values : named()) as never
      }
    } finally {
      await Promise.all(passes.map(([, pass]) => pass.return()))
    }
  }, size)
}

/** Datasets: sequences of elements that are pulled one by one. Names and options of TensorFlow.js' tf.data. */
export const data = { array, csv, func, generator, zip }
