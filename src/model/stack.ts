import type { Input } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, show } from '../errors.ts'
import { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'
import { Layer, type Weight } from '../layers/define.ts'
import { type Engine, sharedEngine } from '../runtime/engine.ts'
import type { Use } from './internals.ts'
import { KernelRandom, takeModelSeed } from './randomness.ts'
import { ModelState } from './state.ts'
import { summarize } from './summary.ts'
import { checkWeights } from './weights.ts'

export interface SequentialOptions {
  layers?: readonly Layer[]
  name?: string
  /** Decides the initial weights; drawn if left out. See also `seed`. */
  seed?: number
}

let models = 0

/** Layers, each fed by the one before, and their weights. */
export class Stack {
  readonly name: string
  readonly layers: Layer[] = []
  readonly engine: Engine
  use: Use = 'idle'
  private readonly initialSeed: number
  private readonly shapes: (readonly number[])[] = []
  private built: ModelState | undefined
  private disposed = false
  /** Predictions and evaluations on the workers that are under way. */
  private requests = 0

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

  /** Makes the state anew with room for more parameters; the weights keep their values. */
  protected layOut(more: readonly Parameter[]): ModelState {
    const values = this.weights.map(weight => this.state.read(weight))
    this.built?.free()
    this.built = new ModelState(this.engine.arena, [...this.weights, ...more])
    for (const [i, weight] of this.weights.entries()) this.built.write(weight, values[i]!)
    return this.built
  }

  /**
   * Copies of the weights, trainable ones first. During training, outside callbacks, those of the last
   * snapshot.
   */
  getWeights(): Tensor[] {
    const { state } = this
    const base = this.use === 'training' ? state.snapshotAddress : state.address
    return this.weights.map(weight => new Tensor(state.read(weight, base), weight.shape, 'float32'))
  }

  /**
   * Replaces all weights, in the order of getWeights.
   * @throws RangeError for another number of weights or other shapes; nothing is changed then
   */
  setWeights(weights: readonly Input[]): void {
    if (this.use === 'training') this.refuseWhileTraining('setWeights')
    this.refuseWhileAsked('setWeights')
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

  /** Gives the memory back; the model cannot be used any more. */
  dispose(): void {
    this.refuseWhileTraining('dispose')
    this.refuseWhileAsked('dispose')
    this.built?.free()
    this.built = undefined
    this.disposed = true
  }

  /** Counts a request to the workers as long as it is under way. */
  protected async request<T>(run: () => Promise<T>): Promise<T> {
    this.requests++
    try {
      return await run()
    } finally {
      this.requests--
    }
  }

  protected refuseWhileAsked(where: string): void {
    if (this.requests === 0) return
    throw new Error(`${where}: model is in use; wait for predictAsync() or evaluateAsync() to end`)
  }

  protected refuseWhileTraining(where: string): void {
    if (this.use !== 'idle') throw new Error(`${where}: model is training; wait for fit() to end`)
  }
}
