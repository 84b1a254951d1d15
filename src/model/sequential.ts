import type { Tensor } from '../data/tensor.ts'
import { checkOptions, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { Layer } from '../layers/define.ts'
import { type OpenShape, outputShapesOf } from '../layers/shapes.ts'
import type { Engine } from '../runtime/engine.ts'
import { NestedLayer } from './nested.ts'
import type { NetworkOptions } from './network.ts'
import { Trainable } from './trainable.ts'

export interface SequentialOptions extends NetworkOptions {
  layers?: readonly (Layer | Trainable)[]
}

let models = 0

/** A stack of layers, each fed by the one before. */
export class Sequential extends Trainable<Tensor> {
  readonly className = 'Sequential'
  readonly layers: Layer[] = []
  /** Of the input, then of each layer's output, for one sample. */
  private readonly shapes: OpenShape[] = []

  constructor(options?: SequentialOptions)
  /** @internal */
  constructor(options?: SequentialOptions, engine?: Engine)
  constructor(options: SequentialOptions = {}, engine?: Engine) {
    checkOptions('sequential', options, ['layers', 'name', 'seed', 'recompute'])
    super(options.name ?? `sequential_${++models}`, options, engine)
    for (const layer of options.layers ?? []) this.add(layer)
  }

  /**
   * Puts a layer, or a whole model, on top.
   * @throws TypeError for something else than a layer, Error where the first has no inputShape, RangeError
   * for a shape that the layer cannot take
   */
  add(given: Layer | Trainable): void {
    const layer = given instanceof Trainable ? new NestedLayer(given) : given
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
    const input = this.layers.length === 0 ? first!.slice(1) : this.outputShapes[0]!
    const batchSize = this.batchSize ?? first?.[0] ?? undefined
    const [shape, ...others] = outputShapesOf(layer, [input], batchSize)
    if (others.length > 0)
      throw new RangeError(
        `add: ${layer.name} must have one output in a stack, got ${others.length + 1}; use ls.model()`,
      )
    if (this.layers.length === 0) this.shapes.push(input)
    this.layers.push(layer)
    layer.owner = this
    this.shapes.push(shape!)
    layer.madeShapes.push([[batchSize ?? null, ...shape!]])
    this.forgetState()
    this.forgetCompiled()
  }

  /**
   * Takes the last layer away.
   * @throws Error where there is none
   */
  pop(): void {
    this.refuseWhileTraining('pop')
    if (this.layers.length === 0) throw new Error(`pop: ${this.name} must have layers, got none; call add()`)
    this.layers.pop()!.madeShapes.pop()
    this.shapes.pop()
    if (this.layers.length === 0) this.shapes.pop()
    this.forgetState()
    this.forgetCompiled()
  }

  get inputShapes(): readonly OpenShape[] {
    if (!this.shapes[0]) throw new Error(`${this.name}: the model must have layers, got none; call add()`)
    return [this.shapes[0]]
  }

  get outputShapes(): readonly OpenShape[] {
    return [this.shapes.at(-1) ?? this.inputShapes[0]!]
  }

  get batchSize(): number | undefined {
    return this.layers[0]?.batchInputShape?.[0] ?? undefined
  }

  get inputNames(): readonly string[] {
    return [`${this.layers[0]!.name}_input`]
  }

  get outputNames(): readonly string[] {
    return [this.layers.at(-1)!.name]
  }

  /** @internal */
  record(g: Graph, [x]: readonly Value[]): readonly Value[] {
    return [this.layers.reduce((value, layer) => layer.build(g, value), x!)]
  }

  /** @internal */
  protected get rows() {
    return this.layers.map((layer, i) => ({ layer, shape: this.shapes[i + 1]! }))
  }
}

/** A stack of layers. @throws as `Sequential.add` */
export function sequential(options?: SequentialOptions): Sequential {
  return new Sequential(options)
}
