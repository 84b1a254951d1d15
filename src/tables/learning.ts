import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import type { Trainable } from '../model/trainable.ts'
import type { BaseCallback, Hooks } from '../training/callback.ts'
import { callbacks } from '../training/callbacks.ts'
import type { Target } from './encoding.ts'
import { checkpointFolder, files, modelUrl, writeJson } from './folder.ts'
import { configurationOf, type TrainOptions } from './options.ts'
import { Reporter } from './reporting.ts'
import { type Scores, scorerOf } from './scores.ts'
import type { Story } from './story.ts'
import type { Warnings } from './warnings.ts'

/** Samples that are predicted at once. */
export const predictedRows = 4096

/** What a training came to. */
export interface TrainResult {
  readonly folder: string
  /** Whether a signal ended it: there is a checkpoint, but no model. */
  readonly interrupted: boolean
  readonly task: 'class' | 'regression'
  readonly target: string
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
export interface Samples {
  readonly x: Tensor
  readonly y: Tensor
}

/** What data of any kind comes to before a network is trained on it: the kind decides, `learn` trains. */
export interface Lesson extends Pick<TrainResult, 'task' | 'target' | 'columns' | 'rows' | 'network'> {
  /** Compiled. */
  readonly model: Trainable
  /** What is saved, where that is only a part of `model`. */
  readonly saved?: Trainable
  readonly plan: { readonly batchSize: number; readonly epochs: number } & Readonly<Record<string, unknown>>
  readonly training: Samples
  readonly validation: Samples
  readonly classWeight?: Readonly<Record<number, number>>
  /** When to stop, and how the rate falls. */
  readonly callbacks: readonly (BaseCallback | Hooks)[]
  /** What data goes through before and after the network: all that applying the model takes. */
  readonly preprocessing: object
  /** What the report tells beside how training went. */
  readonly story?: Story
  score(part: 'validation' | 'test'): Promise<Scores>
  baseline(part: 'validation' | 'test'): Scores
}

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

/** Scores of a model that predicts, on samples in memory. */
export async function scoreOf(
  model: Trainable,
  target: Target,
  { x, truth }: { readonly x: Tensor; readonly truth: ArrayLike<number> },
  workers: number | 'auto',
): Promise<Scores> {
  const scorer = scorerOf(target)
  const outputs = (await model.predictAsync(x, { batchSize: predictedRows, workers })) as Tensor
  scorer.take(outputs.dataSync(), truth)
  return scorer.finish()
}

/** Scores of always saying what was most common in training, or its mean. */
export function baselineOf(target: Target, training: ArrayLike<number>, scored: ArrayLike<number>): Scores {
  const scorer = scorerOf(target)
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
  const { workers = 'auto', maxSeconds, signal, resume = false, progress } = options
  const { model, plan, rows, network, task, target, columns } = lesson
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
  const history = await model.fit(lesson.training.x, lesson.training.y, {
    batchSize: plan.batchSize,
    epochs: plan.epochs,
    validationData: [lesson.validation.x, lesson.validation.y],
    seed,
    workers,
    ...(lesson.classWeight && { classWeight: lesson.classWeight }),
    ...(maxSeconds !== undefined && { maxSeconds }),
    ...(signal && { signal }),
    ...(resume && { resume: directory }),
    callbacks: [
      callbacks.checkpoint({ directory, every: { seconds: 30 }, keep: 2 }),
      reporter.recorder,
      ...lesson.callbacks,
      { onEpochEnd: (epoch, logs) => progress?.epoch?.(epoch, logs!) },
    ],
  })
  const about = {
    folder,
    interrupted: signal?.aborted === true && history.stopReason === 'aborted',
    task,
    target,
    columns,
    rows,
    network,
    seed,
    workers: history.workers,
    epochs: history.epoch.length,
    stopReason: history.stopReason,
    warnings: warnings.lines(),
  }
  if (about.interrupted) return about
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
