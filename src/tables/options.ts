import { checkOptions, nonNegativeInteger, oneOf, show } from '../errors.ts'
import { checkWorkers } from '../model/options.ts'
import type { RunReport } from '../report/report.ts'
import { type ColumnType, columnTypes } from './fields.ts'
import type { Plan } from './networks.ts'
import type { TableOptions } from './source.ts'
import { checkShares } from './splitting.ts'

/** What decides the model: saved as configuration.json, which repeats it. */
export interface TrainConfiguration extends TableOptions, Partial<Plan> {
  /** The table's path. */
  data: string
  /** The column that is to be predicted. */
  target: string
  /** Told by the target's values unless given. */
  task?: 'class' | 'regression'
  /** Types of columns that are not to be guessed. */
  types?: Readonly<Record<string, ColumnType>>
  /** Columns that are not to be used. */
  ignore?: readonly string[]
  /** Rows of one value of this column all go to the same part; it is no input. */
  group?: string
  /** The latest rows by this column (dates or numbers) are the test. */
  time?: string
  /** Share of rows that decide when training stops. Default 0.15. */
  validation?: number
  /** Share of rows that are only scored. Default 0.15. */
  test?: number
  /** Whether rare classes weigh more in the loss, inversely to their frequency. Default false. */
  balance?: boolean
  /** Default 7. */
  seed?: number
}

const names: readonly (keyof TrainConfiguration)[] = [
  'data',
  'target',
  'task',
  'types',
  'ignore',
  'group',
  'time',
  'validation',
  'test',
  'balance',
  'seed',
  'format',
  'delimiter',
  'header',
  'skipRagged',
  'hidden',
  'dropout',
  'l2',
  'weightDecay',
  'noise',
  'optimizer',
  'schedule',
  'learningRate',
  'batchSize',
  'epochs',
  'patience',
]

/** What is heard while a table is read and a network trained. */
export interface TrainProgress {
  reading?(bytes: number, total: number): void
  /** Before the first epoch: columns, parts and network are decided. */
  begin?(about: {
    rows: number
    inputs: number
    weights: number
    epochs: number
    warnings: readonly string[]
  }): void
  epoch?(epoch: number, logs: Readonly<Record<string, number>>): void
  /** After each epoch, and at the end; `current` makes the report so far. */
  report?(current: () => RunReport): void
}

export interface TrainOptions extends TrainConfiguration {
  /** The folder that is written. Default: the data's name with `.model`. */
  out?: string
  workers?: number | 'auto'
  /** Ends training once so many seconds have passed since it began; the best weights so far are saved. */
  maxSeconds?: number
  /** Goes on from the checkpoints in `out`. */
  resume?: boolean
  /** Ends training after the step in progress, which is saved as a checkpoint. */
  signal?: AbortSignal
  progress?: TrainProgress
}

/** @throws TypeError or RangeError naming the option that is wrong */
export function checkTrainOptions(options: TrainOptions): void {
  const where = 'train'
  checkOptions(where, options, [...names, 'out', 'workers', 'maxSeconds', 'resume', 'signal', 'progress'])
  for (const name of ['data', 'target'] as const)
    if (typeof options?.[name] !== 'string' || options[name] === '')
      throw new TypeError(`${where}: ${name} must be given, got ${show(options?.[name])}; name it`)
  const {
    types = {},
    ignore = [],
    seed = 0,
    workers = 'auto',
    task,
    validation = 0.15,
    test = 0.15,
  } = options
  if (task !== undefined) oneOf(where, 'task', task, ['class', 'regression'])
  for (const [name, type] of Object.entries(types)) oneOf(where, `types: ${show(name)}`, type, columnTypes)
  if (!Array.isArray(ignore))
    throw new TypeError(`${where}: ignore must be a list of columns, got ${show(ignore)}`)
  if (options.group !== undefined && options.time !== undefined)
    throw new RangeError(`${where}: group and time must not both be given, got both; leave one out`)
  nonNegativeInteger(where, 'seed', seed)
  checkWorkers(where, workers)
  checkShares({ validation, test })
}

/** The part of the options that decides the model. */
export function configurationOf(options: TrainOptions): TrainConfiguration {
  const entries = names.map(name => [name, options[name]] as const).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as unknown as TrainConfiguration
}

/** @throws TypeError or RangeError for what is no configuration */
export function checkConfiguration(where: string, value: unknown): Partial<TrainConfiguration> {
  checkOptions(where, value, names)
  return (value ?? {}) as Partial<TrainConfiguration>
}
