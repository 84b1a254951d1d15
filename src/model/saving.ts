import { checkOptions, show } from '../errors.ts'
import { artifactsOf, type IOHandler, resultOf, type SaveResult } from '../formats/handlers.ts'
import { type LayersModelFile, pathOfUrl, writeLayersModel } from '../formats/layersModel.ts'
import { fromSavedNames, type Json, toSavedNames } from '../formats/naming.ts'
import { Composite } from '../layers/composite.ts'
import type { Layer } from '../layers/define.ts'
import { isOwn } from '../layers/registry.ts'
import { savedLayer } from '../layers/saved.ts'
import type { SymbolicTensor } from '../layers/symbolic.ts'
import { version } from '../version.ts'
import type { Model } from './functional.ts'
import { firstUseOf, NestedLayer } from './nested.ts'
import { optimizerState } from './optimizerState.ts'
import type { Trainable } from './trainable.ts'
import { trainingConfigOf } from './trainingConfig.ts'

/**
 * Files write words in snake case, as TensorFlow.js does: others would not come back.
 * @throws RangeError for these, in options of layers that are no models
 */
function checkWords(layer: Layer): void {
  if (layer instanceof NestedLayer) return
  if (layer instanceof Composite) for (const inner of layer.inner) checkWords(inner)
  if (isOwn(layer.className)) return
  for (const [name, value] of Object.entries(layer.getConfig())) {
    const back = JSON.stringify(fromSavedNames(toSavedNames(value)))
    if (!(name in layer.config) || back === JSON.stringify(value)) continue
    const kinds = 'numbers, true, false, null, words in camelCase, or lists and objects of these'
    throw new RangeError(
      `save: option "${name}" of ${layer.name} must be ${kinds}, got ${show(value)}; change it`,
    )
  }
}

function checkedLayer(layer: Layer): Saved {
  checkWords(layer)
  return savedLayer(layer)
}

/** A model is saved in part as a layer of another one is: its class and configuration. */
type Saved = { className: string; config: Record<string, unknown> }

/** TensorFlow.js passes over what it does not know in the configuration of a model. */
const ownOptions = ({ name, recompute }: Trainable) => ({ name, ...(recompute ? { recompute } : {}) })

function savedModel(model: Trainable): Saved {
  if (model.className === 'Model') return savedGraph(model as Model)
  const { className } = model
  return { className, config: { ...ownOptions(model), layers: model.layers.map(checkedLayer) } }
}

/** Layers with the nodes that feed each of their uses: [layer, number of its use, number of the output, {}]. */
function savedGraph(model: Model): Saved {
  const nodes = new Set(model.nodes)
  const uses = (layer: Layer) => layer.nodes.filter(node => nodes.has(node))
  const place = ({ node, index }: SymbolicTensor) => {
    const use = uses(node.layer).indexOf(node) + firstUseOf(node.layer)
    return [node.layer.name, use, index]
  }
  const layers = model.layers.map(layer => ({
    ...checkedLayer(layer),
    name: layer.name,
    inboundNodes: uses(layer)
      .filter(({ inputs }) => inputs.length > 0)
      .map(({ inputs }) => inputs.map(input => [...place(input), {}])),
  }))
  const [inputLayers, outputLayers] = [model.inputs.map(place), model.outputs.map(place)]
  return { className: model.className, config: { ...ownOptions(model), layers, inputLayers, outputLayers } }
}

/** The model's options, those of its layers within. */
export const configOf = (model: Trainable): Record<string, unknown> => savedModel(model).config

/** The model's description as TensorFlow.js saves it. */
export function topologyOf(model: Trainable): Json {
  const saved = toSavedNames(savedModel(model)) as Record<string, Json>
  return { ...saved, keras_version: `lockstep ${version}`, backend: 'lockstep' }
}

export interface SaveOptions {
  /** Leaves out what does not learn; read again with `strict: false`. */
  trainableOnly?: boolean
  /** Keeps what `compile` was given and the optimizer's state, too. Default false; nothing for a model not compiled. */
  includeOptimizer?: boolean
}

/** What a model is trained by, and how far it is. @throws RangeError for what no file can hold */
function trainingOf(model: Trainable): Pick<LayersModelFile, 'trainingConfig' | 'weights'> {
  const { slots } = model.compiled
  const changed = model.weights.find(weight => weight.trainable !== slots.has(weight))
  if (changed)
    throw new RangeError(
      `save: the weights that learn must be those of the last compile, got ${changed.name}; call compile() again`,
    )
  return { trainingConfig: trainingConfigOf(model), weights: optimizerState(model) }
}

function fileOf(
  model: Trainable,
  { trainableOnly = false, includeOptimizer = false }: SaveOptions,
): LayersModelFile {
  const training = includeOptimizer && model.isCompiled ? trainingOf(model) : { weights: [] }
  const tensors = model.getWeights()
  const named = model.weights.map(({ name, trainable }, i) => ({ name, trainable, tensor: tensors[i]! }))
  const weights = named.filter(({ trainable }) => trainable || !trainableOnly)
  const ofModel = weights.map(({ name, tensor }) => ({ name, tensor }))
  const file = { topology: topologyOf(model), ...training, weights: [...ofModel, ...training.weights] }
  const userMetadata = model.getUserDefinedMetadata() as Json | undefined
  return userMetadata === undefined ? file : { ...file, userMetadata }
}

/** Writes the model's files or gives it to the handler, and resolves with what that tells of it. */
export async function saveModel(
  model: Trainable,
  target: string | IOHandler,
  options?: SaveOptions,
): Promise<SaveResult> {
  checkOptions('save', options, ['trainableOnly', 'includeOptimizer'])
  const path = typeof target === 'string' ? pathOfUrl('save', target) : undefined
  if (typeof target !== 'string' && typeof target?.save !== 'function')
    throw new TypeError(`save: handlerOrURL must be a URL or have a function save, got ${show(target)}`)
  const file = fileOf(model, options ?? {})
  if (path === undefined) return (target as Required<IOHandler>).save(artifactsOf(file))
  await writeLayersModel(path, file)
  return resultOf(file)
}
