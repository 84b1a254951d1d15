import { show } from '../errors.ts'
import type { Json } from './naming.ts'

/** Deeper nesting than any honest file has. */
const deepest = 200

/** Objects and lists in a text of so many characters: each takes far more memory than its two brackets. */
const mostContainers = (length: number) => 100_000 + length / 16

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

/**
 * JSON of a file that is not trusted: as JSON.parse, but an object that names a key twice (readers would differ
 * in which one they take), a key `__proto__` and deep nesting are refused.
 * @throws RangeError saying what is wrong
 */
export function parseJson(where: string, text: string): Json {
  const open: (Set<string> | undefined)[] = []
  let isKey = false
  let containers = 0
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined)
      if (++containers > mostContainers(text.length))
        throw new RangeError(
          `${where} must be JSON of fewer objects and lists for its ${text.length} characters, got more`,
        )
    } else if (token === '}' || token === ']') open.pop()
    else if (token[0] === '"' && isKey) checkKey(where, open.at(-1), token)
    isKey = (token === '{' || token === ',') && open.at(-1) !== undefined
    if (open.length > deepest)
      throw new RangeError(`${where} must be JSON nested at most ${deepest} deep, got more`)
  }
  return parse(where, text) as Json
}

function parse(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RangeError(`${where} must be JSON, got ${(error as Error).message}`)
  }
}

function checkKey(where: string, keys: Set<string> | undefined, token: string): void {
  const key = parse(where, token) as string
  if (key === '__proto__' || keys?.has(key))
    throw new RangeError(
      `${where} must have keys of their own, got ${show(key)}${keys?.has(key) ? ' twice' : ''}`,
    )
  keys?.add(key)
}
