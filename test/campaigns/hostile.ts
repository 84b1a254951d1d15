import { rmSync } from 'node:fs'
import { mutation, outcome, placeFor } from '../formats/mutations.ts'
import { soundFormats } from '../formats/sound.ts'
import type { Campaign } from './index.ts'

/** Mutations of each file; `npm test` has the first 5,000. */
const first = 5000
const count = 300_000
/** Beyond what the process takes before: 64 MiB and four times the file, and what the collector leaves for later. */
const mostBytes = 512 * 2 ** 20

/** Over three million bad files: each is read or refused in our words, within two seconds and bounded memory. */
export const hostile: Campaign = async print => {
  const failures: string[] = []
  for (const format of await soundFormats()) {
    const { folder, path } = placeFor(format)
    const before = process.memoryUsage().rss
    const whole = await outcome(format, path, format.sound)
    if (whole !== 'loaded') failures.push(`${format.name}: the sound file: ${whole}`)
    let refused = 0
    let largest = 0
    for (let seed = first; seed < first + count; seed++) {
      try {
        if ((await outcome(format, path, mutation(format.sound, seed))) !== 'loaded') refused++
      } catch (error) {
        failures.push(`${format.name}, seed ${seed}: ${(error as Error).message}`)
      }
      if (seed % 100 === 0) largest = Math.max(largest, process.memoryUsage().rss - before)
    }
    rmSync(folder, { recursive: true })
    print(
      `${format.name}: ${count} files, ${refused} refused, ${Math.round(largest / 2 ** 20)} MiB more at most`,
    )
    if (largest > mostBytes) failures.push(`${format.name}: ${largest} bytes more than before`)
  }
  return failures
}
