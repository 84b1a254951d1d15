import { averaged, type Objective } from '../tune/tune.ts'
import type { ChosenPlan } from './choosing.ts'
import { foldsOf } from './folds.ts'
import { trialDataOf } from './kinds.ts'
import type { TrainConfiguration } from './options.ts'
import { planAt } from './spaces.ts'
import { type Ground, lossOf, type TrialData } from './trying.ts'

/** What a trial depends on besides its parameters. */
export interface Search {
  readonly options: TrainConfiguration
  /** Without a search. */
  readonly plan: ChosenPlan
  /** 1: the validation part alone. */
  readonly folds: number
}

/** What each network is tried on: the validation part, or each fold of all rows but the test's. */
export function groundsOf(data: TrialData, { options, folds }: Search): Ground[] {
  if (folds === 1) return [data.ground()]
  return foldsOf(data, options.seed ?? 7, folds).map(parts => data.ground(parts))
}

/** A trial is the lowest loss on the validation part, or its mean over the folds. */
export function objectiveOf(
  grounds: readonly Ground[],
  { plan }: Search,
  workers: number | 'auto',
): Objective {
  return ({ parameters, seed, signal, report }) => {
    const asked = planAt(parameters, plan)
    if (grounds.length > 1)
      return averaged({ seed, report }, grounds, (ground, seed) =>
        lossOf(ground, asked, { seed, workers, signal }),
      )
    const onEpoch = (epoch: number, loss: number) => void report(epoch + 1, loss)
    return lossOf(grounds[0]!, asked, { seed, workers, signal, onEpoch })
  }
}

let loading: Promise<Objective> | undefined

/** For threads: the data is read once in each; this module's URL says what is searched. */
const objective: Objective = async trial => {
  loading ??= (async () => {
    const search = JSON.parse(new URL(import.meta.url).searchParams.get('search')!) as Search
    return objectiveOf(groundsOf(await trialDataOf(search.options), search), search, 1)
  })()
  return (await loading)(trial)
}
export default objective
