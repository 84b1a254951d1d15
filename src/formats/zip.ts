import { createInflateRaw } from 'node:zlib'
import { show } from '../errors.ts'
import { crcOf } from './checksum.ts'
import { type OpenFile, readFully } from './files.ts'

/** A file within a zip archive (PKWARE's APPNOTE 6.3): where its bytes lie, and how many they are packed and unpacked. */
export interface Member {
  readonly name: string
  readonly isPacked: boolean
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  readonly start: number
}

const endSignature = 0x06054b50
const endLength = 22
const longestComment = 65_535
const entrySignature = 0x02014b50
const entryLength = 46
const localSignature = 0x04034b50
const localLength = 30
/** What may follow a member: its sizes and checksum once more. */
const longestDescriptor = 24

/** In place of a size of more than 32 bits: the extra field has it. */
const elsewhere = 0xffffffff

export async function readBytes(where: string, file: OpenFile, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  await readFully(where, file, bytes, at)
  return bytes
}

interface Directory {
  readonly start: number
  readonly bytes: number
  readonly count: number
}

/** Finds the directory by the record at the end of the file. */
async function findDirectory(where: string, file: OpenFile, size: number): Promise<Directory> {
  const tail = Math.min(size, endLength + longestComment)
  const bytes = await readBytes(where, file, size - tail, tail)
  let at = bytes.length - endLength
  while (
    at >= 0 &&
    !(bytes.readUInt32LE(at) === endSignature && at + endLength + bytes.readUInt16LE(at + 20) === tail)
  )
    at--
  if (at < 0)
    throw new RangeError(`${where} must be a zip archive that ends in its directory, got no end record`)
  const found = {
    count: bytes.readUInt16LE(at + 10),
    bytes: bytes.readUInt32LE(at + 12),
    start: bytes.readUInt32LE(at + 16),
  }
  const end = size - tail + at
  if (
    bytes.readUInt16LE(at + 4) !== 0 ||
    bytes.readUInt16LE(at + 6) !== 0 ||
    bytes.readUInt16LE(at + 8) !== found.count
  )
    throw new RangeError(`${where} must be a zip archive in one file, got a part of several`)
  if (found.start + found.bytes !== end)
    throw new RangeError(
      `${where} must have its directory before the end record at ${end}, got ${found.bytes} bytes at ${found.start}`,
    )
  return found
}

/** The true sizes of an entry, where 32 bits were too few for them. */
function wideSizes(where: string, extra: Buffer, sizes: readonly number[]): number[] {
  let at = 0
  let wide: Buffer | undefined
  while (at + 4 <= extra.length) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) wide = extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  let place = 0
  return sizes.map(value => {
    if (value !== elsewhere) return value
    if (!wide || place + 8 > wide.length)
      throw new RangeError(`${where} must have sizes of 64 bits in an extra field, got none`)
    place += 8
    return Number(wide.readBigUInt64LE(place - 8))
  })
}

/** A name that does no harm were it taken for a path. */
function checkName(where: string, name: string, names: ReadonlySet<string>): void {
  const parts = name.split('/')
  const isPlain = [...name].every(letter => letter >= ' ' && letter !== '\\' && letter !== ':')
  const isHarmless = isPlain && !parts.some(part => ['', '.', '..'].includes(part))
  if (!isHarmless) throw new RangeError(`${where} must have members with plain names, got ${show(name)}`)
  if (names.has(name)) throw new RangeError(`${where} must name each member once, got ${show(name)} again`)
}

type Entry = Omit<Member, 'start'> & { readonly local: number; readonly hasDescriptor: boolean }

