import { setTimeout as sleep } from 'node:timers/promises'
import { type Trial, tune } from '../../src/tune/tune.ts'
import { branin } from './functions.ts'

// node victim.ts FILE TRIALS: a study that is slow enough to be killed. Prints a line for each trial.
const [file, trials] = process.argv.slice(2) as [string, string]
const slowly = async ({ parameters }: Trial<{ x: number; y: number }>) => {
  await sleep(5)
  return branin.value(parameters)
}
await tune(branin.space, slowly, {
  study: file,
  trials: Number(trials),
  seed: 3,
  parallel: 2,
  onTrial: () => console.log('.'),
})
