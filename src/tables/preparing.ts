import { show } from '../errors.ts'
import { readColumns } from './columns.ts'
import { Encoder } from './encoder.ts'
import { EncodingLearner, momentsOf, type Preprocessing, type Target } from './encoding.ts'
import { type LabelledSamples, targetsOf } from './learning.ts'
import type { TableConfiguration, TrainOptions } from './options.ts'
import { assignRoles, classesOf, type Roles, split, usableRows } from './planning.ts'
import { profile } from './profile.ts'
import { type Held, roomFor } from './room.ts'
import type { Table } from './source.ts'
import type { Parts } from './splitting.ts'
import { Warnings } from './warnings.ts'

/** Most bytes that a part's inputs may take. */
const mostBytes = 2 ** 31 - 2 ** 20

function samplesOf(
  encoder: Encoder,
  roles: Roles,
  target: Target,
  rows: Uint32Array,
  truthAt: (row: number) => number,
): LabelledSamples {
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

/** What a target is, as the rows that are trained on say it. */
export const targetFrom = (
  { target, task }: Roles,
  classes: readonly string[],
  training: Uint32Array,
): Target =>
  (task === 'class'
    ? { name: target.name, task, type: target.type, classes }
    : { name: target.name, task, type: target.type, ...momentsOf(target.values, training) }) as Target

/** What the rows that are trained on say of columns and target; `trend`: of dates too. */
export function preprocessingOf(
  roles: Roles,
  classes: readonly string[],
  training: Uint32Array,
  trend: boolean,
): Preprocessing {
  const { inputs } = roles
  const texts = inputs.filter(input => input.type === 'text').length
  const columns = inputs.map(input => {
    const learner = new EncodingLearner(input)
    learner.take(input, training)
    return learner.finish(trend, texts)
  })
  return { format: 'lockstep preprocessing 1', columns, target: targetFrom(roles, classes, training) }
}

/** Reads the table once, and decides what each column is for. */
export async function survey(table: Table, options: TableConfiguration & TrainOptions, warnings: Warnings) {
  const profiles = await profile(table, warnings, options.types, options.progress?.reading)
  return { table, profiles, roles: assignRoles(table, profiles, options, warnings) }
}

export type Surveyed = Awaited<ReturnType<typeof survey>>

/** Deals the rows out, once the target and what divides them are in memory. */
export function divide(
  { table, roles }: Surveyed,
  lines: Float64Array,
  options: TableConfiguration & TrainOptions,
  warnings: Warnings,
) {
  const rows = usableRows(table, roles, lines, warnings)
  const { classes, classAt } =
    roles.task === 'class' ? classesOf(roles.target, rows) : { classes: [], classAt: () => 0 }
  const parts = split(rows, roles, classAt, options)
  const truthAt = roles.task === 'class' ? classAt : (row: number) => roles.target.values[row]!
  return { lines, classes, parts, truthAt, setAside: lines.length - rows.length }
}

/** @throws RangeError where no column became an input */
export function checkEncodings(table: Table, { columns }: Preprocessing, warnings: Warnings): void {
  for (const encoding of columns)
    if (encoding.type === 'text' && encoding.words.length === 0)
      warnings.say(`column ${show(encoding.name)} is set aside: it is text without words that repeat`)
  if (new Encoder(columns).shapes.length === 0)
    throw new RangeError(
      `train: ${table.path} must have a column to predict from, got only text that does not repeat; add columns`,
    )
}

/** Reads the table's columns into memory, and decides on parts and encodings. */
export async function read(
  surveyed: Surveyed,
  options: TableConfiguration & TrainOptions,
  warnings: Warnings,
) {
  const { table, profiles, roles } = surveyed
  const wanted = [...new Set([...roles.inputs, roles.target, ...(roles.divider ? [roles.divider] : [])])]
  // What the first pass warned of, the second would count again.
  const rows = profiles[0]!.rows
  const lines = await readColumns(table, wanted, rows, new Warnings(), options.progress?.reading)
  const divided = divide(surveyed, lines, options, warnings)
  const preprocessing = preprocessingOf(
    roles,
    divided.classes,
    divided.parts.training,
    options.time === undefined,
  )
  checkEncodings(table, preprocessing, warnings)
  return {
    ...surveyed,
    ...divided,
    maxMemory: options.maxMemory,
    target: preprocessing.target,
    preprocessing,
  }
}

/** Reads the table, decides on columns, parts and encodings. */
export const prepare = async (
  table: Table,
  options: TableConfiguration & TrainOptions,
  warnings: Warnings,
): Promise<Prepared> => read(await survey(table, options, warnings), options, warnings)

export type Prepared = Awaited<ReturnType<typeof read>>

/** The same rows in other parts, encoded by what those say that are trained on. */
export function withParts(
  prepared: Prepared,
  { time }: { time?: string },
  parts: Pick<Parts, 'training' | 'validation'>,
): Prepared {
  const { roles, classes } = prepared
  const preprocessing = preprocessingOf(roles, classes, parts.training, time === undefined)
  return {
    ...prepared,
    target: preprocessing.target,
    preprocessing,
    parts: { ...prepared.parts, ...parts },
  }
}

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
