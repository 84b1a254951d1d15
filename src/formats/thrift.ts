// Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), in which
// Parquet has its metadata.

/** What a struct holds, by the numbers of its fields. */
export type Struct = ReadonlyMap<number, ThriftValue>
export type ThriftValue = boolean | number | Buffer | readonly ThriftValue[] | Struct

/** Deeper nesting than Parquet has. */
const deepest = 16
const [stop, yes, no, byte, i16, i32, i64, double, binary, list, set, map, struct] = Array(
  13,
).keys() as unknown as number[]

/** Reads one struct after the other, never past the end of the bytes. */
export class ThriftReader {
  at: number
  private readonly where: string
  private readonly bytes: Buffer
  private depth = 0
  private left: number

  /** `most` structs are read: each takes far more memory than its bytes. */
  constructor(where: string, bytes: Buffer, at: number, most: number) {
    this.where = where
    this.bytes = bytes
    this.at = at
    this.left = most
  }

  /** @throws RangeError for what is no struct */
  struct(): Struct {
    if (++this.depth > deepest) throw this.refusal(`nested at most ${deepest} deep`, 'more')
    if (--this.left < 0) throw this.refusal('fewer structs for its size', 'more')
    const fields = new Map<number, ThriftValue>()
    let id = 0
    for (;;) {
      const head = this.byte()
      const type = head & 15
      if (type === stop) break
      id = head >> 4 ? id + (head >> 4) : this.integer()
      if (id < 1 || id > 32_767 || fields.has(id)) throw this.refusal('fields of their own', id)
      fields.set(id, this.value(type))
    }
    this.depth--
    return fields
  }

  private value(type: number): ThriftValue {
    if (type === yes || type === no) return type === yes
    if (type === byte) return (this.byte() << 24) >> 24
    if (type === i16 || type === i32 || type === i64) return this.integer()
    if (type === double) return this.take(8).readDoubleLE()
    if (type === binary) return this.take(this.count(1))
    if (type === list || type === set) return this.list()
    if (type === struct) return this.struct()
    throw this.refusal('of known types', type === map ? 'a map' : type)
  }

  private list(): ThriftValue[] {
    if (++this.depth > deepest) throw this.refusal(`nested at most ${deepest} deep`, 'more')
    const head = this.byte()
    const type = head & 15
    const count = head >> 4 === 15 ? this.count(1) : head >> 4
    const isTruth = type === yes || type === no
    const values: ThriftValue[] = []
    for (let i = 0; i < count; i++) values.push(isTruth ? this.byte() === 1 : this.value(type))
    this.depth--
    return values
  }

  /** A length that the rest of the bytes has room for. */
  private count(width: number): number {
    const count = this.varint()
    if (count * width <= this.bytes.length - this.at) return count
    throw this.refusal(`lengths within its ${this.bytes.length} bytes`, count)
  }

  private take(length: number): Buffer {
    if (length > this.bytes.length - this.at)
      throw this.refusal(`all of its ${this.bytes.length} bytes`, 'fewer')
    return this.bytes.subarray(this.at, (this.at += length))
  }

  private byte(): number {
    if (this.at >= this.bytes.length) throw this.refusal('an end', 'none')
    return this.bytes[this.at++]!
  }

  /** Seven bits a byte, the lowest first; beyond 2^53 no longer exact. */
  private varint(): number {
    let value = 0
    for (let shift = 1, i = 0; i < 10; i++, shift *= 128) {
      const next = this.byte()
      value += (next & 127) * shift
      if (next < 128) return value
    }
    throw this.refusal('numbers of at most 64 bits', 'more')
  }

  private integer(): number {
    const zigzag = this.varint()
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }

  private refusal(wanted: string, got: unknown): RangeError {
    return new RangeError(`${this.where} must have ${wanted}, got ${got} at byte ${this.at}`)
  }
}
