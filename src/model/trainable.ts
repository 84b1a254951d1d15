import { Tensor } from '../data/tensor.ts'
import { checkOptions } from '../errors.ts'
import type { IOHandler, SaveResult } from '../formats/handlers.ts'
import { checkMetadata } from '../formats/metadata.ts'
import type { Json } from '../formats/naming.ts'
import type { SymbolicTensor } from '../layers/symbolic.ts'
import type { Run } from '../runtime/run.ts'
import type { EpochPace, Logs } from '../training/callback.ts'
import type { Optimizer } from '../training/optimizer.ts'
import { getOptimizer } from '../training/optimizers.ts'
import { checkCount, withBatchSize } from './batchSizes.ts'
import { type Claims, withClaims } from './claims.ts'
import { type CompileOptions, compileNames, settleExtras, settleOutputs } from './compiling.ts'
import { type Courses, coursesOfArrays } from './course.ts'
import { checkValidationArrays, coursesOfDatasets } from './datasetCourse.ts'
import {
  checkFitDatasetOptions,
  type EvaluateDatasetOptions,
  type FitDatasetOptions,
} from './datasetOptions.ts'
import { describeFit, describeFitDataset, type Fingerprint } from './fingerprint.ts'
import { checkFitData, checkInputs, type Inputs } from './fitData.ts'
import type { History } from './history.ts'
import type { Internals } from './internals.ts'
import type { Keeper } from './keeper.ts'
import { numbersOf } from './logs.ts'
import { type MemoryPlan, planFit } from './memory.ts'
import { NestedLayer } from './nested.ts'
import { Network } from './network.ts'
import { checkFitOptions, type FitOptions, type TrainingSettings } from './options.ts'
import type { Batches } from './pass.ts'
import type { BatchOptions, Predictions, WorkerOptions } from './prediction.ts'
import * as prediction from './prediction.ts'
import type { Compiled } from './record.ts'
import { openContinuity } from './resuming.ts'
import { configOf, type SaveOptions, saveModel, topologyOf } from './saving.ts'
import { Training } from './training.ts'
import { trainOneBatch } from './trainOnBatch.ts'
import { makeSlots } from './weights.ts'

/** Loss and metrics as TensorFlow.js gives them. */
function scalarsOf(logs: Logs): Tensor | Tensor[] {
  const scalars = Object.values(logs).map(value => new Tensor(Float32Array.of(value), [], 'float32'))
  return scalars.length === 1 ? scalars[0]! : scalars
}

