import type { Input } from '../data/inputs.ts'
import type { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import { sizeOf, type Value } from '../graph/value.ts'
import { type Constraint, getConstraint } from '../training/constraints.ts'
import { getInitializer, type Initializer } from '../training/initializers.ts'
import { getRegularizer, type L1L2 } from '../training/regularizers.ts'
import { autoName } from './autoName.ts'
import { type Masking, spreadMasks } from './masks.ts'
import { type CommonConfig, inputShapeOf, type WeightOptions } from './options.ts'
import { savedConfig } from './saved.ts'
import { type OpenShape, outputShapesOf } from './shapes.ts'
import { giveStates, type StateValues } from './states.ts'
import { connect, type Node, oneOrAll, onlyUse, type SymbolicTensor } from './symbolic.ts'
import { Weighted } from './weighted.ts'

/** A parameter of a layer, with how it begins and what penalty it adds to the loss. */
export interface Weight extends Parameter {
  readonly initializer: Initializer
  readonly regularizer: L1L2 | null
  readonly constraint: Constraint | null
  /** Whether the layer's own `trainable` decides. */
  readonly learnt: boolean
}

/** What a layer's `build` works with. */
export interface Builder {
  readonly g: Graph
  readonly layer: Layer
  /** The layer's own. */
  readonly name: string
  /** What the names of its weights begin with: its name, or where it stands in the layer that contains it. */
  readonly scope: string
  /** The layer's weight of this name, made when it is first asked for. */
  weight(name: string, shape: readonly number[], options: WeightOptions): Value
  /**
   * What the layer keeps of each place in the mini-batch for the next one (see `keep` in ops/state.ts), zeros at
   * first: `shape` a sample. Refuses mini-batches of no fixed size.
   */
  state(name: string, shape: readonly number[]): Value
  /** Throws a RangeError in the layer's name. */
  refuse(message: string): never
}

/** Records a layer on a graph: its outputs for its inputs. */
export type Recorder = (builder: Builder, inputs: readonly Value[]) => readonly Value[]

/** A layer of a model: its configuration, and how it records itself on a graph. */
export class Layer extends Weighted {
  readonly className: string
  readonly name: string
  /** The saved form: every option with its value. */
  readonly config: Readonly<Record<string, unknown>>
  readonly batchInputShape: readonly (number | null)[] | undefined
  readonly activityRegularizer: L1L2 | null
  readonly recompute: boolean
  /** @internal Its uses in functional models, in the order of `apply`. */
  readonly nodes: Node[] = []
  /** @internal Of each of its uses the shapes of its outputs, the batch before them. */
  readonly madeShapes: (readonly OpenShape[])[] = []
  /** What the weights are to be at first, as long as there are none. */
  private first: readonly Input[] | undefined
  private readonly own = new Map<string, Weight>()
  private readonly kept = new Map<string, Parameter>()
  private readonly record: Recorder
  private readonly masking: Masking
  private learns: boolean

  /** @internal */
  constructor(
    className: string,
    config: Record<string, unknown>,
    common: CommonConfig,
    record: Recorder,
    masking: Masking = 'notes',
  ) {
    super()
    this.className = className
    this.name = common.name ?? autoName(className)
    this.config = config
    this.batchInputShape = inputShapeOf(common)
    this.first = common.weights ?? undefined
    this.activityRegularizer = getRegularizer(common.activityRegularizer)
    this.recompute = common.recompute ?? false
    this.learns = common.trainable ?? true
    this.record = record
    this.masking = masking
  }

  get weights(): readonly Weight[] {
    return [...this.own.values()]
  }

  /** @internal What it keeps from one mini-batch to the next: a row for each sample. */
  get states(): readonly Parameter[] {
    return [...this.kept.values()]
  }

  /** Whether a mini-batch begins where the one before ended. */
  get stateful(): boolean {
    return this.config.stateful === true
  }

  /**
   * Lets the next mini-batch begin with these states, in the order in which the layer returns them, or with zeros.
   * @throws RangeError for another number of states or samples
   */
  resetStates(given?: StateValues | readonly StateValues[]): void {
    giveStates(this.name, this.states, given)
  }

  /** What it was applied to, in a functional model. @throws Error unless it was applied once */
  get input(): SymbolicTensor | readonly SymbolicTensor[] {
    return oneOrAll(onlyUse(this).inputs)
  }

  /** What it made of that. @throws as `input` */
  get output(): SymbolicTensor | readonly SymbolicTensor[] {
    return oneOrAll(onlyUse(this).outputs)
  }

  /** Shape of its output, the batch before it; of all if there are several. @throws Error where it has none, or several */
  get outputShape(): OpenShape | readonly OpenShape[] {
    const shapes = new Set(this.madeShapes.map(made => JSON.stringify(made)))
    if (shapes.size === 1) return oneOrAll(this.madeShapes[0]!)
    throw new Error(
      `${this.name}: the layer must be in a model, with outputs of one shape, got ${shapes.size}; ask computeOutputShape()`,
    )
  }

  /**
   * Shape of the output for that of the input, both with the batch before them; lists for several.
   * @throws RangeError for shapes that the layer cannot take
   */
  computeOutputShape(inputShape: OpenShape | readonly OpenShape[]): OpenShape | readonly OpenShape[] {
    const inputs = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as readonly OpenShape[]
    const [batchSize = null] = inputs[0]!
    const { first } = this
    const isNew = this.weights.length === 0
    this.first = undefined
    try {
      const shapes = inputs.map(shape => shape.slice(1))
      return oneOrAll(
        outputShapesOf(this, shapes, batchSize ?? undefined).map(shape => [batchSize, ...shape]),
      )
    } finally {
      this.first = first
      if (isNew) this.forgetWeights()
    }
  }

  /** Every option with its value, as it is saved: initializers and the like as { className, config }. */
  getConfig(): Record<string, unknown> {
    return savedConfig(this)
  }

  /** @internal As before its first use. */
  forgetWeights(): void {
    this.own.clear()
    this.kept.clear()
  }

  get trainable(): boolean {
    return this.learns
  }

  /** Freezes or frees the weights; takes effect at the next `compile`. */
  set trainable(trainable: boolean) {
    this.learns = trainable
    for (const weight of this.own.values()) weight.trainable = weight.learnt && trainable
  }

  /** @internal Records the layer on g, with one input or several; makes the weights the first time. */
  build(g: Graph, ...inputs: readonly Value[]): Value {
    return this.buildAll(g, inputs)[0]!
  }

  /** @internal What the layer records itself with, its weights named after `scope`. */
  protected builder(g: Graph, scope: string): Builder {
    const { name } = this
    return {
      g,
      layer: this,
      name,
      scope,
      weight: (weightName, shape, options) => g.parameter(this.weight(scope, weightName, shape, options)),
      state: (stateName, shape) => g.view(g.parameter(this.state(stateName, shape, g.batchSize)), shape),
      refuse(message) {
        throw new RangeError(`${name}: ${message}`)
      },
    }
  }

  /** @internal Whether its values are computed again for its gradients. */
  protected isBlock(_g: Graph): boolean {
    return this.recompute
  }

  /** @internal As build: all outputs. Inside another layer, `scope` is what weights are named after. */
  buildAll(g: Graph, inputs: readonly Value[], scope = this.name): readonly Value[] {
    const record = () => this.record(this.builder(g, scope), inputs)
    const outputs = this.isBlock(g) ? g.recomputed(record) : record()
    const { first } = this
    this.first = undefined
    if (first) this.setWeights(first)
    const penalty = this.activityRegularizer?.config
    if (penalty) g.penalized.push(...outputs.map(y => ({ y, ...penalty })))
    return this.masking === 'notes' ? outputs : spreadMasks(g, this.masking, inputs, outputs)
  }

  /**
   * The layer's output for the output of other layers, in a functional model; applied again, it shares its
   * weights. @throws RangeError for shapes that the layer cannot take
   */
  apply(inputs: SymbolicTensor): SymbolicTensor
  apply(inputs: readonly SymbolicTensor[]): SymbolicTensor | SymbolicTensor[]
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor | SymbolicTensor[] {
    const outputs = connect(this, [inputs].flat())
    return outputs.length === 1 ? outputs[0]! : outputs
  }

  /** The one of this name, which must have this shape. */
  private known<P extends Parameter>(all: ReadonlyMap<string, P>, name: string, shape: readonly number[]) {
    const found = all.get(name)
    if (found && String(found.shape) !== String(shape))
      throw new RangeError(
        `${this.name}: ${name} must keep its shape [${found.shape}], got [${shape}]; make a new layer`,
      )
    return found
  }

  private state(stateName: string, sample: readonly number[], batchSize: number | undefined): Parameter {
    if (batchSize === undefined)
      throw new RangeError(
        `${this.name}: with stateful all mini-batches must have one size, got none; ` +
          `begin the model with batchInputShape or batchShape, [32, …]`,
      )
    // Rows lie one behind the other, as those of other values: a parameter of one row does.
    const shape = [batchSize * sizeOf(sample)]
    const known = this.known(this.kept, stateName, shape)
    if (known) return known
    const state = { name: `${this.name}/${stateName}`, shape, trainable: false, offset: 0 }
    this.kept.set(stateName, state)
    return state
  }

  private weight(
    scope: string,
    weightName: string,
    shape: readonly number[],
    options: WeightOptions,
  ): Weight {
    const known = this.known(this.own, weightName, shape)
    if (known) return known
    const learnt = options.trainable ?? true
    const constraint = getConstraint(options.constraint)
    constraint?.check(`${this.name}: constraint of ${weightName}`, shape, options.columnAxes)
    const weight: Weight = {
      name: `${scope}/${weightName}`,
      shape,
      columnAxes: options.columnAxes,
      learnt,
      trainable: learnt && this.learns,
      offset: 0,
      initializer: getInitializer(options.initializer),
      regularizer: options.regularizer ? getRegularizer(options.regularizer) : null,
      constraint,
    }
    this.own.set(weightName, weight)
    return weight
  }
}
