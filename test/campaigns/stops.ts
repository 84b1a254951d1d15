import * as ls from '../../src/index.ts'
import { rehearsal } from '../checkpoints/rehearsal.ts'
import { stopAndGo } from '../surroundings/stopping.ts'
import type { Campaign } from './index.ts'

/** Trainings that are stopped for a minute, and for many short times about as long as a worker may be silent. */
export const stops: Campaign = async print => {
  const failures: string[] = []
  const epochs = 2000
  const { hash } = await rehearsal(ls, 'adam', epochs).train({ workers: 1 })
  const short = Array.from({ length: 60 }, (_, i) => 500 + 40 * i)
  for (const each of [
    { epochs, stallMs: 30_000, stopped: [60_000, 60_000], running: 500 },
    { epochs, stallMs: 1500, stopped: short, running: 20 },
  ]) {
    const { said, complaint, stops } = await stopAndGo(each)
    print(`stopped ${stops} times for up to ${Math.max(...each.stopped)} ms: ${said.at(-1)}`)
    if (said.at(-1) !== hash || complaint !== '') failures.push(`must be ${hash}, got ${said} ${complaint}`)
  }
  return failures
}
