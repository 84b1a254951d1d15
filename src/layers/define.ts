import { checkOptions, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { type Builder, Layer, type Recorder } from './layer.ts'
import type { Masking } from './masks.ts'
import { type ConfigOf, checkCommon, commonKeys, type FullConfig, requiredOption } from './options.ts'

export { type Builder, Layer, type Recorder, type Weight } from './layer.ts'

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

/** What stands for an option that is left out or null: its default; null for an activation of a layer of gates is none. */
function meaning(name: string, value: undefined | null, defaults: object): unknown {
  const byDefault = (defaults as Readonly<Record<string, unknown>>)[name]
  const isOfGates = 'recurrentActivation' in defaults && /activation$/i.test(name)
  return value === null && isOfGates ? 'linear' : byDefault
}

/**
 * A kind of layer with any number of inputs and outputs. `defaults` names every option once: its default, or
 * `required()`; it is the documentation, the check of what a user writes, and the saved form. `check` refuses wrong
 * values; `build` records the layer on a graph, asking for its weights as it goes, and the shapes of its results are
 * the layer's output shapes; `masking` says what becomes of a mask.
 */
export function defineNetwork<D extends object, L extends Layer = Layer>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, inputs: readonly Value[], config: FullConfig<D>) => readonly Value[],
  masking: Masking = 'drops',
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
      config[name] = value === undefined || value === null ? meaning(name, value, defaults) : value
    }
    check(className, config as FullConfig<D>)
    const record: Recorder = (builder, inputs) => build(builder, inputs, config as FullConfig<D>)
    const layer = new kind(className, config, options, record, masking)
    makers.set(layer, make as (options: object) => Layer)
    return layer
  }
  return Object.assign(make as (config: ConfigOf<D>) => L, { className, defaults })
}

/** As `defineNetwork`, for a layer of one output. */
export function defineJoin<D extends object>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, inputs: readonly Value[], config: FullConfig<D>) => Value,
  masking?: Masking,
): LayerFactory<D> {
  return defineNetwork(className, defaults, check, (...given) => [build(...given)], masking)
}

/** As `defineNetwork`, for a layer of one input and one output. */
export function defineLayer<D extends object, L extends Layer = Layer>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, x: Value, config: FullConfig<D>) => Value,
  masking?: Masking,
  kind?: LayerClass<L>,
): LayerFactory<D, L> {
  const buildOne = (builder: Builder, inputs: readonly Value[], config: FullConfig<D>): Value[] => {
    if (inputs.length !== 1) builder.refuse(`it must have one input, got ${inputs.length}; give it one`)
    return [build(builder, inputs[0]!, config)]
  }
  return defineNetwork(className, defaults, check, buildOne, masking, kind)
}
