import { type Input, toRows } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, positiveInteger } from '../errors.ts'
import type { Layer } from '../layers/define.ts'
import type { Logs } from '../training/callback.ts'
import { getLoss, type LossName } from '../training/losses.ts'
import { distinct, getMetric, type MetricName } from '../training/metrics.ts'
import type { Optimizer } from '../training/optimizer.ts'
import { getOptimizer, type OptimizerName } from '../training/optimizers.ts'
import type { Loss } from '../training/rowLosses.ts'
import type { Metric } from '../training/rowMetrics.ts'
import { withClaims } from './claims.ts'
import { checkFitData } from './fitData.ts'
import type { Internals } from './internals.ts'
import { numbersOf } from './logs.ts'
import { checkFitOptions, type FitOptions } from './options.ts'
import * as prediction from './prediction.ts'
import type { Compiled } from './record.ts'
import { saveModel } from './saving.ts'
import { type SequentialOptions, Stack } from './stack.ts'
import { type History, Training } from './training.ts'
import { trainOneBatch } from './trainOnBatch.ts'
import { makeSlots } from './weights.ts'

export interface CompileOptions {
  optimizer: OptimizerName | Optimizer
  loss: LossName | Loss
  metrics?: MetricName | Metric | readonly (MetricName | Metric)[]
  /** Fixed parts of a mini-batch whose gradients are summed in a fixed tree. Default 1. */
  leaves?: number
}

/** A stack of layers, each fed by the one before. */
export class Sequential extends Stack implements Internals {
  readonly className = 'Sequential'
  whenStopped: (() => void) | undefined
  epochsTrained = 0
  private settled: Compiled | undefined
  private stopped = false

  /** Set to true during training, ends it after the step. */
  get stopTraining(): boolean {
    return this.stopped
  }

  set stopTraining(stop: boolean) {
    this.stopped = stop
    if (stop) this.whenStopped?.()
  }

  override add(layer: Layer): void {
    super.add(layer)
    this.settled = undefined
  }

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
    checkOptions('compile', options, ['optimizer', 'loss', 'metrics', 'leaves'])
    this.refuseWhileTraining('compile')
    this.refuseWhileAsked('compile')
    const loss = getLoss(options.loss)
    const optimizer = getOptimizer(options.optimizer)
    const leaves = positiveInteger('compile', 'leaves', options.leaves ?? 1)
    const wanted = [options.metrics ?? []].flat() as (MetricName | Metric)[]
    const metrics = distinct(wanted.map(metric => getMetric(metric, loss, this.outputShape)))
    const slots = makeSlots(this.weights, optimizer)
    const state = this.layOut([...slots.values()].flat())
    for (const arrays of slots.values()) {
      for (const [i, slot] of arrays.entries()) state.fill(slot, optimizer.slots[i]!.initial)
    }
    optimizer.iterations = 0
    this.settled = { optimizer, loss, metrics, leaves, slots }
  }

  /**
   * Trains on samples x (n, …inputShape) and targets y. Runs on the workers.
   * @throws TypeError or RangeError for wrong data or options, before anything is changed; Error when a value
   * is not finite or a worker fails, the weights then being those of the last epoch's end
   */
  async fit(x: Input, y: Input, options?: FitOptions): Promise<History> {
    this.refuseWhileTraining('fit')
    const settings = checkFitOptions(options)
    void this.compiled
    const data = checkFitData(this, x, y, settings)
    const most = settings.workers === 'auto' ? this.engine.cores : settings.workers
    this.use = 'training'
    try {
      this.state.takeSnapshot()
      return await this.engine.withRun(most, settings.stallMs, run =>
        withClaims(this.engine.arena, claims => new Training(claims, this, run, data, settings).train()),
      )
    } finally {
      this.state.dropSnapshot()
      this.use = 'idle'
    }
  }

  /**
   * One update from one mini-batch, on the calling thread; resolves with the loss, or [loss, …metrics].
   * @throws as fit; the model is unchanged then
   */
  async trainOnBatch(x: Input, y: Input): Promise<number | number[]> {
    this.refuseWhileTraining('trainOnBatch')
    return numbersOf(trainOneBatch(this, x, y))
  }

  /**
   * Predictions (n, …outputShape) for x (n, …inputShape), on the calling thread. A row's bits do not depend
   * on the others.
   */
  predict(x: Input, options?: prediction.BatchOptions): Tensor {
    return prediction.predictHere(this, x, options)
  }

  predictOnBatch(x: Input): Tensor {
    return prediction.predictHere(this, x, {
      batchSize: toRows('predictOnBatch', 'x', x, this.inputShape).count,
    })
  }

  /** As predict, on the workers. */
  predictAsync(x: Input, options?: prediction.WorkerOptions): Promise<Tensor> {
    return this.request(() => prediction.predictOnWorkers(this, x, options))
  }

  /** Loss, or [loss, …metrics], over samples, on the calling thread. */
  evaluate(x: Input, y: Input, options?: prediction.BatchOptions): Tensor | Tensor[] {
    const values = numbersOf(prediction.evaluateHere(this, x, y, options))
    const scalars = [values].flat().map(value => new Tensor(Float32Array.of(value), [], 'float32'))
    return scalars.length === 1 ? scalars[0]! : scalars
  }

  /** Loss and metrics by name, on the workers. */
  evaluateAsync(x: Input, y: Input, options?: prediction.WorkerOptions): Promise<Logs> {
    return this.request(() => prediction.evaluateOnWorkers(this, x, y, options))
  }

  /**
   * Writes model.json and weights.bin, which TensorFlow.js reads too.
   * @throws RangeError for a URL that is not file://; the file system's own errors, the old files untouched
   */
  save(url: string): Promise<void> {
    return saveModel(this, url)
  }
}

/** A stack of layers. @throws as `Sequential.add` */
export function sequential(options?: SequentialOptions): Sequential {
  return new Sequential(options)
}
