import { show } from '../errors.ts'
import { readColumns } from './columns.ts'
import { Encoder } from './encoder.ts'
import { EncodingLearner, momentsOf, type Preprocessing, type Target } from './encoding.ts'
import { type Samples, targetsOf } from './learning.ts'
import type { TableConfiguration, TrainOptions } from './options.ts'
import { assignRoles, classesOf, type Roles, split, usableRows } from './planning.ts'
import { profile } from './profile.ts'
import { type Held, roomFor } from './room.ts'
import type { Table } from './source.ts'
import type { Parts } from './splitting.ts'
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
  const bytes = 4 * rows.length * (encoder.width + (encoder.lookups?.columns ?? 0))
  if (bytes > mostBytes)
    throw new RangeError(
      `train: ${rows.length} rows of ${encoder.width} inputs must fit ` +
        `${mostBytes} bytes, got ${bytes}; leave columns out, or rows`,
    )
  const truth = Float64Array.from(rows, truthAt)
  return {
    x: encoder.tensors(roles.inputs, rows),
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
  const texts = inputs.filter(input => input.type === 'text').length
  const columns = inputs.map(input => {
    const learner = new EncodingLearner(input)
    learner.take(input, training)
    return learner.finish(trend, texts)
  })
  return { format: 'lockstep preprocessing 1', columns, target }
}

/** Reads the table, decides on columns, parts and encodings. */
export async function prepare(table: Table, options: TableConfiguration & TrainOptions, warnings: Warnings) {
  const profiles = await profile(table, warnings, options.types, options.progress?.reading)
  const roles = assignRoles(table, profiles, options, warnings)
  const wanted = [...new Set([...roles.inputs, roles.target, ...(roles.divider ? [roles.divider] : [])])]
  // What the first pass warned of, the second would count again.
  const lines = await readColumns(table, wanted, profiles[0]!.rows, new Warnings(), options.progress?.reading)
  const rows = usableRows(table, roles, lines, warnings)
  const { classes, classAt } =
    roles.task === 'class' ? classesOf(roles.target, rows) : { classes: [], classAt: () => 0 }
  const parts = split(rows, roles, classAt, options)
  const preprocessing = preprocessingOf(roles, classes, parts.training, options.time === undefined)
  for (const encoding of preprocessing.columns)
    if (encoding.type === 'text' && encoding.words.length === 0)
      warnings.say(`column ${show(encoding.name)} is set aside: it is text without words that repeat`)
  if (new Encoder(preprocessing.columns).shapes.length === 0)
    throw new RangeError(
      `train: ${table.path} must have a column to predict from, got only text that does not repeat; add columns`,
    )
  const { target } = preprocessing
  const truthAt = roles.task === 'class' ? classAt : (row: number) => roles.target.values[row]!
  return {
    table,
    maxMemory: options.maxMemory,
    profiles,
    roles,
    lines,
    classes,
    parts,
    target,
    preprocessing,
    truthAt,
    setAside: lines.length - rows.length,
  }
}

export type Prepared = Awaited<ReturnType<typeof prepare>>

/** Bytes of a table's columns in memory. */
const heldBy = ({ inputs, target, divider }: Roles, lines: Float64Array) =>
  [...new Set([...inputs, target, ...(divider ? [divider] : [])])].reduce(
    (sum, { bytes }) => sum + bytes,
    lines.byteLength,
  )

/** Inputs and targets of each part, and what they and the columns take. @throws RangeError where they do not fit */
export function samplesOfParts({ roles, lines, target, preprocessing, truthAt, parts, maxMemory }: Prepared) {
  const encoder = new Encoder(preprocessing.columns)
  const columns = heldBy(roles, lines)
  const rows = parts.training.length + parts.validation.length + parts.test.length
  // A target and its truth beside the inputs.
  const encoded = rows * (4 * (encoder.width + (encoder.lookups?.columns ?? 0)) + 12)
  const held: Held = { columns, 'encoded rows': encoded }
  roomFor(maxMemory, held)
  const of = (part: keyof Parts) => samplesOf(encoder, roles, target, parts[part], truthAt)
  const all = { training: of('training'), validation: of('validation'), test: of('test') }
  return { encoder, ...all, held }
}
