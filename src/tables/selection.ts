import { join } from 'node:path'
import type { ChosenPlan } from './choosing.ts'
import { files, readJson } from './folder.ts'
import { foldsOf } from './folds.ts'
import { choosePlan, fewRows, type Plan } from './networks.ts'
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
/** Folds after which a network that has won none of them is given up. */
const enough = 3
/** Fewer rows than these say too little. */
const leastRows = 100
/** Share of the seconds that there are; the others are for the trainings that follow. */
const mostTime = 0.6

/** A network that is compared with others. */
export interface Candidate {
  /** Units of the hidden layers: none of a linear model. */
  readonly hidden: readonly number[]
  readonly l2: number
}

/** The network that the data has chosen, and among which. */
export interface NetworkChoice extends Candidate {
  readonly tried: readonly Candidate[]
  readonly folds: number
}

/** As people say it. */
export const layersOf = ({ hidden }: Candidate): string => (hidden.length > 0 ? hidden.join('-') : 'linear')
export const nameOf = (candidate: Candidate): string => `${layersOf(candidate)} with l2 ${candidate.l2}`

/** What choosing came to. */
interface Choosing {
  /** Undefined where there was nothing to choose, or neither time nor memory for it. */
  readonly choice?: NetworkChoice
  /** Whether a signal ended it. */
  readonly isInterrupted?: boolean
  readonly seconds: number
}

type Options = TrainOptions & { readonly seed: number }

/** The network of a training that goes on: it was decided on when that began, unless it was interrupted before. */
export async function savedChoice(folder: string, options: TrainOptions): Promise<Partial<Candidate>> {
  if (options.model !== undefined) return {}
  const path = join(folder, files.configuration)
  const saved = checkConfiguration(path, await readJson(path, 'begin anew in another folder'))
  const { hidden = saved.hidden, l2 = saved.l2 } = options
  return { ...(hidden && { hidden }), ...(l2 !== undefined && { l2 }) }
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
    // The first of two networks in each fold tells what all will take.
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

type LossOf = (plan: ChosenPlan, fold: number) => Promise<number>

/** Gives the loss at the end of a training on all folds but one, of the rows in that one. */
function lossOutOfFold(data: TrialData, { seed, workers = 'auto' }: Options, limit: Limit): LossOf {
  const divided = foldsOf(data, seed, folds)
  const known = new Map<ChosenPlan, number[]>()
  return async (plan, fold) => {
    const losses = known.get(plan) ?? []
    known.set(plan, losses)
    if (losses[fold] === undefined) {
      const trial = { seed, workers, signal: limit.signal, toTheEnd: true }
      const tried = await tryPlan(data.ground(divided[fold]), plan, trial)
      tried.model.dispose()
      limit.spend(tried.history.worked.seconds)
      losses[fold] = tried.losses.at(-1)!
    }
    return losses[fold]
  }
}

/** Whether a loss is lower by more than a standard error of the mean difference over the folds. */
async function isBetter(lossOf: LossOf, plan: ChosenPlan, than: ChosenPlan): Promise<boolean> {
  const gains: number[] = []
  for (let fold = 0; fold < folds; fold++) {
    gains.push((await lossOf(than, fold)) - (await lossOf(plan, fold)))
    if (gains.length === enough && gains.every(gain => gain <= 0)) return false
  }
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / folds
  const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0)
  return mean > Math.sqrt(squares / (folds * (folds - 1)))
}

/** What is compared: the standard network, the same with stronger penalties, and a linear model, unless layers are asked for. */
async function candidatesFor(options: Options, data: TrialData) {
  const standard = await standardPlan(options, data)
  // Many more epochs would take long, and choose alike.
  const within = ({ epochs }: ChosenPlan, hidden?: Plan['hidden']) =>
    Math.min(epochs, choosePlan(data.problem, hidden && { hidden }).epochs)
  // The rate falls to its end in half of the epochs, too.
  const epochs = Math.ceil(within(standard, options.hidden) / 2)
  const networks = strengths.map(times => ({
    ...standard,
    epochs,
    l2: Number((times * (standard.l2 as number)).toPrecision(2)),
  }))
  const { hidden, dropout } = options
  const isOpen = hidden === undefined && dropout === undefined
  const linear = isOpen ? await standardPlan({ ...options, hidden: [] }, data) : undefined
  return { networks, linear: linear && { ...linear, epochs: within(linear, []) } }
}

const candidateOf = (plan: ChosenPlan) => ({ hidden: plan.hidden, l2: plan.l2 }) as Candidate

/**
 * Chooses a network for few rows by cross-validation over all of them but the test's. Stronger l2 penalties than the standard
 * one are tried in turn, as long as each is better than the one before by more than one standard error; then a linear model,
 * which is taken unless the network is better by more than that (T. Hastie, R. Tibshirani, J. Friedman, The Elements of
 * Statistical Learning, 2009, 7.10: the simplest of those that may be the best; here with the error of the difference).
 */
export async function chooseByFolds(
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
  const { networks, linear } = await candidatesFor(options, data)
  const [standard, ...stronger] = networks
  options.progress?.choosing?.({ standard: candidateOf(standard!), folds })
  const limit = new Limit(options)
  const tried: ChosenPlan[] = [standard!]
  let best: ChosenPlan = standard!
  try {
    const lossOf = lossOutOfFold(data, options, limit)
    for (const other of stronger) {
      tried.push(other)
      if (!(await isBetter(lossOf, other, best))) break
      best = other
    }
    if (linear) {
      tried.push(linear)
      if (!(await isBetter(lossOf, best, linear))) best = linear
    }
    const choice = { ...candidateOf(best), tried: tried.map(candidateOf), folds }
    return { choice, seconds: limit.seconds }
  } catch (error) {
    if (options.signal?.aborted) return { isInterrupted: true, seconds: limit.seconds }
    // What fails here alone must not keep the training from going well: there may be too little memory, or a loss be infinite.
    const why = limit.isLate ? 'there is no time left' : (error as Error).message
    warnings.say(`the network is the standard one, not chosen by the data: ${why}`)
    return { seconds: limit.seconds }
  } finally {
    limit.end()
  }
}
