import { type Input, toRows } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, positiveInteger, show } from '../errors.ts'
import { Graph } from '../graph/graph.ts'
import { sizeOf } from '../graph/value.ts'
import { Layer, type Weight } from '../layers/define.ts'
import { type Engine, sharedEngine } from '../runtime/engine.ts'
import type { Logs } from '../training/callback.ts'
import { getLoss, type Loss, type LossName } from '../training/losses.ts'
import { getMetric, type Metric, type MetricName } from '../training/metrics.ts'
import type { Optimizer } from '../training/optimizer.ts'
import { getOptimizer, type OptimizerName } from '../training/optimizers.ts'
import { checkFitData } from './fitData.ts'
import type { Internals, Use } from './internals.ts'
import { readableState } from './internals.ts'
import { numbersOf } from './logs.ts'
import { checkFitOptions, type FitOptions } from './options.ts'
import * as prediction from './prediction.ts'
import { KernelRandom, takeModelSeed } from './randomness.ts'
import type { Compiled } from './record.ts'
import { saveModel } from './saving.ts'
import { ModelState } from './state.ts'
import { summarize } from './summary.ts'
import { type History, Training } from './training.ts'
import { trainOneBatch } from './trainOnBatch.ts'
import { checkWeights, makeSlots } from './weights.ts'

export interface SequentialOptions {
  layers?: readonly Layer[]
  name?: string
  /** Decides the initial weights; drawn if left out. See also `seed`. */
  seed?: number
}

export interface CompileOptions {
  optimizer: OptimizerName | Optimizer
  loss: LossName | Loss
  metrics?: MetricName | Metric | readonly (MetricName | Metric)[]
  /** Fixed parts of a mini-batch whose gradients are summed in a fixed tree. Default 1. */
  leaves?: number
}

let models = 0

/** A stack of layers, each fed by the one before. */
export class Sequential implements Internals {
  readonly className = 'Sequential'
  readonly name: string
  readonly layers: Layer[] = []
  readonly engine: Engine
  /** Set to true during training, ends it after the step. */
  stopTraining = false
  use: Use = 'idle'
  epochsTrained = 0
  private readonly initialSeed: number
  private built: ModelState | undefined
  private settled: Compiled | undefined
  private shapes: (readonly number[])[] = []
  private disposed = false

  constructor(options: SequentialOptions = {}, engine = sharedEngine()) {
    checkOptions('sequential', options, ['layers', 'name', 'seed'])
    this.name = options.name ?? `sequential_${++models}`
    this.engine = engine
    this.initialSeed = options.seed ?? takeModelSeed()
    for (const layer of options.layers ?? []) this.add(layer)
  }

  /**
   * Puts a layer on top.
   * @throws TypeError for something else than a layer, Error where the first has no inputShape, RangeError
   * for a shape that the layer cannot take
   */
  add(layer: Layer): void {
    if (!(layer instanceof Layer))
      throw new TypeError(`add: a layer must be made by ls.layers, got ${show(layer)}; try ls.layers.dense()`)
    this.refuseWhileTraining('add')
    if (this.layers.includes(layer))
      throw new Error(`add: ${layer.name} must be a new layer, got one of this model; make another`)
    const first = layer.batchInputShape
    if (this.layers.length === 0 && !first) {
      throw new Error(
        'sequential: the first layer must have inputShape, got none; add inputShape: [784], say',
      )
    }
    const input = this.layers.length === 0 ? first!.slice(1).map(Number) : this.outputShape
    const g = new Graph({ training: false, leaves: 1, rows: 1 })
    const { shape } = layer.build(g, g.batch('x', input))
    if (this.layers.length === 0) this.shapes.push(input)
    this.layers.push(layer)
    this.shapes.push(shape)
    this.built?.free()
    this.built = undefined
    this.settled = undefined
  }

  /** Shape of one sample. */
  get inputShape(): readonly number[] {
    if (!this.shapes[0]) throw new Error(`${this.name}: the model must have layers, got none; call add()`)
    return this.shapes[0]
  }

  get outputShape(): readonly number[] {
    return this.shapes.at(-1) ?? this.inputShape
  }

  /** Output shape of each layer, for one sample. */
  get layerShapes(): readonly (readonly number[])[] {
    return this.shapes.slice(1)
  }

  /** All weights, trainable ones first, as TensorFlow.js orders them. */
  get weights(): Weight[] {
    const all = this.layers.flatMap(layer => layer.weights)
    return [...all.filter(weight => weight.trainable), ...all.filter(weight => !weight.trainable)]
  }

