/** What the API edge checks and says: `<where>: <what must hold>, got <value>; <what to do>`. */

/** The value as a message shows it: short, on one line, strings in quotes, shapes in full. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) {
    const shown = value.slice(0, 8).map(item => (Array.isArray(item) ? `[${item.length} items]` : show(item)))
    return `[${shown.join(', ')}${value.length > 8 ? `, ... ${value.length} items` : ''}]`
  }
  const kind = value.constructor?.name ?? 'Object'
  if (ArrayBuffer.isView(value)) return `${kind}(${(value as Uint8Array).length ?? value.byteLength})`
  if (kind !== 'Object') return kind
  const keys = Object.keys(value)
  return keys.length === 0 ? '{}' : `{ ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', ...' : ''} }`
}

/**
 * Edits (insert, delete, replace, swap neighbours) that turn one word into the other, ignoring case.
 * Optimal string alignment; only three rows of its table are kept.
 */
function distance(from: string, to: string): number {
  const a = from.toLowerCase()
  const b = to.toLowerCase()
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) edits = Math.min(edits, before[j - 2]! + 1)
      next.push(edits)
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** The candidate closest to `name`, or undefined when none is close enough to be a slip of the pen. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  // A third of the letters may differ, and always two.
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = name.length > 100 ? fewest : distance(name, candidate)
    // A short word that is all edits ("a" for "l1") is no suggestion.
    if (edits < fewest && edits < candidate.length) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

/** The end of a message about an unknown name: the nearest known one, or all of them. */
export function suggestion(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates)
  if (near !== undefined) return `did you mean "${near}"?`
  return candidates.length === 0 ? 'there are none' : `known are ${candidates.join(', ')}`
}

/** Whether a value was written as { … }. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/**
 * Refuses an option that is not in `allowed`; no options at all are fine.
 * @throws TypeError for an unknown option or when `options` is no plain object
 */
export function checkOptions(where: string, options: unknown, allowed: readonly string[]): void {
  if (options === undefined || options === null) return
  if (typeof options !== 'object' || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw new TypeError(`${where}: options must be an object, got ${show(options)}`)
  }
  for (const key of Object.keys(options)) {
    if (allowed.includes(key)) continue
    throw new TypeError(`${where}: unknown option "${key}"; ${suggestion(key, allowed)}`)
  }
}

/**
 * The defaults with the given options over them; an option that is undefined counts as not given.
 * @throws TypeError as checkOptions
 */
export function withDefaults<T extends object>(where: string, defaults: T, options?: Partial<T> | null): T {
  checkOptions(where, options, Object.keys(defaults))
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

function requireInteger(where: string, name: string, value: unknown, low: number, what: string): number {
  const message = `${where}: ${name} must be a ${what} integer, got ${show(value)}`
  if (typeof value !== 'number') throw new TypeError(message)
  if (!Number.isSafeInteger(value) || value < low) throw new RangeError(message)
  return value
}

/** @throws TypeError when it is no number, RangeError when it is not 1, 2, 3 … */
export function positiveInteger(where: string, name: string, value: unknown): number {
  return requireInteger(where, name, value, 1, 'positive')
}

/** @throws TypeError when it is no number, RangeError when it is not 0, 1, 2 … */
export function nonNegativeInteger(where: string, name: string, value: unknown): number {
  return requireInteger(where, name, value, 0, 'non-negative')
}

/** @throws TypeError when it is no number, RangeError when it is not finite */
export function finiteNumber(where: string, name: string, value: unknown): number {
  const message = `${where}: ${name} must be a finite number, got ${show(value)}`
  if (typeof value !== 'number') throw new TypeError(message)
  if (!Number.isFinite(value)) throw new RangeError(message)
  return value
}

export type Interval = `${'[' | '('}${number}, ${number | 'Infinity'}${']' | ')'}`

/**
 * Checks that a number lies in an interval written as in mathematics: `inRange('Dropout', 'rate', rate, '[0,
 * 1)')`.
 * @throws TypeError when it is no number, RangeError when it lies outside or is not finite
 */
export function inRange(where: string, name: string, value: unknown, interval: Interval): number {
  const [low, high] = interval.slice(1, -1).split(', ').map(Number) as [number, number]
  const lowOpen = interval.startsWith('(')
  const highOpen = interval.endsWith(')')
  const bound =
    high === Number.POSITIVE_INFINITY ? `a number ${lowOpen ? '>' : '>='} ${low}` : `in ${interval}`
  const message = `${where}: ${name} must be ${bound}, got ${show(value)}`
  if (typeof value !== 'number') throw new TypeError(message)
  const inside = (lowOpen ? value > low : value >= low) && (highOpen ? value < high : value <= high)
  if (!inside || !Number.isFinite(value)) throw new RangeError(message)
  return value
}

/**
 * Checks that a value is one of a few words.
 * @throws TypeError when it is no string, RangeError when it is another one
 */
export function oneOf<T extends string>(where: string, name: string, value: unknown, words: readonly T[]): T {
  const list = words.map(word => `"${word}"`).join(', ')
  const message = `${where}: ${name} must be one of ${list}, got ${show(value)}`
  if (typeof value !== 'string') throw new TypeError(message)
  if (words.includes(value as T)) return value as T
  const near = nearest(value, words)
  throw new RangeError(near === undefined ? message : `${message}; did you mean "${near}"?`)
}
