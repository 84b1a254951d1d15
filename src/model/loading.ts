import { checkOptions, show, suggestion } from '../errors.ts'
import { type FetchOptions, fetchLayersModel } from '../formats/fetching.ts'
import { type IOHandler, readArtifacts } from '../formats/handlers.ts'
import { pathOfUrl, readLayersModel } from '../formats/layersModel.ts'
import { fromSavedNames } from '../formats/naming.ts'
import { parseJson } from '../formats/strictJson.ts'
import type { NamedWeight } from '../formats/weights.ts'
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
  const common = ['name', 'trainable', 'batchInputShape', 'activityRegularizer', 'dtype']
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
function layerOf(saved: Saved): Layer {
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
  Array.isArray(saved) ? saved.map(layerOf) : layerOf(saved as Saved)

/** An input layer's shape belongs to the layer behind it. */
function withInputShapes(saved: readonly Saved[]): Saved[] {
  const [first, second, ...rest] = saved
  if (first?.className !== 'InputLayer' || !second) return [...saved]
  return [{ ...second, config: { ...second.config, batchInputShape: first.config.batchInputShape } }, ...rest]
}

function sequentialOf(config: Saved['config'] | readonly Saved[]): Sequential {
  const { name, layers = [] } = Array.isArray(config)
    ? { layers: config as Saved[] }
    : (config as { name?: string; layers?: Saved[] })
  const model = new Sequential(name ? { name } : {})
  for (const saved of withInputShapes(layers)) {
    const layer = layerOf(saved)
    model.add(layer)
  }
  return model
}

/** Applies the layers as their nodes say, each as soon as what feeds it is there. */
function graphOf({ name, layers, inputLayers, outputLayers }: Saved['config']): Model {
  const saved = layers as readonly SavedNode[]
  const made = new Map(saved.map(each => [each.name, layerOf(each)]))
  const at = ([name, use, output]: Place): SymbolicTensor | undefined => {
    const layer = made.get(name)
    return layer?.nodes[use - firstUseOf(layer)]?.outputs[output]
  }
  for (const { className, name, config } of saved) {
    if (className !== 'InputLayer') continue
    const [batchSize, ...shape] = config.batchInputShape as (number | null)[]
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
  const tensors = (places: unknown) => (places as Place[]).map(place => at(place)!)
  return new Model({ inputs: tensors(inputLayers), outputs: tensors(outputLayers), name: name as string })
}

function modelOf({ className, config }: Saved): Trainable {
  if (className === 'Sequential') return sequentialOf(config)
  if (isModel(className)) return graphOf(config)
  throw new RangeError(
    `loadLayersModel: the model must be a Sequential or a Model, got ${show(className)}; rebuild it here`,
  )
}

/** Keras saves weights of recurrent layers under the name of their cell, too: lstm/lstm_cell/kernel. */
const withoutCell = (name: string): string => name.split('/').toSpliced(-2, 1).join('/')

/**
 * A model of the architecture that `toJSON` gave, with new weights.
 * @throws RangeError for an unknown layer or option, TypeError for what is no such description
 */
function modelFromJSON(topology: string | object): Sequential | Model {
  const where = 'modelFromJSON'
  const json = typeof topology === 'string' ? parseJson(where, topology) : topology
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError(`${where}: topology must be what toJSON() gave, got ${show(topology)}`)
  // Keras and TensorFlow.js' model.json have it one level deeper.
  const { modelTopology = json } = json as { modelTopology?: object }
  const { model_config: config = modelTopology } = modelTopology as { model_config?: object }
  return modelOf(fromSavedNames(config) as unknown as Saved) as Sequential | Model
}

export interface LoadOptions extends FetchOptions {
  /** Whether weights that are missing or of no use are refused; true unless given. */
  strict?: boolean
}

const fetchOptions = ['requestInit', 'fetchFunc', 'onProgress', 'weightPathPrefix', 'weightUrlConverter']

/** @throws RangeError for weights of other shapes, and where strict for those that are missing or too many */
function putWeights(model: Trainable, weights: readonly NamedWeight[], strict: boolean): void {
  const own = new Set(model.weights.map(({ name }) => name))
  const ofModel = weights.filter(({ group }) => group !== 'optimizer')
  const nameHere = (name: string) => [name, withoutCell(name)].find(each => own.has(each)) ?? name
  const byName = new Map(ofModel.map(({ name, tensor }) => [nameHere(name), tensor]))
  const missing = [...own].find(name => !byName.has(name))
  if (strict && missing !== undefined)
    throw new RangeError(
      `loadLayersModel: the file must hold the weight "${missing}", got none of that name; save the model again`,
    )
  const extra = [...byName.keys()].find(name => !own.has(name))
  if (strict && extra !== undefined)
    throw new RangeError(
      `loadLayersModel: the model must have the weight "${extra}" of the file, got none of that name; ` +
        'give strict: false to leave it out',
    )
  model.loadWeights(byName, false)
}

async function readFrom(from: string | IOHandler, options: FetchOptions) {
  if (typeof from === 'string') {
    if (/^https?:\/\//i.test(from)) return fetchLayersModel(from, options)
    return readLayersModel(pathOfUrl('loadLayersModel', from, 'file://, http:// or https://'))
  }
  if (typeof from?.load === 'function')
    return readArtifacts("loadLayersModel: the handler's model", await from.load())
  throw new TypeError(
    `loadLayersModel: pathOrIOHandler must be a URL or have a function load, got ${show(from)}`,
  )
}

/**
 * Reads a model that TensorFlow.js or `save` wrote: model.json and its weights, from files (`file://`), fetched
 * (`https://`, `http://`) or as an IOHandler gives them.
 * @throws RangeError for another URL, an unknown layer or option, or parts that do not fit together
 */
export async function loadLayersModel(
  pathOrIOHandler: string | IOHandler,
  options?: LoadOptions,
): Promise<Sequential | Model> {
  checkOptions('loadLayersModel', options, ['strict', ...fetchOptions])
  const { topology, weights, userMetadata } = await readFrom(pathOrIOHandler, options ?? {})
  const model = modelOf(fromSavedNames(topology) as unknown as Saved)
  try {
    if (weights) putWeights(model, weights, options?.strict ?? true)
    if (userMetadata !== undefined) model.setUserDefinedMetadata(userMetadata as object)
  } catch (error) {
    model.dispose()
    throw error
  }
  return model as Sequential | Model
}

/** As TensorFlow.js' tf.models. */
export const models = { modelFromJSON }
