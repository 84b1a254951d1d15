import { resolve } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, show } from '../errors.ts'
import { type ArrayPart, readArrays } from './arrayFiles.ts'
import type { Evaluation, ModelOptions } from './kinds.ts'
import { classesIn, labelsOf, truthOf } from './labels.ts'
import { openFolder, type TrainResult } from './learning.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import type { Prediction } from './predictions.ts'
import { type SampleData, sampleTrials } from './sampleParts.ts'
import {
  evaluateSamples,
  learnSamples,
  loadSampleModel,
  piecesOf,
  predictSamples,
  type TrainedOnSamples,
} from './samples.ts'
import { checkFinite } from './scaling.ts'
import type { TrialData } from './trying.ts'
import { Warnings } from './warnings.ts'

/**
 * Samples as networks take them: (n, k) columns, (n, height, width) and (n, height, width, channels) images.
 * @throws RangeError for other shapes, images with their channels first, and numbers that are not finite
 */
function samplesOf({ x, xName }: ArrayPart): Tensor {
  const { shape } = x
  if (shape.length < 2 || shape.length > 4 || shape.includes(0))
    throw new RangeError(
      `${xName}: must have shape [n, columns], [n, height, width] or [n, height, width, channels], ` +
        `got ${show(shape)}; reshape it`,
    )
  if (shape.length === 4 && (shape[1] === 1 || shape[1] === 3) && shape[3]! > 4)
    throw new RangeError(`${xName}: must have its channels last, got ${show(shape)}; transpose it`)
  checkFinite(xName, x)
  return shape.length === 3 ? new Tensor(x.values, [...shape, 1], x.dtype) : x
}

function labelled(part: ArrayPart): { x: Tensor; labels: Float64Array } {
  const x = samplesOf(part)
  if (!part.y)
    throw new RangeError(`${part.xName}: must come with labels, got none; name their file or array as labels`)
  return { x, labels: labelsOf(part.yName, part.y, x.shape[0]!) }
}

/** Arrays to train on. */
async function readSamples(
  { data, labels: named, task }: TrainOptions,
  warnings: Warnings,
): Promise<SampleData> {
  const { train, test } = await readArrays(data, named, warnings)
  if (!train) throw new RangeError(`${data}: must hold samples to train on, got only a test part; add them`)
  const { x, labels } = labelled(train)
  const classes = classesIn(train.yName, labels, task)
  const shape = x.shape.slice(1)
  const scored = test?.y ? labelled(test) : undefined
  if (test && !test.y) warnings.say(`${test.xName} is not used: it has no labels`)
  if (scored) checkShape(test!.xName, scored.x, shape)
  return {
    kind: 'arrays',
    from: shape.length === 1 ? `${shape[0]} columns` : `images of ${shape.join('×')}`,
    target: 'label',
    classes,
    train: { x, truth: truthOf(train.yName, labels, classes) },
    test: scored && { x: scored.x, truth: truthOf(test!.yName, scored.labels, classes) },
    setAside: 0,
    place: { name: 'sample', at: (_part, sample) => sample },
  }
}

/** Labels that are a file of their own. */
export const labelsFileOf = ({ data, labels }: TrainOptions): string | undefined =>
  labels === undefined || data.endsWith('.npz') ? undefined : labels

/** `train` for arrays. */
export async function trainArrays(options: TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options, 'arrays')
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const data = await readSamples(options, warnings)
  const file = labelsFileOf(options)
  const configured = file === undefined ? options : { ...options, labels: resolve(file) }
  return learnSamples(folder, configured, data, warnings)
}

/** Arrays to try networks on. */
export async function arrayTrials(options: TrainOptions): Promise<TrialData> {
  const warnings = new Warnings()
  return sampleTrials(await readSamples(options, warnings), options, warnings)
}

function checkShape(where: string, x: Tensor, shape: readonly number[]): void {
  if (String(x.shape.slice(1)) !== String(shape))
    throw new RangeError(
      `${where}: samples must have shape ${show(shape)}, as in training, got ${show(x.shape.slice(1))}; reshape them`,
    )
}

/** The part that a trained model is applied to: the test part if there is one. */
async function partFor(
  trained: TrainedOnSamples,
  data: string,
  labels: string | undefined,
  warnings: Warnings,
) {
  const { train, test } = await readArrays(data, labels, warnings)
  const part = (test ?? train)!
  const x = samplesOf(part)
  checkShape(part.xName, x, trained.preprocessing.shape)
  return { ...part, x }
}

/** `evaluate` for arrays. */
export async function evaluateArrays(
  folder: string,
  data: string,
  options: ModelOptions,
): Promise<Evaluation> {
  checkOptions('evaluate', options, ['labels', 'workers', 'progress', 'threshold'])
  const trained = await loadSampleModel('evaluate', folder, options.threshold)
  const warnings = new Warnings()
  const part = await partFor(trained, data, options.labels, warnings)
  const { x, labels } = labelled(part)
  const { target } = trained.preprocessing
  const truth = truthOf(part.yName, labels, target.task === 'class' ? target.classes : undefined)
  function* pieces() {
    for (const piece of piecesOf(x))
      yield { x: piece.x, truth: truth.subarray(piece.from, piece.from + piece.x.shape[0]!) }
  }
  return { scores: await evaluateSamples(trained, pieces(), options.workers), warnings: warnings.lines() }
}

/** `predict` for arrays. */
export async function predictArrays(
  folder: string,
  data: string,
  options: ModelOptions,
): Promise<Prediction> {
  checkOptions('predict', options, ['labels', 'workers', 'progress', 'threshold'])
  const trained = await loadSampleModel('predict', folder, options.threshold)
  const warnings = new Warnings()
  const { x } = await partFor(trained, data, options.labels, warnings)
  return predictSamples(trained, [], piecesOf(x), warnings, options.workers)
}
