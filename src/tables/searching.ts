import { readdir } from 'node:fs/promises'
import { availableParallelism, freemem } from 'node:os'
import { basename, extname, resolve } from 'node:path'
import { inRange, positiveInteger } from '../errors.ts'
import { type Pruner, type Sampler, type Study, tune as searchSpace, type TrialRecord } from '../tune/tune.ts'
import type { ChosenPlan } from './choosing.ts'
import { files } from './folder.ts'
import { checkedKindOf, train, trialDataOf } from './kinds.ts'
import { checkFolder, folderOf, type TrainResult } from './learning.ts'
import { groundsOf, objectiveOf, type Search } from './objective.ts'
import { configurationOf, type TrainConfiguration, type TrainOptions } from './options.ts'
import { hashOf, pathsOf } from './searched.ts'
import { planAt, spaceOf } from './spaces.ts'
import { type Ground, lossOf, standardPlan } from './trying.ts'

/** Options of a search beside those of the training. */
export interface SearchOptions {
  /** Default 50; of a grid all its points. */
  trials?: number
  /** Default 'tpe'. */
  sampler?: Sampler
  /** Default 'hyperband' over the epochs; with folds 'median', and trials end between two folds. */
  pruner?: 'none' | 'median' | 'halving' | 'hyperband'
  /** Each trial is the mean over so many folds of all rows but the test's. Default 1: the validation part decides. */
  folds?: number
  /** Trials side by side, each on one thread. Default 'auto': where that is faster. The study is the same. */
  parallel?: number | 'auto'
  /** Trial n knows of the trials 0 … n − lag. Default 8. */
  lag?: number
  /** The file of the study, which goes on if it is there. Default: the folder's name with `.study.jsonl`. */
  study?: string
  /** What is searched. Default: all that the options do not fix. */
  search?: readonly string[]
  /** Ends the search; the best so far is trained to its end. */
  maxSeconds?: number
  onStandard?: (loss: number, parallel: number) => void
  onTrial?: (trial: TrialRecord) => void
}

/** What a search came to. */
export interface TuneResult {
  readonly interrupted: boolean
  readonly file: string
  readonly study: Study
  readonly parallel: number
  /** Loss of what would be trained without a search. */
  readonly standard: number
  /** What was trained: of the best trial, or as without a search where none is better. */
  readonly plan?: ChosenPlan
  readonly result?: TrainResult
}

/** Time that threads take before their first trial. */
const startSeconds = 2

/**
 * Trials side by side. A network that has several workers waits at their barriers, so that trials beside each other
 * are faster: unless they are over before their threads have begun, or their copies of the data do not fit.
 */
function parallelOf(
  most: number,
  trials: number,
  seconds: number,
  grounds: readonly Ground[],
  maxMemory = Number.POSITIVE_INFINITY,
): number {
  const bytes = grounds.reduce(
    (sum, { training, validation }) =>
      [training.x, validation.x].flat().reduce((all, { size }) => all + 4 * size, sum),
    0,
  )
  const room = Math.floor(Math.min(freemem() / 2, maxMemory) / (3 * bytes + 2 ** 27))
  const parallel = Math.min(most, trials, room)
  return parallel > 1 && trials * seconds > 2 * startSeconds ? parallel : 1
}

function prunerOf(pruner: SearchOptions['pruner'], epochs: number, folds: number): Pruner {
  const kind = pruner ?? (folds > 1 ? 'median' : 'hyperband')
  return kind === 'none' || kind === 'median' ? kind : { kind, maxEpochs: folds > 1 ? folds : epochs }
}

/** A folder in which training was cut short goes on. */
async function isBegun(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => [] as string[])
  return names.includes(files.checkpoints) && !names.includes('model.json')
}

/**
 * Searches for what a network for a table, arrays, images or a text is to be like, and trains the best with `train`, from
 * which the folder comes. Only rows of the training and validation parts are searched with.
 * @throws as `train` and the main module's `tune`
 */
export async function tune(options: TrainOptions & SearchOptions): Promise<TuneResult> {
  const { trials: asked, sampler = 'tpe', pruner, folds = 1, parallel = 'auto', lag = 8, ...others } = options
  const { study: given, search: names, maxSeconds, onStandard, onTrial, ...training } = others
  await checkedKindOf(training)
  positiveInteger('tune', 'folds', folds)
  if (maxSeconds !== undefined) inRange('tune', 'maxSeconds', maxSeconds, '(0, 2000000]')
  if (folds > 1 && (training.time !== undefined || training.text))
    throw new RangeError(
      `tune: folds must be 1 for ${training.text ? 'a text' : 'rows that are split by time'}, got ${folds}; leave them out`,
    )
  const { seed = 7, workers = 'auto', signal: stop, progress } = training
  const folder = folderOf(training)
  const begun = await isBegun(folder)
  await checkFolder(folder, begun)
  const file = resolve(given ?? `${folder}.study.jsonl`)

  const configuration = configurationOf(training)
  const data = await trialDataOf(training)
  const plan = await standardPlan(configuration, data)
  const paths = pathsOf(training)
  const own = training.model === undefined ? {} : { modelSha256: plan.modelSha256 }
  const fixed = { ...configuration, ...own, ...paths } as TrainConfiguration
  const search: Search = { options: fixed, plan, folds }
  const grounds = groundsOf(data, search)
  const space = spaceOf(configuration, plan, names)

  const timeout = maxSeconds === undefined ? [] : [AbortSignal.timeout(1000 * maxSeconds)]
  const signal = AbortSignal.any([...(stop ? [stop] : []), ...timeout])
  const began = performance.now()
  let standard = 0
  for (const ground of grounds)
    standard +=
      (await lossOf(ground, plan, { seed, workers, ...(stop && { signal: stop }) })) / grounds.length
  const seconds = (performance.now() - began) / 1000
  const threads = Math.min(lag, workers === 'auto' ? availableParallelism() : workers)
  const trials = asked ?? (sampler === 'grid' ? undefined : 50)
  const aside =
    parallel === 'auto' ? parallelOf(threads, trials ?? 50, seconds, grounds, training.maxMemory) : parallel
  onStandard?.(standard, aside)

  const url = new URL(`./objective${extname(import.meta.url)}`, import.meta.url)
  url.searchParams.set('search', JSON.stringify(search))
  const study = (await searchSpace(space, aside > 1 ? url : objectiveOf(grounds, search, workers), {
    ...(trials !== undefined && { trials }),
    sampler,
    pruner: prunerOf(pruner, plan.epochs, folds),
    seed,
    parallel: aside,
    lag,
    study: file,
    about: {
      ...fixed,
      folds,
      ...Object.fromEntries(Object.entries(paths).map(([what, path]) => [what, basename(path)])),
      sha256: await hashOf([paths.data, ...(paths.labels === undefined ? [] : [paths.labels])]),
    },
    signal,
    ...(onTrial && { onTrial }),
  })) as unknown as Study
  const about = { file, study, parallel: aside, standard }
  if (stop?.aborted) return { ...about, interrupted: true }
  const { best } = study
  const chosen = best && best.value! < standard ? planAt(best.parameters, plan) : plan
  const result = await train({
    ...training,
    ...chosen,
    out: folder,
    resume: begun,
    ...(progress && { progress }),
  })
  return { ...about, interrupted: result.interrupted, plan: chosen, result }
}
