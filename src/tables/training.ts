import { chooseNetwork } from './choosing.ts'
import { rowsOnDisk } from './diskRows.ts'
import { countsInMemory } from './distributions.ts'
import { baselineOf, checkThreshold, scoreOf, settleClasses } from './judging.ts'
import { classWeightsOf, type Lesson, learn, openFolder, postpone, type TrainResult } from './learning.ts'
import { checkTrainOptions, type TableConfiguration, type TrainOptions } from './options.ts'
import { goesToDisk, type PreparedInPieces, readInPieces, textsOf } from './piecewise.ts'
import { checkColumn } from './planning.ts'
import { type Prepared, read, survey, withParts } from './preparing.ts'
import { chooseFitting } from './room.ts'
import { rowsInMemory, type TableRows } from './rows.ts'
import { chooseByFolds, savedChoice } from './selection.ts'
import { openTable, type Table } from './source.ts'
import { allButTest } from './splitting.ts'
import { type ScoredPart, type Story, summaryOf, textOf } from './story.ts'
import { Warnings } from './warnings.ts'

/** What the report tells of a table. */
function storyOf(
  { target: targetName, group, time }: TrainOptions,
  prepared: Prepared | PreparedInPieces,
  rows: TableRows,
): Story {
  const { table, profiles, roles, lines, parts, target, preprocessing } = prepared
  const { inputs } = roles
  const isOnDisk = 'partAt' in prepared
  const counts = isOnDisk ? prepared.counts : countsInMemory(roles, lines.length)
  const roleOf = (name: string) => {
    if (name === targetName) return 'target'
    if (name === group) return 'group'
    const isInput = inputs.some(input => input.name === name)
    if (name === time) return isInput ? 'time, input' : 'time'
    return isInput ? 'input' : 'set aside'
  }
  const columns = preprocessing.columns.map((encoding, c) => {
    const { from, to } = rows.encoder.places[c]!
    return { name: encoding.name, from, to }
  })
  const texts = async (part: ScoredPart, some: readonly number[]) => {
    const wanted = some.map(row => parts[part][row]!)
    if (isOnDisk) return textsOf(table, inputs, wanted)
    return wanted.map(row => inputs.map(column => textOf(column, row)))
  }
  return {
    target,
    data: {
      rows: lines.length,
      columns: profiles.map(profile => summaryOf(profile, roleOf(profile.name), counts.get(profile.name))),
    },
    truth: part => rows.truth[part],
    inputs: (part, some) => rows.joined(part, some),
    inputsOf: x => rows.encoder.parted(x),
    place: { name: table.placeName, at: (part, row) => lines[parts[part][row]!]! },
    columns,
    texts,
  }
}

/** Reads a table and encodes it, in memory or in a file. */
async function readRows(
  table: Table,
  folder: string,
  options: TableConfiguration & TrainOptions,
  warnings: Warnings,
) {
  const begun = performance.now()
  const surveyed = await survey(table, options, warnings)
  const isOnDisk = goesToDisk(surveyed, options)
  if (isOnDisk && options.refit)
    throw new RangeError(
      'train: refit must not be given for rows that are trained on from the disk, got true; leave it out',
    )
  const prepared = await (isOnDisk ? readInPieces : read)(surveyed, options, warnings)
  const isRead = performance.now()
  const rows = 'partAt' in prepared ? await rowsOnDisk(folder, prepared, options) : rowsInMemory(prepared)
  const seconds = { reading: (isRead - begun) / 1000, encoding: (performance.now() - isRead) / 1000 }
  return { prepared, rows, seconds }
}

/**
 * Trains a network on a table and writes a folder: the model (which TensorFlow.js reads), preprocessing.json, metrics.json,
 * checkpoints, report.html, and configuration.json, which repeats it. Means, deviations and categories come from the training
 * part alone.
 * @throws TypeError or RangeError for wrong options and malformed tables, Error for a folder in use; as `fit`
 */
export async function trainTable(options: TableConfiguration & TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options, 'table')
  const table = await openTable(options.data, options)
  checkColumn(table, 'target', options.target)
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const { prepared, rows, seconds } = await readRows(table, folder, options, warnings)
  try {
    const { seed = 7 } = options
    checkThreshold('train', options.threshold, prepared.target)
    const asked = { ...options, ...(options.resume && (await savedChoice(folder, options))), seed }
    const { choice, isInterrupted, seconds: choosing } = await chooseByFolds(asked, prepared, rows, warnings)
    const chosen = { ...asked, ...(choice && { hidden: choice.hidden, l2: choice.l2 }) }
    const lesson = await lessonOf(chosen, prepared, rows, seed, warnings)
    if (isInterrupted) return await postpone(folder, options, seed, lesson, warnings)
    const { maxSeconds } = options
    const given = { ...options, ...(maxSeconds !== undefined && { maxSeconds: maxSeconds - choosing }) }
    const about = choice && { choice, seconds: { ...seconds, choosing } }
    return await learn(folder, given, seed, { ...lesson, seconds, ...about }, warnings)
  } finally {
    await rows.close()
  }
}

/** The parts of a table, encoded, and the network for them. */
async function lessonOf(
  options: TableConfiguration & TrainOptions,
  prepared: Prepared | PreparedInPieces,
  rows: TableRows,
  seed: number,
  warnings: Warnings,
): Promise<Lesson> {
  const { workers = 'auto' } = options
  const { parts, target, preprocessing, setAside } = prepared
  const { encoder, truth, held } = rows
  const classes = target.task === 'class' ? target.classes.length : undefined
  const shape = [encoder.width]
  const problem = { shape, lookups: encoder.lookups, classes, rows: parts.training.length }
  const choose = (more?: object) => chooseNetwork({ ...options, ...more }, problem, seed)
  const ground = { ...(await rows.some(options.batchSize)), held }
  const { plan, model, ...chosen } = await chooseFitting(choose, options, ground, warnings)
  const isOnDisk = 'partAt' in prepared
  return {
    ...chosen,
    model,
    plan: { ...plan, ...(isOnDisk && { disk: true }) },
    kind: 'table',
    task: target.task,
    target: target.name,
    from: `${preprocessing.columns.length} columns`,
    columns: preprocessing.columns.map(({ name, type }) => ({ name, type })),
    inputs: encoder.width + (encoder.lookups?.columns ?? 0),
    rows: {
      training: parts.training.length,
      validation: parts.validation.length,
      test: parts.test.length,
      setAside,
    },
    training: rows.training(plan.batchSize),
    validation: rows.validation(plan.batchSize),
    held,
    ...(options.balance && classes && { classWeight: classWeightsOf(truth.training, classes) }),
    preprocessing,
    ...(!isOnDisk && {
      whole() {
        const all = withParts(prepared, options, {
          training: allButTest(parts),
          validation: parts.validation,
        })
        // What the validation part has said of probabilities cannot be asked of a network that knows it.
        if (target.task === 'class') Object.assign(all.target, target)
        const encoded = rowsInMemory(all)
        const both = { ...encoded.held, 'rows of the first training': held['encoded rows']! }
        // A module may make another network of more rows.
        const { modelSha256: _, ...asked } = { ...options, ...plan }
        return lessonOf(asked, all, { ...encoded, held: both }, seed, warnings)
      },
    }),
    settle: () => settleClasses(model, target, rows.pieces('validation'), truth.validation, options),
    story: storyOf(options, prepared, rows),
    score: part => scoreOf(model, target, rows.pieces(part), workers),
    baseline: part => baselineOf(target, truth.training, truth[part]),
  }
}
