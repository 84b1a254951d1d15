import { readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import { callbacks } from '../training/callbacks.ts'
import { readColumns } from './columns.ts'
import { Encoder, fitEncoding, momentsOf, type Preprocessing, type Target } from './encoding.ts'
import { checkpointFolder, files, modelUrl, writeJson } from './folder.ts'
import { buildNetwork, checkPlan, choosePlan, type Plan } from './networks.ts'
import { checkTrainOptions, configurationOf, type TrainOptions } from './options.ts'
import { assignRoles, checkColumn, classesOf, type Roles, split, usableRows } from './planning.ts'
import { profile } from './profile.ts'
import { type Scores, scorerOf } from './scores.ts'
import { openTable, type Table } from './source.ts'
import type { Parts } from './splitting.ts'
import { Warnings } from './warnings.ts'

/** Samples that are predicted at once. */
export const predictedRows = 4096
/** Most bytes that a part's inputs may take. */
const mostBytes = 2 ** 31 - 2 ** 20

/** What training a table came to. */
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
  readonly network: Plan & { readonly inputs: number; readonly weights: number }
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

/** @throws Error for a folder that holds something, unless training is resumed */
async function checkFolder(folder: string, resume: boolean): Promise<void> {
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

/** Inputs and targets of one part. */
interface Samples {
  readonly x: Tensor
  readonly y: Tensor
  /** Class numbers, or the target's numbers as they are. */
  readonly truth: Float64Array
}

function samplesOf(
  encoder: Encoder,
  roles: Roles,
  target: Target,
  rows: Uint32Array,
  truthAt: (row: number) => number,
): Samples {
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

/** Scores of always saying what was most common in training, or its mean. */
function baselineOf(target: Target, training: Samples, scored: Samples): Scores {
  const scorer = scorerOf(target)
  if (target.task === 'regression') scorer.take(new Float64Array(scored.truth.length), scored.truth)
  else {
    const count = target.classes.length
    const shares = new Float64Array(count)
    for (const number of training.truth) shares[number]! += 1 / training.truth.length
    const outputs = Float64Array.from({ length: count * scored.truth.length }, (_, i) => shares[i % count]!)
    scorer.take(outputs, scored.truth)
  }
  return scorer.finish()
}

function classWeightsOf(truth: Float64Array, classes: number): Record<number, number> {
  const counts = new Array<number>(classes).fill(0)
  for (const number of truth) counts[number]!++
  return Object.fromEntries(counts.map((count, i) => [i, truth.length / (classes * Math.max(count, 1))]))
}

/** Reads the table, decides on columns, parts and encodings. */
async function prepare(table: Table, options: TrainOptions, warnings: Warnings) {
  const profiles = await profile(table, warnings, options.types, options.progress?.reading)
  const roles = assignRoles(table, profiles, options, warnings)
  const wanted = [...new Set([...roles.inputs, roles.target, ...(roles.divider ? [roles.divider] : [])])]
  // What the first pass warned of, the second would count again.
  const lines = await readColumns(table, wanted, new Warnings(), options.progress?.reading)
  const rows = usableRows(table, roles, lines, warnings)
  const { classes, classAt } =
    roles.task === 'class' ? classesOf(roles.target, rows) : { classes: [], classAt: () => 0 }
  const parts = split(rows, roles, classAt, options)
  const { target: column, task } = roles
  const { name, type } = column
  const target = (
    task === 'class'
      ? { name, task, type, classes }
      : { name, task, type, ...momentsOf(column.values, parts.training) }
  ) as Target
  const encodings = roles.inputs.map(input => fitEncoding(input, parts.training, options.time === undefined))
  const preprocessing: Preprocessing = { format: 'lockstep preprocessing 1', columns: encodings, target }
  const truthAt = task === 'class' ? classAt : (row: number) => column.values[row]!
  return { roles, parts, target, preprocessing, truthAt, setAside: lines.length - rows.length }
}

type Prepared = Awaited<ReturnType<typeof prepare>>

function samplesOfParts({ roles, target, preprocessing, truthAt, parts }: Prepared) {
  const encoder = new Encoder(preprocessing.columns)
  const of = (part: keyof Parts) => samplesOf(encoder, roles, target, parts[part], truthAt)
  return { encoder, training: of('training'), validation: of('validation'), test: of('test') }
}

/**
 * Trains a network on a table and writes a folder: the model (which TensorFlow.js reads), preprocessing.json, metrics.json,
 * checkpoints, and configuration.json, which repeats it. Means, deviations and categories come from the training part alone.
 * @throws TypeError or RangeError for wrong options and malformed tables, Error for a folder in use; as `fit`
 */
export async function trainTable(options: TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options)
  const { seed = 7, workers = 'auto', maxSeconds, signal, resume = false, progress } = options
  const folder = resolve(options.out ?? `${basename(options.data).replace(/\.[^.]+$/, '')}.model`)
  const table = await openTable(options.data, options)
  checkColumn(table, 'target', options.target)
  await checkFolder(folder, resume)
  const warnings = new Warnings()
  const prepared = await prepare(table, options, warnings)
  const { parts, target, preprocessing, setAside } = prepared
  const plan = planOf(options, parts.training.length)
  const { encoder, training, validation, test } = samplesOfParts(prepared)
  const classes = target.task === 'class' ? target.classes.length : undefined
  const model = buildNetwork(plan, encoder.width, classes, seed)
  const weights = model.countParams()
  const rows = {
    training: parts.training.length,
    validation: parts.validation.length,
    test: parts.test.length,
    setAside,
  }
  await writeJson(folder, files.configuration, {
    ...configurationOf(options),
    data: resolve(options.data),
    ...plan,
    seed,
  })
  progress?.begin?.({
    rows: rows.training,
    inputs: encoder.width,
    weights,
    epochs: plan.epochs,
    warnings: warnings.lines(),
  })
  const directory = checkpointFolder(folder)
  const history = await model.fit(training.x, training.y, {
    batchSize: plan.batchSize,
    epochs: plan.epochs,
    validationData: [validation.x, validation.y],
    seed,
    workers,
    ...(options.balance && classes ? { classWeight: classWeightsOf(training.truth, classes) } : {}),
    ...(maxSeconds !== undefined && { maxSeconds }),
    ...(signal && { signal }),
    ...(resume && { resume: directory }),
    callbacks: [
      callbacks.checkpoint({ directory, every: { seconds: 30 }, keep: 2 }),
      callbacks.earlyStopping({ monitor: 'val_loss', patience: plan.patience, restoreBestWeights: true }),
      callbacks.reduceLROnPlateau({
        monitor: 'val_loss',
        factor: 0.5,
        patience: Math.max(2, Math.floor(plan.patience / 3)),
      }),
      { onEpochEnd: (epoch, logs) => progress?.epoch?.(epoch, logs!) },
    ],
  })
  const about = {
    folder,
    interrupted: signal?.aborted === true && history.stopReason === 'aborted',
    task: target.task,
    target: target.name,
    columns: preprocessing.columns.map(({ name, type }) => ({ name, type })),
    rows,
    network: { ...plan, inputs: encoder.width, weights },
    seed,
    workers: history.workers,
    epochs: history.epoch.length,
    stopReason: history.stopReason,
    warnings: warnings.lines(),
  }
  if (about.interrupted) return about
  const score = async ({ x, truth }: Samples): Promise<Scores> => {
    const scorer = scorerOf(target)
    const outputs = (await model.predictAsync(x, { batchSize: predictedRows, workers })) as Tensor
    scorer.take(outputs.dataSync(), truth)
    return scorer.finish()
  }
  const part = rows.test > 0 ? ('test' as const) : ('validation' as const)
  const scored = part === 'test' ? test : validation
  const scores = {
    part,
    model: await score(scored),
    baseline: baselineOf(target, training, scored),
    validation: await score(validation),
  }
  const result = { ...about, scores }
  await writeJson(folder, files.preprocessing, preprocessing)
  await model.save(modelUrl(folder))
  await writeJson(folder, files.metrics, { ...result, history: history.history })
  return result
}

function planOf(options: TrainOptions, rows: number): Plan {
  const chosen = choosePlan(rows)
  const given = Object.keys(chosen).map(name => [
    name,
    options[name as keyof Plan] ?? chosen[name as keyof Plan],
  ])
  const plan = Object.fromEntries(given) as Plan
  checkPlan(plan)
  return plan
}
