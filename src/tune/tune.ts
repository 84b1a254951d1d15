import { drawSeed } from '../data/random.ts'
import { checkOptions, isPlainObject, nonNegativeInteger, oneOf, positiveInteger, show } from '../errors.ts'
import { realFiles } from '../formats/files.ts'
import { StudyFile, type StudyHeader } from './file.ts'
import { barsFor, fullPruner, type Pruner } from './pruning.ts'
import { fullSampler, proposerOf, type Sampler } from './sampling.ts'
import { derive } from './seeds.ts'
import { dimensionsOf, type ParametersOf, type Space } from './space.ts'
import { Study } from './study.ts'
import { type Runner, TrialThreads } from './threads.ts'
import { type Direction, type Objective, runTrial, type Task, type TrialRecord } from './trial.ts'

export { averaged, type Fold, type FoldOptions, kFold, type Labels, takeRows } from './folds.ts'
export type { HalvingPruner, HyperbandPruner, MedianPruner, Pruner } from './pruning.ts'
export type { GridSampler, Sampler, TpeSampler } from './sampling.ts'
export type { Choice, Condition, Parameter, ParametersOf, Space } from './space.ts'
export { type Axis, type Line, readStudy, Study } from './study.ts'
export type { Direction, Objective, Trial, TrialRecord } from './trial.ts'

export interface TuneOptions {
  /** Whether small values are good ('minimize', the default) or large ones. */
  direction?: Direction
  /** How many trials the study is to have, those in its file included. Default 50; of a grid all its points. */
  trials?: number
  /** How parameters are proposed. Default 'tpe'. */
  sampler?: Sampler
  /** Which trials end early, by what they report. Default 'none'. */
  pruner?: Pruner
  /** Decides all proposals and the seeds of trials; by default drawn, or that of the file. */
  seed?: number
  /** Trials side by side, at most `lag`. Default 1. */
  parallel?: number
  /**
   * Trial n knows of trials 0 … n − lag and begins once these have ended: so the study is the same for any `parallel`.
   * Default 4.
   */
  lag?: number
  /** A file of JSON lines to which each trial is added; if it is there, the study in it goes on. */
  study?: string
  /** What else the values follow from, as JSON: kept in the file, where it must be the same when the study goes on. */
  about?: Readonly<Record<string, unknown>>
  /** Ends the study; trials in progress are dropped, and run again when it goes on. */
  signal?: AbortSignal
  /** Called after each trial, once it is in the file. */
  onTrial?: (trial: TrialRecord) => void
}

const names: readonly (keyof TuneOptions)[] = [
  'direction',
  'trials',
  'sampler',
  'pruner',
  'seed',
  'parallel',
  'lag',
  'study',
  'about',
  'signal',
  'onTrial',
]

interface Plan {
  readonly header: StudyHeader
  readonly parallel: number
  readonly trials: number
  readonly signal: AbortSignal
}

/** Refuses to go on with another study than the file holds. */
function requireSame(path: string, found: StudyHeader, asked: StudyHeader, seed: number | undefined): void {
  for (const name of ['about', 'space', 'direction', 'sampler', 'pruner', 'lag', 'seed'] as const) {
    if (name === 'seed' && seed === undefined) continue
    const [was, is] = [found, asked].map(header => JSON.stringify(header[name]))
    if (was === is) continue
    throw new RangeError(
      `tune: ${name} must be that of the study in ${path}, ${was}, got ${is}; restore it, or name another file`,
    )
  }
}

function headerOf(space: Space, options: TuneOptions): StudyHeader {
  const { direction = 'minimize', seed = drawSeed(), lag = 4 } = options
  return {
    format: 'lockstep-study',
    version: 1,
    space: JSON.parse(JSON.stringify(space)) as Space,
    direction: oneOf('tune', 'direction', direction, ['minimize', 'maximize']),
    seed: nonNegativeInteger('tune', 'seed', seed),
    lag: positiveInteger('tune', 'lag', lag),
    sampler: fullSampler(options.sampler ?? 'tpe'),
    pruner: fullPruner(options.pruner ?? 'none'),
    ...(options.about && {
      about: JSON.parse(JSON.stringify(options.about)) as Readonly<Record<string, unknown>>,
    }),
  }
}

function checkRest({ study, about, signal, onTrial, parallel = 1, lag = 4 }: TuneOptions): void {
  if (study !== undefined && (typeof study !== 'string' || study === ''))
    throw new TypeError(`tune: study must be a path, got ${show(study)}; write 'study.jsonl'`)
  if (about !== undefined && !isPlainObject(about))
    throw new TypeError(`tune: about must be an object, got ${show(about)}; write { data: 'wine' }`)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`tune: signal must be an AbortSignal, got ${show(signal)}`)
  if (onTrial !== undefined && typeof onTrial !== 'function')
    throw new TypeError(`tune: onTrial must be a function, got ${show(onTrial)}`)
  if (positiveInteger('tune', 'parallel', parallel) > lag)
    throw new RangeError(
      `tune: parallel must be at most lag (${lag}), got ${parallel}; set lag to ${parallel} or more`,
    )
}

