import { readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { inRange, oneOf, show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import type { History } from '../model/history.ts'
import type { Batches } from '../model/pass.ts'
import type { Trainable } from '../model/trainable.ts'
import { callbacks } from '../training/callbacks.ts'
import { probabilities, temperatureOf, thresholdAims, thresholdOf } from './calibration.ts'
import type { Chosen } from './choosing.ts'
import type { Target } from './encoding.ts'
import { fitLesson } from './fitting.ts'
import { checkpointFolder, files, modelUrl, writeJson } from './folder.ts'
import { configurationOf, type KindName, type TrainOptions } from './options.ts'
import { Reporter } from './reporting.ts'
import type { Held } from './room.ts'
import type { Pieces } from './rows.ts'
import { type Scores, scorerOf } from './scores.ts'
import type { Story } from './story.ts'
import type { Warnings } from './warnings.ts'

/** Samples that are predicted at once. */
export const predictedRows = 4096

/** How long it took to read a table twice, and to make inputs of it. */
export interface Seconds {
  readonly reading?: number
  readonly encoding?: number
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
  /** If not all. */
  readonly stepsPerEpoch?: number
  readonly classWeight?: Readonly<Record<number, number>>
  /** What data goes through before and after the network: all that applying the model takes. */
  readonly preprocessing: object
  /** What the report tells beside how training went. */
  readonly story?: Story
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

/** Scores of a model that predicts, on samples that come some at a time. */
export async function scoreOf(
  model: Trainable,
  target: Target,
  pieces: Pieces,
  workers: number | 'auto',
): Promise<Scores> {
  const scorer = scorerOf(target)
  for await (const { x, truth } of pieces) {
    const outputs = (await model.predictAsync(x, { batchSize: predictedRows, workers })) as Tensor
    scorer.take(outputs.dataSync(), truth)
  }
  return scorer.finish()
}

/** Finds the temperature of probabilities, and the threshold that is asked for, on the validation part. */
export async function settleClasses(
  model: Trainable,
  target: Target,
  pieces: Pieces,
  truth: ArrayLike<number>,
  { threshold, workers = 'auto' }: TrainOptions,
): Promise<void> {
  if (target.task !== 'class') return
  const outputs = new Float32Array(truth.length * target.classes.length)
  let at = 0
  for await (const { x } of pieces) {
    const predicted = (await model.predictAsync(x, { batchSize: predictedRows, workers })) as Tensor
    outputs.set(predicted.dataSync() as Float32Array, at)
    at += predicted.size
  }
  target.temperature = temperatureOf(outputs, truth, target.classes.length)
  if (threshold === undefined) return
  target.threshold =
    typeof threshold === 'number' ? threshold : thresholdOf(probabilities(target, outputs), truth, threshold)
}

/** @throws RangeError for a threshold where there are not two classes, or that is no probability */
export function checkThreshold(where: string, threshold: unknown, target: Target): void {
  if (threshold === undefined) return
  const { task } = target
  if (task !== 'class' || target.classes.length !== 2)
    throw new RangeError(
      `${where}: threshold must be given for two classes, got ${
        task === 'class' ? `${target.classes.length} classes` : task
      }; leave it out`,
    )
  if (typeof threshold === 'string') oneOf(where, 'threshold', threshold, thresholdAims)
  else inRange(where, 'threshold', threshold, '[0, 1]')
}

/** Scores of always saying what was most common in training, or its mean. */
export function baselineOf(target: Target, training: ArrayLike<number>, scored: ArrayLike<number>): Scores {
  // Shares are probabilities as they are: no temperature, no threshold.
  const plain =
    target.task === 'class'
      ? { name: target.name, task: target.task, type: target.type, classes: target.classes }
      : target
  const scorer = scorerOf(plain)
  if (target.task === 'regression') scorer.take(new Float64Array(scored.length), scored)
  else {
    const count = target.classes.length
    const shares = new Float64Array(count)
    for (let i = 0; i < training.length; i++) shares[training[i]!]! += 1 / training.length
    const outputs = Float64Array.from({ length: count * scored.length }, (_, i) => shares[i % count]!)
    scorer.take(outputs, scored)
  }
  return scorer.finish()
}

/** Weights of classes that are inverse to their frequency. */
export function classWeightsOf(truth: ArrayLike<number>, classes: number): Record<number, number> {
  const counts = new Array<number>(classes).fill(0)
  for (let i = 0; i < truth.length; i++) counts[truth[i]!]!++
  return Object.fromEntries(counts.map((count, i) => [i, truth.length / (classes * Math.max(count, 1))]))
}

function timesOf({ seconds, rows, plan }: Lesson, { worked }: History) {
  const rowsPerStep = rows.training / Math.ceil(rows.training / plan.batchSize)
  return {
    seconds: { ...seconds, training: worked.seconds },
    rowsPerSecond: worked.seconds > 0 ? Math.round((rowsPerStep * worked.steps) / worked.seconds) : 0,
  }
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
  const { model, plan, rows, inputs } = lesson
  const network = { ...plan, inputs, weights: model.countParams(), shape: lesson.shape }
  await writeJson(folder, files.configuration, {
    ...configurationOf(options),
    data: resolve(options.data),
    ...plan,
    seed,
  })
  progress?.begin?.({
    rows: rows.training,
    inputs: network.inputs,
    weights: network.weights,
    epochs: plan.epochs,
    warnings: warnings.lines(),
  })
  const directory = checkpointFolder(folder)
  const reporter = new Reporter(options, lesson, seed, warnings)
  progress?.report?.(() => reporter.now())
  const history = await fitLesson(lesson, options, seed, [
    callbacks.checkpoint({ directory, every: { seconds: 30 }, keep: 2 }),
    reporter.recorder,
    ...lesson.callbacks,
    { onEpochEnd: (epoch, logs) => progress?.epoch?.(epoch, logs!) },
  ])
  const about = {
    folder,
    interrupted: signal?.aborted === true && history.stopReason === 'aborted',
    kind: lesson.kind,
    task: lesson.task,
    target: lesson.target,
    from: lesson.from,
    columns: lesson.columns,
    rows,
    network,
    seed,
    workers: history.workers,
    epochs: history.epoch.length,
    stopReason: history.stopReason,
    ...timesOf(lesson, history),
    warnings: warnings.lines(),
  }
  if (about.interrupted) return about
  await lesson.settle?.()
  const part = rows.test > 0 ? ('test' as const) : ('validation' as const)
  const scores = {
    part,
    model: await lesson.score(part),
    baseline: lesson.baseline(part),
    validation: await lesson.score('validation'),
  }
  const result = { ...about, scores }
  await writeJson(folder, files.preprocessing, lesson.preprocessing)
  await (lesson.saved ?? model).save(modelUrl(folder))
  await writeJson(folder, files.metrics, { ...result, history: history.history })
  await reporter.finish(result)
  return result
}
