import { chooseNetwork } from './choosing.ts'
import { baselineOf, classWeightsOf, learn, openFolder, scoreOf, type TrainResult } from './learning.ts'
import { checkTrainOptions, type TableConfiguration, type TrainOptions } from './options.ts'
import { checkColumn } from './planning.ts'
import { prepareTable, samplesOfParts } from './preparing.ts'
import { openTable } from './source.ts'
import { Warnings } from './warnings.ts'

/**
 * Trains a network on a table and writes a folder: the model (which TensorFlow.js reads), preprocessing.json, metrics.json,
 * checkpoints, and configuration.json, which repeats it. Means, deviations and categories come from the training part alone.
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
  const prepared = await prepareTable(table, options, warnings)
  const { parts, target, preprocessing, setAside } = prepared
  const read = performance.now()
  const { encoder, ...samples } = samplesOfParts(prepared)
  const seconds = { reading: (read - begun) / 1000, encoding: (performance.now() - read) / 1000 }
  const { training } = samples
  const classes = target.task === 'class' ? target.classes.length : undefined
  const chosen = chooseNetwork(
    options,
    { shape: [encoder.width], lookups: encoder.lookups, classes, rows: parts.training.length },
    seed,
  )
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
    ...(options.balance && classes && { classWeight: classWeightsOf(training.truth, classes) }),
    preprocessing,
    seconds,
    score: (part: 'validation' | 'test') => scoreOf(chosen.model, target, samples[part], workers),
    baseline: (part: 'validation' | 'test') => baselineOf(target, training.truth, samples[part].truth),
  }
  return learn(folder, options, seed, lesson, warnings)
}
