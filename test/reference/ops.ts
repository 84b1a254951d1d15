import { Graph } from '../../src/graph/graph.ts'
import type { Parameter } from '../../src/graph/parameter.ts'
import { sizeOf, slices, update, type Value } from '../../src/graph/value.ts'
import { ModelState } from '../../src/model/state.ts'
import { sharedEngine } from '../../src/runtime/engine.ts'
import { noise, relativeError } from '../bed.ts'
import type { Array64 } from './arrays.ts'
import { gathered, nan, place, runOnce, scattered } from './measure.ts'
import { gradientError } from './prove.ts'

/** An op with inputs to prove it on. */
export interface OpCase {
  readonly title: string
  /** Shapes of a sample. */
  readonly inputs: readonly (readonly number[])[]
  /** Which of the inputs are weights: the same for all samples. */
  readonly weights?: readonly number[]
  /** Inputs lie evenly between these. */
  readonly range?: readonly [number, number]
  /** Inputs are integers from 0 to below this one. */
  readonly integers?: number
  /** Whether a gradient flows. */
  readonly smooth: boolean
  record(xs: readonly Value[]): Value
  /** What the op makes of one sample. */
  reference(xs: readonly Array64[]): Array64
}

const samples = 5

interface Measured {
  readonly y: Float32Array
  readonly gradients: readonly Float32Array[]
}

/** Runs an op on f32 inputs; gradients are those of Σ r·y. */
function measure(one: OpCase, inputs: readonly Float32Array[], leaves: number, r: Float32Array): Measured {
  const g = new Graph({ training: true, leaves, rows: samples })
  const isWeight = (i: number) => one.weights?.includes(i) ?? false
  const parameter = (name: string, shape: readonly number[]): Parameter => ({
    name,
    shape,
    trainable: true,
    offset: 0,
  })
  const weights = one.inputs.map((shape, i) => isWeight(i) && parameter(`w${i}`, shape))
  const holders = one.inputs.map((shape, i) => isWeight(i) && parameter(`dw${i}`, shape))
  const state = new ModelState(
    sharedEngine().arena,
    [...weights, ...holders].filter(w => w !== false),
  )
  state.place()
  const values = one.inputs.map((shape, i) => {
    const weight = weights[i]
    if (!weight) return gathered(g, `x${i}`, shape, one.smooth)
    state.write(weight, inputs[i]!)
    return g.parameter(weight)
  })
  const y = one.record(values)
  scattered(g, 'y', y)
  if (one.smooth) {
    g.contributeValue(y, gathered(g, 'r', y.shape))
    g.differentiate()
  }
  for (const [i, x] of values.entries()) {
    const gradient = one.smooth ? g.gradientOf(x) : undefined
    const holder = holders[i]
    if (!gradient) continue
    if (!holder) scattered(g, `dx${i}`, gradient)
    else {
      const to = g.parameter(holder)
      g.update('sgd', slices(to.storage.bytes / 64), update(to), gradient, g.cells.rate)
    }
  }
  const outputs = values.map((x, i) => {
    const { length } = inputs[i]!
    return [`dx${i}`, g.gradientOf(x) ? nan(length) : new Float32Array(length)] as const
  })
  const given = inputs.map((values, i) => [`x${i}`, values] as const)
  const arrays = place({
    ...Object.fromEntries([...outputs, ...given]),
    y: nan(r.length),
    r,
    rate: Float32Array.of(1),
  })
  runOnce(g, samples, state, arrays.addresses)
  const gradients = holders.map((holder, i) =>
    holder ? state.read(holder).map(value => -value) : arrays.read(`dx${i}`),
  )
  const measured = { y: arrays.read('y'), gradients }
  arrays.free()
  state.free()
  return measured
}

/** Errors of an op's result and of its gradients. */
export function proveOp(one: OpCase): { forward: number; gradients: readonly number[] } {
  const [low, high] = one.range ?? [-2, 2]
  const isWeight = (i: number) => one.weights?.includes(i) ?? false
  const inputs = one.inputs.map((shape, i) => {
    const drawn = noise(sizeOf(shape) * (isWeight(i) ? 1 : samples), 31 + i)
    if (one.integers !== undefined) return drawn.map(x => Math.floor(((x + 1) / 2) * one.integers!))
    return drawn.map(x => low + ((x + 1) / 2) * (high - low))
  })
  const wide = inputs.map(values => Float64Array.from(values))
  const forward = () =>
    Array.from({ length: samples }, (_, s) => {
      const of = (i: number): Array64 => {
        const [shape, values] = [one.inputs[i]!, wide[i]!]
        const size = sizeOf(shape)
        return { shape, values: isWeight(i) ? values : values.subarray(s * size, s * size + size) }
      }
      return one.reference(one.inputs.map((_, i) => of(i))).values
    }).flatMap(values => [...values])
  const expected = forward()
  const r = noise(expected.length, 77)
  const loss = () => forward().reduce((sum, y, i) => sum + y * r[i]!, 0)
  const runs = (one.weights ? [1, 3] : [1]).map(leaves => measure(one, inputs, leaves, r))
  return {
    forward: relativeError(runs[0]!.y, expected),
    gradients: one.smooth
      ? runs.flatMap(({ gradients }) => gradients.map((dx, i) => gradientError(loss, wide[i]!, dx)))
      : [],
  }
}
