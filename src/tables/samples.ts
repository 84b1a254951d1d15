import { join, resolve } from 'node:path'
import { sizeOf } from '../data/nested.ts'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { loadLayersModel } from '../model/loading.ts'
import type { Trainable } from '../model/trainable.ts'
import { chooseNetwork } from './choosing.ts'
import { checkTarget, type Target } from './encoding.ts'
import { files, modelUrl, readJson } from './folder.ts'
import { baselineOf, checkThreshold, scoreOf, settleClasses } from './judging.ts'
import { classWeightsOf, learn, type Samples, type TrainResult } from './learning.ts'
import type { Problem } from './networks.ts'
import type { KindName, TrainOptions } from './options.ts'
import { secondsAStep } from './pacing.ts'
import { outputsOf, type Prediction, predictedRows, predictionNames, valuesOf } from './predictions.ts'
import { bytesOf, chooseFitting, roomFor } from './room.ts'
import { divideSamples, type Labelled, type SampleData, scaleSamples } from './sampleParts.ts'
import { checkScaling, pick, type Scaling, scaled } from './scaling.ts'
import { type Scores, scorerOf } from './scores.ts'
import type { ScoredPart } from './story.ts'
import { thumbnailOf } from './thumbnails.ts'
import type { Warnings } from './warnings.ts'

/** All that samples go through before and after the network. */
export interface SamplePreprocessing {
  readonly format: 'lockstep preprocessing 1'
  readonly kind: KindName
  /** Of a sample, as the network takes it. */
  readonly shape: readonly number[]
  readonly scaling: Scaling
  readonly target: Target
}

/** Images are trained on for so many epochs as there is time for: the rate must have fallen by then. */
async function inTime(options: TrainOptions, problem: Problem, training: Samples): Promise<TrainOptions> {
  const { maxSeconds, epochs } = options
  if (maxSeconds === undefined || epochs !== undefined || problem.shape.length === 1) return options
  const { model, plan } = await chooseNetwork(options, problem, 0)
  const steps = Math.ceil(problem.rows / plan.batchSize)
  const seconds = await secondsAStep(model, training, plan.batchSize, options)
  if (seconds === undefined) return options
  const possible = Math.max(1, Math.floor((0.85 * maxSeconds) / (steps * seconds)))
  return { ...options, epochs: Math.min(plan.epochs, possible) }
}

/** Splits samples, scales them by the training part, and trains a network on them, which is written to the folder. */
export async function learnSamples(
  folder: string,
  options: TrainOptions,
  data: SampleData,
  warnings: Warnings,
): Promise<TrainResult> {
  const { seed = 7, workers = 'auto' } = options
  const rows = divideSamples(data, options)
  const { problem, target, scaling, bytes, ...samples } = scaleSamples(data, rows)
  checkThreshold('train', options.threshold, target)
  const parts = { ...samples, test: samples.test(rows.test) }
  const { train, classes } = data
  const { training, validation } = parts
  const { shape } = problem
  const held = { samples: bytes + bytesOf(parts.test.x) }
  roomFor(options.maxMemory, held)
  const timed = await inTime(options, problem, training)
  const choose = (more?: object) => chooseNetwork({ ...timed, ...more }, problem, seed)
  const chosen = await chooseFitting(choose, options, { training, validation, held }, warnings)
  /** Where a row of a part was in the data. */
  const origin = (part: ScoredPart, row: number) =>
    part === 'test' && data.test
      ? { from: 'test' as const, x: data.test.x, sample: row }
      : { from: 'train' as const, x: train.x, sample: rows[part][row]! }
  const at = (part: ScoredPart, row: number) => {
    const { from, sample } = origin(part, row)
    return data.place.at(from, sample)
  }
  const pictureAt = (part: ScoredPart, row: number) => {
    const { x, sample } = origin(part, row)
    return thumbnailOf(x, sample, scaling.deviation[0]!)
  }
  const preprocessing: SamplePreprocessing = {
    format: 'lockstep preprocessing 1',
    kind: data.kind,
    shape,
    scaling,
    target,
  }
  return learn(
    folder,
    options,
    seed,
    {
      ...chosen,
      kind: data.kind,
      task: target.task,
      target: target.name,
      from: data.from,
      columns: [],
      rows: {
        training: rows.training.length,
        validation: rows.validation.length,
        test: parts.test.truth.length,
        setAside: data.setAside,
      },
      inputs: sizeOf(shape),
      training,
      validation,
      held,
      ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes.length) }),
      preprocessing,
      settle: () => settleClasses(chosen.model, target, [validation], validation.truth, options),
      story: {
        target,
        truth: part => parts[part].truth,
        inputs: (part, rows) => pick(parts[part].x, rows),
        place: { name: data.place.name, at },
        columns: [],
        ...(shape.length === 3 && { pictureAt }),
      },
      score: part => scoreOf(chosen.model, target, [parts[part]], workers),
      baseline: part => baselineOf(target, training.truth, parts[part].truth),
    },
    warnings,
  )
}

