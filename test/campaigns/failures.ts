import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { withFolder } from '../checkpoints/folder.ts'
import type { Outcome } from '../surroundings/failing.ts'
import type { Campaign } from './index.ts'

const program = fileURLToPath(new URL('../surroundings/failing.ts', import.meta.url))

/** Has workers fail in a process of its own; threads start twice as fast where V8 keeps what it has compiled. */
const failIn = (cache: string, seed: number, count: number): Promise<Outcome> => {
  const child = spawn(process.execPath, ['--expose-gc', program, String(seed), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  })
  return text(child.stdout).then(JSON.parse)
}

/** Ten thousand workers that fail at random in one process, half an hour or so. */
export const failures: Campaign = async (print, { from = 1, count = 10_000 }) => {
  const { faults, early, end } = await withFolder(cache => failIn(cache, from, count))
  print(`${count} failures, ${faults.length} not survived; held early and in the end:`)
  for (const held of [early, end]) print(JSON.stringify(held))
  const left = (['threads', 'descriptors'] as const)
    .filter(what => end[what] > early[what])
    .map(what => `${what}: ${early[what]} early, ${end[what]} in the end`)
  const grown = end.heap - early.heap
  return [...faults, ...left, ...(grown > 10e6 ? [`heap: ${grown} bytes more than early`] : [])]
}
