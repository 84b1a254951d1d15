import type { Input } from '../data/inputs.ts'
import { drawSeed } from '../data/random.ts'
import { inRange, nonNegativeInteger, oneOf, positiveInteger, show, withDefaults } from '../errors.ts'
import type { BaseCallback, Hooks, Logs } from '../training/callback.ts'
import { toCallbacks } from '../training/callbacks.ts'
import type { Inputs } from './fitData.ts'

/** Most worker threads of a run; far more than any machine has use for. */
const mostWorkers = 256

/** What a checkpoint and the training that goes on from it may differ in. */
export const changeable = ['data', 'configuration', 'numerics'] as const
export type Changeable = (typeof changeable)[number]

/** Hears of training now and then, while it goes on: nothing waits for it. */
export interface Progress {
  /** Default 100. */
  intervalMs?: number
  /** Steps of this epoch so far, and loss and metrics over them. */
  report(step: number, logs: Logs): void
}

/** Options of `fit`: TensorFlow.js', and from `seed` on Lockstep's own. */
export interface FitOptions {
  /** Samples a step; larger than the data is one short batch. Default 32. */
  batchSize?: number
  /** Epoch after the last one. Default 1. */
  epochs?: number
  /** Epoch to begin with. Default 0. */
  initialEpoch?: number
  callbacks?: BaseCallback | Hooks | readonly (BaseCallback | Hooks)[]
  /** Last part of the data that is kept for validation, in [0, 1). */
  validationSplit?: number
  validationData?: readonly [Inputs, Inputs]
  /** Whether each epoch takes the samples in another order. Default true. */
  shuffle?: boolean
  /** Weight of each class in the loss. */
  classWeight?: Readonly<Record<number, number>>
  /** Weight of each sample in the loss. */
  sampleWeight?: Input
  /** Steps of an epoch, if not all. */
  stepsPerEpoch?: number
  verbose?: number
  /**
   * Milliseconds between two calls of callbacks' `onYield`, 'auto' for 125; 'batch', 'epoch' and 'never' for none, as
   * in TensorFlow.js: the main thread is free while the workers train, who wait for none of these calls.
   */
  yieldEvery?: 'auto' | 'batch' | 'epoch' | 'never' | number
  /**
   * Decides shuffling, dropout and every other random choice; drawn and reported in the history if left out.
   */
  seed?: number
  /** Threads, or 'auto' (default): what is fastest in the first steps. Results do not depend on it. */
  workers?: number | 'auto'
  /** Stops training after the step in progress; `fit` resolves, once a checkpoint callback has saved. */
  signal?: AbortSignal
  /** Stops training after the step in progress once so many seconds have passed, as `signal` does. */
  maxSeconds?: number
  /**
   * A folder with checkpoints: training goes on from the newest, to the bits of one that never ended. Where there is
   * none yet, it begins, if a checkpoint callback saves to the same folder.
   */
  resume?: string
  /**
   * What may differ from what the checkpoint was saved with: other data, another configuration, other numerics;
   * true for all. An epoch in progress is then begun anew. Default false: a difference is an error that names it.
   */
  allowChange?: boolean | readonly Changeable[]
  /**
   * Gradient accumulation: the leaves that `compile` set are run one after the other, in the memory of one of
   * them, to the bits of all at once. By default only where all at once do not fit into the memory.
   */
  accumulate?: boolean
  /**
   * Whether batches are copied one by one into a ring in the shared memory, instead of all data at the start;
   * to the same bits. By default only for data that would take more than half of the memory that is left, or
   * more than there is.
   */
  stream?: boolean
  /**
   * Bytes that this training may take of the memory shared with the workers, weights and data included; see
   * `planMemory`. Default: what is left of 4 GiB, or of what `configure` says.
   */
  maxMemory?: number
  /** For progress bars: costs nothing, unlike a callback for each batch. */
  onProgress?: Progress
  /** A worker without a sign of life for so many milliseconds is taken for hung. Default 30,000. */
  stallMs?: number
}

/** Defaults of what all ways to train take to outlast their surroundings. */
export const survivalDefaults = {
  maxSeconds: null as number | null,
  maxMemory: null as number | null,
  resume: null as string | null,
  allowChange: false as NonNullable<FitOptions['allowChange']>,
}

