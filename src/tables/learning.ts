import { mkdir, readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import type { History } from '../model/history.ts'
import type { Batches } from '../model/pass.ts'
import { callbacks } from '../training/callbacks.ts'
import type { Chosen } from './choosing.ts'
import type { Target } from './encoding.ts'
import { fitLesson } from './fitting.ts'
import { checkpointFolder, files, modelUrl, writeJson } from './folder.ts'
import { configurationOf, type KindName, type TrainOptions } from './options.ts'
import { isRefit, refit } from './refitting.ts'
import { Reporter } from './reporting.ts'
import type { Held } from './room.ts'
import type { Scores } from './scores.ts'
import type { NetworkChoice } from './selection.ts'
import type { Story } from './story.ts'
import type { Warnings } from './warnings.ts'

/** How long it took to read a table twice, to make inputs of it, and to choose the network. */
export interface Seconds {
  readonly reading?: number
  readonly encoding?: number
  readonly choosing?: number
}

/** What a training came to. */
export interface TrainResult {
  readonly folder: string
  /** Whether a signal ended it: there is a checkpoint, but no model. */
  readonly interrupted: boolean
  readonly kind: KindName
  readonly task: Scores['task']
  readonly target: string
  /** What it is predicted from, as people say it. */
  readonly from: string
  /** Of a table. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: {
    readonly training: number
    readonly validation: number
    readonly test: number
    readonly setAside: number
  }
  readonly network: {
    readonly inputs: number
    readonly weights: number
    /** Sizes from inputs to outputs, as people write them. */
    readonly shape: string
  } & Readonly<Record<string, unknown>>
  readonly seed: number
  readonly workers: number
  readonly epochs: number
  readonly stopReason: string
  /** Where the data has chosen the network. */
  readonly choice?: NetworkChoice
  /** Of the training on all rows but the test's, from which the model is. */
  readonly refit?: { readonly rows: number; readonly epochs: number }
  /** How long what took; training without validation and checkpoints. */
  readonly seconds: Seconds & { readonly training: number }
  /** Rows that were trained on in a second. */
  readonly rowsPerSecond: number
  /** Of the test part, or of the validation part where there is none; `baseline` always says the commonest class, or the mean. */
  readonly scores?: {
    readonly part: 'test' | 'validation'
    readonly model: Scores
    readonly baseline: Scores
    readonly validation: Scores
  }
  readonly warnings: readonly string[]
}

/** Inputs and targets of one part. */
export interface Samples<X extends Tensor | Tensor[] = Tensor | Tensor[]> {
  readonly x: X
  readonly y: Tensor
}

export interface LabelledSamples<X extends Tensor | Tensor[] = Tensor | Tensor[]> extends Samples<X> {
  /** Class numbers, or the numbers that are predicted as they are. */
  readonly truth: Float64Array
}

/** What data of any kind comes to before a network is trained on it: the kind decides, `learn` trains. */
export interface Lesson
  extends Pick<TrainResult, 'kind' | 'task' | 'target' | 'from' | 'columns' | 'rows'>,
    Chosen {
  /** Numbers a sample. */
  readonly inputs: number
  /** How long it took until here. */
  readonly seconds?: Seconds
  readonly training: Samples | Batches
  readonly validation: Samples | Batches
  /** What is in memory beside the training. */
  readonly held: Held
  /** Where the data has chosen the network. */
  readonly choice?: NetworkChoice
  /** If not all. */
  readonly stepsPerEpoch?: number
  readonly classWeight?: Readonly<Record<number, number>>
  /** What data goes through before and after the network: all that applying the model takes. */
  readonly preprocessing: object
  /** What the report tells beside how training went. */
  readonly story?: Story
  /** The same with the rows of the validation part among those that are trained on, once `settle` is done. */
  whole?(): Promise<Lesson>
  /** Once training has ended: what is said of probabilities follows from the validation part. */
  settle?(): Promise<void>
  score(part: 'validation' | 'test'): Promise<Scores>
  baseline(part: 'validation' | 'test'): Scores
}

/** The folder that is written. */
export const folderOf = ({ out, data }: TrainOptions): string =>
  resolve(out ?? `${basename(resolve(data)).replace(/\.[^.]+$/, '')}.model`)

/** @throws Error for a folder that holds something, unless training is resumed */
export async function checkFolder(folder: string, resume: boolean): Promise<void> {
  const names = await readdir(folder).catch(error => {
    if (codeOf(error) === 'ENOENT') return [] as string[]
    throw error
  })
  if (resume && !names.includes(files.checkpoints))
    throw new Error(`train: ${folder} must hold checkpoints to resume from, got none; leave resume out`)
  if (!resume && names.length > 0)
    throw new Error(
      `train: ${folder} must be a new or empty folder, got ${show(names)}; give another one, or resume`,
    )
}

/** The folder that is written, once it has been checked. */
export async function openFolder(options: TrainOptions): Promise<string> {
  const folder = folderOf(options)
  await checkFolder(folder, options.resume ?? false)
  return folder
}

/** Targets as a network has them: numbers of classes, or standardised numbers. */
export const targetsOf = (target: Target, truth: Float64Array): Tensor =>
  target.task === 'class'
    ? new Tensor(Int32Array.from(truth), [truth.length], 'int32')
    : new Tensor(
        Float32Array.from(truth, value => (value - target.mean) / target.deviation),
        [truth.length, 1],
        'float32',
      )

