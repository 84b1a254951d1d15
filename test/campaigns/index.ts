// npm run campaign -- NAME: in full what `npm test` proves in a short form. Exit code 1 where something fails. In pieces:
// hostile --only FORMAT --from MUTATION --count MUTATIONS, kills --from SEED --count TRAININGS, failures --from SEED --count FAILURES,
// resume --only OPTIMIZER, tables --only TABLE.
import { parseArgs } from 'node:util'
import { suggestion } from '../../src/errors.ts'
import { cycles } from './cycles.ts'
import { docs } from './docs.ts'
import { failures } from './failures.ts'
import { faults } from './faults.ts'
import { hostile } from './hostile.ts'
import { kills } from './kills.ts'
import { memory } from './memory.ts'
import type { Part } from './parts.ts'
import { powerLoss } from './powerLoss.ts'
import { resume } from './resume.ts'
import { sabotage } from './sabotage.ts'
import { stops } from './stops.ts'
import { tables } from './tables.ts'
import { searches } from './tune.ts'

/** Prints what it does, and resolves with a line for each failure. */
export type Campaign = (print: (line: string) => void, part: Part) => Promise<string[]>

/** With the options that say what part is to run. */
const campaigns: Readonly<Record<string, readonly [Campaign, ...(keyof Part)[]]>> = {
  cycles: [cycles],
  docs: [docs],
  failures: [failures, 'from', 'count'],
  faults: [faults],
  hostile: [hostile, 'only', 'from', 'count'],
  kills: [kills, 'from', 'count'],
  memory: [memory],
  powerLoss: [powerLoss],
  resume: [resume, 'only'],
  sabotage: [sabotage],
  stops: [stops],
  tables: [tables, 'only'],
  tune: [searches],
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`campaign: --${name} must be a positive integer, got ${text}`)
}

/** @throws RangeError or TypeError for what no campaign takes */
function given(): { name: string; campaign: Campaign; part: Part } {
  const text = { type: 'string' } as const
  const options = { only: text, from: text, count: text }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [name = ''] = positionals
  const names = Object.keys(campaigns)
  if (positionals.length !== 1 || !names.includes(name))
    throw new RangeError(
      `campaign: NAME must be that of a campaign, got "${positionals.join(' ')}"; ${suggestion(name, names)}`,
    )
  const [campaign, ...known] = campaigns[name]!
  const { only, from, count } = values
  const strange = Object.keys(values).find(each => !known.includes(each as keyof Part))
  if (strange)
    throw new RangeError(`campaign: ${name} must be given what it takes, got --${strange}; leave it out`)
  const part = {
    ...(only !== undefined && { only }),
    ...(from !== undefined && { from: wholeNumber('from', from) }),
    ...(count !== undefined && { count: wholeNumber('count', count) }),
  }
  return { name, campaign, part }
}

async function run({ name, campaign, part }: ReturnType<typeof given>): Promise<void> {
  const started = performance.now()
  const failures = await campaign(console.log, part)
  for (const failure of failures) console.log(failure)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(
    failures.length === 0 ? `${name}: passed in ${seconds} s` : `${name}: ${failures.length} failed`,
  )
  if (failures.length > 0) process.exitCode = 1
}

let todo: ReturnType<typeof given> | undefined
try {
  todo = given()
} catch (error) {
  console.log((error as Error).message)
  process.exitCode = 1
}
if (todo) await run(todo)
