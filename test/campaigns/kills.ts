import { withFolder } from '../checkpoints/folder.ts'
import { killInARow } from '../checkpoints/killing.ts'
import type { Campaign } from './index.ts'

/** Fifty trainings that are killed twenty times each. */
export const kills: Campaign = async (print, { from = 1, count = 50 }) => {
  const failures: string[] = []
  const sum = { killed: 0, inSaves: 0 }
  for (let seed = from; seed < from + count; seed++) {
    const { killed, inSaves, steps, different } = await withFolder(folder => killInARow(20, seed, folder))
    sum.killed += killed
    sum.inSaves += inSaves
    failures.push(...different)
    print(
      `seed ${seed}: ${sum.killed} killed, ${sum.inSaves} inside saves, ${failures.length} ended differently; ` +
        `last at step ${steps.at(-1)}`,
    )
  }
  return failures
}
