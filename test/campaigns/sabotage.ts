import { rmSync } from 'node:fs'
import { copySource, runSabotaged, runTest, sabotages } from '../sabotages.ts'
import type { Campaign } from './index.ts'

/** Takes safeguards out of a copy of the source, one at a time: a test fails then that passes with it. */
export const sabotage: Campaign = async print => {
  const copy = copySource()
  const failures: string[] = []
  try {
    for (const each of sabotages) {
      const [sound, sabotaged] = [runTest(copy, each.test), runSabotaged(copy, each)]
      const noticed = sound.passed > 0 && sound.failed === 0 && sabotaged.failed > 0
      print(`without ${each.without}: ${noticed ? '' : 'NOT '}noticed by ${each.test.join(', ')}`)
      if (!noticed) failures.push(`without ${each.without} no test failed that passes with it`)
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
  return failures
}
