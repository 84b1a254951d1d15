import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Held } from './cycle.ts'

const program = fileURLToPath(new URL('./cycle.ts', import.meta.url))

interface Cycles {
  /** Whether each model has an engine of its own, which is closed after it. */
  readonly engines: 'shared' | 'own'
  /** Cycles until V8 has compiled what it will, and all in all. */
  readonly warm: number
  readonly count: number
  /** Bytes by which heap and process may have grown since: much more than they do, much less than a model a cycle. */
  readonly heap: number
  readonly rss: number
}

/** Makes models, trains them and disposes of them, in a process of its own; resolves with what is left behind. */
export async function leftBehind({ engines, warm, count, heap, rss }: Cycles): Promise<string[]> {
  const args = ['--expose-gc', program, engines, String(warm), String(count)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [before, after] = JSON.parse(stdout) as [Held, Held]
  const found = (['threads', 'descriptors', 'handles', 'bytes', 'grown', 'ports', 'models'] as const)
    .filter(what => JSON.stringify(before[what]) !== JSON.stringify(after[what]))
    .map(what => `${what}: ${before[what]} before, ${after[what]} after`)
  if (after.bytes !== 0 || after.models !== 0) found.push(`${after.bytes} bytes and ${after.models} models`)
  for (const [what, most] of [
    ['heap', heap],
    ['rss', rss],
  ] as const) {
    const grown = after[what] - before[what]
    if (grown > most) found.push(`${what}: ${grown} bytes more than before, of at most ${most}`)
  }
  return found
}
