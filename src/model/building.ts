import { isPlainObject, show, suggestion } from '../errors.ts'
import { fromSavedNames, type Json } from '../formats/naming.ts'
import { parseJson } from '../formats/strictJson.ts'
import type { Layer } from '../layers/define.ts'
import { knownClasses } from '../layers/registry.ts'
import { innerOptions } from '../layers/saved.ts'
import { addNode, type SymbolicTensor } from '../layers/symbolic.ts'
import { Model } from './functional.ts'
import { firstUseOf, NestedLayer } from './nested.ts'
import { Sequential } from './sequential.ts'
import type { Trainable } from './trainable.ts'

interface Saved {
  readonly className: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Which output of which use of which layer. */
type Place = readonly [layer: string, use: number, output: number, ...rest: unknown[]]

interface SavedNode extends Saved {
  readonly name: string
  readonly inboundNodes: readonly (readonly Place[])[]
}

/** @throws TypeError for what says neither class nor options */
function savedOf(value: unknown): Saved {
  const { className, config } = isPlainObject(value) ? value : {}
  const shape = isPlainObject(config) ? (config.batchInputShape ?? []) : []
  if (!Array.isArray(shape))
    throw new TypeError(`loadLayersModel: batch_input_shape must be a list, got ${show(shape)}`)
  const isConfig = isPlainObject(config) || (className === 'Sequential' && Array.isArray(config))
  if (typeof className === 'string' && isConfig) return value as unknown as Saved
  throw new TypeError(
    `loadLayersModel: a layer must be an object with class_name and config, got ${show(value)}`,
  )
}

/** @throws TypeError for what is no list */
function listOf<T>(what: string, value: unknown, itemOf: (item: unknown) => T): T[] {
  if (Array.isArray(value)) return value.map(itemOf)
  throw new TypeError(`loadLayersModel: ${what} must be a list, got ${show(value)}`)
}

function placeOf(value: unknown): Place {
  const [name, ...numbers] = Array.isArray(value) ? (value as unknown[]) : []
  if (typeof name === 'string' && numbers.slice(0, 2).filter(Number.isSafeInteger).length === 2)
    return value as unknown as Place
  throw new TypeError(`loadLayersModel: what feeds a layer must be [layer, use, output], got ${show(value)}`)
}

/** @throws TypeError for a layer without a name or places */
function nodeOf(value: unknown): SavedNode {
  const saved = savedOf(value)
  const { name, inboundNodes } = saved as Partial<SavedNode>
  if (typeof name !== 'string')
    throw new TypeError(`loadLayersModel: a layer must have a name, got ${show(name)}`)
  const places = listOf(`inbound_nodes of "${name}"`, inboundNodes, node =>
    listOf(`a node of "${name}"`, node, placeOf),
  )
  return { ...saved, name, inboundNodes: places }
}

const isModel = (className: string): boolean => ['Sequential', 'Model', 'Functional'].includes(className)

/**
 * Drops what a saved config has beyond our options, as long as it says nothing. @throws RangeError where it
 * does.
 */
function knownOptions(
  className: string,
  config: Record<string, unknown>,
  defaults: object,
): Record<string, unknown> {
  const common = ['name', 'trainable', 'batchInputShape', 'activityRegularizer', 'recompute', 'dtype']
  return Object.fromEntries(
    Object.entries(config).filter(([key, value]) => {
      if (key in defaults || common.includes(key)) return true
      const neutral = value === null || isOfCell(key, config) || isDefaultDilation(key, value)
      if (!neutral)
        throw new RangeError(
          `loadLayersModel: ${className} must not have option "${key}", got ${show(value)}; it is not supported`,
        )
      return false
    }),
  )
}

const isDefaultDilation = (key: string, value: unknown): boolean => {
  return key === 'dilationRate' && [value].flat().every(rate => rate === 1)
}

/** TensorFlow.js saves the options of an RNN's cell beside the cell as well. */
const isOfCell = (key: string, { cell }: Record<string, unknown>): boolean =>
  key in ((cell as Partial<Saved> | null | undefined)?.config ?? {})

/** @throws RangeError for an unknown layer or option */
function layerOf(value: unknown): Layer {
  const saved = savedOf(value)
  const { className, config } = saved
  if (isModel(className)) return new NestedLayer(modelOf(saved))
  const known = knownClasses()
  const factory = known.find(candidate => candidate.className === className)
  if (!factory) {
    const guess = suggestion(
      className,
      known.map(candidate => candidate.className),
    )
    throw new RangeError(
      `loadLayersModel: layers must be of a known class, got "${className}"; ` +
        `if it is your own, give it to ls.serialization.registerClass first; ${guess}`,
    )
  }
  const options = knownOptions(className, config, factory.defaults)
  for (const name of innerOptions.filter(each => options[each])) options[name] = innerOf(options[name])
  return (factory as unknown as (options: object) => Layer)(options)
}

const innerOf = (saved: unknown): Layer | Layer[] =>
  Array.isArray(saved) ? saved.map(layerOf) : layerOf(saved)

/** An input layer's shape belongs to the layer behind it. */
function withInputShapes(saved: readonly Saved[]): Saved[] {
  const [first, second, ...rest] = saved
  if (first?.className !== 'InputLayer' || !second) return [...saved]
  return [{ ...second, config: { ...second.config, batchInputShape: first.config.batchInputShape } }, ...rest]
}

function sequentialOf(config: Saved['config'] | readonly Saved[]): Sequential {
  const {
    name = undefined,
    recompute = false,
    layers = [],
  } = Array.isArray(config) ? { layers: config } : (config as Saved['config'])
  const model = new Sequential({ ...(name ? { name: name as string } : {}), recompute: recompute as boolean })
  for (const saved of withInputShapes(listOf('layers', layers, savedOf))) model.add(layerOf(saved))
  return model
}

/** Applies the layers as their nodes say, each as soon as what feeds it is there. */
function graphOf({ name, recompute = false, layers, inputLayers, outputLayers }: Saved['config']): Model {
  const saved = listOf('layers', layers, nodeOf)
  const made = new Map(saved.map(each => [each.name, layerOf(each)]))
  const at = ([name, use, output]: Place): SymbolicTensor | undefined => {
    const layer = made.get(name)
    return layer?.nodes[use - firstUseOf(layer)]?.outputs[output]
  }
  for (const { className, name, config } of saved) {
    if (className !== 'InputLayer') continue
    const [batchSize, ...shape] = listOf(
      'batch_input_shape',
      config.batchInputShape,
      size => size as number | null,
    )
    addNode(made.get(name)!, [], [shape], batchSize)
  }
  let waiting = saved.flatMap(({ name, inboundNodes }) => inboundNodes.map(places => ({ name, places })))
  while (waiting.length > 0) {
    const left = waiting.filter(({ name, places }, i) => {
      const inputs = places.map(at)
      const isNext = waiting.findIndex(other => other.name === name) === i
      if (!isNext || inputs.includes(undefined)) return true
      made.get(name)!.apply(inputs as SymbolicTensor[])
      return false
    })
    if (left.length === waiting.length) {
      const { name } = left[0]!
      throw new RangeError(
        `loadLayersModel: what feeds "${name}" must be in the file, got a gap; save the model again`,
      )
    }
    waiting = left
  }
  const tensors = (what: string, places: unknown) =>
    listOf(what, places, place => {
      const found = at(placeOf(place))
      if (found) return found
      throw new RangeError(`loadLayersModel: ${what} must name outputs of layers, got ${show(place)}`)
    })
  const [inputs, outputs] = [tensors('input_layers', inputLayers), tensors('output_layers', outputLayers)]
  return new Model({ inputs, outputs, name: name as string, recompute: recompute as boolean })
}

function modelOf(value: unknown): Trainable {
  const { className, config } = savedOf(value)
  if (className === 'Sequential') return sequentialOf(config)
  if (isModel(className)) return graphOf(config)
  throw new RangeError(
    `loadLayersModel: the model must be a Sequential or a Model, got ${show(className)}; rebuild it here`,
  )
}

/** The model that a file describes, with new weights. @throws RangeError where it does not */
export function buildModel(where: string, topology: Json): Sequential | Model {
  try {
    return modelOf(fromSavedNames(topology)) as Sequential | Model
  } catch (error) {
    const { message } = error as Error
    const own = 'loadLayersModel: '
    if (message.startsWith(own)) throw new RangeError(`${where} ${message.slice(own.length)}`)
    throw new RangeError(
      `${where} modelTopology must describe a model, got one that cannot be made: ${message}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * A model of the architecture that `toJSON` gave, with new weights.
 * @throws RangeError for an unknown layer or option, TypeError for what is no such description
 */
export function modelFromJSON(topology: string | object): Sequential | Model {
  const where = 'modelFromJSON'
  const json = typeof topology === 'string' ? parseJson(where, topology) : topology
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError(`${where}: topology must be what toJSON() gave, got ${show(topology)}`)
  // Keras and TensorFlow.js' model.json have it one level deeper.
  const { modelTopology = json } = json as { modelTopology?: object }
  const { model_config: config = modelTopology } = modelTopology as { model_config?: object }
  return modelOf(fromSavedNames(config)) as Sequential | Model
}
