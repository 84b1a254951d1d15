import { relative } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, positiveInteger, show, suggestion } from '../errors.ts'
import { type ImageFile, imagesAt, labelledImages, readImages } from './imageFiles.ts'
import type { Evaluation, ModelOptions } from './kinds.ts'
import { openFolder, type TrainResult } from './learning.ts'
import type { ReadingProgress } from './lines.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { greyOf, isGrey } from './pixels.ts'
import type { Prediction } from './predictions.ts'
import { type Labelled, type SampleData, sampleTrials } from './sampleParts.ts'
import { evaluateSamples, learnSamples, loadSampleModel, predictSamples } from './samples.ts'
import type { TrialData } from './trying.ts'
import { Warnings } from './warnings.ts'

/** Images that are predicted at once: their pixels are in memory. */
const piece = 512
const mostBytes = 2 ** 31 - 2 ** 20

interface Read {
  /** Size × size × 3 bytes each. */
  readonly values: readonly Uint8Array[]
  readonly files: readonly ImageFile[]
}

async function readAll(
  files: readonly ImageFile[],
  size: number,
  warnings: Warnings,
  progress?: ReadingProgress,
): Promise<Read> {
  const bytes = files.length * size * size * 3
  if (bytes > mostBytes)
    throw new RangeError(
      `train: ${files.length} images of ${size}×${size} must fit ${mostBytes} bytes, got ${bytes}; give a smaller size`,
    )
  const read: Read & { values: Uint8Array[]; files: ImageFile[] } = { values: [], files: [] }
  for await (const { file, values } of readImages(files, size, warnings, progress)) {
    read.values.push(values)
    read.files.push(file)
  }
  return read
}

/** One tensor of images, grey or in colours. */
function tensorOf(values: readonly Uint8Array[], size: number, channels: number): Tensor {
  const pixels = size * size * channels
  const all = new Uint8Array(values.length * pixels)
  for (const [i, image] of values.entries()) all.set(channels === 1 ? greyOf(image) : image, i * pixels)
  return new Tensor(all, [values.length, size, size, channels], 'uint8')
}

/** @throws RangeError for the folder of a class that the training had not */
function numbersOf(files: readonly ImageFile[], classes: readonly string[]): Float64Array {
  return Float64Array.from(files, ({ path, label }) => {
    const number = classes.indexOf(label)
    if (number >= 0) return number
    throw new RangeError(
      `${path}: must be in the folder of a class of the training, got ${show(label)}; ${suggestion(label, classes)}`,
    )
  })
}

const usualSize = 64

/** A folder of images to train on. */
async function readSamples(
  { data, size = usualSize, progress }: TrainOptions,
  warnings: Warnings,
): Promise<SampleData> {
  positiveInteger('train', 'size', size)
  const files = await labelledImages(data, warnings)
  const train = await readAll(files.train, size, warnings, progress?.reading)
  const test = files.test && (await readAll(files.test, size, warnings, progress?.reading))
  const classes = [...new Set(train.files.map(({ label }) => label))].sort()
  if (classes.length < 2)
    throw new RangeError(
      `${data}: must have images of two classes or more, got ${show(classes)}; add a folder`,
    )
  const channels = train.values.every(isGrey) ? 1 : 3
  const labelled = ({ values, files }: Read): Labelled => ({
    x: tensorOf(values, size, channels),
    truth: numbersOf(files, classes),
  })
  return {
    kind: 'images',
    from: `images of ${size}×${size}×${channels}`,
    target: 'folder',
    classes,
    train: labelled(train),
    test: test && labelled(test),
    place: {
      name: 'file',
      at: (part, sample) => relative(data, (part === 'train' ? train : test!).files[sample]!.path),
    },
    setAside: files.train.length - train.files.length + (files.test?.length ?? 0) - (test?.files.length ?? 0),
  }
}

/** `train` for a folder of images. */
export async function trainImages(options: TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options, 'images')
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const data = await readSamples(options, warnings)
  return learnSamples(folder, { ...options, size: options.size ?? usualSize }, data, warnings)
}

/** A folder of images to try networks on. */
export async function imageTrials(options: TrainOptions): Promise<TrialData> {
  const warnings = new Warnings()
  return sampleTrials(await readSamples(options, warnings), options, warnings)
}

async function* pieces(
  files: readonly ImageFile[],
  [size, , channels]: readonly number[],
  warnings: Warnings,
  progress?: ReadingProgress,
): AsyncGenerator<{ x: Tensor; files: readonly ImageFile[] }> {
  let some: { values: Uint8Array[]; files: ImageFile[] } = { values: [], files: [] }
  for await (const { file, values } of readImages(files, size!, warnings, progress)) {
    some.values.push(values)
    some.files.push(file)
    if (some.files.length < piece) continue
    yield { x: tensorOf(some.values, size!, channels!), files: some.files }
    some = { values: [], files: [] }
  }
  if (some.files.length > 0) yield { x: tensorOf(some.values, size!, channels!), files: some.files }
}

/** `evaluate` for a folder of images. */
export async function evaluateImages(
  folder: string,
  data: string,
  options: ModelOptions,
): Promise<Evaluation> {
  checkOptions('evaluate', options, ['workers', 'progress', 'threshold'])
  const trained = await loadSampleModel('evaluate', folder, options.threshold)
  const { target, shape } = trained.preprocessing
  const classes = target.task === 'class' ? target.classes : []
  const warnings = new Warnings()
  const { train, test } = await labelledImages(data, warnings)
  const files = test ?? train
  numbersOf(files, classes)
  async function* samples() {
    for await (const { x, files: some } of pieces(files, shape, warnings, options.progress))
      yield { x, truth: numbersOf(some, classes) }
  }
  const scores = await evaluateSamples(trained, samples(), options.workers)
  if (scores.rows === 0)
    throw new RangeError(`${data}: must hold images that can be read, got none; give others`)
  return { scores, warnings: warnings.lines() }
}

/** `predict` for an image, or a folder of them. */
export async function predictImages(
  folder: string,
  data: string,
  options: ModelOptions,
): Promise<Prediction> {
  checkOptions('predict', options, ['workers', 'progress', 'threshold'])
  const trained = await loadSampleModel('predict', folder, options.threshold)
  const warnings = new Warnings()
  const files = await imagesAt(data, warnings)
  async function* samples() {
    for await (const { x, files: some } of pieces(
      files,
      trained.preprocessing.shape,
      warnings,
      options.progress,
    ))
      yield { x, fields: some.map(({ label }) => label) }
  }
  return predictSamples(trained, ['file'], samples(), warnings, options.workers)
}