/** A search in progress: which trials have ended, and which may begin. */
class Search {
  private readonly plan: Plan
  private readonly run: Runner
  private readonly ended: (trial: TrialRecord) => Promise<void>
  private readonly done: Map<number, TrialRecord>
  private readonly propose: ReturnType<typeof proposerOf>['propose']
  private readonly running = new Set<Promise<void>>()
  /** The next trial to begin, and the first that has not ended. */
  private next = 0
  private first = 0

  constructor(plan: Plan, done: readonly TrialRecord[], run: Runner, ended: Search['ended']) {
    this.run = run
    this.ended = ended
    this.done = new Map(done.map(trial => [trial.number, trial]))
    const { sampler, space, direction, seed } = plan.header
    const { propose, size } = proposerOf(sampler, dimensionsOf(space), direction, seed)
    this.propose = propose
    this.plan = { ...plan, trials: Math.min(plan.trials, size) }
  }

  /** Runs all that are left; what fails besides trials ends it. */
  async finish(): Promise<readonly TrialRecord[]> {
    const stop = new AbortController()
    const signal = AbortSignal.any([this.plan.signal, stop.signal])
    try {
      for (this.begin(signal); this.running.size > 0; this.begin(signal)) await Promise.race(this.running)
    } finally {
      stop.abort()
      await Promise.allSettled(this.running)
    }
    return [...this.done.values()]
  }

  private begin(signal: AbortSignal): void {
    const { parallel, trials, header } = this.plan
    for (; this.done.has(this.first); this.first++);
    for (; this.next < trials && this.running.size < parallel && !signal.aborted; this.next++) {
      if (this.done.has(this.next)) continue
      if (this.next - header.lag >= this.first) return
      const ending = this.one(this.taskOf(this.next), signal)
      const entry = ending.finally(() => this.running.delete(entry))
      this.running.add(entry)
    }
  }

  private async one(task: Task, signal: AbortSignal): Promise<void> {
    const record = await this.run(task, signal)
    // One that was cut short says nothing.
    if (signal.aborted) return
    await this.ended(record)
    this.done.set(record.number, record)
  }

  private taskOf(number: number): Task {
    const { direction, seed, pruner, lag } = this.plan.header
    const known = [...this.done.values()]
      .filter(each => each.number <= number - lag)
      .sort((a, b) => a.number - b.number)
    return {
      number,
      parameters: this.propose(number, known)!,
      seed: derive(derive(seed, 2), number),
      direction,
      bars: barsFor(pruner, direction, number, known),
    }
  }
}

/** The objective's runner: on the calling thread, or on threads that load its module. */
function runnerOf(objective: unknown): { run: Runner; close(): Promise<void> } {
  if (objective instanceof URL) return new TrialThreads(objective.href)
  if (typeof objective !== 'function')
    throw new TypeError(
      `tune: objective must be a function or the URL of a module, got ${show(objective)}; write async trial => …`,
    )
  return {
    run: (task, signal) => runTrial(objective as Objective, task, signal),
    close: async () => {},
  }
}

/**
 * Searches a space for the parameters that make an objective smallest or largest. A function runs on the calling
 * thread; the URL of a module, whose default export is the objective, on a thread for each of `parallel` trials.
 * A trial whose objective throws has failed and is recorded; the study goes on.
 * @throws TypeError or RangeError for a wrong space or options, and for a file that holds no study or another one;
 * Error when another process writes it; the file system's own errors
 */
export async function tune<const S extends Space>(
  space: S,
  objective: Objective<S> | URL,
  options: TuneOptions = {},
): Promise<Study<ParametersOf<S>>> {
  dimensionsOf(space)
  checkOptions('tune', options, names)
  checkRest(options)
  const asked = headerOf(space, options)
  const { study: path, parallel = 1, signal = new AbortController().signal, onTrial } = options
  const otherwise = asked.sampler.kind === 'grid' ? Number.POSITIVE_INFINITY : 50
  const trials = options.trials === undefined ? otherwise : positiveInteger('tune', 'trials', options.trials)
  const runner = runnerOf(objective)
  const opened =
    path === undefined
      ? undefined
      : await StudyFile.open(path, realFiles, found => {
          if (found) requireSame(path, found, asked, options.seed)
          return found ?? asked
        })
  try {
    const { header, trials: done } = opened?.content ?? { header: asked, trials: [] }
    const search = new Search({ header, parallel, trials, signal }, done, runner.run, async trial => {
      await opened?.file.add(trial)
      onTrial?.(trial)
    })
    return new Study<ParametersOf<S>>(header, await search.finish())
  } finally {
    await runner.close()
    await opened?.file.close()
  }
}
