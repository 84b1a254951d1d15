import type { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import { Layer, type Weight } from '../layers/define.ts'
import type { Network } from './network.ts'

type Inner = Network & { readonly className: string; getConfig(): Record<string, unknown> }

/** The number of a layer's first use in saved models: Keras counts a model's own outputs as its use 0. */
export const firstUseOf = (layer: Layer): number => (layer instanceof NestedLayer ? 1 : 0)

/** A model as a layer of another one. Its weights are the model's own: training one trains the other's too. */
export class NestedLayer extends Layer {
  readonly model: Inner

  constructor(model: Inner) {
    const batchInputShape = [model.batchSize ?? null, ...model.inputShapes[0]!]
    const { name, recompute } = model
    super(model.className, {}, { name, recompute, batchInputShape }, ({ g, refuse }, inputs) => {
      const { length } = model.inputShapes
      if (inputs.length !== length)
        refuse(`it must have ${length} inputs, got ${inputs.length}; give it as many`)
      return model.record(g, inputs)
    })
    this.model = model
  }

  protected override isBlock(g: Graph): boolean {
    return this.recompute || g.recompute === 'models'
  }

  override getConfig(): Record<string, unknown> {
    return this.model.getConfig()
  }

  override get weights(): readonly Weight[] {
    return this.model.layers.flatMap(layer => layer.weights)
  }

  override get states(): readonly Parameter[] {
    return this.model.states
  }

  override get stateful(): boolean {
    return this.model.stateful
  }

  override get trainable(): boolean {
    return this.model.layers.some(layer => layer.trainable)
  }

  override set trainable(trainable: boolean) {
    for (const layer of this.model.layers) layer.trainable = trainable
  }
}
