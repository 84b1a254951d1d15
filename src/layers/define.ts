import { checkOptions, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import type { Value } from '../graph/value.ts'
import { type Constraint, type ConstraintIdentifier, getConstraint } from '../training/constraints.ts'
import { getInitializer, type Initializer, type InitializerIdentifier } from '../training/initializers.ts'
import { getRegularizer, type L1L2, type RegularizerIdentifier } from '../training/regularizers.ts'
import { autoName } from './autoName.ts'
import { type Masking, spreadMasks } from './masks.ts'
import { type CommonConfig, checkCommon, commonKeys } from './options.ts'
import { connect, type Node, type SymbolicTensor } from './symbolic.ts'

/** Marks an option that must be given. */
export const requiredOption: unique symbol = Symbol('required')
export type Required<T> = { readonly [requiredOption]: T }

/** The default of an option that has none: it must be given. */
export const required = <T>(): Required<T> => ({ [requiredOption]: undefined }) as Required<T>

type RequiredKeys<D> = { [K in keyof D]: D[K] extends Required<unknown> ? K : never }[keyof D]
type ValueOf<T> = T extends Required<infer U> ? U : T

/** What a user writes: required options, and any of the others. */
export type ConfigOf<D> = { [K in RequiredKeys<D>]: ValueOf<D[K]> } & {
  [K in Exclude<keyof D, RequiredKeys<D>>]?: D[K] | null
} & CommonConfig

/** What `build` sees: every option, defaults filled in. */
export type FullConfig<D> = { [K in keyof D]: ValueOf<D[K]> }

export interface WeightOptions {
  readonly initializer: InitializerIdentifier
  readonly regularizer?: RegularizerIdentifier | null
  readonly constraint?: ConstraintIdentifier | null
  /** false for statistics that the optimizer never touches. */
  readonly trainable?: boolean
  /** As `Parameter.columnAxes`. */
  readonly columnAxes?: number
}

/** A layer's options `kernelInitializer`, `kernelRegularizer` and `kernelConstraint` as those of its weight. */
export function weightOptions<P extends string>(
  prefix: P,
  config: { readonly [K in `${P}Initializer`]: InitializerIdentifier } & {
    readonly [K in `${P}Regularizer`]?: RegularizerIdentifier | null
  } & { readonly [K in `${P}Constraint`]?: ConstraintIdentifier | null },
): WeightOptions {
  const options = config as Readonly<Record<string, unknown>>
  return {
    initializer: options[`${prefix}Initializer`],
    regularizer: options[`${prefix}Regularizer`],
    constraint: options[`${prefix}Constraint`],
  } as WeightOptions
}

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
  /** Throws a RangeError in the layer's name. */
  refuse(message: string): never
}

/** Records a layer on a graph: its outputs for its inputs. */
export type Recorder = (builder: Builder, inputs: readonly Value[]) => readonly Value[]

/** A layer of a model: its configuration, and how it records itself on a graph. */
export class Layer {
  readonly className: string
  readonly name: string
  /** The saved form: every option with its value. */
  readonly config: Readonly<Record<string, unknown>>
  readonly batchInputShape: readonly (number | null)[] | undefined
  readonly activityRegularizer: L1L2 | null
  /** Its uses in functional models, in the order of `apply`. */
  readonly nodes: Node[] = []
  private readonly own = new Map<string, Weight>()
  private readonly record: Recorder
  private readonly masking: Masking
  private learns: boolean

  constructor(
    className: string,
    config: Record<string, unknown>,
    common: CommonConfig,
    record: Recorder,
    masking: Masking = 'notes',
  ) {
    this.className = className
    this.name = common.name ?? autoName(className)
    this.config = config
    this.batchInputShape = common.batchInputShape ?? (common.inputShape && [null, ...common.inputShape])
    this.activityRegularizer = getRegularizer(common.activityRegularizer)
    this.learns = common.trainable ?? true
    this.record = record
    this.masking = masking
  }

  get weights(): readonly Weight[] {
    return [...this.own.values()]
  }

  get trainable(): boolean {
    return this.learns
  }

  /** Freezes or frees the weights; takes effect at the next `compile`. */
  set trainable(trainable: boolean) {
    this.learns = trainable
    for (const weight of this.own.values()) weight.trainable = weight.learnt && trainable
  }

