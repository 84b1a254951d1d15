import { basename, resolve } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { readColumns } from './columns.ts'
import { Encoder, fitEncoding, momentsOf, type Preprocessing, type Target, widthOf } from './encoding.ts'
import {
  baselineOf,
  checkFolder,
  classWeightsOf,
  learn,
  type Samples,
  scoreOf,
  type TrainResult,
} from './learning.ts'
import { buildNetwork, checkPlan, choosePlan, type Plan, stoppingOf } from './networks.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
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
  const y =
    target.task === 'class'
      ? new Tensor(Int32Array.from(truth), [rows.length], 'int32')
      : new Tensor(
          Float32Array.from(truth, value => (value - target.mean) / target.deviation),
          [rows.length, 1],
          'float32',
        )
  return {
    x: new Tensor(encoder.encode(roles.inputs, rows), [rows.length, encoder.width], 'float32'),
    y,
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
export async function prepare(table: Table, options: TrainOptions, warnings: Warnings) {
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

/** The folder that is written. */
export const folderOf = ({ out, data }: TrainOptions): string =>
  resolve(out ?? `${basename(data).replace(/\.[^.]+$/, '')}.model`)

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
export async function trainTable(options: TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options)
  const { seed = 7, workers = 'auto', resume = false } = options
  const folder = folderOf(options)
  const table = await openTable(options.data, options)
  checkColumn(table, 'target', options.target)
  await checkFolder(folder, resume)
  const warnings = new Warnings()
  const prepared = await prepare(table, options, warnings)
  const { parts, target, preprocessing, setAside } = prepared
  const plan = planOf(options, parts.training.length)
  const { encoder, ...samples } = samplesOfParts(prepared)
  const { training } = samples
  const classes = target.task === 'class' ? target.classes.length : undefined
  const problem = { width: encoder.width, classes, rows: parts.training.length }
  const model = buildNetwork(plan, problem, seed)
  const lesson = {
    task: target.task,
    target: target.name,
    columns: preprocessing.columns.map(({ name, type }) => ({ name, type })),
    rows: {
      training: parts.training.length,
      validation: parts.validation.length,
      test: parts.test.length,
      setAside,
    },
    network: {
      ...plan,
      inputs: encoder.width,
      weights: model.countParams(),
      shape: [encoder.width, ...plan.hidden].join('-'),
    },
    model,
    plan: { ...plan },
    training,
    validation: samples.validation,
    ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes) }),
    callbacks: stoppingOf(plan),
    preprocessing,
    story: storyOf(options, prepared, samples),
    score: (part: 'validation' | 'test') => scoreOf(model, target, samples[part], workers),
    baseline: (part: 'validation' | 'test') => baselineOf(target, training.truth, samples[part].truth),
  }
  return learn(folder, options, seed, lesson, warnings)
}

/** What options say, over what is chosen for so many rows. */
export function planOf(options: TrainOptions, rows: number): Plan {
  const chosen = choosePlan(rows)
  const given = Object.keys(chosen).map(name => [
    name,
    options[name as keyof Plan] ?? chosen[name as keyof Plan],
  ])
  const plan = Object.fromEntries(given) as Plan
  checkPlan(plan)
  return plan
}
