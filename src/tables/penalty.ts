import { join } from 'node:path'
import type { ChosenPlan } from './choosing.ts'
import { files, readJson } from './folder.ts'
import { foldsOf } from './folds.ts'
import { choosePlan, fewRows } from './networks.ts'
import { checkConfiguration, type TrainOptions } from './options.ts'
import type { PreparedInPieces } from './piecewise.ts'
import type { Prepared } from './preparing.ts'
import type { TableRows } from './rows.ts'
import { allButTest } from './splitting.ts'
import { trialsOf } from './tableTrials.ts'
import { standardPlan, type TrialData, tryPlan } from './trying.ts'
import type { Warnings } from './warnings.ts'

/** Penalties that are tried, as multiples of the standard one, which is 1.5 divided by the rows: up to 50 divided by them. */
const strengths = [1, 10, 100 / 3]
const folds = 5
/** Folds after which a penalty that has won none of them is given up. */
const enough = 3
/** Fewer rows than these say too little. */
const leastRows = 100
/** Share of the seconds that there are; the others are for the trainings that follow. */
const mostTime = 0.6

/** The l2 penalty that the data has chosen, and among which. */
export interface PenaltyChoice {
  readonly l2: number
  readonly tried: readonly number[]
  readonly folds: number
}

/** What choosing came to. */
interface Choosing {
  /** Undefined where there was nothing to choose, or neither time nor memory for it. */
  readonly choice?: PenaltyChoice
  /** Whether a signal ended it. */
  readonly isInterrupted?: boolean
  readonly seconds: number
}

type Options = TrainOptions & { readonly seed: number }

/** The penalty of a training that goes on: it was decided on when that began, unless it was interrupted before. */
export async function savedPenalty(folder: string, { model }: TrainOptions): Promise<{ l2?: number }> {
  if (model !== undefined) return {}
  const path = join(folder, files.configuration)
  const { l2 } = checkConfiguration(path, await readJson(path, 'begin anew in another folder'))
  return l2 === undefined ? {} : { l2 }
}

/** Whether the data is to choose: few rows in memory, which neither time nor groups keep from being dealt into folds. */
function isAsked(
  { l2, model, time }: TrainOptions,
  prepared: Prepared | PreparedInPieces,
): prepared is Prepared {
  const { training, validation } = prepared.parts
  if (l2 !== undefined || model !== undefined || time !== undefined || 'partAt' in prepared) return false
  if (training.length >= fewRows || training.length + validation.length < leastRows) return false
  const { divider } = prepared.roles
  return !divider || new Set(Array.from(allButTest(prepared.parts), row => divider.values[row])).size >= folds
}

/** Ends the trials early: on a signal, or once they would take too much of the time that there is. */
class Limit {
  private readonly late = new AbortController()
  private readonly most: number
  private timer: NodeJS.Timeout | undefined
  readonly signal: AbortSignal
  /** Of training, without what it takes to begin. */
  seconds = 0

  constructor({ signal, maxSeconds = Number.POSITIVE_INFINITY }: TrainOptions) {
    this.most = 1000 * mostTime * maxSeconds
    this.signal = AbortSignal.any([this.late.signal, ...(signal ? [signal] : [])])
    // The first of two penalties in each fold tells what all will take.
    this.wait(this.most / (2 * folds))
  }

  private wait(milliseconds: number): void {
    clearTimeout(this.timer)
    if (this.most < Infinity) this.timer = setTimeout(() => this.late.abort(), milliseconds)
  }

  /** After each trial. @throws where no other is to be made */
  spend(seconds: number): void {
    this.seconds += seconds
    this.signal.throwIfAborted()
    this.wait(this.most - 1000 * this.seconds)
  }

  get isLate(): boolean {
    return this.late.signal.aborted
  }

  end(): void {
    clearTimeout(this.timer)
  }
}

/** Gives the loss at the end of a training on all folds but one, of the rows in that one. */
function lossOutOfFold(
  data: TrialData,
  { seed, workers = 'auto' }: Options,
  plan: ChosenPlan,
  limit: Limit,
): (l2: number, fold: number) => Promise<number> {
  const divided = foldsOf(data, seed, folds)
  const known = new Map<string, number>()
  return async (l2, fold) => {
    const key = `${l2} ${fold}`
    if (!known.has(key)) {
      const trial = { seed, workers, signal: limit.signal, toTheEnd: true }
      const { model, history, losses } = await tryPlan(data.ground(divided[fold]), { ...plan, l2 }, trial)
      model.dispose()
      limit.spend(history.worked.seconds)
      known.set(key, losses.at(-1)!)
    }
    return known.get(key)!
  }
}

/** Whether a loss is lower by more than a standard error of the mean difference over the folds. */
async function isBetter(lossOf: (l2: number, fold: number) => Promise<number>, l2: number, than: number) {
  const gains: number[] = []
  for (let fold = 0; fold < folds; fold++) {
    gains.push((await lossOf(than, fold)) - (await lossOf(l2, fold)))
    if (gains.length === enough && gains.every(gain => gain <= 0)) return false
  }
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / folds
  const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0)
  return mean > Math.sqrt(squares / (folds * (folds - 1)))
}

/**
 * Chooses the l2 penalty for few rows by cross-validation over all of them but the test's: stronger ones are tried in turn, as
 * long as each is better than the one before by more than one standard error (T. Hastie, R. Tibshirani, J. Friedman, The
 * Elements of Statistical Learning, 2009, 7.10; here of the difference, with the standard penalty as the simplest choice).
 */
export async function choosePenalty(
  options: Options,
  prepared: Prepared | PreparedInPieces,
  { held }: Pick<TableRows, 'held'>,
  warnings: Warnings,
): Promise<Choosing> {
  if (!isAsked(options, prepared)) return { seconds: 0 }
  // The parts stay in memory, encoded.
  const { maxMemory } = prepared
  const beside = maxMemory === undefined ? {} : { maxMemory: maxMemory - held['encoded rows']! }
  const data = trialsOf({ ...prepared, ...beside }, options, warnings)
  const plan = await standardPlan(options, data)
  // The rate falls to its end in half of the epochs, too; many more would take long, and choose alike.
  const epochs = Math.ceil(Math.min(plan.epochs, choosePlan(data.problem).epochs) / 2)
  const [standard, ...others] = strengths.map(times => Number((times * (plan.l2 as number)).toPrecision(2)))
  options.progress?.penalty?.({ standard: standard!, folds })
  const limit = new Limit(options)
  const tried = [standard!]
  let l2 = standard!
  try {
    const lossOf = lossOutOfFold(data, options, { ...plan, epochs }, limit)
    for (const other of others) {
      tried.push(other)
      if (!(await isBetter(lossOf, other, l2))) break
      l2 = other
    }
    return { choice: { l2, tried, folds }, seconds: limit.seconds }
  } catch (error) {
    if (options.signal?.aborted) return { isInterrupted: true, seconds: limit.seconds }
    // What fails here alone must not keep the training from going well: there may be too little memory, or a loss be infinite.
    const why = limit.isLate ? 'there is no time left' : (error as Error).message
    warnings.say(`the l2 penalty is the standard one, not chosen by the data: ${why}`)
    return { seconds: limit.seconds }
  } finally {
    limit.end()
  }
}