/** Weights of classes that are inverse to their frequency. */
export function classWeightsOf(truth: ArrayLike<number>, classes: number): Record<number, number> {
  const counts = new Array<number>(classes).fill(0)
  for (let i = 0; i < truth.length; i++) counts[truth[i]!]!++
  return Object.fromEntries(counts.map((count, i) => [i, truth.length / (classes * Math.max(count, 1))]))
}

const networkOf = ({ plan, inputs, model, shape }: Lesson): TrainResult['network'] => ({
  ...plan,
  inputs,
  weights: model.countParams(),
  shape,
})

function timesOf({ seconds, rows, plan }: Lesson, { worked }: Pick<History, 'worked'>) {
  const rowsPerStep = rows.training / Math.ceil(rows.training / plan.batchSize)
  return {
    seconds: { ...seconds, training: worked.seconds },
    rowsPerSecond: worked.seconds > 0 ? Math.round((rowsPerStep * worked.steps) / worked.seconds) : 0,
  }
}

/** What is known of a training before it is scored. */
const aboutOf = (
  folder: string,
  seed: number,
  lesson: Lesson,
  history: Pick<History, 'workers' | 'epoch' | 'stopReason' | 'worked'>,
  warnings: Warnings,
): TrainResult => ({
  folder,
  interrupted: false,
  kind: lesson.kind,
  task: lesson.task,
  target: lesson.target,
  from: lesson.from,
  columns: lesson.columns,
  rows: lesson.rows,
  network: networkOf(lesson),
  seed,
  workers: history.workers,
  epochs: history.epoch.length,
  stopReason: history.stopReason,
  ...(lesson.choice && { choice: lesson.choice }),
  ...timesOf(lesson, history),
  warnings: warnings.lines(),
})

/** Writes a folder to go on from, where a signal came before the network was decided on: that is done anew then. */
export async function postpone(
  folder: string,
  options: TrainOptions,
  seed: number,
  lesson: Lesson,
  warnings: Warnings,
): Promise<TrainResult> {
  const configuration = { ...configurationOf(options), data: resolve(options.data), seed }
  await writeJson(folder, files.configuration, configuration)
  await mkdir(checkpointFolder(folder), { recursive: true })
  const history = { workers: 0, epoch: [], stopReason: 'aborted', worked: { steps: 0, seconds: 0 } }
  return { ...aboutOf(folder, seed, lesson, history, warnings), interrupted: true }
}

/**
 * Trains a network and writes a folder: the model (which TensorFlow.js reads), preprocessing.json, metrics.json,
 * checkpoints, a report, and configuration.json, which repeats it.
 */
export async function learn(
  folder: string,
  options: TrainOptions,
  seed: number,
  lesson: Lesson,
  warnings: Warnings,
): Promise<TrainResult> {
  const { signal, progress } = options
  const { model, plan, rows } = lesson
  const refits = isRefit(options, lesson)
  await writeJson(folder, files.configuration, {
    ...configurationOf(options),
    data: resolve(options.data),
    ...plan,
    ...(lesson.whole && { refit: refits }),
    seed,
  })
  progress?.begin?.({
    rows: rows.training,
    inputs: lesson.inputs,
    weights: model.countParams(),
    epochs: plan.epochs,
    warnings: warnings.lines(),
  })
  const directory = checkpointFolder(folder)
  const reporter = new Reporter(options, lesson, seed, warnings)
  progress?.report?.(() => reporter.now())
  const history = await fitLesson(
    lesson,
    options,
    seed,
    [
      callbacks.checkpoint({ directory, every: { seconds: 30 }, keep: 2 }),
      reporter.recorder,
      ...lesson.callbacks,
      { onEpochEnd: (epoch, logs) => progress?.epoch?.(epoch, logs!) },
    ],
    { directory, isValidated: true },
  )
  const isInterrupted = signal?.aborted === true && history.stopReason === 'aborted'
  const about = aboutOf(folder, seed, lesson, history, warnings)
  if (isInterrupted) return { ...about, interrupted: true }
  await lesson.settle?.()
  const validation = await lesson.score('validation')
  const second = refits
    ? await refit(folder, options, { lesson, history }, reporter.recorder.epochs, seed, warnings)
    : undefined
  if (second?.history.stopReason === 'aborted') return { ...about, interrupted: true }
  const final = second?.lesson ?? lesson
  const part = rows.test > 0 ? ('test' as const) : ('validation' as const)
  const result = {
    ...about,
    network: networkOf(final),
    ...(second && { refit: { rows: final.rows.training, epochs: second.history.epoch.length } }),
    // The second network knows the validation part: that one is scored by the first alone.
    scores: {
      part,
      model: part === 'test' ? await final.score(part) : validation,
      baseline: lesson.baseline(part),
      validation,
    },
    warnings: warnings.lines(),
  }
  await writeJson(folder, files.preprocessing, final.preprocessing)
  await (final.saved ?? final.model).save(modelUrl(folder))
  await writeJson(folder, files.metrics, { ...result, history: history.history })
  await reporter.finish(result, final)
  return result
}
