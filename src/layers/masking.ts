import { finiteNumber } from '../errors.ts'
import { keepSteps, stepMask } from '../ops/masks.ts'
import { defineLayer } from './define.ts'

/**
 * Masks the steps whose features all are `maskValue`, and sets them to 0: (steps, features) → the same. Layers
 * behind it leave masked steps out: recurrent ones, attention, globalAveragePooling1d. Layers that work on each
 * step pass the mask on; all others drop it. Loss and metrics of an output that is a masked sequence are means over
 * the steps that count: of the mini-batch for the gradient, of the whole epoch in logs. (Keras 3 averages the
 * mini-batches' losses; TensorFlow.js lets masked steps count.)
 */
export const masking = defineLayer(
  'Masking',
  {
    /** What padding consists of. */
    maskValue: 0,
  },
  (where, { maskValue }) => finiteNumber(where, 'maskValue', maskValue),
  ({ g, refuse }, x, { maskValue }) => {
    if (x.shape.length !== 2)
      refuse(`the input must have shape [steps, features], got [${x.shape}]; add layers.reshape() before it`)
    const mask = stepMask(g, x, maskValue)
    const y = keepSteps(g, x, mask)
    g.masks.set(y, mask)
    return y
  },
)
