import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import { concat } from './moves.ts'

/** Which steps of x (steps, …) hold something else than `value`: (steps) of 1 or 0. */
export function stepMask(g: Graph, x: Value, value: number): Value {
  const steps = x.shape[0]!
  const mask = g.batch('mask', [steps])
  g.call('stepMask', samples(steps), x, write(mask), sizeOf(x.shape) / steps, value)
  return mask
}

/** y = x where its step counts, else 0, whatever x is there; x (steps, …), mask (steps). */
export function keepSteps(g: Graph, x: Value, mask: Value): Value {
  const [steps] = mask.shape as [number]
  const n = sizeOf(x.shape) / steps
  const y = g.batch(`masked ${x.storage.label}`, x.shape, x)
  g.call('keepSteps', samples(steps), x, mask, write(y), n)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('keepSteps', samples(steps), dy, mask, dx, n)))
  return y
}

/** The steps that count in all masks. */
export function allOf(g: Graph, masks: readonly Value[]): Value | undefined {
  return [...new Set(masks)].reduce<Value | undefined>((both, mask) => {
    if (!both) return mask
    const y = g.batch('mask', mask.shape)
    g.call('multiply', samples(sizeOf(mask.shape)), both, mask, write(y))
    return y
  }, undefined)
}

/** A mask of steps that all count. */
function ones(g: Graph, steps: number): Value {
  const mask = g.batch('mask', [steps])
  g.call('clear', samples(steps), write(mask))
  g.call('scaleShift', samples(steps), mask, update(mask), 0, 1)
  return mask
}

/** The masks of xs one after the other, as the steps of xs are joined; undefined where none has one. */
export function joinedMask(g: Graph, xs: readonly Value[]): Value | undefined {
  const masks = xs.map(x => g.masks.of(x))
  if (masks.every(mask => mask === undefined)) return undefined
  return concat(
    g,
    masks.map((mask, i) => mask ?? ones(g, xs[i]!.shape[0]!)),
    0,
  )
}

/** Mean of each channel over the steps that count: (steps, channels) → (channels); 0 where no step does. */
export function maskedAverage(g: Graph, x: Value, mask: Value): Value {
  const [steps, channels] = x.shape as [number, number]
  const y = g.batch('maskedAverage', [channels], x)
  g.call('maskedAverage', samples(), x, mask, write(y), steps, channels)
  g.onBackward(y, dy =>
    g.contribute(x, dx => g.call('maskedAverageGradient', samples(), mask, dy, dx, steps, channels)),
  )
  return y
}