/** What every kind of model can do: train, evaluate, predict, be saved. */
export abstract class Trainable<Output extends Predictions = Predictions>
  extends Network
  implements Internals
{
  /** The kind of model, as files name it. */
  abstract readonly className: string
  /** @internal */
  whenStopped: (() => void) | undefined
  /** @internal */
  epochsTrained = 0
  /** @internal */
  stepsOfEpoch = 0
  /** @internal */
  pace: EpochPace | undefined
  private settled: Compiled | undefined
  private stopped: string | undefined
  private asLayer: NestedLayer | undefined
  private metadata: object | undefined

  get stopTraining(): boolean {
    return this.stopped !== undefined
  }

  /** Set to true during training, ends it after the step; set to a text, the history gives that as the reason. */
  set stopTraining(stop: boolean | string) {
    this.stopped = typeof stop === 'string' ? stop : stop ? 'stopTraining' : undefined
    if (this.stopped !== undefined) this.whenStopped?.()
  }

  /** @internal */
  get stopCause(): string | undefined {
    return this.stopped
  }

  /** The model as a layer of another one, whose inputs these are. */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor | SymbolicTensor[] {
    return this.toLayer().apply([inputs].flat())
  }

  /** @internal The model as a layer: always the same one. */
  toLayer(): NestedLayer {
    this.asLayer ??= new NestedLayer(this)
    return this.asLayer
  }

  /** @internal The architecture has changed: the model must be compiled anew. */
  protected forgetCompiled(): void {
    this.settled = undefined
  }

  get isCompiled(): boolean {
    return this.settled !== undefined
  }

  /** @internal */
  get compiled(): Compiled {
    if (!this.settled)
      throw new Error(`${this.name}: the model must be compiled, got one that is not; call compile()`)
    return this.settled
  }

  get optimizer(): Optimizer {
    return this.compiled.optimizer
  }

  get learningRate(): number {
    return this.optimizer.learningRate
  }

  set learningRate(rate: number) {
    this.optimizer.learningRate = rate
  }

  /**
   * Settles how the model is trained; the optimizer's state begins anew, the weights stay.
   * @throws TypeError or RangeError for wrong options, Error while the model is training
   */
  compile(options: CompileOptions): void {
    checkOptions('compile', options, compileNames)
    this.refuseWhileTraining('compile')
    this.refuseWhileAsked('compile')
    const outputs = settleOutputs(this, options)
    const optimizer = getOptimizer(options.optimizer)
    const extras = settleExtras(options, outputs)
    const slots = makeSlots(this.weights, optimizer)
    const state = this.layOut([...slots.values()].flat())
    for (const arrays of slots.values()) {
      for (const [i, slot] of arrays.entries()) state.fill(slot, optimizer.slots[i]!.initial)
    }
    optimizer.iterations = 0
    const { loss, lossWeights, metrics } = options
    const objectives = { loss, ...(lossWeights && { lossWeights }), ...(metrics && { metrics }) }
    this.settled = { optimizer, outputs, ...extras, slots, objectives }
  }

  /**
   * Trains on samples x (n, …inputShape) and targets y. Runs on the workers.
   * @throws TypeError or RangeError for wrong data or options, before anything is changed; Error when a value
   * is not finite or a worker fails, the weights then being those of the last epoch's end
   */
  async fit(x: Inputs, y: Inputs, options?: FitOptions): Promise<History> {
    this.refuseWhileTraining('fit')
    const settings = checkFitOptions(withBatchSize('fit', this, options))
    void this.compiled
    const data = checkFitData(this, x, y, settings)
    const describe = () => describeFit(this, data, settings)
    return this.train('fit', settings, options?.seed, describe, (claims, run, settings) =>
      coursesOfArrays(claims, this, run, data, settings),
    )
  }

  /** What `fit` would take of the memory shared with the workers, in bytes. @throws as fit */
  planMemory(x: Inputs, y: Inputs, options?: FitOptions): MemoryPlan {
    this.refuseWhileTraining('planMemory')
    const settings = checkFitOptions(withBatchSize('fit', this, options))
    void this.compiled
    const workers = settings.workers === 'auto' ? this.engine.cores : settings.workers
    return planFit(this, checkFitData(this, x, y, settings), settings, workers).memory
  }

  /**
   * Trains on mini-batches that a dataset gives one after the other, while a few are taken ahead. To the bits
   * of `fit` on the same ones; sequences may have another length in each. Runs on the workers.
   * @throws as `fit`; Error where the dataset throws (then its `cause`), RangeError where a batch does not fit
   * or batches are missing, the weights then being those of the last epoch's end
   */
  async fitDataset(dataset: Batches, options?: FitDatasetOptions): Promise<History> {
    this.refuseWhileTraining('fitDataset')
    const settings = checkFitDatasetOptions(options)
    void this.compiled
    const held = checkValidationArrays(this, settings)
    const describe = () => describeFitDataset(this, held, settings)
    return this.train('fitDataset', settings, options?.seed, describe, (claims, run, settings, signal) =>
      coursesOfDatasets(claims, this, run, dataset, held, settings, signal),
    )
  }

  private async train<Settings extends TrainingSettings>(
    where: string,
    given: Settings,
    seed: number | undefined,
    describe: () => Promise<Fingerprint>,
    plan: (claims: Claims, run: Run, settings: Settings, signal: AbortSignal) => Promise<Courses>,
  ): Promise<History> {
    const { engine } = this
    const most = given.workers === 'auto' ? engine.cores : given.workers
    this.use = 'training'
    let keeper: Keeper | undefined
    try {
      const continuity = await openContinuity(where, this, given, seed, describe)
      keeper = continuity.keeper
      const settings = { ...given, seed: continuity.state?.seed ?? given.seed }
      return await engine.withRun(most, settings.stallMs, run =>
        withClaims(engine.arena, async claims => {
          const stop = new AbortController()
          const courses = await plan(claims, run, settings, stop.signal)
          this.state.takeSnapshot()
          return new Training(where, this, run, courses, settings, stop, continuity).train()
        }),
      )
    } finally {
      await keeper?.close()
      this.state.dropSnapshot()
      this.use = 'idle'
    }
  }

  /**
   * One update from one mini-batch, on the calling thread; resolves with the loss, or [loss, …metrics].
   * @throws as fit; the model is unchanged then
   */
  async trainOnBatch(x: Inputs, y: Inputs): Promise<number | number[]> {
    this.refuseWhileTraining('trainOnBatch')
    return numbersOf(trainOneBatch(this, x, y))
  }

  /**
   * Predictions (n, …outputShape) for x (n, …inputShape), on the calling thread. A row's bits do not depend
   * on the others.
   */
  predict(x: Inputs, options?: BatchOptions): Output {
    if (this.stateful) this.refuseWhileBusy('predict')
    return prediction.predictHere(this, x, options) as Output
  }

  predictOnBatch(x: Inputs): Output {
    if (this.stateful) this.refuseWhileBusy('predictOnBatch')
    const [first] = checkInputs('predictOnBatch', 'x', this, x)
    checkCount('predictOnBatch', 'x', this, first!.count, true)
    return prediction.predictHere(this, x, { batchSize: first!.count }) as Output
  }

  /** As predict, on the workers. */
  predictAsync(x: Inputs, options?: WorkerOptions): Promise<Output> {
    return this.request(() => prediction.predictOnWorkers(this, x, options) as Promise<Output>)
  }

  /** Loss, or [loss, …metrics], over samples, on the calling thread. */
  evaluate(x: Inputs, y: Inputs, options?: BatchOptions): Tensor | Tensor[] {
    if (this.stateful) this.refuseWhileBusy('evaluate')
    return scalarsOf(prediction.evaluateHere(this, x, y, options))
  }

  /** Loss and metrics by name, on the workers. */
  evaluateAsync(x: Inputs, y: Inputs, options?: WorkerOptions): Promise<Logs> {
    return this.request(() => prediction.evaluateOnWorkers(this, x, y, options))
  }

  /** As evaluate, over the mini-batches of a dataset, on the workers. @throws as fitDataset */
  async evaluateDataset(dataset: Batches, options?: EvaluateDatasetOptions): Promise<Tensor | Tensor[]> {
    return scalarsOf(await this.request(() => prediction.evaluateBatches(this, dataset, options)))
  }

  /** Kinds and options of the layers and how they are connected, as TensorFlow.js gives them. */
  getConfig(): Record<string, unknown> {
    return configOf(this)
  }

  /** The architecture as model.json holds it, as text or, with `returnString` false, as an object. */
  toJSON(_unused?: unknown, returnString = true): string | Json {
    const topology = topologyOf(this)
    return returnString ? JSON.stringify(topology) : topology
  }

  /** Keeps an object of your own with the model, saved with it. @throws TypeError for what JSON cannot hold */
  setUserDefinedMetadata(metadata: object): void {
    checkMetadata('setUserDefinedMetadata', metadata)
    this.metadata = metadata
  }

  /** What was set or loaded, if anything. */
  getUserDefinedMetadata(): object | undefined {
    return this.metadata
  }

  /**
   * Writes model.json and its weights, which TensorFlow.js reads too, into the folder of a `file://` URL, or gives
   * the model to an IOHandler, whose answer it resolves with.
   * @throws RangeError for another URL, or for what no file can hold, a function as loss say; the file system's own
   * errors, the old files untouched; the handler's
   */
  save(handlerOrURL: string | IOHandler, options?: SaveOptions): Promise<SaveResult> {
    return saveModel(this, handlerOrURL, options)
  }
}
