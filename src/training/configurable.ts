import {
  finiteNumber,
  type Interval,
  inRange,
  nonNegativeInteger,
  positiveInteger,
  show,
  withDefaults,
} from '../errors.ts'

/** What made a thing, and the options that were given. */
interface Origin {
  readonly maker: unknown
  readonly options: object
}

const origins = new WeakMap<object, Origin>()

/** Where a loss or a metric comes from; undefined for one that nothing here made. */
export const originOf = (made: object): Origin | undefined => origins.get(made)

/** A thing that is ready, and makes others of its kind from options: `it` and `it({ … })` will both do. */
export type Configurable<Made, Options> = Made & ((options?: Partial<Options>) => Made)

/** Where options of these names must lie; those without an entry are checked by the kind of their default. */
const intervals: Readonly<Record<string, Interval>> = {
  labelSmoothing: '[0, 1]',
  alpha: '[0, Infinity)',
  beta: '(0, Infinity)',
  gamma: '[0, Infinity)',
  delta: '(0, Infinity)',
  threshold: '[0, 1]',
  thresholds: '[0, 1]',
  labelWeights: '[0, Infinity)',
}

/** Options that may be a list of numbers. */
const lists = ['alpha', 'labelWeights', 'thresholds']

function checkOption(where: string, name: string, value: unknown, byDefault: unknown): void {
  const interval = intervals[name]
  if (value === null && byDefault === null) return
  if (Array.isArray(value) && lists.includes(name)) {
    if (value.length === 0)
      throw new RangeError(`${where}: ${name} must be a number or several, got []; leave it out`)
    for (const one of value) inRange(where, name, one, interval!)
  } else if (name === 'classId') nonNegativeInteger(where, name, value)
  else if (name === 'topK') positiveInteger(where, name, value)
  else if (name === 'ignoreClass') finiteNumber(where, name, value)
  else if (interval) inRange(where, name, value, interval)
  else if (typeof byDefault === 'number') positiveInteger(where, name, value)
  else if (typeof byDefault === 'boolean' && typeof value !== 'boolean')
    throw new TypeError(`${where}: ${name} must be true or false, got ${show(value)}; correct it`)
  else if (name === 'name' && typeof value !== 'string')
    throw new TypeError(`${where}: name must be a string, got ${show(value)}; leave it out`)
}

/**
 * What `make` makes of the defaults, and a function that makes it from other options, which `check` refuses where they
 * are wrong: by their names, unless it is given.
 */
export function configurable<Made extends { readonly name: string }, Options extends object>(
  defaults: Options,
  make: (options: Options) => Made,
  check?: (options: Options) => void,
): Configurable<Made, Options> {
  const { name, ...rest } = make(defaults)
  const maker = (given?: Partial<Options>): Made => {
    const options = withDefaults(name, defaults, given)
    if (check) check(options)
    else
      for (const [key, value] of Object.entries(options))
        checkOption(name, key, value, defaults[key as keyof Options])
    const made = make(options)
    origins.set(made, { maker, options: { ...given } })
    return made
  }
  const named = Object.defineProperty(maker, 'name', { value: name, enumerable: true })
  origins.set(maker, { maker, options: {} })
  return Object.assign(named, rest) as unknown as Configurable<Made, Options>
}