/** A trained model with what its samples go through. */
export interface TrainedOnSamples {
  readonly model: Trainable
  readonly preprocessing: SamplePreprocessing
}

/** @throws RangeError for what was not written by `train` */
export function checkSamplePreprocessing(where: string, value: unknown): SamplePreprocessing {
  const { shape, scaling, target } = (value ?? {}) as SamplePreprocessing
  if (
    !Array.isArray(shape) ||
    shape.length === 0 ||
    !shape.every(size => Number.isSafeInteger(size) && size > 0)
  )
    throw new RangeError(`${where}: shape must be a list of sizes, got ${show(shape)}; train again`)
  checkScaling(where, scaling, shape.at(-1))
  checkTarget(where, target)
  return value as SamplePreprocessing
}

export async function loadSampleModel(
  where: string,
  folder: string,
  threshold?: number,
): Promise<TrainedOnSamples> {
  const path = join(folder, files.preprocessing)
  const preprocessing = checkSamplePreprocessing(
    path,
    await readJson(path, 'give the folder that train wrote'),
  )
  const model = (await loadLayersModel(modelUrl(resolve(folder)))) as unknown as Trainable
  const { target, shape } = preprocessing
  checkThreshold(where, threshold, target)
  if (threshold !== undefined && target.task === 'class') target.threshold = threshold
  const outputs = target.task === 'class' ? target.classes.length : 1
  const [got, expected] = [
    [model.inputShapes, model.outputShapes],
    [[shape], [[outputs]]],
  ].map(each => JSON.stringify(each))
  if (got !== expected)
    throw new RangeError(
      `${where}: the model must fit ${files.preprocessing}, ${expected}, got ${got}; train again`,
    )
  return { model, preprocessing }
}

/** Samples of a tensor, so many at a time as are predicted at once. */
export function* piecesOf({ values, shape, dtype }: Tensor): Generator<{ x: Tensor; from: number }> {
  const size = sizeOf(shape.slice(1))
  for (let from = 0; from < shape[0]!; from += predictedRows) {
    const to = Math.min(shape[0]!, from + predictedRows)
    yield {
      x: new Tensor(values.subarray(from * size, to * size), [to - from, ...shape.slice(1)], dtype),
      from,
    }
  }
}

const outputsFor = (
  { model, preprocessing }: TrainedOnSamples,
  x: Tensor,
  workers?: number | 'auto',
): Promise<ArrayLike<number>> => outputsOf(model, scaled(x, preprocessing.scaling), workers)

/** Scores of a model on samples that come a piece at a time. */
export async function evaluateSamples(
  trained: TrainedOnSamples,
  pieces: AsyncIterable<Labelled> | Iterable<Labelled>,
  workers?: number | 'auto',
): Promise<Scores> {
  const scorer = scorerOf(trained.preprocessing.target)
  for await (const { x, truth } of pieces) scorer.take(await outputsFor(trained, x, workers), truth)
  return scorer.finish()
}

/** Predictions for samples that come a piece at a time, each with what else is to stand in its row. */
export function predictSamples(
  trained: TrainedOnSamples,
  first: readonly string[],
  pieces:
    | AsyncIterable<{ x: Tensor; fields?: readonly string[] }>
    | Iterable<{ x: Tensor; fields?: readonly string[] }>,
  warnings: Warnings,
  workers?: number | 'auto',
): Prediction {
  const { target } = trained.preprocessing
  const names = [...first, ...predictionNames(target)]
  async function* rows() {
    for await (const { x, fields = [] } of pieces) {
      const outputs = await outputsFor(trained, x, workers)
      for (let i = 0; i < x.shape[0]!; i++) {
        const values = [...(fields.length > 0 ? [fields[i]] : []), ...valuesOf(target, outputs, i)]
        yield Object.fromEntries(names.map((name, n) => [name, values[n]]))
      }
    }
  }
  return { names, rows: rows(), warnings }
}