  /** The weights' memory; made, and filled by the initializers, at first use. */
  get state(): ModelState {
    if (this.disposed)
      throw new Error(`${this.name}: the model must not be disposed, got a disposed one; make a new one`)
    if (!this.built) {
      this.built = new ModelState(this.engine.arena, this.weights)
      for (const [site, weight] of this.layers.flatMap(layer => layer.weights).entries()) {
        const { config } = weight.initializer
        const own = typeof config.seed === 'number' ? config.seed : undefined
        // Sites lie apart, since an initializer may draw several arrays.
        const random = new KernelRandom(
          this.engine,
          own ?? this.initialSeed,
          own === undefined ? site * 1024 : 0,
        )
        this.built.write(weight, weight.initializer.apply(weight.shape, random))
      }
    }
    return this.built
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
    const loss = getLoss(options.loss)
    const optimizer = getOptimizer(options.optimizer)
    const leaves = positiveInteger('compile', 'leaves', options.leaves ?? 1)
    const wanted = [options.metrics ?? []].flat() as (MetricName | Metric)[]
    const metrics = wanted.map(metric => getMetric(metric, loss, this.outputShape))
    const before = this.weights.map(weight => this.state.read(weight))
    const slots = makeSlots(this.weights, optimizer)
    this.built?.free()
    this.built = new ModelState(this.engine.arena, [...this.weights, ...[...slots.values()].flat()])
    for (const [i, weight] of this.weights.entries()) this.built.write(weight, before[i]!)
    for (const arrays of slots.values()) {
      for (const [i, slot] of arrays.entries()) this.built.fill(slot, optimizer.slots[i]!.initial)
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
    this.use = 'training'
    this.state.takeSnapshot()
    try {
      const most = settings.workers === 'auto' ? this.engine.cores : settings.workers
      return await this.engine.withRun(most, settings.stallMs, run =>
        new Training(this, run, data, settings).train(),
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
    return prediction.predictOnWorkers(this, x, options)
  }

  /** Loss, or [loss, …metrics], over samples, on the calling thread. */
  evaluate(x: Input, y: Input, options?: prediction.BatchOptions): Tensor | Tensor[] {
    const values = numbersOf(prediction.evaluateHere(this, x, y, options))
    const scalars = [values].flat().map(value => new Tensor(Float32Array.of(value), [], 'float32'))
    return scalars.length === 1 ? scalars[0]! : scalars
  }

  /** Loss and metrics by name, on the workers. */
  evaluateAsync(x: Input, y: Input, options?: prediction.WorkerOptions): Promise<Logs> {
    return prediction.evaluateOnWorkers(this, x, y, options)
  }

  /**
   * Copies of the weights, trainable ones first. During training, outside callbacks, those of the last
   * snapshot.
   */
  getWeights(): Tensor[] {
    const { state } = this
    const base = readableState(this)
    return this.weights.map(weight => new Tensor(state.read(weight, base), weight.shape, 'float32'))
  }

  /**
   * Replaces all weights, in the order of getWeights.
   * @throws RangeError for another number of weights or other shapes; nothing is changed then
   */
  setWeights(weights: readonly Input[]): void {
    if (this.use === 'training') this.refuseWhileTraining('setWeights')
    const own = this.weights
    const values = checkWeights(own, weights)
    for (const [i, weight] of own.entries()) this.state.write(weight, values[i]!)
  }

  countParams(): number {
    return this.weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0)
  }

  /** Prints layers, output shapes, parameters and bytes, line by line. */
  summary(lineLength?: number, _positions?: number[], print: (line: string) => void = console.log): void {
    for (const line of summarize(this, lineLength)) print(line)
  }

  /**
   * Writes model.json and weights.bin, which TensorFlow.js reads too.
   * @throws RangeError for a URL that is not file://; the file system's own errors, the old files untouched
   */
  save(url: string): Promise<void> {
    return saveModel(this, url)
  }

  /** Gives the memory back; the model cannot be used any more. */
  dispose(): void {
    this.refuseWhileTraining('dispose')
    this.built?.free()
    this.built = undefined
    this.disposed = true
  }

  private refuseWhileTraining(where: string): void {
    if (this.use !== 'idle') throw new Error(`${where}: model is training; wait for fit() to end`)
  }
}

/** A stack of layers. @throws as `Sequential.add` */
export function sequential(options?: SequentialOptions): Sequential {
  return new Sequential(options)
}
