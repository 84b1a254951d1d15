import * as tf from '@tensorflow/tfjs'
import type { Layer } from '../layers/define.ts'
import { NestedLayer } from '../model/nested.ts'
import type { Trainable } from '../model/trainable.ts'

const allOf = (layers: readonly tf.layers.Layer[]): tf.layers.Layer[] =>
  layers.flatMap(layer => (layer instanceof tf.LayersModel ? allOf(layer.layers) : layer))

const allHere = (layers: readonly Layer[]): Layer[] =>
  layers.flatMap(layer => (layer instanceof NestedLayer ? allHere(layer.model.layers) : layer))

const followed = new WeakSet<tf.layers.Layer>()

/** Lets the twin's stateful layers begin anew when those of TensorFlow.js do; `twin` may be another one by then. */
export function followResets(model: tf.LayersModel, twin: () => Trainable | undefined): void {
  for (const layer of allOf(model.layers)) {
    if (!layer.stateful || followed.has(layer)) continue
    followed.add(layer)
    const { resetStates } = layer
    layer.resetStates = (...states: unknown[]) => {
      if (states[0] !== undefined && states[0] !== null)
        throw new RangeError(
          `resetStates: states of ${layer.name} must be zeros where Lockstep trains it, got others; leave them out`,
        )
      resetStates.call(layer)
      for (const own of allHere(twin()?.layers ?? [])) if (own.name === layer.name) own.resetStates()
    }
  }
}
