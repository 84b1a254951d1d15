import { chooseNetwork } from './choosing.ts'
import type { Encoder } from './encoder.ts'
import {
  baselineOf,
  checkThreshold,
  classWeightsOf,
  learn,
  openFolder,
  scoreOf,
  settleClasses,
  type TrainResult,
} from './learning.ts'
import { checkTrainOptions, type TableConfiguration, type TrainOptions } from './options.ts'
import { checkColumn } from './planning.ts'
import { type Prepared, prepare, samplesOfParts, type TableSamples } from './preparing.ts'
import { chooseFitting } from './room.ts'
import { openTable } from './source.ts'
import { type ScoredPart, type Story, summaryOf, textOf } from './story.ts'
import { Warnings } from './warnings.ts'

/** What the report tells of a table. */
function storyOf(
  { target: targetName, group, time }: TrainOptions,
  { table, profiles, roles, lines, parts, target, preprocessing }: Prepared,
  encoder: Encoder,
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
  const columns = preprocessing.columns.map((encoding, c) => {
    const { from, to } = encoder.places[c]!
    const textAt = (part: ScoredPart, row: number) => textOf(roles.inputs[c]!, parts[part][row]!)
    return { name: encoding.name, from, to, textAt }
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
    samples: part => ({ x: encoder.joined(samples[part].x), truth: samples[part].truth }),
    inputsOf: x => encoder.parted(x),
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
  const begun = performance.now()
  const prepared = await prepare(table, options, warnings)
  const { parts, target, preprocessing, setAside } = prepared
  const read = performance.now()
  const { encoder, held, ...samples } = samplesOfParts(prepared)
  const seconds = { reading: (read - begun) / 1000, encoding: (performance.now() - read) / 1000 }
  const { training } = samples
  checkThreshold('train', options.threshold, target)
  const classes = target.task === 'class' ? target.classes.length : undefined
  const shape = [encoder.width]
  const problem = { shape, lookups: encoder.lookups, classes, rows: parts.training.length }
  const choose = (more?: object) => chooseNetwork({ ...options, ...more }, problem, seed)
  const chosen = await chooseFitting(choose, options, { ...samples, held }, warnings)
  const lesson = {
    ...chosen,
    kind: 'table' as const,
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
    training,
    validation: samples.validation,
    held,
    ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes) }),
    preprocessing,
    seconds,
    settle: () => settleClasses(chosen.model, target, samples.validation, options),
    story: storyOf(options, prepared, encoder, samples),
    score: (part: 'validation' | 'test') => scoreOf(chosen.model, target, samples[part], workers),
    baseline: (part: 'validation' | 'test') => baselineOf(target, training.truth, samples[part].truth),
  }
  return learn(folder, options, seed, lesson, warnings)
}
