import * as tf from '@tensorflow/tfjs'
import type { EvaluateDatasetOptions, FitDatasetOptions } from '../model/datasetOptions.ts'
import type { FitOptions } from '../model/options.ts'
import { checkClassWeight } from './compiling.ts'
import { classWeightsOf, type Lazy, listed, Source, type Tensors, validationOf } from './feeding.ts'
import { Session } from './session.ts'
import type { Twin } from './twin.ts'

/** What every training is given. */
type RunOptions = Pick<FitOptions, 'seed' | 'workers'>

type FitDatasetArgs = tf.ModelFitDatasetArgs<tf.TensorContainer>

/** Drops what says nothing: TensorFlow.js takes null for that too. */
function withoutNothing<T>(options: { [K in keyof T]: T[K] | null | undefined }): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries) as T
}

/** One or several, as TensorFlow.js gives them. */
const alone = <T>(list: T[]): T | T[] => (list.length === 1 ? list[0]! : list)

/** Loss and metrics of samples outside training, as TensorFlow.js has them: without what regularizers add. */
const scalarsOf = (twin: Twin, [loss, ...metrics]: readonly number[]): tf.Scalar | tf.Scalar[] =>
  alone([loss! - twin.penalty, ...metrics].map(value => tf.scalar(value)))

const numbersOf = (results: unknown): number[] =>
  [results].flat().map(result => (result as { dataSync(): ArrayLike<number> }).dataSync()[0]!)

async function fit(
  twin: Twin,
  { seed, workers }: RunOptions,
  x: Tensors,
  y: Tensors,
  args: tf.ModelFitArgs = {},
): Promise<tf.History> {
  const { inputNames, outputNames } = twin.core
  const classWeight = classWeightsOf(args.classWeight, outputNames)
  checkClassWeight('fit', twin.core, classWeight)
  const xs = listed(x, inputNames)
  const batchSize = args.batchSize ?? 32
  const [epochs, initialEpoch] = [args.epochs ?? 1, args.initialEpoch ?? 0]
  const held = args.validationData?.length ? validationOf(twin.core, args.validationData) : undefined
  if (typeof args.shuffle === 'string')
    throw new TypeError(
      `fit: shuffle must be true or false, got "${args.shuffle}"; TensorFlow.js has no other either`,
    )
  const share = args.validationSplit ?? 0
  const validationSplit = !held && share > 0 && share < 1 ? share : 0
  const samples = Math.floor((xs[0]?.shape[0] ?? 0) * (1 - validationSplit))
  const doValidation = held !== undefined || validationSplit > 0
  const params = { epochs, initialEpoch, samples, steps: null, batchSize, doValidation }
  const session = new Session(twin, params, Math.ceil(samples / batchSize) - 1, args)
  return session.run(callbacks => {
    const options = withoutNothing<FitOptions>({
      ...{ batchSize, epochs, initialEpoch, callbacks, validationSplit, seed, workers },
      validationData: held as FitOptions['validationData'],
      shuffle: args.shuffle,
      classWeight,
      sampleWeight: args.sampleWeight,
      stepsPerEpoch: args.stepsPerEpoch,
    })
    return twin.model.fit(xs, listed(y, outputNames), options)
  })
}

async function fitDataset(
  twin: Twin,
  { seed, workers }: RunOptions,
  dataset: Lazy,
  args: FitDatasetArgs,
): Promise<tf.History> {
  const where = 'fitDataset'
  const { core, model } = twin
  const { batchesPerEpoch: limit, validationData: held } = args
  const classWeight = classWeightsOf(args.classWeight, core.outputNames)
  checkClassWeight(where, core, classWeight)
  const source = new Source(core, dataset, { where, limit, goesOn: (limit ?? undefined) !== undefined })
  const { size } = dataset as { size?: number | null }
  const steps = limit ?? (Number.isFinite(size) ? size! : null)
  const params = { epochs: args.epochs, initialEpoch: null, samples: null, steps, batchSize: null }
  const session = new Session(
    twin,
    { ...params, doValidation: Boolean(held) },
    (limit ?? Number.NaN) - 1,
    args,
  )
  const options = withoutNothing<FitDatasetOptions>({
    ...{ epochs: args.epochs, initialEpoch: args.initialEpoch, seed, workers },
    validationData: held ? validationOf(core, held, args.validationBatches) : undefined,
    validationBatchSize: args.validationBatchSize,
    classWeight,
  })
  return session.run(async callbacks => {
    try {
      await model.fitDataset(source.batches, { ...options, callbacks })
    } catch (error) {
      if (!source.exhausted) throw error
      await session.endEmpty()
    }
  })
}

function evaluate(
  twin: Twin,
  _options: RunOptions,
  x: Tensors,
  y: Tensors,
  args: tf.ModelEvaluateArgs = {},
): tf.Scalar | tf.Scalar[] {
  const { core, model } = twin
  twin.pullUnlessTraining()
  const options = withoutNothing<{ batchSize: number }>({ batchSize: args.batchSize })
  const results = model.evaluate(listed(x, core.inputNames), listed(y, core.outputNames), options)
  return scalarsOf(twin, numbersOf(results))
}

async function evaluateDataset(
  twin: Twin,
  { workers }: RunOptions,
  dataset: Lazy,
  args: { batches?: number } = {},
): Promise<tf.Scalar | tf.Scalar[]> {
  twin.pullUnlessTraining()
  const source = new Source(twin.core, dataset, {
    where: 'evaluateDataset',
    limit: args.batches,
    goesOn: false,
  })
  const options = withoutNothing<EvaluateDatasetOptions>({ workers })
  return scalarsOf(twin, numbersOf(await twin.model.evaluateDataset(source.batches, options)))
}

/** From so many milliseconds on, the workers make a step in less time than it takes to call them. */
const worthWorkersMs = 20

async function trainOnBatch(
  twin: Twin,
  { workers }: RunOptions,
  x: Tensors,
  y: Tensors,
): Promise<number | number[]> {
  const { core, model } = twin
  const [xs, ys] = [listed(x, core.inputNames), listed(y, core.outputNames)]
  twin.pullUnlessTraining()
  const begin = performance.now()
  const onWorkers = twin.quickestStepMs > worthWorkersMs && Number.isFinite(twin.quickestStepMs)
  const results = onWorkers ? await stepOnWorkers(twin, xs, ys, workers) : await model.trainOnBatch(xs, ys)
  if (!onWorkers) twin.quickestStepMs = Math.min(twin.quickestStepMs, performance.now() - begin)
  twin.publish()
  return results
}

async function stepOnWorkers(
  { model }: Twin,
  xs: tf.Tensor[],
  ys: tf.Tensor[],
  workers: RunOptions['workers'] = 'auto',
): Promise<number | number[]> {
  const threads = workers === 'auto' ? model.engine.cores : workers
  const options = { batchSize: xs[0]!.shape[0]!, shuffle: false, workers: threads }
  const { history } = await model.fit(xs, ys, options)
  return alone(Object.values(history).map(([value]) => value!))
}

/** What Lockstep does in place of a model's own methods: the same, with its twin and what all runs are given. */
export const methods = { fit, fitDataset, evaluate, evaluateDataset, trainOnBatch }
