import { isPlainObject, show } from '../errors.ts'
import { parseJson } from '../formats/strictJson.ts'
import { checkField, checkNames } from './fields.ts'
import { type ReadingProgress, textLines } from './lines.ts'
import { listItems } from './lists.ts'
import type { Field, Table } from './source.ts'

// Tables of JSON: an object a line, or a list of objects.

/** The text of an object; `number` is that of its line, or of its row in a list. */
interface ObjectText {
  readonly number: number
  readonly line: number
  readonly text: string
}

/** A way to write objects one after the other. */
interface Manner {
  readonly placeName: 'line' | 'row'
  texts(where: string, path: string, progress?: ReadingProgress): AsyncGenerator<readonly ObjectText[]>
  placeOf(text: ObjectText): string
  readonly hint: string
}

const manners: Readonly<Record<'jsonl' | 'json', Manner>> = {
  jsonl: {
    placeName: 'line',
    async *texts(where, path, progress) {
      for await (const { line, lines } of textLines(where, path, progress))
        yield lines.flatMap((text, i) =>
          text.trim() === '' ? [] : [{ number: line + i, line: line + i, text }],
        )
    },
    placeOf: ({ line }) => `line ${line}`,
    hint: 'one object a line',
  },
  json: {
    placeName: 'row',
    texts: listItems,
    placeOf: ({ number, line }) => `row ${number}, line ${line}`,
    hint: 'a list of objects',
  },
}

/** Objects that are looked through for the names of columns. */
const namingObjects = 1000

/** `at` says where it stands, if it must be said. */
function objectOf(text: string, at: () => string, hint: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new RangeError(`${at()}: must be JSON, got ${(error as Error).message}; ${hint}`)
  }
  if (isPlainObject(value)) {
    // More colons than keys: there may be a key twice, of which JSON.parse takes the last.
    const colons = text.match(/"\s*:/g)?.length
    if (colons !== Object.keys(value).length) parseJson(at(), text)
    return value
  }
  throw new RangeError(`${at()}: must be an object, got ${show(value)}; ${hint}`)
}

/** Opens a table whose columns are the keys of its first objects. */
export async function openObjects(where: string, path: string, format: 'jsonl' | 'json'): Promise<Table> {
  const { placeName, texts, placeOf, hint } = manners[format]
  const read = (text: ObjectText) => {
    const at = () => `${where} ${placeOf(text)}`
    return { at, object: objectOf(text.text, at, hint) }
  }
  const found = new Set<string>()
  let seen = 0
  for await (const piece of texts(where, path)) {
    for (const text of piece.slice(0, namingObjects - seen))
      for (const name of Object.keys(read(text).object)) found.add(name)
    seen += piece.length
    if (seen >= namingObjects) break
  }
  if (seen === 0) throw new RangeError(`${where} must hold a table, got no objects; give another one`)
  const names = [...found]
  checkNames(`${where} ${placeName} 1`, names)
  const rowOf = (text: ObjectText) => {
    const { at, object } = read(text)
    for (const name of Object.keys(object)) {
      if (!found.has(name))
        throw new RangeError(
          `${at()}, column ${show(name)}: must be a column of ` +
            `the first ${namingObjects} ${placeName}s, got a new one; name it there, with null`,
        )
      checkField(at, name, object[name])
    }
    const fields = names.map(name => (Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined))
    return { line: text.number, fields: fields as Field[] }
  }
  return {
    path,
    format,
    names,
    placeName,
    async *rows(_warnings, progress) {
      for await (const piece of texts(where, path, progress)) yield piece.map(rowOf)
    },
  }
}
