import { show, suggestion } from '../errors.ts'
import { pathOfUrl, readLayersModel, writeLayersModel } from '../formats/layersModel.ts'
import { fromSavedNames, type Json, toSavedNames } from '../formats/naming.ts'
import type { Layer } from '../layers/define.ts'
import { layers as factories } from '../layers/table.ts'
import { getInitializer, serializeInitializer } from '../training/initializers.ts'
import { getRegularizer } from '../training/regularizers.ts'
import { version } from '../version.ts'
import { Sequential } from './sequential.ts'

/** An option in its saved form: initializers and regularizers become { className, config }. */
function savedOption(name: string, value: unknown): unknown {
  if (value === null) return null
  if (name.endsWith('Initializer')) return serializeInitializer(getInitializer(value as string))
  if (!name.endsWith('Regularizer')) return value
  const regularizer = getRegularizer(value as string)
  return regularizer && { className: regularizer.className, config: regularizer.config }
}

function savedLayer(layer: Layer): { className: string; config: Record<string, unknown> } {
  const options = Object.entries(layer.config).map(([name, value]) => [name, savedOption(name, value)])
  const shape = layer.batchInputShape ? { batchInputShape: layer.batchInputShape } : {}
  const common = { name: layer.name, trainable: layer.trainable, ...shape, dtype: 'float32' }
  return { className: layer.className, config: { ...Object.fromEntries(options), ...common } }
}

/** The model's description as TensorFlow.js saves it. */
export function topologyOf(model: Sequential): Json {
  const config = { name: model.name, layers: model.layers.map(savedLayer) }
  const saved = toSavedNames({ className: model.className, config }) as Record<string, Json>
  return { ...saved, keras_version: `lockstep ${version}`, backend: 'lockstep' }
}

export async function saveModel(model: Sequential, url: string): Promise<void> {
  const tensors = model.getWeights()
  const weights = model.weights.map(({ name }, i) => ({ name, tensor: tensors[i]! }))
  await writeLayersModel(pathOfUrl('save', url), { topology: topologyOf(model), weights })
}

/** Keys that saved configs carry for all layers and that mean nothing here, or only with their default. */
const tolerated = new Set([
  'batchSize',
  'inputDType',
  'weights',
  'kernelConstraint',
  'biasConstraint',
  'activityRegularizer',
  'sparse',
])

/**
 * Drops what a saved config has beyond our options, as long as it says nothing. @throws RangeError where it
 * does.
 */
function knownOptions(
  className: string,
  config: Record<string, unknown>,
  defaults: object,
): Record<string, unknown> {
  const common = ['name', 'trainable', 'batchInputShape', 'dtype']
  return Object.fromEntries(
    Object.entries(config).filter(([key, value]) => {
      if (key in defaults || common.includes(key)) return true
      const neutral =
        value === null || tolerated.has(key) || key.endsWith('Constraint') || isDefaultDilation(key, value)
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

function layerOf(saved: unknown): Layer | undefined {
  const { className, config } = saved as { className: string; config: Record<string, unknown> }
  if (className === 'InputLayer') return undefined
  const known = Object.values(factories)
  const factory = known.find(candidate => candidate.className === className)
  if (!factory) {
    const guess = suggestion(
      className,
      known.map(candidate => candidate.className),
    )
    throw new RangeError(`loadLayersModel: unknown layer "${className}"; ${guess}`)
  }
  const options = knownOptions(className, config, factory.defaults)
  return (factory as (options: object) => Layer)(options)
}

/** An input layer's shape belongs to the layer behind it. */
function withInputShapes(saved: readonly unknown[]): unknown[] {
  const [first, second, ...rest] = saved as { className: string; config: Record<string, unknown> }[]
  if (first?.className !== 'InputLayer' || !second) return [...saved]
  return [{ ...second, config: { ...second.config, batchInputShape: first.config.batchInputShape } }, ...rest]
}

/**
 * Reads a model that TensorFlow.js or `save` wrote: model.json and its weights.
 * @throws RangeError for a URL that is not file://, an unknown layer or option, or files that do not fit
 * together
 */
export async function loadLayersModel(url: string): Promise<Sequential> {
  const { topology, weights } = await readLayersModel(pathOfUrl('loadLayersModel', url))
  const saved = fromSavedNames(topology) as { className?: string; config?: unknown }
  if (saved.className !== 'Sequential') {
    throw new RangeError(
      `loadLayersModel: the model must be a Sequential, got ${show(saved.className)}; rebuild it with sequential()`,
    )
  }
  const config = saved.config as { name?: string; layers?: unknown[] } | unknown[]
  const list = Array.isArray(config) ? config : (config.layers ?? [])
  const name = Array.isArray(config) ? undefined : config.name
  const made = withInputShapes(list).flatMap(each => layerOf(each) ?? [])
  const model = new Sequential({ layers: made, ...(name ? { name } : {}) })
  const byName = new Map(weights.map(({ name, tensor }) => [name, tensor]))
  model.setWeights(
    model.weights.map(({ name }) => {
      const tensor = byName.get(name)
      if (!tensor)
        throw new RangeError(
          `loadLayersModel: the file must hold the weight "${name}", got none of that name; save the model again`,
        )
      return tensor
    }),
  )
  return model
}
