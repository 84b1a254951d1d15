import { faults as kinds, runFaults } from '../checkpoints/faults.ts'
import type { Campaign } from './index.ts'

/** Every fault in every operation of three saves: one checkpoint kept or several, the directory empty before or not. */
export const faults: Campaign = async print => {
  const failures: string[] = []
  let total = 0
  for (const keep of [1, 3]) {
    for (const before of [[], [1, 3, 4]]) {
      const { table, cells, failures: found } = await runFaults({ keep, before, steps: [6, 7, 8] })
      print(`\n${before.length} checkpoints before, ${keep} kept; each fault once, then from then on`)
      print(
        `     ${''.padEnd(20)} ${kinds.map(kind => kind.split(' ').at(-1)!.padEnd(2).slice(0, 2)).join(' ')}`,
      )
      for (const line of table) print(line)
      failures.push(...found.map(what => `${before.length} before, ${keep} kept, ${what}`))
      total += cells
    }
  }
  print(`\n${total} faults, ${failures.length} failed`)
  return failures
}
