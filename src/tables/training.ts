import { Tensor } from '../data/tensor.ts'
import { chooseNetwork } from './choosing.ts'
import { readColumns } from './columns.ts'
import { Encoder, fitEncoding, momentsOf, type Preprocessing, type Target, widthOf } from './encoding.ts'
import {
  baselineOf,
  checkThreshold,
  classWeightsOf,
  learn,
  openFolder,
  type Samples,
  scoreOf,
  settleClasses,
  type TrainResult,
  targetsOf,
} from './learning.ts'
import { checkTrainOptions, type TableConfiguration, type TrainOptions } from './options.ts'
import { assignRoles, checkColumn, classesOf, type Roles, split, usableRows } from './planning.ts'
import { profile } from './profile.ts'
import { openTable, type Table } from './source.ts'
import type { Parts } from './splitting.ts'
import { type ScoredPart, type Story, summaryOf, textOf } from './story.ts'
import { Warnings } from './warnings.ts'

/** Most bytes that a part's inputs may take. */
const mostBytes = 2 ** 31 - 2 ** 20

export interface TableSamples extends Samples {
  /** Class numbers, or the target's numbers as they are. */
  readonly truth: Float64Array
}

function samplesOf(
  encoder: Encoder,
  roles: Roles,
  target: Target,
  rows: Uint32Array,
  truthAt: (row: number) => number,
): TableSamples {
  const bytes = 4 * rows.length * encoder.width
  if (bytes > mostBytes)
    throw new RangeError(
      `train: ${rows.length} rows of ${encoder.width} inputs must fit ` +
        `${mostBytes} bytes, got ${bytes}; leave columns out, or rows`,
    )
  const truth = Float64Array.from(rows, truthAt)
  return {
    x: new Tensor(encoder.encode(roles.inputs, rows), [rows.length, encoder.width], 'float32'),
    y: targetsOf(target, truth),
    truth,
  }
}

/** What the rows that are trained on say of columns and target; `trend`: of dates too. */
export function preprocessingOf(
  { inputs, target: column, task }: Roles,
  classes: readonly string[],
  training: Uint32Array,
  trend: boolean,
): Preprocessing {
  const { name, type } = column
  const target = (
    task === 'class'
      ? { name, task, type, classes }
      : { name, task, type, ...momentsOf(column.values, training) }
  ) as Target
  const columns = inputs.map(input => fitEncoding(input, training, trend))
  return { format: 'lockstep preprocessing 1', columns, target }
}

/** Reads the table, decides on columns, parts and encodings. */
export async function prepare(table: Table, options: TableConfiguration & TrainOptions, warnings: Warnings) {
  const profiles = await profile(table, warnings, options.types, options.progress?.reading)
  const roles = assignRoles(table, profiles, options, warnings)
  const wanted = [...new Set([...roles.inputs, roles.target, ...(roles.divider ? [roles.divider] : [])])]
  // What the first pass warned of, the second would count again.
  const lines = await readColumns(table, wanted, new Warnings(), options.progress?.reading)
  const rows = usableRows(table, roles, lines, warnings)
  const { classes, classAt } =
    roles.task === 'class' ? classesOf(roles.target, rows) : { classes: [], classAt: () => 0 }
  const parts = split(rows, roles, classAt, options)
  const preprocessing = preprocessingOf(roles, classes, parts.training, options.time === undefined)
  const { target } = preprocessing
  const truthAt = roles.task === 'class' ? classAt : (row: number) => roles.target.values[row]!
  const setAside = lines.length - rows.length
  return { table, profiles, roles, lines, classes, parts, target, preprocessing, truthAt, setAside }
}

export type Prepared = Awaited<ReturnType<typeof prepare>>

export function samplesOfParts({ roles, target, preprocessing, truthAt, parts }: Prepared) {
  const encoder = new Encoder(preprocessing.columns)
  const of = (part: keyof Parts) => samplesOf(encoder, roles, target, parts[part], truthAt)
  return { encoder, training: of('training'), validation: of('validation'), test: of('test') }
}

/** What the report tells of a table. */
function storyOf(
  { target: targetName, group, time }: TrainOptions,
  { table, profiles, roles, lines, parts, target, preprocessing }: Prepared,
  samples: Record<ScoredPart, TableSamples>,
): Story {
  const read = [...roles.inputs, roles.target]
  const roleOf = (name: string) => {
    if (name === targetName) return 'target'
    if (name === group) return 'group'
    const isInput = roles.inputs.some(input => input.name === name)
    if (name === time) return isInput ? 'time, input' : 'time'
    return isInput ? 'input' : 'set aside'
  }
  let end = 0
  const columns = preprocessing.columns.map((encoding, c) => {
    const from = end
    end += widthOf(encoding)
    const textAt = (part: ScoredPart, row: number) => textOf(roles.inputs[c]!, parts[part][row]!)
    return { name: encoding.name, from, to: end, textAt }
  })
  return {
    target,
    data: {
      rows: lines.length,
      columns: profiles.map(profile =>
        summaryOf(
          profile,
          roleOf(profile.name),
          read.find(({ name }) => name === profile.name),
        ),
      ),
    },
    samples: part => samples[part],
    place: { name: table.placeName, at: (part, row) => lines[parts[part][row]!]! },
    columns,
  }
}

/**
 * Trains a network on a table and writes a folder: the model (which TensorFlow.js reads), preprocessing.json, metrics.json,
 * checkpoints, report.html, and configuration.json, which repeats it. Means, deviations and categories come from the training
 * part alone.
 * @throws TypeError or RangeError for wrong options and malformed tables, Error for a folder in use; as `fit`
 */
export async function trainTable(options: TableConfiguration & TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options, 'table')
  const { seed = 7, workers = 'auto' } = options
  const table = await openTable(options.data, options)
  checkColumn(table, 'target', options.target)
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const prepared = await prepare(table, options, warnings)
  const { parts, target, preprocessing, setAside } = prepared
  const { encoder, ...samples } = samplesOfParts(prepared)
  const { training } = samples
  checkThreshold('train', options.threshold, target)
  const classes = target.task === 'class' ? target.classes.length : undefined
  const chosen = chooseNetwork(
    options,
    { shape: [encoder.width], classes, rows: parts.training.length },
    seed,
  )
  const lesson = {
    ...chosen,
    kind: 'table' as const,
    task: target.task,
    target: target.name,
    from: `${preprocessing.columns.length} columns`,
    columns: preprocessing.columns.map(({ name, type }) => ({ name, type })),
    inputs: encoder.width,
    rows: {
      training: parts.training.length,
      validation: parts.validation.length,
      test: parts.test.length,
      setAside,
    },
    training,
    validation: samples.validation,
    ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes) }),
    preprocessing,
    settle: () => settleClasses(chosen.model, target, samples.validation, options),
    story: storyOf(options, prepared, samples),
    score: (part: 'validation' | 'test') => scoreOf(chosen.model, target, samples[part], workers),
    baseline: (part: 'validation' | 'test') => baselineOf(target, training.truth, samples[part].truth),
  }
  return learn(folder, options, seed, lesson, warnings)
}