function readEntries(where: string, bytes: Buffer, count: number): Entry[] {
  const entries: Entry[] = []
  const names = new Set<string>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + entryLength > bytes.length || bytes.readUInt32LE(at) !== entrySignature)
      throw new RangeError(`${where} must have ${count} members in its directory, got ${i}`)
    const [flags, method, crc] = [
      bytes.readUInt16LE(at + 8),
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 16),
    ]
    const lengths = [28, 30, 32].map(place => bytes.readUInt16LE(at + place)) as [number, number, number]
    const end = at + entryLength + lengths[0] + lengths[1] + lengths[2]
    if (end > bytes.length)
      throw new RangeError(`${where} must have ${count} members in its directory, got ${i}`)
    const name = bytes.toString('utf8', at + entryLength, at + entryLength + lengths[0])
    checkName(where, name, names)
    names.add(name)
    if (flags & 0x41) throw new RangeError(`${where} ${name} must not be encrypted, got flags ${flags}`)
    if (method !== 0 && method !== 8)
      throw new RangeError(`${where} ${name} must be stored or deflated, got method ${method}`)
    const extra = bytes.subarray(at + entryLength + lengths[0], end - lengths[2])
    const sizes = [24, 20, 42].map(place => bytes.readUInt32LE(at + place))
    const [unpacked, packed, local] = wideSizes(`${where} ${name}`, extra, sizes) as [number, number, number]
    if (method === 0 && packed !== unpacked)
      throw new RangeError(`${where} ${name} must have ${packed} bytes as it is not packed, got ${unpacked}`)
    const hasDescriptor = (flags & 8) !== 0
    entries.push({
      name,
      isPacked: method === 8,
      crc,
      packedBytes: packed,
      bytes: unpacked,
      local,
      hasDescriptor,
    })
    at = end
  }
  if (at !== bytes.length)
    throw new RangeError(`${where} must have a directory of ${at} bytes, got ${bytes.length}`)
  return entries
}

/**
 * The members of an archive. They must lie one after the other from the first byte on and fill the file up to the
 * directory, which names each once.
 * @throws RangeError saying what is wrong
 */
export async function readDirectory(where: string, file: OpenFile, size: number): Promise<Member[]> {
  if (size < endLength)
    throw new RangeError(`${where} must be a zip archive of ${endLength} bytes or more, got ${size}`)
  const directory = await findDirectory(where, file, size)
  const entries = readEntries(
    where,
    await readBytes(where, file, directory.start, directory.bytes),
    directory.count,
  )
  entries.sort((a, b) => a.local - b.local)
  let place = 0
  let slack = 0
  const members: Member[] = []
  for (const { local, hasDescriptor, ...entry } of entries) {
    if (local < place || local > place + slack || local + localLength > directory.start)
      throw new RangeError(`${where} ${entry.name} must begin at ${place}, got ${local}`)
    const head = await readBytes(where, file, local, localLength)
    const [nameLength, extraLength] = [head.readUInt16LE(26), head.readUInt16LE(28)]
    const start = local + localLength + nameLength + extraLength
    place = start + entry.packedBytes
    if (head.readUInt32LE(0) !== localSignature || !(place <= directory.start))
      throw new RangeError(
        `${where} ${entry.name} must lie before the directory at ${directory.start}, got ${place}`,
      )
    const name = (await readBytes(where, file, local + localLength, nameLength)).toString('utf8')
    if (name !== entry.name || head.readUInt16LE(8) !== (entry.isPacked ? 8 : 0))
      throw new RangeError(`${where} ${entry.name} must be named so where it lies, got ${show(name)}`)
    slack = hasDescriptor ? longestDescriptor : 0
    members.push({ ...entry, start })
  }
  if (directory.start < place || directory.start > place + slack)
    throw new RangeError(`${where} must have its directory at ${place}, got ${directory.start}`)
  return members
}

/** Unpacks into as many bytes as there should be, and gives up where there are more. */
async function unpack(where: string, packed: Buffer, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  const inflate = createInflateRaw()
  inflate.end(packed)
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      if (done + piece.length > length)
        throw new RangeError(`${where} must have ${length} bytes unpacked, got more`)
      done += piece.copy(bytes, done)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw new RangeError(`${where} must be deflated, got ${(error as Error).message}`)
    throw error
  } finally {
    inflate.destroy()
  }
  if (done === length) return bytes
  throw new RangeError(`${where} must have ${length} bytes unpacked, got ${done}`)
}

/** The bytes of a member, which its checksum says are right. */
export async function readMember(where: string, file: OpenFile, member: Member): Promise<Buffer> {
  const at = `${where} ${member.name}`
  const packed = await readBytes(at, file, member.start, member.packedBytes)
  const bytes = member.isPacked ? await unpack(at, packed, member.bytes) : packed
  const crc = crcOf(bytes)
  if (crc === member.crc) return bytes
  throw new RangeError(`${at} must have the checksum ${member.crc}, got ${crc}`)
}
