import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { oneOf, show } from '../errors.ts'
import { type ApplyOptions, evaluateTable, predictTable } from './applying.ts'
import { isArrayFile } from './arrayFiles.ts'
import { arrayTrials, evaluateArrays, predictArrays, trainArrays } from './arrays.ts'
import { files, readJson } from './folder.ts'
import { holdsImages } from './imageFiles.ts'
import { evaluateImages, imageTrials, predictImages, trainImages } from './images.ts'
import type { TrainResult } from './learning.ts'
import { checkTrainOptions, type KindName, kindNames, type TrainOptions } from './options.ts'
import type { Prediction } from './predictions.ts'
import type { Scores } from './scores.ts'
import { tableTrials } from './tableTrials.ts'
import { trainText } from './textTraining.ts'
import { textTrials } from './textTrials.ts'
import { trainTable } from './training.ts'
import type { TrialData } from './trying.ts'
import { evaluateText } from './writing.ts'

/** What a trained model came to on other data. */
export interface Evaluation {
  readonly scores: Scores
  readonly warnings: readonly string[]
}

/** Options of `evaluate` and `predict`; which of them are taken depends on the kind of data. */
export interface ModelOptions extends ApplyOptions {
  /** Of arrays: the file of labels, or the array of the archive. */
  labels?: string
}

/** What can be done with one kind of data. */
interface Kind {
  train(options: TrainOptions): Promise<TrainResult>
  /** To try networks on. */
  trials(options: TrainOptions): Promise<TrialData>
  evaluate(folder: string, data: string, options: ModelOptions): Promise<Evaluation>
  predict(folder: string, data: string, options: ModelOptions): Promise<Prediction>
}

const kinds: Readonly<Record<KindName, Kind>> = {
  table: { train: trainTable, trials: tableTrials, evaluate: evaluateTable, predict: predictTable },
  arrays: { train: trainArrays, trials: arrayTrials, evaluate: evaluateArrays, predict: predictArrays },
  images: { train: trainImages, trials: imageTrials, evaluate: evaluateImages, predict: predictImages },
  text: {
    train: trainText,
    trials: textTrials,
    evaluate: evaluateText,
    async predict(_folder, data) {
      throw new RangeError(
        `predict: a model of text must be given a prompt, got ${show(data)}; write --prompt "…", or call write`,
      )
    },
  },
}

/** The kind of data: as is said of a text, otherwise told by its name, of a folder by what is in it. */
export async function kindOf({ data, format, text }: TrainOptions): Promise<KindName> {
  if (text) return 'text'
  if (format !== undefined) return 'table'
  if (isArrayFile(data)) return 'arrays'
  const found = await stat(data).catch(() => undefined)
  if (!found?.isDirectory()) return 'table'
  const names = await readdir(data)
  if (names.some(isArrayFile)) return 'arrays'
  if (await holdsImages(data)) return 'images'
  throw new RangeError(
    `${data}: must be a file, or a folder of IDX files, npy files or images, got a folder of ${show(names)}; give another one`,
  )
}

/** The kind of data, once the options suit it. */
export async function checkedKindOf(options: TrainOptions): Promise<KindName> {
  const kind = await kindOf(options)
  checkTrainOptions(options, kind)
  return kind
}

/** Data of any kind to try networks on. @throws as `train` */
export const trialDataOf = async (options: TrainOptions): Promise<TrialData> =>
  kinds[await checkedKindOf(options)].trials(options)

/** The kind of data that a model was trained on. */
export async function kindOfModel(folder: string): Promise<KindName> {
  const path = join(folder, files.preprocessing)
  const { kind = 'table' } = ((await readJson(path, 'give the folder that train wrote')) ?? {}) as {
    kind?: KindName
  }
  return oneOf(path, 'kind', kind, kindNames)
}

/** Trains a network on data of any kind and writes a folder, as `trainTable` does for a table. */
export const train = async (options: TrainOptions): Promise<TrainResult> =>
  kinds[await kindOf(options)].train(options)

/** Scores a model that `train` wrote on other data. */
export const evaluate = async (
  folder: string,
  data: string,
  options: ModelOptions = {},
): Promise<Evaluation> => kinds[await kindOfModel(folder)].evaluate(folder, data, options)

/** Predictions of a model that `train` wrote. */
export const predict = async (
  folder: string,
  data: string,
  options: ModelOptions = {},
): Promise<Prediction> => kinds[await kindOfModel(folder)].predict(folder, data, options)
