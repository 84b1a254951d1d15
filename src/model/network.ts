import type { Input } from '../data/inputs.ts'
import { takeModelSeed } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import { show, suggestion } from '../errors.ts'
import { Graph } from '../graph/graph.ts'
import { bytesOf, type Parameter } from '../graph/parameter.ts'
import { sizeOf, type Value } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'
import { checkRecompute } from '../layers/options.ts'
import { isOpen, type OpenShape } from '../layers/shapes.ts'
import { checkWeights, type Owner } from '../layers/weighted.ts'
import { type Engine, sharedEngine } from '../runtime/engine.ts'
import type { Use } from './internals.ts'
import { KernelRandom } from './randomness.ts'
import { ModelState } from './state.ts'
import { type LayerSummary, layerSummaries, type SummaryRow, summarize } from './summary.ts'
import { namedWeights } from './weights.ts'

export interface NetworkOptions {
  name?: string
  /** Decides the initial weights; drawn if left out. See also `seed`. */
  seed?: number
  /**
   * As a layer of another model: whether training computes its values again when the gradients need them, from its
   * inputs, instead of keeping them until then: less memory, more time, the same bits.
   */
  recompute?: boolean
}

/** Sets of shapes whose outputs' are kept. */
const mostInferred = 256

/** Layers, how they are connected, and the memory of their weights. */
export abstract class Network implements Owner {
  readonly name: string
  abstract readonly layers: readonly Layer[]
  /** One a input: the shape of one sample. */
  abstract readonly inputShapes: readonly OpenShape[]
  abstract readonly outputShapes: readonly OpenShape[]
  abstract readonly inputNames: readonly string[]
  abstract readonly outputNames: readonly string[]
  /** Samples of every mini-batch, where the inputs fix that. */
  abstract readonly batchSize: number | undefined
  readonly recompute: boolean
  /** @internal */ readonly engine: Engine
  /** @internal */ use: Use = 'idle'
  private readonly initialSeed: number
  /** Output shapes by those of the inputs. */
  private readonly inferred = new Map<string, readonly (readonly number[])[]>()
  private built: ModelState | undefined
  private disposed = false
  /** Predictions and evaluations on the workers that are under way. */
  private requests = 0

  /** @internal */
  constructor(name: string, { seed, recompute }: NetworkOptions, engine = sharedEngine()) {
    checkRecompute(name, recompute)
    this.name = name
    this.recompute = recompute ?? false
    this.engine = engine
    this.initialSeed = seed ?? takeModelSeed()
  }

  /** @internal Records the layers on g: the outputs for the inputs. */
  abstract record(g: Graph, inputs: readonly Value[]): readonly Value[]
  /** @internal Lines of the summary's table: a layer, the shape of its output, and where its inputs come from. */
  protected abstract readonly rows: readonly SummaryRow[]

  /**
   * Of the outputs for samples of these shapes, where sizes are open.
   * @throws RangeError for sizes that a layer cannot take
   */
  outputShapesFor(inputShapes: readonly (readonly number[])[]): readonly (readonly number[])[] {
    const own = this.outputShapes
    if (!own.some(isOpen)) return own as readonly (readonly number[])[]
    const key = JSON.stringify(inputShapes)
    const known = this.inferred.get(key)
    if (known) return known
    const g = new Graph({ training: false, leaves: 1, rows: 1, batchSize: this.batchSize })
    const inputs = inputShapes.map(shape => g.batch('x', shape))
    const shapes = this.record(g, inputs).map(({ shape }) => shape)
    if (this.inferred.size === mostInferred) this.inferred.clear()
    this.inferred.set(key, shapes)
    return shapes
  }

  /** Shape of the output, the batch before it; a list of them where there are several. */
  get outputShape(): OpenShape | readonly OpenShape[] {
    const shapes = this.outputShapes.map(shape => [this.batchSize ?? null, ...shape])
    return shapes.length === 1 ? shapes[0]! : shapes
  }

  /**
   * The layer of this name, or with this number.
   * @throws RangeError if there is none
   */
  getLayer(nameOrIndex: string | number): Layer {
    const { layers } = this
    const found =
      typeof nameOrIndex === 'number' ? layers[nameOrIndex] : layers.find(layer => layer.name === nameOrIndex)
    if (found) return found
    const hint =
      typeof nameOrIndex === 'number'
        ? `there are ${layers.length} layers`
        : suggestion(
            nameOrIndex,
            layers.map(layer => layer.name),
          )
    throw new RangeError(`getLayer: a layer of ${this.name} must be named, got ${show(nameOrIndex)}; ${hint}`)
  }

  /** All weights, trainable ones first, as TensorFlow.js orders them. */
  get weights(): Weight[] {
    const all = [...new Set(this.layers.flatMap(layer => layer.weights))]
    return [...all.filter(weight => weight.trainable), ...all.filter(weight => !weight.trainable)]
  }

  get trainableWeights(): Weight[] {
    return this.weights.filter(weight => weight.trainable)
  }

  get nonTrainableWeights(): Weight[] {
    return this.weights.filter(weight => !weight.trainable)
  }

  get trainable(): boolean {
    return this.layers.some(layer => layer.trainable)
  }

  /** Freezes or frees all layers; takes effect at the next `compile`. */
  set trainable(trainable: boolean) {
    for (const layer of this.layers) layer.trainable = trainable
  }

  /** @internal What layers keep from one mini-batch to the next. */
  get states(): Parameter[] {
    return [...new Set(this.layers.flatMap(layer => layer.states))]
  }

  /** Whether a layer begins a mini-batch with what the one before left. */
  get stateful(): boolean {
    return this.layers.some(layer => layer.stateful)
  }