const defaults = {
  batchSize: 32,
  epochs: 1,
  initialEpoch: 0,
  callbacks: [] as NonNullable<FitOptions['callbacks']>,
  validationSplit: 0,
  validationData: null as FitOptions['validationData'] | null,
  shuffle: true,
  classWeight: null as FitOptions['classWeight'] | null,
  sampleWeight: null as Input | null,
  stepsPerEpoch: null as number | null,
  verbose: 0,
  yieldEvery: 'auto' as NonNullable<FitOptions['yieldEvery']>,
  seed: null as number | null,
  workers: 'auto' as number | 'auto',
  signal: null as AbortSignal | null,
  ...survivalDefaults,
  accumulate: null as boolean | null,
  stream: null as boolean | null,
  onProgress: null as Progress | null,
  stallMs: 30_000,
}

export type FitSettings = Omit<typeof defaults, 'seed'> & { seed: number }

/** What all ways to train have in common. */
export type TrainingSettings = Pick<
  FitSettings,
  | 'epochs'
  | 'initialEpoch'
  | 'callbacks'
  | 'verbose'
  | 'yieldEvery'
  | 'seed'
  | 'workers'
  | 'signal'
  | 'maxSeconds'
  | 'maxMemory'
  | 'resume'
  | 'allowChange'
  | 'onProgress'
  | 'stallMs'
>

export function checkWorkers(where: string, workers: number | 'auto'): void {
  if (workers === 'auto') return
  if (typeof workers !== 'number' || !Number.isInteger(workers) || workers < 1 || workers > mostWorkers) {
    const message = `${where}: workers must be 'auto' or an integer from 1 to ${mostWorkers}, got ${show(workers)}`
    throw typeof workers === 'number' ? new RangeError(message) : new TypeError(message)
  }
}

/** Fills defaults in. @throws TypeError or RangeError naming the option. */
export function checkFitOptions(given: FitOptions | undefined): FitSettings {
  const options = withDefaults('fit', defaults, given as Partial<typeof defaults>)
  positiveInteger('fit', 'batchSize', options.batchSize)
  inRange('fit', 'validationSplit', options.validationSplit, '[0, 1)')
  if (options.stepsPerEpoch !== null) positiveInteger('fit', 'stepsPerEpoch', options.stepsPerEpoch)
  return checkTraining('fit', options)
}

/** Checks what all ways to train have in common, and draws a seed if none is given. */
export function checkTraining<T extends Omit<TrainingSettings, 'seed'> & { seed: number | null }>(
  where: string,
  options: T,
): T & { seed: number } {
  nonNegativeInteger(where, 'epochs', options.epochs)
  nonNegativeInteger(where, 'initialEpoch', options.initialEpoch)
  if (options.seed !== null) nonNegativeInteger(where, 'seed', options.seed)
  inRange(where, 'stallMs', options.stallMs, '(0, Infinity)')
  checkWorkers(where, options.workers)
  const { yieldEvery } = options
  if (typeof yieldEvery === 'number') inRange(where, 'yieldEvery', yieldEvery, '(0, Infinity)')
  else oneOf(where, 'yieldEvery', yieldEvery, ['auto', 'batch', 'epoch', 'never'])
  if (options.signal !== null && !(options.signal instanceof AbortSignal)) {
    throw new TypeError(
      `${where}: signal must be an AbortSignal, got ${show(options.signal)}; give controller.signal`,
    )
  }
  if (options.maxMemory !== null) inRange(where, 'maxMemory', options.maxMemory, '(0, Infinity)')
  checkSurvival(where, options)
  return { ...options, callbacks: toCallbacks(options.callbacks), seed: options.seed ?? drawSeed() }
}

function checkSurvival(
  where: string,
  { maxSeconds, resume, allowChange }: Pick<TrainingSettings, 'maxSeconds' | 'resume' | 'allowChange'>,
): void {
  // Timers take no more milliseconds than fit into 31 bits.
  if (maxSeconds !== null) inRange(where, 'maxSeconds', maxSeconds, '(0, 2000000]')
  if (resume !== null && (typeof resume !== 'string' || resume === ''))
    throw new TypeError(`${where}: resume must be a folder with checkpoints, got ${show(resume)}; correct it`)
  if (typeof allowChange === 'boolean') return
  if (!Array.isArray(allowChange))
    throw new TypeError(
      `${where}: allowChange must be true, false or a list, got ${show(allowChange)}; try ['data']`,
    )
  for (const word of allowChange) oneOf(where, 'allowChange', word, changeable)
}
