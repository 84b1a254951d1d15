// What `thrift.ts` reads: Thrift's compact protocol, as far as Parquet's metadata need it.

const codes = { i32: 5, i64: 6, text: 8, list: 9, struct: 12 } as const
export type WrittenStruct = readonly WrittenField[]
export type WrittenField =
  | readonly [id: number, type: 'i32' | 'i64', value: number]
  | readonly [id: number, type: 'text', value: string]
  | readonly [id: number, type: 'struct', value: WrittenStruct]
  | readonly [id: number, type: 'list', of: 'i32', values: readonly number[]]
  | readonly [id: number, type: 'list', of: 'text', values: readonly string[]]
  | readonly [id: number, type: 'list', of: 'struct', values: readonly WrittenStruct[]]

/** Seven bits a byte, the lowest first; up to 2^53. */
export function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128)
  return [...bytes, left]
}

const integer = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value)

function bytesOf(type: keyof typeof codes, value: unknown): number[] {
  if (type === 'struct') return structBytes(value as WrittenStruct)
  if (type !== 'text') return integer(value as number)
  const bytes = Buffer.from(value as string)
  return [...varint(bytes.length), ...bytes]
}

/** The bytes of a struct, whose fields stand in the order of their numbers. */
export function structBytes(fields: WrittenStruct): number[] {
  const bytes: number[] = []
  let last = 0
  for (const field of fields) {
    const [id, type] = field
    bytes.push((id - last) * 16 + codes[type])
    last = id
    if (field[1] !== 'list') bytes.push(...bytesOf(type, field[2]))
    else {
      const [, , of, values] = field
      bytes.push(Math.min(values.length, 15) * 16 + codes[of])
      if (values.length > 14) bytes.push(...varint(values.length))
      for (const value of values) for (const byte of bytesOf(of, value)) bytes.push(byte)
    }
  }
  bytes.push(0)
  return bytes
}
