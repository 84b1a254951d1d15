import { withFolder } from '../checkpoints/folder.ts'
import { optimizerNames } from '../checkpoints/rehearsal.ts'
import { resumeFromAll } from '../checkpoints/resuming.ts'
import type { Campaign } from './index.ts'
import { chosen } from './parts.ts'

/** Six optimizers, resumed from each of 200 steps. */
export const resume: Campaign = async (print, { only }) => {
  const failures: string[] = []
  for (const { name } of chosen(
    optimizerNames.map(each => ({ name: each })),
    only,
  )) {
    const { steps, different } = await withFolder(folder => resumeFromAll(name, 1, folder))
    print(`${name}: resumed from ${steps.length} steps, ${different.length} ended differently`)
    if (steps.length < 200) failures.push(`${name}: only ${steps.length} steps`)
    failures.push(...different.map(step => `${name}: from step ${step}`))
  }
  return failures
}