  /** Lets the next mini-batch begin anew: the states of all layers become zeros. */
  resetStates(): void {
    this.refuseWhileBusy('resetStates')
    for (const layer of this.layers) layer.resetStates()
  }

  /** @internal Declares weights and states changed by this model: others with the same layers take them over. */
  own(): void {
    this.state.own([...this.weights, ...this.states])
  }

  /** @internal */
  initialize(): void {
    void this.state
  }

  /** @internal The weights' memory; made, and filled by the initializers, at first use. */
  get state(): ModelState {
    if (this.disposed)
      throw new Error(`${this.name}: the model must not be disposed, got a disposed one; make a new one`)
    this.built ??= this.layOut([])
    this.built.sync()
    return this.built
  }

  /** @internal Makes the state anew, with room for more parameters; weights that have values keep them. */
  protected layOut(more: readonly Parameter[]): ModelState {
    const all = this.layers.flatMap(layer => layer.weights)
    this.refuseIfTooLarge(more)
    this.built?.free()
    this.built = new ModelState(this.engine.arena, [...new Set([...this.weights, ...this.states, ...more])])
    this.built.sync()
    for (const [site, weight] of all.entries()) {
      if (!weight.latest) this.fill(this.built, weight, site)
    }
    return this.built
  }

  /** @throws RangeError where weights and optimizer do not fit into the memory that is left; nothing is changed then */
  private refuseIfTooLarge(slots: readonly Parameter[]): void {
    const bytes = (parameters: readonly Parameter[]) =>
      parameters.reduce((sum, { shape, columnAxes }) => sum + bytesOf(shape, columnAxes), 0)
    const [weights, optimizer] = [bytes([...this.weights, ...this.states]), bytes(slots)]
    const { mostBytes, bytes: used } = this.engine.arena
    const left = mostBytes - used + (this.built?.bytes ?? 0)
    // Values are drawn beside the weights.
    const drawn = this.weights.filter(weight => !weight.latest).map(({ shape }) => 4 * sizeOf(shape) + 256)
    if (weights + optimizer + Math.max(64, ...drawn) <= left) return
    const parts = `${weights} of the weights + ${optimizer} of the optimizer`
    throw new RangeError(
      `${this.name}: the model must fit into the ${left} bytes that are left, got ${parts}; ` +
        'use fewer units or an optimizer with less state, or dispose of other models',
    )
  }

  private fill(state: ModelState, weight: Weight, site: number): void {
    const { config } = weight.initializer
    const own = typeof config.seed === 'number' ? config.seed : undefined
    // Sites lie apart, since an initializer may draw several arrays.
    const random = new KernelRandom(this.engine, own ?? this.initialSeed, own === undefined ? site * 1024 : 0)
    state.write(weight, weight.initializer.apply(weight.shape, random))
    state.own([weight])
  }

  /**
   * Copies of the weights, trainable ones first, or of these only. During training, outside callbacks, those of the
   * last snapshot.
   */
  getWeights(trainableOnly = false): Tensor[] {
    const { state } = this
    const base = this.use === 'training' ? state.snapshotAddress : state.address
    const wanted = trainableOnly ? this.trainableWeights : this.weights
    return wanted.map(weight => new Tensor(state.read(weight, base), weight.shape, 'float32'))
  }

  /**
   * Replaces all weights, in the order of getWeights.
   * @throws RangeError for another number of weights or other shapes; nothing is changed then
   */
  setWeights(weights: readonly Input[]): void {
    this.refuseWhileBusy('setWeights')
    const own = this.weights
    const values = checkWeights('setWeights', own, weights)
    const { state } = this
    for (const [i, weight] of own.entries()) state.write(weight, values[i]!)
    state.own(own)
  }

  /**
   * Replaces weights by name. With `strict` the names must be those of all weights.
   * @throws RangeError for other names or shapes; nothing is changed then
   */
  loadWeights(weights: Readonly<Record<string, Input>> | ReadonlyMap<string, Input>, strict = true): void {
    const given = namedWeights(this.weights, weights, strict)
    const current = this.getWeights()
    this.setWeights(this.weights.map(({ name }, i) => given.get(name) ?? current[i]!))
  }

  countParams(): number {
    return this.weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0)
  }

  /** The layers as a table shows them. */
  layerSummaries(): LayerSummary[] {
    return layerSummaries(this.rows)
  }

  /** Prints layers, output shapes, parameters and bytes, line by line. */
  summary(lineLength?: number, _positions?: number[], print: (line: string) => void = console.log): void {
    for (const line of summarize(this.name, this.rows, this.weights, lineLength)) print(line)
  }

  /** Gives the memory back; the model cannot be used any more. */
  dispose(): void {
    this.refuseWhileTraining('dispose')
    this.refuseWhileAsked('dispose')
    this.built?.free()
    this.built = undefined
    this.disposed = true
  }

  /** @internal Gives the memory of the weights back: the architecture has changed. */
  protected forgetState(): void {
    this.inferred.clear()
    this.built?.free()
    this.built = undefined
  }

  /** @internal Counts a request to the workers as long as it is under way. */
  protected async request<T>(run: () => Promise<T>): Promise<T> {
    this.requests++
    try {
      return await run()
    } finally {
      this.requests--
    }
  }

  /** @internal */ protected refuseWhileAsked(where: string): void {
    if (this.requests === 0) return
    throw new Error(`${where}: model is in use; wait for predictAsync() or evaluateAsync() to end`)
  }

  /** @internal As both; while training waits for a callback, the model may be changed. */
  refuseWhileBusy(where: string): void {
    if (this.use === 'training') this.refuseWhileTraining(where)
    this.refuseWhileAsked(where)
  }

  /** @internal */ protected refuseWhileTraining(where: string): void {
    if (this.use !== 'idle') throw new Error(`${where}: model is training; wait for fit() to end`)
  }
}
