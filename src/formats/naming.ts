/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Keys under which the first string of a list is the name of a layer: ['dense_Dense1', 0, 0]. */
const listsOfNames = new Set(['inboundNodes', 'inputLayers', 'outputLayers'])

/** A name with an underscore of its own. TensorFlow.js makes geluNew of it, and cannot load what it has saved. */
const whole = 'gelu_new'

/** Deeper nesting than any model has. It guards the stack against a hostile file. */
const deepest = 200

/**
 * `kernelInitializer` → `kernel_initializer`, by the two rules that Keras names layers with. A leading _
 * becomes private_.
 */
export function toSnakeCase(name: string): string {
  const words = name.replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2')
  return words.startsWith('_') ? `private${words.toLowerCase()}` : words.toLowerCase()
}

/** `kernel_initializer` → `kernelInitializer`. */
export function toCamelCase(name: string): string {
  if (name.length <= 1) return name
  return name.replace(/_+(\w|$)/g, (_, next: string) => next.toUpperCase())
}

/** Keras writes some numbers as { type: 'ndarray', value: 0.01 }. */
const isBoxedNumber = (value: Record<string, unknown>) =>
  value.type === 'ndarray' && typeof value.value === 'number'

/**
 * Converts keys and strings throughout; those under `kept` keys (in the form before conversion) stay as they
 * are.
 */
function convert(
  value: unknown,
  rename: (name: string) => string,
  kept: readonly string[],
  list: string,
  depth = 0,
): Json {
  if (depth > deepest)
    throw new RangeError(`naming: a config must be nested at most ${deepest} deep, got more`)
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value === whole ? value : rename(value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) {
    const isName = (item: unknown, i: number) => i === 0 && typeof item === 'string' && listsOfNames.has(list)
    return value.map((item, i) => (isName(item, i) ? item : convert(item, rename, kept, list, depth + 1)))
  }
  const entries = Object.entries(value as object).map(([key, item]): [string, Json] => {
    if (kept.includes(key) && typeof item === 'string') return [rename(key), item]
    const camel = rename === toCamelCase ? toCamelCase(key) : key
    return [rename(key), convert(item, rename, kept, camel, depth + 1)]
  })
  // Object.fromEntries defines properties: a key "__proto__" in a file stays a plain property.
  return Object.fromEntries(entries)
}

/**
 * A config in TypeScript's names as saved files write it: keys and strings in snake_case, but not names of
 * layers and classes; undefined becomes null. The same as TF.js' convertTsToPythonic.
 * @throws RangeError for a config nested more than 200 deep
 */
export function toSavedNames(config: unknown): Json {
  return convert(config, toSnakeCase, ['name', 'className'], '')
}

/**
 * A saved config in TypeScript's names, the way back (TF.js' convertPythonicToTs, but for gelu_new). Boxed
 * numbers are unwrapped.
 * @throws RangeError for a config nested more than 200 deep
 */
export function fromSavedNames(config: unknown): Json {
  return convert(unbox(config), toCamelCase, ['name'], '')
}

function unbox(value: unknown, depth = 0): unknown {
  if (depth > deepest || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => unbox(item, depth + 1))
  if (isBoxedNumber(value as Record<string, unknown>)) return (value as { value: number }).value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unbox(item, depth + 1)]))
}
