import { crc32, deflateRawSync } from 'node:zlib'

/** What a member of an archive by hand has that is wrong. */
interface Wrong {
  name: string
  localName: string
  data: Buffer
  packed: Buffer
  method: number
  localMethod: number
  flags: number
  crc: number
  bytes: number
  packedBytes: number
  at: number
  signature: number
  localSignature: number
  extra: Buffer
  after: Buffer
}
export type Member = Partial<Wrong> & { name: string; data: Buffer }

const fields = (...parts: [value: number, bytes: 2 | 4][]): Buffer =>
  Buffer.concat(
    parts.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes)
      if (bytes === 2) field.writeUInt16LE(value)
      else field.writeUInt32LE(value)
      return field
    }),
  )

/** An archive by hand, from PKWARE's note. */
export function archive(
  members: readonly Member[],
  end: { count?: number; start?: number; bytes?: number; disk?: number; comment?: string } = {},
): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let place = 0
  for (const { name, data, ...rest } of members) {
    const { method = 8, flags = 0, extra = Buffer.alloc(0), after = Buffer.alloc(0) } = rest
    const packed = rest.packed ?? (method === 8 ? deflateRawSync(data) : data)
    const { crc = crc32(data), bytes = data.length, packedBytes = packed.length, at = place } = rest
    const {
      localName = name,
      localMethod = method,
      signature = 0x02014b50,
      localSignature = 0x04034b50,
    } = rest
    const common = (method: number) =>
      fields([flags, 2], [method, 2], [0, 4], [crc, 4], [packedBytes, 4], [bytes, 4])
    const lengths = (text: string, more: Buffer) => fields([Buffer.byteLength(text), 2], [more.length, 2])
    const none = Buffer.alloc(0)
    const local = Buffer.concat([
      fields([localSignature, 4], [20, 2]),
      common(localMethod),
      lengths(localName, none),
      Buffer.from(localName),
      packed,
      after,
    ])
    const entry = [
      fields([signature, 4], [20, 2], [20, 2]),
      common(method),
      lengths(name, extra),
      fields([0, 2], [0, 2], [0, 2], [0, 4], [at, 4]),
      Buffer.from(name),
      extra,
    ]
    entries.push(Buffer.concat(entry))
    locals.push(local)
    place += local.length
  }
  const directory = Buffer.concat(entries)
  const { count = members.length, start = place, bytes = directory.length, disk = 0, comment = '' } = end
  const last = fields(
    [0x06054b50, 4],
    [disk, 2],
    [disk, 2],
    [count, 2],
    [count, 2],
    [bytes, 4],
    [start, 4],
    [comment.length, 2],
  )
  return Buffer.concat([...locals, directory, last, Buffer.from(comment)])
}
