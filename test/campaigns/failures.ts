import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Outcome } from '../surroundings/failing.ts'
import type { Campaign } from './index.ts'

/** Ten thousand workers that fail at random in one process, an hour or so. */
export const failures: Campaign = async (print, { from = 1, count = 10_000 }) => {
  const program = fileURLToPath(new URL('../surroundings/failing.ts', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', program, String(from), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { faults, early, end } = JSON.parse(await text(child.stdout)) as Outcome
  print(`${count} failures, ${faults.length} not survived; held early and in the end:`)
  for (const held of [early, end]) print(JSON.stringify(held))
  const left = (['threads', 'descriptors'] as const)
    .filter(what => end[what] > early[what])
    .map(what => `${what}: ${early[what]} early, ${end[what]} in the end`)
  const grown = end.heap - early.heap
  return [...faults, ...left, ...(grown > 10e6 ? [`heap: ${grown} bytes more than early`] : [])]
}
