import { show } from '../errors.ts'
import type { Struct, ThriftValue } from './thrift.ts'

// What a Parquet file says of itself (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).

/** A column: a leaf of the schema. */
export interface Leaf {
  /** Names on the way from the root, joined by dots. */
  readonly name: string
  /** The physical type, by its number. */
  readonly type: number
  /** Bytes of each value of a type of fixed length. */
  readonly length: number
  /** The level that says a value is there: how many on the way may be missing. */
  readonly level: number
  /** Whether a list is on the way. */
  readonly isRepeated: boolean
  readonly meaning: Meaning
}

/** What values stand for. */
export type Meaning =
  | { readonly kind: 'plain' | 'text' | 'unsigned' | 'date' | 'float16' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly perMillisecond: number }

/** A column's part of a row group. */
export interface Chunk {
  readonly leaf: Leaf
  readonly codec: number
  readonly values: number
  readonly start: number
  readonly bytes: number
}

export interface RowGroup {
  readonly rows: number
  readonly chunks: readonly Chunk[]
}

export interface FileDescription {
  readonly leaves: readonly Leaf[]
  readonly groups: readonly RowGroup[]
}

/** Fields of structs, of the kind they must be. */
export class Fields {
  readonly where: string
  private readonly struct: Struct

  constructor(where: string, struct: ThriftValue | undefined) {
    if (!(struct instanceof Map)) throw new RangeError(`${where} must be described, got ${show(struct)}`)
    this.where = where
    this.struct = struct
  }

  has(id: number): boolean {
    return this.struct.has(id)
  }

  inner(id: number, name: string): Fields {
    return new Fields(`${this.where} ${name}`, this.struct.get(id))
  }

  /** A count, a size or an index. @throws RangeError for none, a negative one, or one of more than 53 bits */
  count(id: number, name: string, otherwise?: number): number {
    const value = this.struct.get(id) ?? otherwise
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
    throw new RangeError(`${this.where} ${name} must be a count, got ${show(value)}`)
  }

  /** A whole number, if it is there. */
  integer(id: number): number | undefined {
    const value = this.struct.get(id)
    if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined
    throw new RangeError(`${this.where} field ${id} must be a whole number, got ${show(value)}`)
  }

  text(id: number, name: string): string {
    const value = this.struct.get(id)
    if (Buffer.isBuffer(value)) return value.toString('utf8')
    throw new RangeError(`${this.where} ${name} must be text, got ${show(value)}`)
  }

  list(id: number, name: string): readonly ThriftValue[] {
    const value = this.struct.get(id)
    if (Array.isArray(value)) return value
    throw new RangeError(`${this.where} ${name} must be a list, got ${show(value)}`)
  }

  truth(id: number, otherwise: boolean): boolean {
    return (this.struct.get(id) ?? otherwise) === true
  }
}

const perMillisecond = [1, 1000, 1_000_000]

/** By the newer logical type, or the older converted one. */
function meaningOf(element: Fields): Meaning {
  const logical = element.has(10) ? element.inner(10, 'logical type') : undefined
  const converted = element.has(6) ? element.count(6, 'converted type') : -1
  if (logical?.has(5)) return { kind: 'decimal', scale: logical.inner(5, 'decimal').count(1, 'scale', 0) }
  if (converted === 5) return { kind: 'decimal', scale: element.count(7, 'scale', 0) }
  if (logical?.has(8)) {
    const unit = logical.inner(8, 'timestamp').inner(2, 'unit')
    const index = [1, 2, 3].findIndex(id => unit.has(id))
    if (index >= 0) return { kind: 'timestamp', perMillisecond: perMillisecond[index]! }
  }
  if (converted === 9 || converted === 10)
    return { kind: 'timestamp', perMillisecond: perMillisecond[converted - 9]! }
  if (logical?.has(6) || converted === 6) return { kind: 'date' }
  if (logical?.has(15)) return { kind: 'float16' }
  const texts = [1, 4, 12]
  if (texts.some(id => logical?.has(id)) || [0, 4, 19].includes(converted)) return { kind: 'text' }
  const isUnsigned = logical?.has(10)
    ? !logical.inner(10, 'integer').truth(2, true)
    : [13, 14].includes(converted)
  return { kind: isUnsigned ? 'unsigned' : 'plain' }
}