  /** Records the layer on g, with one input or several; makes the weights the first time. */
  build(g: Graph, ...inputs: readonly Value[]): Value {
    return this.buildAll(g, inputs)[0]!
  }

  /** What the layer records itself with, its weights named after `scope`. */
  protected builder(g: Graph, scope: string): Builder {
    const { name } = this
    return {
      g,
      layer: this,
      name,
      scope,
      weight: (weightName, shape, options) => g.parameter(this.weight(scope, weightName, shape, options)),
      refuse(message) {
        throw new RangeError(`${name}: ${message}`)
      },
    }
  }

  /** As build: all outputs. Inside another layer, `scope` is what weights are named after. */
  buildAll(g: Graph, inputs: readonly Value[], scope = this.name): readonly Value[] {
    const outputs = this.record(this.builder(g, scope), inputs)
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

  private weight(
    scope: string,
    weightName: string,
    shape: readonly number[],
    options: WeightOptions,
  ): Weight {
    const known = this.own.get(weightName)
    if (known) {
      if (String(known.shape) !== String(shape)) {
        throw new RangeError(
          `${this.name}: ${weightName} must keep its shape [${known.shape}], got [${shape}]; make a new layer`,
        )
      }
      return known
    }
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

/** The factory that each layer is from. */
export const makers = new WeakMap<Layer, (options: object) => Layer>()

/** A kind of layers with methods of its own. */
export type LayerClass<L extends Layer> = new (...args: ConstructorParameters<typeof Layer>) => L

/** Makes a layer from its options. */
export interface LayerFactory<D, L extends Layer = Layer> {
  (config: ConfigOf<D>): L
  readonly className: string
  readonly defaults: D
}

/**
 * A kind of layer. `defaults` names every option once: its default, or `required()`; it is the documentation,
 * the check of what a user writes, and the saved form. `check` refuses wrong values; `build` records the
 * layer on a graph, asking for its weights as it goes, and its result's shape is the layer's output shape;
 * `masking` says what becomes of a mask.
 */
export function defineLayer<D extends object, L extends Layer = Layer>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, x: Value, config: FullConfig<D>) => Value,
  masking: Masking = 'drops',
  kind?: LayerClass<L>,
): LayerFactory<D, L> {
  const buildOne = (builder: Builder, inputs: readonly Value[], config: FullConfig<D>): Value => {
    if (inputs.length !== 1) builder.refuse(`it must have one input, got ${inputs.length}; give it one`)
    return build(builder, inputs[0]!, config)
  }
  return defineAll(className, defaults, check, buildOne, masking, kind)
}

/** As `defineLayer`, for a layer of several inputs. */
export function defineJoin<D extends object>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, inputs: readonly Value[], config: FullConfig<D>) => Value,
  masking: Masking = 'drops',
): LayerFactory<D> {
  return defineAll(className, defaults, check, build, masking)
}

/** As `defineLayer`, for a layer of several inputs and outputs. */
export function defineAll<D extends object, L extends Layer = Layer>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, inputs: readonly Value[], config: FullConfig<D>) => Value | readonly Value[],
  masking: Masking,
  kind: LayerClass<L> = Layer as LayerClass<L>,
): LayerFactory<D, L> {
  const names = [...Object.keys(defaults), ...commonKeys]
  const make = (given?: ConfigOf<D>): L => {
    checkOptions(className, given, names)
    const options = (given ?? {}) as Record<string, unknown>
    checkCommon(className, options)
    const config: Record<string, unknown> = {}
    for (const [name, byDefault] of Object.entries(defaults)) {
      const value = options[name]
      const mustBeGiven = typeof byDefault === 'object' && byDefault !== null && requiredOption in byDefault
      if ((value === undefined || value === null) && mustBeGiven) {
        throw new TypeError(`${className}: ${name} must be given, got ${show(value)}; add it to the options`)
      }
      config[name] = value === undefined || (value === null && byDefault !== null) ? byDefault : value
    }
    check(className, config as FullConfig<D>)
    const record: Recorder = (builder, inputs) => [build(builder, inputs, config as FullConfig<D>)].flat()
    const layer = new kind(className, config, options, record, masking)
    makers.set(layer, make as (options: object) => Layer)
    return layer
  }
  return Object.assign(make as (config: ConfigOf<D>) => L, { className, defaults })
}
