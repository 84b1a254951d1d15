import { checkOptions, inRange, nonNegativeInteger, oneOf, show } from '../errors.ts'
import { checkWorkers } from '../model/options.ts'
import type { RunReport } from '../report/report.ts'
import type { ThresholdAim } from './calibration.ts'
import { type ColumnType, columnTypes } from './fields.ts'
import type { ImagePlan } from './imageNetworks.ts'
import type { Plan } from './networks.ts'
import type { Candidate } from './selection.ts'
import type { TableOptions } from './source.ts'
import { checkShares } from './splitting.ts'
import type { TextPlan } from './textNetworks.ts'

/** What decides the model: saved as configuration.json, which repeats it. */
export interface TrainConfiguration
  extends TableOptions,
    Partial<Plan>,
    Partial<ImagePlan>,
    Partial<TextPlan> {
  /** The path of a file, or of a folder. */
  data: string
  /** Of a table: the column that is to be predicted. */
  target?: string
  /** Of arrays: the file of labels, or the array of the archive. */
  labels?: string
  /** Whether the file is a text that is to be continued. Default false. */
  text?: boolean
  /** Of a folder of images: rows and columns that each is brought to. Default 64. */
  size?: number
  /** A network of one's own: a module (.js, .mjs, .ts) whose default export makes it, or a layers model (.json). */
  model?: string
  /** What tells that network from others: repeated with another one, training is refused. */
  modelSha256?: string
  /**
   * Of a table: whether encoded rows lie in a file of `out` while they are trained on, shuffled in parts, instead of in memory.
   * Default: where `maxMemory` asks for it.
   */
  disk?: boolean
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
  /**
   * Of two classes: the probability from which on the second is predicted, or what it is to bring to its most on the
   * validation part: the mean of both recalls (balanced), or the F score of the second class (f1).
   */
  threshold?: number | ThresholdAim
  /**
   * Of a table: whether the network is trained once more, on the rows of training and validation together, for as long as
   * these have shown to be good. Default: below 10,000 training rows, if there is a test part.
   */
  refit?: boolean
  /** Default 7. */
  seed?: number
}

export type TableConfiguration = TrainConfiguration & { target: string }

export const kindNames = ['table', 'arrays', 'images', 'text'] as const
/** What a model is trained on. */
export type KindName = (typeof kindNames)[number]

const kindTitles: Readonly<Record<KindName, string>> = {
  table: 'a table',
  arrays: 'arrays',
  images: 'a folder of images',
  text: 'a text',
}

type Name = keyof TrainConfiguration

const shared: readonly Name[] = ['data', 'seed', 'learningRate', 'batchSize', 'leaves', 'epochs']
const forParts: readonly Name[] = [
  ...(['validation', 'test', 'balance', 'threshold', 'hidden', 'dropout', 'patience'] as const),
  ...(['weightDecay', 'optimizer', 'schedule', 'model', 'modelSha256'] as const),
]

/** What is taken for each kind of data. */
const taken: Readonly<Record<KindName, readonly Name[]>> = {
  table: [
    ...[...shared, ...forParts, ...(['target', 'task', 'types', 'ignore', 'group', 'time'] as const)],
    ...(['format', 'delimiter', 'header', 'skipRagged', 'l2', 'noise', 'refit', 'disk'] as const),
  ],
  arrays: [...shared, ...forParts, 'labels', 'task', 'l2', 'noise', 'filters', 'augment'],
  images: [...shared, ...forParts, 'size', 'filters', 'augment'],
  text: [
    ...[...shared, ...(['text', 'validation', 'test', 'model', 'modelSha256'] as const)],
    ...(['dropout', 'blocks', 'width', 'context', 'steps'] as const),
  ],
}

const names: readonly Name[] = [...new Set(Object.values(taken).flat())]

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
  /** Before all of it: of few rows of a table, the data chooses a network, the standard one or another. */
  choosing?(about: { standard: Candidate; folds: number }): void
  /** Training begins anew, on all rows but the test's. */
  refit?(about: { rows: number; epochs: number }): void
  /** After each epoch, and at the end; `current` makes the report so far. */
  report?(current: () => RunReport): void
}

export interface TrainOptions extends TrainConfiguration {
  /** The folder that is written. Default: the data's name with `.model`. */
  out?: string
  workers?: number | 'auto'
  /** Ends training once so many seconds have passed since it began; the best weights so far are saved. */
  maxSeconds?: number
  /**
   * Bytes that data and training may take in memory; Node takes some 100 MB beside. A mini-batch that does not fit is taken in
   * leaves, one after the other. Default: as `fit`.
   */
  maxMemory?: number
  /** Goes on from the checkpoints in `out`. */
  resume?: boolean
  /** Ends training after the step in progress, which is saved as a checkpoint. */
  signal?: AbortSignal
  progress?: TrainProgress
}

/** @throws TypeError or RangeError naming the option that is wrong, or is not for this kind of data */
export function checkTrainOptions(options: TrainOptions, kind: KindName): void {
  const where = 'train'
  checkOptions(where, options, [
    ...names,
    'out',
    'workers',
    'maxSeconds',
    'maxMemory',
    'resume',
    'signal',
    'progress',
  ])
  for (const name of kind === 'table' ? (['data', 'target'] as const) : (['data'] as const))
    if (typeof options?.[name] !== 'string' || options[name] === '')
      throw new TypeError(`${where}: ${name} must be given, got ${show(options?.[name])}; name it`)
  const stranger = names.find(name => options[name] !== undefined && !taken[kind].includes(name))
  if (stranger !== undefined)
    throw new RangeError(
      `${where}: ${stranger} must not be given for ${kindTitles[kind]}, got ${show(options[stranger])}; leave it out`,
    )
  for (const name of ['model', 'modelSha256'] as const)
    if (options[name] !== undefined && (typeof options[name] !== 'string' || options[name] === ''))
      throw new TypeError(`${where}: ${name} must be a text, got ${show(options[name])}; name a file`)
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
  if (options.maxMemory !== undefined) inRange(where, 'maxMemory', options.maxMemory, '(0, Infinity)')
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
