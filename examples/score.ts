// What the examples that train on real data have in common: their options, what they return, and how one is started.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** What an example has reached, and what it must reach. */
export interface Score {
  /** Data and measure, e.g. 'wine: accuracy, 10 folds'. */
  readonly name: string
  readonly value: number
  /** The value must be at least this (`atLeast`) or at most this (`atMost`). */
  readonly bound: number
  readonly better: 'atLeast' | 'atMost'
}

/** Options of every example; each has more of its own, which say how long it trains. */
export interface Running {
  workers: number | 'auto'
  seed: number
  /** Where lines of text go. */
  say: (line: string) => void
}

export const running: Running = { workers: 'auto', seed: 7, say: console.log }

/** Whether the bound is met; NaN meets none. */
export const meets = ({ value, bound, better }: Score): boolean =>
  better === 'atLeast' ? value >= bound : value <= bound

export function format(score: Score): string {
  const { name, value, bound, better } = score
  const sign = better === 'atLeast' ? '≥' : '≤'
  return `${name}: ${value.toFixed(4)} (${sign} ${bound}${meets(score) ? '' : ', missed'})`
}

/** The options that the command line gives: [--workers N] [--seed N]. */
export function commandLine(): Pick<Running, 'workers' | 'seed'> {
  const { values } = parseArgs({
    options: { workers: { type: 'string', default: 'auto' }, seed: { type: 'string', default: '7' } },
  })
  const workers = values.workers === 'auto' ? 'auto' : Number(values.workers)
  return { workers, seed: Number(values.seed) }
}

/** Runs the example of a file (its import.meta.url) if Node was started with that file; exit code 1 for a bound that is missed. */
export async function start(
  url: string,
  example: (options: Partial<Running>) => Promise<readonly Score[]>,
): Promise<void> {
  if (process.argv[1] !== fileURLToPath(url)) return
  const scores = await example(commandLine())
  for (const score of scores) console.log(format(score))
  if (!scores.every(meets)) process.exitCode = 1
}
