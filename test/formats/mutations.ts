import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A format of files that are not trusted. */
export interface Format {
  readonly name: string
  /** A small file that is sound, and how many of its bytes come before the elements. */
  readonly sound: Buffer
  readonly headerLength: number
  /** Whether most of what is changed is sound still, as in a text. */
  readonly isLoose?: boolean
  /** What the file is called; `file` unless given. */
  readonly fileName?: string
  /** Puts right what would betray each change, such as a checksum. */
  seal?(bytes: Buffer): Buffer
  /** Puts beside the file what it needs. */
  prepare?(folder: string): void
  read(path: string): Promise<unknown>
}

const longestMs = 2000
/** A folder in memory, where there is one: thousands of files are written. */
const quick = '/dev/shm'

/** Numbers that tempt readers: lengths that overflow, or lie just past an end. */
const temptations = [0, 1, 7, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 1e308]

/** 32 random bits a call (xorshift). */
function bits(seed: number): () => number {
  let state = seed || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** A copy of the bytes with one to three things changed. */
export function mutation(sound: Buffer, seed: number): Buffer {
  const draw = bits(Math.imul(seed + 1, 0x9e3779b1))
  const below = (n: number) => draw() % Math.max(1, n)
  let bytes = Buffer.from(sound)
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(bytes.length)
    const length = 1 + below(8)
    const kind = below(7)
    if (kind === 0) bytes[at]! ^= 1 << below(8)
    else if (kind === 1) bytes[at] = below(256)
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    else if (kind === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)])
    else if (kind === 4) bytes = bytes.subarray(0, at)
    else if (kind === 5 && bytes.length >= 8)
      bytes.writeBigUInt64LE(
        BigInt(Math.min(temptations[below(temptations.length)]!, 2 ** 63)),
        below(bytes.length - 7),
      )
    else {
      // A number in a text becomes another one.
      const text = bytes.toString('latin1')
      const numbers = [...text.matchAll(/\d+/g)]
      const { 0: digits, index } = numbers[below(numbers.length)] ?? { 0: '', index: 0 }
      const other = String(temptations[below(temptations.length)])
      bytes = Buffer.from(text.slice(0, index) + other + text.slice(index + digits.length), 'latin1')
    }
  }
  return bytes
}

/** What comes of reading the bytes; throws where that is neither a load nor an error of ours, or takes long. */
export async function outcome(format: Format, path: string, bytes: Buffer): Promise<string> {
  writeFileSync(path, bytes)
  const start = performance.now()
  const message = await format.read(path).then(
    () => 'loaded',
    error => told(path, error as Error),
  )
  const ms = performance.now() - start
  if (ms > longestMs) throw new Error(`reading took ${Math.round(ms)} ms: ${bytes.toString('base64')}`)
  return message
}

function told(path: string, error: Error): string {
  const { name, message } = error
  const ours =
    ['RangeError', 'TypeError'].includes(name) && message.includes(path) && message.includes(' must ')
  if (!ours) throw new Error(`not an error of ours: ${String(error)}`, { cause: error })
  return `${name}: ${message.replaceAll(path, 'FILE')}`
}

/** A new folder, in memory where there is such a one, and where the format's file is in it. */
export function placeFor({ fileName = 'file', prepare }: Format): { folder: string; path: string } {
  const folder = mkdtempSync(join(existsSync(quick) ? quick : tmpdir(), 'hostile-'))
  prepare?.(folder)
  return { folder, path: join(folder, fileName) }
}
