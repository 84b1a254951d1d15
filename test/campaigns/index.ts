// npm run campaign -- NAME: in full what `npm test` proves in a short form. Exit code 1 where something fails.
import { suggestion } from '../../src/errors.ts'
import { cycles } from './cycles.ts'
import { faults } from './faults.ts'
import { hostile } from './hostile.ts'
import { kills } from './kills.ts'
import { powerLoss } from './powerLoss.ts'
import { resume } from './resume.ts'
import { sabotage } from './sabotage.ts'
import { stops } from './stops.ts'
import { searches } from './tune.ts'

/** Prints what it does, and resolves with a line for each failure. */
export type Campaign = (print: (line: string) => void) => Promise<string[]>

const campaigns: Readonly<Record<string, Campaign>> = {
  cycles,
  faults,
  hostile,
  kills,
  powerLoss,
  resume,
  sabotage,
  stops,
  tune: searches,
}

const name = process.argv[2] ?? ''
const campaign = Object.hasOwn(campaigns, name) ? campaigns[name] : undefined
if (campaign) {
  const started = performance.now()
  const failures = await campaign(console.log)
  for (const failure of failures) console.log(failure)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(
    failures.length === 0 ? `${name}: passed in ${seconds} s` : `${name}: ${failures.length} failed`,
  )
  if (failures.length > 0) process.exitCode = 1
} else {
  const known = suggestion(name, Object.keys(campaigns))
  console.log(`campaign: NAME must be that of a campaign, got ${JSON.stringify(name)}; ${known}`)
  process.exitCode = 1
}
