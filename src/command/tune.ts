import type { TrainOptions } from '../tables/options.ts'
import { type SearchOptions, type TuneResult, tune as tuneNetwork } from '../tables/searching.ts'
import type { TrialRecord } from '../tune/tune.ts'
import { figure } from './describe.ts'
import { aligned, barOf, interruption, isLive, note, say } from './terminal.ts'
import { optionsOf, print, progressOf } from './train.ts'

/** Trials that the table shows. */
const shown = 10

type Given = Partial<TrainOptions> & SearchOptions & { config?: string; json?: boolean }

function searchOf(given: Given): SearchOptions {
  const { trials, sampler, pruner, folds, parallel, lag, study, search, maxSeconds } = given
  const all = { trials, sampler, pruner, folds, parallel, lag, study, search, maxSeconds }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function trainingOf(given: Given): Partial<TrainOptions> & { config?: string; json?: boolean } {
  const own = searchOf(given)
  return Object.fromEntries(Object.entries(given).filter(([name]) => !(name in own)))
}

/** A line for each trial, or a bar that moves. */
async function reporter(total: number) {
  const bar = await barOf('trial {value}/{total} {bar} best loss {best}  {eta} s left')
  let [done, best] = [0, Number.POSITIVE_INFINITY]
  return {
    standard(loss: number, parallel: number) {
      best = loss
      note(`loss without a search ${figure(loss)}; ${parallel} trial${parallel > 1 ? 's' : ''} at a time`)
    },
    trial({ number, state, value, reports, error }: TrialRecord) {
      if (state === 'complete') best = Math.min(best, value!)
      bar.update(++done, total, { best: figure(best) })
      if (isLive()) return
      const after = reports.length > 0 ? ` after ${reports.at(-1)![0]}` : ''
      note(`trial ${number} ${state}${after}: ${error ?? figure(value)}, best ${figure(best)}`)
    },
    stop: bar.stop,
  }
}

const countOf = ({ study }: TuneResult, state: TrialRecord['state']) =>
  study.trials.filter(trial => trial.state === state).length

function printStudy(found: TuneResult): void {
  const { study, standard, file } = found
  const states = (['complete', 'pruned', 'failed'] as const).map(state => `${countOf(found, state)} ${state}`)
  say(`${study.trials.length} trials: ${states.join(', ')}`)
  if (study.trials.length > 0) say(study.table(shown))
  const importance = study.importance().map(({ name, share }) => [name, share.toFixed(2)])
  for (const line of aligned([['parameter', 'importance'], ...importance])) say(line)
  const { best } = study
  if (best) say(`best trial ${best.number}: loss ${figure(best.value)}; without a search ${figure(standard)}`)
  if (!best || best.value! >= standard)
    say('no trial is better than what is chosen without a search: that is trained')
  say(`study: ${file}`)
}

/** `lockstep tune`. Resolves with the exit code. */
export async function tune(given: Given): Promise<number> {
  const options = await optionsOf('tune', trainingOf(given))
  const interrupted = interruption()
  const reports = await reporter(given.trials ?? 50)
  const progress = await progressOf(note)
  try {
    const found = await tuneNetwork({
      ...options,
      ...searchOf(given),
      signal: interrupted.signal,
      progress,
      onStandard: reports.standard,
      onTrial: reports.trial,
    })
    reports.stop()
    progress.stop()
    if (found.interrupted) {
      note(`stopped; the same command goes on with the ${found.study.trials.length} trials in ${found.file}`)
      return interrupted.code() ?? 1
    }
    const { study, file, parallel, standard, plan, result } = found
    if (given.json) {
      const importance = study.importance()
      say(
        JSON.stringify({
          study: file,
          parallel,
          standard,
          best: study.best,
          importance,
          trials: study.trials,
          plan,
          result,
        }),
      )
      return 0
    }
    printStudy(found)
    print(result!)
    return 0
  } finally {
    reports.stop()
    progress.stop()
  }
}
