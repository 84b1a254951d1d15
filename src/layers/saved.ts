import { getConstraint } from '../training/constraints.ts'
import { getInitializer, serializeInitializer } from '../training/initializers.ts'
import { getRegularizer } from '../training/regularizers.ts'
import type { Layer } from './layer.ts'

/** Options that hold a layer, or a list of them, in whatever layer has them; they are saved as layers are. */
export const innerOptions: readonly string[] = ['layer', 'backwardLayer', 'cell', 'cells']

const classAndConfig = (object: { className: string; config: object } | null) =>
  object && { className: object.className, config: object.config }

/** A layer as it is saved within another one, or within a model. */
export const savedLayer = (layer: Layer): { className: string; config: Record<string, unknown> } => ({
  className: layer.className,
  config: layer.getConfig(),
})

/** An option in its saved form: initializers, regularizers, constraints and layers become { className, config }. */
function savedOption(name: string, value: unknown): unknown {
  if (value === null) return null
  if (innerOptions.includes(name))
    return Array.isArray(value) ? value.map(savedLayer) : savedLayer(value as Layer)
  if (name.endsWith('Initializer')) return serializeInitializer(getInitializer(value as string))
  if (name.endsWith('Regularizer')) return classAndConfig(getRegularizer(value as string))
  return name.endsWith('Constraint') ? classAndConfig(getConstraint(value as 'nonNeg')) : value
}

/** Every option of a layer with its value, in its saved form. */
export function savedConfig(layer: Layer): Record<string, unknown> {
  const options = Object.entries(layer.config).map(([name, value]) => [name, savedOption(name, value)])
  const shape = layer.batchInputShape ? { batchInputShape: layer.batchInputShape } : {}
  const penalty = classAndConfig(layer.activityRegularizer)
  const activity = penalty ? { activityRegularizer: penalty } : {}
  const again = layer.recompute ? { recompute: true } : {}
  const common = {
    name: layer.name,
    trainable: layer.trainable,
    ...shape,
    ...activity,
    ...again,
    dtype: 'float32',
  }
  return { ...Object.fromEntries(options), ...common }
}
