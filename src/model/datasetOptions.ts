import { positiveInteger, show, withDefaults } from '../errors.ts'
import type { Inputs } from './fitData.ts'
import { checkTraining, type FitOptions, survivalDefaults } from './options.ts'
import { type Batches, isBatches } from './pass.ts'

/** Options of `fitDataset`: TensorFlow.js', and Lockstep's own as in `fit`. */
export interface FitDatasetOptions
  extends Pick<
    FitOptions,
    | 'epochs'
    | 'initialEpoch'
    | 'callbacks'
    | 'classWeight'
    | 'verbose'
    | 'yieldEvery'
    | 'seed'
    | 'workers'
    | 'signal'
    | 'maxSeconds'
    | 'resume'
    | 'allowChange'
    | 'accumulate'
    | 'onProgress'
    | 'stallMs'
  > {
  /**
   * Batches of an epoch. The dataset is then not begun anew for each epoch: it must have this many for each.
   * Without it, an epoch is one pass over the dataset.
   */
  batchesPerEpoch?: number
  /** A dataset, or arrays: inputs, targets and perhaps sample weights. */
  validationData?: Batches | readonly [x: Inputs, y: Inputs, sampleWeight?: Inputs]
  /** Of a dataset: batches to validate with, if not all. */
  validationBatches?: number
  /** Of arrays: samples a step. Default 32. */
  validationBatchSize?: number
  /** Batches that are asked for ahead of training, at most. Default 64, fewer where they are large. */
  prefetch?: number
}

const defaults = {
  epochs: 1,
  initialEpoch: 0,
  callbacks: [] as NonNullable<FitOptions['callbacks']>,
  batchesPerEpoch: null as number | null,
  validationData: null as FitDatasetOptions['validationData'] | null,
  validationBatches: null as number | null,
  validationBatchSize: 32,
  classWeight: null as FitOptions['classWeight'] | null,
  verbose: 0,
  yieldEvery: 'auto' as NonNullable<FitOptions['yieldEvery']>,
  prefetch: 64,
  seed: null as number | null,
  workers: 'auto' as number | 'auto',
  signal: null as AbortSignal | null,
  ...survivalDefaults,
  accumulate: false,
  onProgress: null as FitOptions['onProgress'] | null,
  stallMs: 30_000,
}

export type FitDatasetSettings = ReturnType<typeof checkFitDatasetOptions>

/** Fills defaults in. @throws TypeError or RangeError naming the option */
export function checkFitDatasetOptions(given: FitDatasetOptions | undefined) {
  const where = 'fitDataset'
  const options = withDefaults(where, defaults, given as Partial<typeof defaults>)
  const { batchesPerEpoch, validationBatches, validationBatchSize, validationData, prefetch } = options
  if (batchesPerEpoch !== null) positiveInteger(where, 'batchesPerEpoch', batchesPerEpoch)
  if (validationBatches !== null) positiveInteger(where, 'validationBatches', validationBatches)
  positiveInteger(where, 'validationBatchSize', validationBatchSize)
  positiveInteger(where, 'prefetch', prefetch)
  if (validationData !== null && !isBatches(validationData) && !Array.isArray(validationData))
    throw new TypeError(
      `${where}: validationData must be a dataset or [x, y], got ${show(validationData)}; see ls.data`,
    )
  return checkTraining(where, { ...options, onProgress: options.onProgress ?? null })
}

/** Options of `evaluateDataset`: TensorFlow.js', and from `prefetch` on Lockstep's own. */
export interface EvaluateDatasetOptions {
  /** Batches to evaluate on, if not all. */
  batches?: number
  verbose?: number
  prefetch?: number
  workers?: number | 'auto'
  stallMs?: number
}

const evaluateDefaults = {
  batches: null as number | null,
  verbose: 0,
  prefetch: defaults.prefetch,
  workers: 'auto' as number | 'auto',
  stallMs: defaults.stallMs,
}

/** Fills defaults in. @throws TypeError or RangeError naming the option */
export function checkEvaluateDatasetOptions(given: EvaluateDatasetOptions | undefined) {
  const where = 'evaluateDataset'
  const options = withDefaults(where, evaluateDefaults, given as Partial<typeof evaluateDefaults>)
  if (options.batches !== null) positiveInteger(where, 'batches', options.batches)
  positiveInteger(where, 'prefetch', options.prefetch)
  return options
}
