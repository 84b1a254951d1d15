import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { keepSteps } from './masks.ts'
import { combine } from './merge.ts'
import { concat, split } from './moves.ts'

/** The steps of x: (time, …) → time values (…). */
export const stepsOf = (g: Graph, x: Value): Value[] =>
  split(g, x, 0, x.shape[0]!).map(step => g.view(step, x.shape.slice(1)))

/** Values (…) one after the other: (time, …). */
export const stack = (g: Graph, steps: readonly Value[]): Value =>
  concat(
    g,
    steps.map(step => g.view(step, [1, ...step.shape])),
    0,
  )

/** What begins as 0. */
export function zeros(g: Graph, shape: readonly number[]): Value {
  const y = g.batch('zeros', shape)
  g.call('clear', samples(sizeOf(shape)), write(y))
  return y
}

/** y = 1 − x. */
export function opposite(g: Graph, x: Value): Value {
  const elements = samples(sizeOf(x.shape))
  const y = g.batch('opposite', x.shape, x)
  g.call('scaleShift', elements, x, write(y), -1, 1)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('scaleShift', elements, dy, dx, -1, 0)))
  return y
}

/** y = x in samples whose step counts, else `before`, whatever x is there; `skips` (1) is `opposite` of `counts` (1). */
export function whereCounts(g: Graph, counts: Value, skips: Value, x: Value, before: Value): Value {
  const kept = (value: Value, mask: Value) => keepSteps(g, g.view(value, [1, ...value.shape]), mask)
  return g.view(combine(g, 'add', kept(x, counts), kept(before, skips)), x.shape)
}
