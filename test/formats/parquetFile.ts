// Parquet files by hand, so that anything in them can be wrong.

/** A field of a struct: its number, its type in Thrift's compact protocol, its value. */
export type Part = readonly [
  id: number,
  type: 'bool' | 'i32' | 'i64' | 'text' | 'list' | 'struct',
  value: unknown,
]

const types = { bool: 1, i32: 5, i64: 6, text: 8, list: 9, struct: 12 } as const

function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  do {
    bytes.push((left % 128) + (left > 127 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return bytes
}

const zigzag = (value: number): number[] => varint(value < 0 ? -2 * value - 1 : 2 * value)

function encoded(type: Part[1], value: unknown): Buffer {
  if (type === 'i32' || type === 'i64') return Buffer.from(zigzag(value as number))
  if (type === 'struct') return struct(value as readonly Part[])
  if (type === 'text') {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value as string)
    return Buffer.concat([Buffer.from(varint(bytes.length)), bytes])
  }
  const items = value as readonly (readonly Part[] | number | string)[]
  const kind = typeof items[0] === 'number' ? 'i32' : typeof items[0] === 'string' ? 'text' : 'struct'
  const head =
    items.length < 15 ? [items.length * 16 + types[kind]] : [0xf0 + types[kind], ...varint(items.length)]
  return Buffer.concat([Buffer.from(head), ...items.map(item => encoded(kind, item))])
}

export function struct(parts: readonly Part[]): Buffer {
  let last = 0
  const pieces = parts.map(([id, type, value]) => {
    const code = type === 'bool' && value === false ? 2 : types[type]
    const head = id > last && id - last < 16 ? [(id - last) * 16 + code] : [code, ...zigzag(id)]
    last = id
    return Buffer.concat([Buffer.from(head), type === 'bool' ? Buffer.alloc(0) : encoded(type, value)])
  })
  return Buffer.concat([...pieces, Buffer.alloc(1)])
}

/** Fields put in place of those of the same number, or left out where null. */
export function changed(
  parts: readonly Part[],
  changes: readonly (Part | readonly [number, null])[] = [],
): Part[] {
  const without = parts.filter(([id]) => !changes.some(([other]) => other === id))
  const more = changes.filter((part): part is Part => part[1] !== null)
  return [...without, ...more].sort((a, b) => a[0] - b[0])
}

type Changes = readonly (Part | readonly [number, null])[]

export interface Wrong {
  /** Of the page's header. */
  header?: Changes
  /** Of the header that a page of values has within. */
  values?: Changes
  /** Bytes of the page. */
  body?: Buffer
  /** Of the schema's element of the column. */
  element?: Changes
  root?: Changes
  column?: Changes
  /** Of the column's metadata. */
  meta?: Changes
  group?: Changes
  file?: Changes
  /** In place of the metadata. */
  metadata?: Buffer
  metadataLength?: number
  head?: string
  tail?: string
  /** Pages before. */
  before?: Buffer
}

/** A page of INT32 values: 1, 2 and 3, plainly. */
export function page({
  header,
  values,
  body = Buffer.from(Int32Array.of(1, 2, 3).buffer),
}: Wrong = {}): Buffer {
  const own = changed(
    [
      [1, 'i32', 3],
      [2, 'i32', 0],
      [3, 'i32', 3],
      [4, 'i32', 3],
    ],
    values,
  )
  const sizes: Part[] = [
    [1, 'i32', 0],
    [2, 'i32', body.length],
    [3, 'i32', body.length],
    [5, 'struct', own],
  ]
  return Buffer.concat([struct(changed(sizes, header)), body])
}

/** A page that is a dictionary of INT32 values: 7 and 9. */
export function dictionary(body = Buffer.from(Int32Array.of(7, 9).buffer), count = 2): Buffer {
  const own: Part[] = [
    [1, 'i32', count],
    [2, 'i32', 0],
  ]
  return Buffer.concat([
    struct([
      [1, 'i32', 2],
      [2, 'i32', body.length],
      [3, 'i32', body.length],
      [7, 'struct', own],
    ]),
    body,
  ])
}

/** A file with one column "x" of required INT32 values. */
export function parquetFile(wrong: Wrong = {}): Buffer {
  const { before = Buffer.alloc(0), head = 'PAR1', tail = 'PAR1' } = wrong
  const pages = Buffer.concat([before, page(wrong)])
  const meta: Part[] = [
    [1, 'i32', 1],
    [2, 'list', [0]],
    [3, 'list', ['x']],
    [4, 'i32', 0],
    [5, 'i64', 3],
    [6, 'i64', pages.length],
    [7, 'i64', pages.length],
    [9, 'i64', 4],
  ]
  const column: Part[] = [
    [2, 'i64', 4],
    [3, 'struct', changed(meta, wrong.meta)],
  ]
  const group: Part[] = [
    [1, 'list', [changed(column, wrong.column)]],
    [2, 'i64', pages.length],
    [3, 'i64', 3],
  ]
  const root: Part[] = [
    [4, 'text', 'root'],
    [5, 'i32', 1],
  ]
  const element: Part[] = [
    [1, 'i32', 1],
    [3, 'i32', 0],
    [4, 'text', 'x'],
  ]
  const file: Part[] = [
    [1, 'i32', 1],
    [2, 'list', [changed(root, wrong.root), changed(element, wrong.element)]],
    [3, 'i64', 3],
    [4, 'list', [changed(group, wrong.group)]],
  ]
  const metadata = wrong.metadata ?? struct(changed(file, wrong.file))
  const end = Buffer.alloc(4)
  end.writeUInt32LE(wrong.metadataLength ?? metadata.length)
  return Buffer.concat([Buffer.from(head), pages, metadata, end, Buffer.from(tail)])
}
