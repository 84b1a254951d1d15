import { readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copySource, runSabotaged, sabotages } from './sabotages.ts'

let copy = ''
beforeAll(() => void (copy = copySource()))
afterAll(() => rmSync(copy, { recursive: true }))

test('what sabotage takes out is in the source, and the test that notices it is there', () => {
  for (const { file, code, test } of sabotages) {
    const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
    expect(read(file).split(code), file).toHaveLength(2)
    expect(read(test[0])).toContain(test[1])
  }
})

// Those of training take longer: `npm run campaign -- sabotage`.
test.each(sabotages.filter(({ test }) => test[0].includes('checkpoints')))(
  'a test notices that $without is missing',
  { timeout: 60_000 },
  sabotage => {
    expect(runSabotaged(copy, sabotage).failed).toBeGreaterThan(0)
  },
)
