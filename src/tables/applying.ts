import { join, resolve } from 'node:path'
import { checkOptions, show, suggestion } from '../errors.ts'
import { loadLayersModel } from '../model/loading.ts'
import type { Trainable } from '../model/trainable.ts'
import { Encoder } from './encoder.ts'
import { checkPreprocessing, type Preprocessing } from './encoding.ts'
import { isMissing, numberOf } from './fields.ts'
import { files, modelUrl, readJson } from './folder.ts'
import { checkThreshold } from './judging.ts'
import type { ReadingProgress } from './lines.ts'
import { classNameOf } from './planning.ts'
import {
  outputsOf,
  type PredictedRow,
  type Prediction,
  predictedRows,
  predictionNames,
  valuesOf,
} from './predictions.ts'
import { type Scores, scorerOf } from './scores.ts'
import { openTable, type Row, type Table, type TableOptions } from './source.ts'
import { Warnings } from './warnings.ts'
import { columnOf } from './words.ts'

export interface ApplyOptions extends TableOptions {
  workers?: number | 'auto'
  progress?: ReadingProgress
  /** Columns of the data that predictions repeat. */
  keep?: readonly string[]
  /** Of two classes: the probability from which on the second is predicted, if not the model's own. */
  threshold?: number
}

/** A trained model with what its data goes through. */
interface Trained {
  readonly model: Trainable
  readonly preprocessing: Preprocessing
  readonly encoder: Encoder
}

async function loadTrained(where: string, folder: string, threshold: number | undefined): Promise<Trained> {
  const path = join(folder, files.preprocessing)
  const preprocessing = checkPreprocessing(path, await readJson(path, 'give the folder that train wrote'))
  const model = (await loadLayersModel(modelUrl(resolve(folder)))) as unknown as Trainable
  const encoder = new Encoder(preprocessing.columns)
  const { target } = preprocessing
  checkThreshold(where, threshold, target)
  if (threshold !== undefined && target.task === 'class') target.threshold = threshold
  const shapes = JSON.stringify([model.inputShapes, model.outputShapes])
  const expected = JSON.stringify([encoder.shapes, [[target.task === 'class' ? target.classes.length : 1]]])
  if (shapes !== expected)
    throw new RangeError(
      `${where}: the model must fit ${files.preprocessing}, ${expected}, got ${shapes}; train again`,
    )
  return { model, preprocessing, encoder }
}

/** Places of the model's columns in the table; missing ones are an error, others a warning. */
function placesOf(
  table: Table,
  { columns, target }: Preprocessing,
  keep: readonly string[],
  warnings: Warnings,
): number[] {
  for (const { name } of columns)
    if (!table.names.includes(name))
      throw new RangeError(
        `${table.path}: must have the column ${show(name)}, which the ` +
          `model was trained on, got none; ${suggestion(name, table.names)}`,
      )
  for (const name of keep)
    if (!table.names.includes(name))
      throw new RangeError(
        `${table.path}: must have the column ${show(name)}, got none; ${suggestion(name, table.names)}`,
      )
  const known = new Set([...columns.map(({ name }) => name), target.name, ...keep])
  const strangers = table.names.filter(name => !known.has(name))
  if (strangers.length > 0)
    warnings.say(`columns that the model does not use: ${strangers.map(name => show(name)).join(', ')}`)
  return columns.map(({ name }) => table.names.indexOf(name))
}

/** Rows, so many at a time. */
async function* batchesOf(pieces: AsyncIterable<readonly Row[]>): AsyncGenerator<Row[], void, undefined> {
  let batch: Row[] = []
  for await (const piece of pieces)
    for (const row of piece) {
      batch.push(row)
      if (batch.length < predictedRows) continue
      yield batch
      batch = []
    }
  if (batch.length > 0) yield batch
}

/** The network's outputs for rows of a table. */
async function outputsFor(
  { model, preprocessing, encoder }: Trained,
  table: Table,
  places: readonly number[],
  rows: readonly Row[],
  { workers = 'auto' }: ApplyOptions,
  warnings: Warnings,
): Promise<Float32Array> {
  const columns = preprocessing.columns.map((encoding, c) => {
    const column = columnOf(encoding.name, encoding.type)
    for (const { line, fields } of rows) {
      const field = fields[places[c]!]
      column.push(field)
      const strange = Number.isNaN(column.values.at(-1)!) && !isMissing(field)
      if (strange)
        warnings.add(
          `column ${show(encoding.name)}: values that are no ${encoding.type}, which count as missing`,
          `${show(field)} in ${table.placeName} ${line}`,
        )
      else if (!encoding.indicator && isMissing(field))
        warnings.add(
          `column ${show(encoding.name)}: missing values, of which there were none in training`,
          `${table.placeName} ${line}`,
        )
    }
    return column
  })
  const unseen = (name: string, row: number) =>
    warnings.add(
      `column ${show(name)}: values that were not seen in training`,
      `${table.placeName} ${rows[row]!.line}`,
    )
  const x = encoder.tensors(columns, [...rows.keys()], unseen)
  return outputsOf(model, x, workers)
}

