import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { type Format, mutation, outcome, placeFor } from './mutations.ts'

/** Proves that whatever the bytes, the reader loads them or says what is wrong. `named` are files with their messages. */
export function proveHostile(
  format: Format,
  named: Readonly<Record<string, readonly [bytes: Buffer, message: string]>>,
  mutations = 5000,
): void {
  const { folder, path } = placeFor(format)
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