/** The leaves of a tree that is written in the order of a walk through it. */
function readLeaves(where: string, elements: readonly ThriftValue[]): Leaf[] {
  const leaves: Leaf[] = []
  const names = new Set<string>()
  let next = 0
  const walk = (path: readonly string[], level: number, isRepeated: boolean): void => {
    const element = new Fields(`${where} schema[${next}]`, elements[next++])
    const isRoot = path.length === 0 && next === 1
    const repetition = isRoot ? 0 : element.count(3, 'repetition', 0)
    const own = isRoot ? [] : [...path, element.text(4, 'name')]
    const [deeper, repeated] = [level + (repetition === 0 ? 0 : 1), isRepeated || repetition === 2]
    const children = element.count(5, 'children', 0)
    if (children > elements.length - next || own.length > 32)
      throw new RangeError(`${element.where} must have its ${children} children in the file, got fewer`)
    if (children > 0 || isRoot) {
      for (let i = 0; i < children; i++) walk(own, deeper, repeated)
      return
    }
    const name = own.join('.')
    if (names.has(name) || name === '__proto__')
      throw new RangeError(`${where} must have columns with names of their own, got ${show(name)}`)
    names.add(name)
    const [type, length] = [element.count(1, 'type'), element.count(2, 'length', 0)]
    leaves.push({ name, type, length, level: deeper, isRepeated: repeated, meaning: meaningOf(element) })
  }
  walk([], 0, false)
  if (next !== elements.length)
    throw new RangeError(`${where} schema must be one tree of ${next} elements, got ${elements.length}`)
  return leaves
}

function readChunk(where: string, leaf: Leaf, rows: number, column: Fields, end: number): Chunk {
  const at = `${where} column "${leaf.name}"`
  if (column.has(1)) throw new RangeError(`${at} must be in this file, got ${show(column.text(1, 'path'))}`)
  if (column.has(8)) throw new RangeError(`${at} must not be encrypted, got one that is`)
  const meta = column.inner(3, 'metadata')
  const path = meta.list(3, 'path').map(String).join('.')
  if (path !== leaf.name || meta.count(1, 'type') !== leaf.type)
    throw new RangeError(`${at} must be that of the schema, got "${path}" of type ${meta.count(1, 'type')}`)
  const [values, bytes, data] = [meta.count(5, 'values'), meta.count(7, 'size'), meta.count(9, 'place')]
  if (!leaf.isRepeated && values !== rows)
    throw new RangeError(`${at} must have a value for each of ${rows} rows, got ${values}`)
  const dictionary = meta.count(11, 'place of the dictionary', 0)
  const start = dictionary > 0 ? Math.min(dictionary, data) : data
  if (start < 4 || bytes > end - start)
    throw new RangeError(`${at} must lie between bytes 4 and ${end}, got ${bytes} bytes at ${start}`)
  return { leaf, codec: meta.count(4, 'codec'), values, start, bytes }
}

/** Parts of columns must not share bytes: a small file could stand for a very large one. */
function checkApart(where: string, groups: readonly RowGroup[]): void {
  const chunks = groups.flatMap(group => group.chunks).sort((a, b) => a.start - b.start)
  for (const [i, { leaf, start }] of chunks.entries()) {
    const before = chunks[i - 1]
    if (before && before.start + before.bytes > start)
      throw new RangeError(
        `${where} column "${leaf.name}" must have bytes of its own, got some of "${before.leaf.name}" at ${start}`,
      )
  }
}

/**
 * What the metadata of a file says, found to be about the bytes before `end`, where it begins.
 * @throws RangeError naming the field that is wrong
 */
export function readDescription(where: string, metadata: Struct, end: number): FileDescription {
  const file = new Fields(where, metadata)
  const leaves = readLeaves(where, file.list(2, 'schema'))
  const groups = file.list(4, 'row groups').map((value, g): RowGroup => {
    const at = `${where} row group ${g}`
    const group = new Fields(at, value)
    const [columns, rows] = [group.list(1, 'columns'), group.count(3, 'rows')]
    if (columns.length !== leaves.length)
      throw new RangeError(`${at} must have ${leaves.length} columns, got ${columns.length}`)
    const chunks = leaves.map((leaf, c) =>
      readChunk(at, leaf, rows, new Fields(`${at} column ${c}`, columns[c]), end),
    )
    return { rows, chunks }
  })
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  if (rows !== file.count(3, 'rows'))
    throw new RangeError(
      `${where} must have as many rows as its groups, ${rows}, got ${file.count(3, 'rows')}`,
    )
  checkApart(where, groups)
  return { leaves, groups }
}
