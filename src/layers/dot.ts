import { show } from '../errors.ts'
import { dot as dotOp } from '../ops/dot.ts'
import { type Builder, defineJoin } from './define.ts'
import { checkCount } from './merge.ts'
import { required } from './options.ts'
import { checkAxes } from './reshaping.ts'

/** The axis of a sample of so many axes that is meant by an axis of the batch. */
function axisOf(refuse: Builder['refuse'], axis: number, rank: number): number {
  const own = axis < 0 ? rank + axis : axis - 1
  if (own < 0 || own >= rank || axis === 0)
    refuse(`axes must lie in [${-rank}, ${rank}] and not be 0, that of the batch, got ${axis}; correct axes`)
  return own
}

/**
 * Products of two inputs, summed over an axis of each: (k), (k) → (1); (m, k), (n, k) → (m, n) with axes 2. The
 * output has the other axes of the first input, then those of the second. TensorFlow.js takes at most two axes a
 * sample.
 */
export const dot = defineJoin(
  'Dot',
  {
    /** The axis of both inputs, or that of each; the batch is axis 0, −1 the last one. */
    axes: required<number | readonly [number, number]>(),
    /** Whether vectors along these axes get length 1 first: the output is then a cosine. */
    normalize: false,
  },
  (where, { axes }) => {
    const list: readonly unknown[] = Array.isArray(axes) ? axes : [axes, axes]
    if (list.length !== 2 || !list.every(Number.isInteger))
      throw new TypeError(`${where}: axes must be an integer or two, got ${show(axes)}; write [2, 1]`)
  },
  (builder, inputs, { axes, normalize }) => {
    checkCount(builder, inputs, 2, 2)
    const { g, refuse } = builder
    const [a, b] = inputs as readonly [(typeof inputs)[number], (typeof inputs)[number]]
    checkAxes(refuse, a)
    checkAxes(refuse, b)
    const [axisA, axisB] = typeof axes === 'number' ? [axes, axes] : axes
    const own = [axisOf(refuse, axisA, a.shape.length), axisOf(refuse, axisB, b.shape.length)] as const
    const sizes = [a.shape[own[0]], b.shape[own[1]]]
    if (sizes[0] !== sizes[1]) {
      const shapes = `[${a.shape}] and [${b.shape}]`
      refuse(
        `the inputs must have the same size along axes, got ${sizes.join(' and ')} of ${shapes}; correct axes`,
      )
    }
    return dotOp(g, a, b, own, normalize)
  },
)
