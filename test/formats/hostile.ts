import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

/** A format of files that are not trusted. */
export interface Format {
  readonly name: string
  /** A small file that is sound, and how many of its bytes come before the elements. */
  readonly sound: Buffer
  readonly headerLength: number
  /** Whether most of what is changed is sound still, as in a text. */
  readonly isLoose?: boolean
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

/** Proves that whatever the bytes, the reader loads them or says what is wrong. `named` are files with their messages. */
export function proveHostile(
  format: Format,
  named: Readonly<Record<string, readonly [bytes: Buffer, message: string]>>,
  mutations = 5000,
): void {
  const folder = mkdtempSync(join(existsSync(quick) ? quick : tmpdir(), 'hostile-'))
  const path = join(folder, 'file')
  afterAll(() => rmSync(folder, { recursive: true }))
  const { name, sound, headerLength, isLoose = false } = format

  test(`${name}: the sound file loads`, async () => {
    expect(await outcome(format, path, sound)).toBe('loaded')
  })

  test.each(Object.entries(named))(`${name}: %s`, async (_, [bytes, message]) => {
    expect(await outcome(format, path, bytes)).toBe(message)
  })

  test(`${name}: at least 25 hostile files are named`, () => {
    expect(Object.keys(named).length).toBeGreaterThanOrEqual(25)
  })

  test(`${name}: no part of the file is taken for the whole`, async () => {
    for (let length = 0; length < sound.length; length++) {
      const found = await outcome(format, path, sound.subarray(0, length))
      if (!isLoose) expect(found, `${length} bytes`).not.toBe('loaded')
    }
  })

  test(`${name}: every bit of the header`, async () => {
    for (let bit = 0; bit < 8 * headerLength; bit++) {
      const bytes = Buffer.from(sound)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      await outcome(format, path, bytes)
    }
  })

  test(`${name}: ${mutations} mutations`, { timeout: 60_000 }, async () => {
    let refused = 0
    for (let seed = 0; seed < mutations; seed++) {
      if ((await outcome(format, path, mutation(sound, seed))) !== 'loaded') refused++
    }
    expect(refused).toBeGreaterThan(mutations / (isLoose ? 50 : 2))
  })
}
