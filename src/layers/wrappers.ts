import type { Value } from '../graph/value.ts'
import { defineComposite, type LayerLike } from './composite.ts'
import type { Layer } from './define.ts'
import { required } from './options.ts'

/**
 * A layer applied to each step of a sequence alone, with the same weights: (steps, …) → (steps, …output). All steps are
 * rows of one mini-batch to it: a batchNormalization takes the statistics of all of them, a dropout draws for each. The
 * mask is handed on, and not told to the layer inside.
 */
export const timeDistributed = defineComposite(
  'TimeDistributed',
  {
    /** Any layer of one input and one output, or a model. */
    layer: required<LayerLike>(),
  },
  () => {},
  ({ g, scope, refuse }, inputs, { layer }) => {
    if (inputs.length !== 1) refuse(`it must have one input, got ${inputs.length}; give it one`)
    const [x] = inputs as [Value]
    const [steps, ...shape] = x.shape as [number, ...number[]]
    if (steps === 0 || shape.length === 0)
      refuse(`the input must have shape [steps, …], got [${x.shape}]; add layers.reshape() before it`)
    const outputs = g.folded(steps, () => (layer as Layer).buildAll(g, [g.view(x, shape)], scope))
    const [y] = outputs as [Value]
    if (outputs.length > 1) refuse(`its layer must have one output, got ${outputs.length}; take another`)
    return [g.view(y, [steps, ...y.shape])]
  },
  'passes',
)
