import { nonNegativeInteger, show } from '../errors.ts'
import type { ParametersOf, Space, Values } from './space.ts'

export type Direction = 'minimize' | 'maximize'

/** What a trial reported: epochs ascend. */
export type Reports = readonly (readonly [epoch: number, value: number])[]

/** What is kept of a trial that has ended. */
export interface TrialRecord<P = Values> {
  /** Counted from 0, in the order of proposals. */
  readonly number: number
  readonly parameters: P
  /** pruned: it was told to stop; failed: it threw, or gave no finite number. */
  readonly state: 'complete' | 'pruned' | 'failed'
  /** What the objective gave; of a pruned trial the best that it reported; none of a failed one. */
  readonly value?: number
  readonly reports: Reports
  /** Why it failed. */
  readonly error?: string
  readonly seconds: number
}

/** What an objective gets. */
export interface Trial<P = Values> {
  /** Counted from 0. */
  readonly number: number
  readonly parameters: P
  /** For all random choices of the objective: follows from the study's seed and the number. */
  readonly seed: number
  /** Aborted when the trial is pruned or the study is: give it to `fit`. */
  readonly signal: AbortSignal
  /**
   * Tells the value after an epoch (1, 2, …, or any other count that ascends). True if the trial is to be pruned: it
   * should end, whatever it returns.
   * @throws TypeError or RangeError for what is no finite number and for epochs that do not ascend
   */
  report(epoch: number, value: number): boolean
}

/** The value to be made small or large; or a promise of it. */
export type Objective<S extends Space = Space> = (
  trial: Trial<ParametersOf<S>>,
) => number | PromiseLike<number>

/** The best value that a trial must have reported once it has come to an epoch, or be pruned; epochs ascend. */
export type Bars = readonly (readonly [epoch: number, value: number])[]

/** All that a trial depends on; plain data. */
export interface Task {
  readonly number: number
  readonly parameters: Values
  readonly seed: number
  readonly direction: Direction
  readonly bars: Bars
}

export const isBetter = (direction: Direction, a: number, b: number): boolean =>
  direction === 'minimize' ? a < b : a > b

/** The best value reported up to an epoch, if there is one. */
export function bestUntil(direction: Direction, reports: Reports, epoch: number): number | undefined {
  let best: number | undefined
  for (const [at, value] of reports) {
    if (at > epoch) break
    if (best === undefined || isBetter(direction, value, best)) best = value
  }
  return best
}

function requireFinite(where: string, value: unknown): number {
  const message = `${where}: value must be a finite number, got ${show(value)}`
  if (typeof value !== 'number') throw new TypeError(message)
  if (!Number.isFinite(value)) throw new RangeError(message)
  return value
}

/** A trial while it runs. */
class RunningTrial implements Trial {
  readonly number: number
  readonly parameters: Values
  readonly seed: number
  readonly signal: AbortSignal
  readonly reports: [number, number][] = []
  private readonly task: Task
  private readonly stop = new AbortController()
  private nextBar = 0
  pruned = false

  constructor(task: Task, signal: AbortSignal) {
    this.task = task
    this.number = task.number
    this.parameters = task.parameters
    this.seed = task.seed
    this.signal = AbortSignal.any([signal, this.stop.signal])
  }

  report(epoch: number, value: number): boolean {
    nonNegativeInteger('report', 'epoch', epoch)
    const last = this.reports.at(-1)?.[0] ?? -1
    if (epoch <= last)
      throw new RangeError(`report: epoch must be greater than the last one, ${last}, got ${epoch}; count on`)
    requireFinite('report', value)
    if (this.pruned) return true
    this.reports.push([epoch, value])
    this.compare(epoch)
    if (this.pruned) this.stop.abort(new Error(`trial ${this.number} was pruned at epoch ${epoch}`))
    return this.pruned
  }

  private compare(epoch: number): void {
    const { bars, direction } = this.task
    const best = bestUntil(direction, this.reports, epoch)!
    for (; this.nextBar < bars.length && bars[this.nextBar]![0] <= epoch; this.nextBar++)
      if (isBetter(direction, bars[this.nextBar]![1], best)) this.pruned = true
  }
}

/** Longest text of an error that is kept. */
const longestError = 1000

/** Runs an objective to its end, whatever that is. */
export async function runTrial(objective: Objective, task: Task, signal: AbortSignal): Promise<TrialRecord> {
  const { number, parameters, direction } = task
  const started = performance.now()
  const trial = new RunningTrial(task, signal)
  const record = () => ({ number, parameters, reports: trial.reports, seconds: seconds() })
  const seconds = () => Math.round(performance.now() - started) / 1000
  try {
    const value = await objective(Object.freeze({ ...publicOf(trial) }))
    if (trial.pruned) return { ...record(), state: 'pruned', value: prunedValue(direction, trial.reports) }
    return { ...record(), state: 'complete', value: requireFinite('objective', value) }
  } catch (error) {
    // An objective may well throw once its signal is aborted.
    if (trial.pruned) return { ...record(), state: 'pruned', value: prunedValue(direction, trial.reports) }
    return { ...record(), state: 'failed', error: String(error).slice(0, longestError) }
  }
}

const prunedValue = (direction: Direction, reports: Reports): number =>
  bestUntil(direction, reports, Number.POSITIVE_INFINITY)!

/** What the objective sees: functions that need no `this`. */
function publicOf(trial: RunningTrial): Trial {
  const { number, parameters, seed, signal } = trial
  const report = (epoch: number, value: number) => trial.report(epoch, value)
  return { number, parameters: { ...parameters }, seed, signal, report }
}
