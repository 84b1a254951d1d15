import { rmSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Format, mutation, outcome, placeFor } from '../formats/mutations.ts'
import { soundFormats } from '../formats/sound.ts'
import type { Campaign } from './index.ts'
import { chosen } from './parts.ts'

/** Mutations of each file; `npm test` has the first 5,000. */
const first = 5000
const most = 300_000
/** Beyond what the process takes before: 64 MiB and four times the file, and what five hundred reads leave behind. */
const mostBytes = 256 * 2 ** 20

v8.setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

type Print = (line: string) => void

async function attack(format: Format, from: number, count: number, print: Print): Promise<string[]> {
  const failures: string[] = []
  const { folder, path } = placeFor(format)
  const { name, sound, seal = bytes => bytes } = format
  const before = process.memoryUsage().rss
  const whole = await outcome(format, path, sound)
  if (whole !== 'loaded') failures.push(`${name}: the sound file: ${whole}`)
  let refused = 0
  let largest = 0
  for (let seed = from; seed < from + count; seed++) {
    try {
      if ((await outcome(format, path, seal(mutation(sound, seed)))) !== 'loaded') refused++
    } catch (error) {
      failures.push(`${name}, seed ${seed}: ${(error as Error).message}`)
    }
    if (seed % 500 !== 0) continue
    largest = Math.max(largest, process.memoryUsage().rss - before)
    // Streams that failed are let go only in a later turn.
    await turn()
    collect()
  }
  rmSync(folder, { recursive: true })
  const more = Math.round(largest / 2 ** 20)
  print(`${name}: ${count} files from ${from} on, ${refused} refused, ${more} MiB more at most`)
  if (largest > mostBytes) failures.push(`${name}: ${largest} bytes more than before`)
  return failures
}

/** Millions of bad files: each is read or refused in our words, within two seconds and bounded memory. */
export const hostile: Campaign = async (print, { only, from = first, count = most }) => {
  const failures: string[] = []
  for (const format of chosen(await soundFormats(), only))
    failures.push(...(await attack(format, from, count, print)))
  return failures
}
