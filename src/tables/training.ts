import { chooseNetwork } from './choosing.ts'
import type { Encoder } from './encoder.ts'
import { baselineOf, checkThreshold, scoreOf, settleClasses } from './judging.ts'
import { classWeightsOf, type Lesson, learn, openFolder, type TrainResult } from './learning.ts'
import { checkTrainOptions, type TableConfiguration, type TrainOptions } from './options.ts'
import { checkColumn } from './planning.ts'
import { type Prepared, prepare, samplesOfParts, type TableSamples, withParts } from './preparing.ts'
import { openTable } from './source.ts'
import { allButTest } from './splitting.ts'
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

/** The parts of a table, encoded, and the network for them. */
async function lessonOf(
  prepared: Prepared,
  options: TableConfiguration & TrainOptions,
  seed: number,
): Promise<Lesson> {
  const { workers = 'auto' } = options
  const { parts, target, preprocessing, setAside } = prepared
  const { encoder, ...samples } = samplesOfParts(prepared)
  const { training, validation } = samples
  const classes = target.task === 'class' ? target.classes.length : undefined
  const chosen = await chooseNetwork(
    options,
    { shape: [encoder.width], lookups: encoder.lookups, classes, rows: parts.training.length },
    seed,
  )
  return {
    ...chosen,
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
    training,
    validation,
    ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes) }),
    preprocessing,
    async whole() {
      const all = withParts(prepared, options, {
        training: allButTest(parts),
        validation: parts.validation,
      })
      // What the validation part has said of probabilities cannot be asked of a network that knows it.
      if (target.task === 'class') Object.assign(all.target, target)
      return lessonOf(all, { ...options, ...chosen.plan }, seed)
    },
    settle: () => settleClasses(chosen.model, target, validation, options),
    story: storyOf(options, prepared, encoder, samples),
    score: part => scoreOf(chosen.model, target, samples[part], workers),
    baseline: part => baselineOf(target, training.truth, samples[part].truth),
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
  const { seed = 7 } = options
  const table = await openTable(options.data, options)
  checkColumn(table, 'target', options.target)
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const begun = performance.now()
  const prepared = await prepare(table, options, warnings)
  const read = performance.now()
  checkThreshold('train', options.threshold, prepared.target)
  const lesson = await lessonOf(prepared, options, seed)
  const seconds = { reading: (read - begun) / 1000, encoding: (performance.now() - read) / 1000 }
  return learn(folder, options, seed, { ...lesson, seconds }, warnings)
}