const optionNames = [
  'format',
  'delimiter',
  'header',
  'skipRagged',
  'workers',
  'progress',
  'keep',
  'threshold',
]

/**
 * Scores a model that `trainTable` wrote on another table, which is streamed. Rows without a target are set aside.
 * @throws RangeError naming line and column for a class that the model does not know, or a target that is no number;
 * as `openTable`
 */
export async function evaluateTable(
  folder: string,
  data: string,
  options: ApplyOptions = {},
): Promise<{ scores: Scores; warnings: readonly string[] }> {
  checkOptions('evaluate', options, optionNames)
  const trained = await loadTrained('evaluate', folder, options.threshold)
  const { target } = trained.preprocessing
  const warnings = new Warnings()
  const table = await openTable(data, options)
  const places = placesOf(table, trained.preprocessing, [], warnings)
  const place = table.names.indexOf(target.name)
  if (place < 0)
    throw new RangeError(
      `${data}: must have the target ${show(target.name)}, got no such column; ${suggestion(target.name, table.names)}`,
    )
  const truthOf = ({ line, fields }: Row): number => {
    const field = fields[place] as string | number | boolean
    const value =
      target.task === 'class' ? target.classes.indexOf(classNameOf(target.type, field)) : numberOf(field)
    if (value >= 0 || (target.task === 'regression' && !Number.isNaN(value))) return value
    const must =
      target.task === 'class' ? `one of the ${target.classes.length} classes of the training` : 'a number'
    throw new RangeError(
      `${data} ${table.placeName} ${line}, column ${show(target.name)}: must be ${must}, got ${show(field)}; correct it`,
    )
  }
  const scorer = scorerOf(target)
  let count = 0
  for await (const batch of batchesOf(table.rows(warnings, options.progress))) {
    const rows = batch.filter(({ fields }) => !isMissing(fields[place]))
    const lacking = batch.find(({ fields }) => isMissing(fields[place]))
    if (lacking)
      warnings.add(
        `rows set aside that have no ${show(target.name)}`,
        `${table.placeName} ${lacking.line}`,
        batch.length - rows.length,
      )
    if (rows.length === 0) continue
    const truth = rows.map(truthOf)
    scorer.take(await outputsFor(trained, table, places, rows, options, warnings), truth)
    count += rows.length
  }
  if (count === 0) throw new RangeError(`${data}: must have rows with a target, got none; give another file`)
  return { scores: scorer.finish(), warnings: warnings.lines() }
}

/**
 * Predictions for each row of a table, in its order, as the table is read; the warnings are complete once all are taken.
 * @throws RangeError for a table that lacks a column of the model; as `openTable`
 */
export async function predictTable(
  folder: string,
  data: string,
  options: ApplyOptions = {},
): Promise<Prediction> {
  checkOptions('predict', options, optionNames)
  const trained = await loadTrained('predict', folder, options.threshold)
  const { target } = trained.preprocessing
  const { keep = [] } = options
  const warnings = new Warnings()
  const table = await openTable(data, options)
  const places = placesOf(table, trained.preprocessing, keep, warnings)
  const kept = keep.map(name => table.names.indexOf(name))
  const names = [...keep, ...predictionNames(target)]
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new RangeError(`predict: columns must have different names, got ${show(twice)} twice; keep others`)
  async function* predictions(): AsyncGenerator<PredictedRow, void, undefined> {
    for await (const rows of batchesOf(table.rows(warnings, options.progress))) {
      const outputs = await outputsFor(trained, table, places, rows, options, warnings)
      for (const [i, { fields }] of rows.entries()) {
        const values = [...kept.map(place => fields[place]), ...valuesOf(target, outputs, i)]
        yield Object.fromEntries(names.map((name, n) => [name, values[n]]))
      }
    }
  }
  return { names, rows: predictions(), warnings }
}
