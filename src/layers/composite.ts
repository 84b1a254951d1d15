import { isPlainObject, show } from '../errors.ts'
import type { Parameter } from '../graph/parameter.ts'
import type { Value } from '../graph/value.ts'
import {
  type Builder,
  defineNetwork,
  Layer,
  type LayerClass,
  type LayerFactory,
  makers,
  type Weight,
} from './define.ts'
import type { Masking } from './masks.ts'
import type { ConfigOf, FullConfig } from './options.ts'
import { innerOptions } from './saved.ts'

/** What stands for a layer: one, or a model. */
export type LayerLike = Layer | { toLayer(): Layer }

/**
 * A layer that may contain others, given as options (`innerOptions`). Behind its own weights are theirs, named after
 * this layer, and `trainable` is handed on to them. Its `build` records them by `buildAll(g, inputs, scope)`: on the
 * same graph, so that call sites of random numbers differ, and so that their penalties count.
 */
export class Composite extends Layer {
  /** In the order of their weights. */
  readonly inner: readonly Layer[]

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args)
    this.inner = this.contents()
    if (args[2].trainable === false) this.trainable = false
  }

  protected contents(): readonly Layer[] {
    return innerOptions.flatMap(name => this.config[name] ?? []) as Layer[]
  }

  override get weights(): readonly Weight[] {
    return [...super.weights, ...this.inner.flatMap(layer => layer.weights)]
  }

  override get states(): readonly Parameter[] {
    return [...super.states, ...this.inner.flatMap(layer => layer.states)]
  }

  override get stateful(): boolean {
    return super.stateful || this.inner.some(layer => layer.stateful)
  }

  override get trainable(): boolean {
    return this.inner.length === 0 ? super.trainable : this.inner.some(layer => layer.trainable)
  }

  override set trainable(trainable: boolean) {
    super.trainable = trainable
    for (const layer of this.inner) layer.trainable = trainable
  }

  override forgetWeights(): void {
    super.forgetWeights()
    for (const layer of this.inner) layer.forgetWeights()
  }
}

/** A new layer with the options of another one but for `changes`; weights are not copied. @throws TypeError for a model */
export function copyOf(layer: Layer, changes: object): Layer {
  const make = makers.get(layer)
  if (!make)
    throw new TypeError(`${layer.name}: what is copied must be a layer, got a model; take its layers`)
  const { name, config, trainable, activityRegularizer, recompute } = layer
  const inner = Object.entries(config).flatMap(([option, value]) =>
    innerOptions.includes(option) && value ? [[option, mapLayers(value, each => copyOf(each, {}))]] : [],
  )
  return make({
    ...config,
    ...Object.fromEntries(inner),
    name,
    trainable,
    activityRegularizer,
    recompute,
    ...changes,
  })
}

const mapLayers = (value: unknown, f: (layer: Layer) => Layer): unknown =>
  Array.isArray(value) ? value.map(f) : f(value as Layer)

/** The layer that is given. @throws TypeError for something else */
function layerFrom(where: string, name: string, given: unknown): unknown {
  if (given === undefined || given === null || given instanceof Layer) return given
  if (Array.isArray(given)) return given.map(each => layerFrom(where, `each of ${name}`, each))
  if (typeof (given as { toLayer?: unknown }).toLayer === 'function')
    return (given as Exclude<LayerLike, Layer>).toLayer()
  throw new TypeError(
    `${where}: ${name} must be a layer or a model, got ${show(given)}; try ls.layers.dense()`,
  )
}

/** As `defineNetwork`, for a layer that contains others. What stands for a layer in its options becomes one. */
export function defineComposite<D extends object, L extends Composite = Composite>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: (builder: Builder, inputs: readonly Value[], config: FullConfig<D>) => readonly Value[],
  masking: Masking = 'drops',
  kind: LayerClass<L> = Composite as LayerClass<L>,
): LayerFactory<D, L> {
  const makeComposite = defineNetwork(className, defaults, check, build, masking, kind)
  const make = (config: ConfigOf<D>): L => {
    if (!isPlainObject(config)) return makeComposite(config)
    const given = innerOptions.filter(name => name in config && name in defaults)
    const layers = given.map(name => [
      name,
      layerFrom(className, name, (config as Record<string, unknown>)[name]),
    ])
    return makeComposite({ ...config, ...Object.fromEntries(layers) })
  }
  return Object.assign(make, { className, defaults })
}
