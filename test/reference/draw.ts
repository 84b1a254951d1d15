import { sizeOf } from '../../src/graph/value.ts'
import type { Layer } from '../../src/layers/define.ts'
import * as layers from '../../src/layers/table.ts'
import { losses } from '../../src/training/losses.ts'
import { noise } from '../bed.ts'
import type { Example } from '../cases.ts'
import { build, type Setup } from './measure.ts'
import { type Draw, drawWeights } from './prove.ts'

export type LossName = keyof typeof losses
const nonNegative: readonly LossName[] = [
  'poisson',
  'kullbackLeiblerDivergence',
  'meanSquaredLogarithmicError',
]

/** Whether a loss takes probabilities. */
export const ofProbabilities = (loss: LossName): boolean =>
  loss.endsWith('rossentropy') || nonNegative.includes(loss)

/** Shapes of a sample's predictions that a loss is proved on. */
export const lossShapes = (loss: LossName) =>
  [[1], [2], [5], [8], [17], [3, 4], [2, 3, 9]].filter(
    shape => !/ategorical|cosine/.test(loss) || shape.at(-1)! > 1,
  )

/** Targets that suit a loss, for `rows` rows of n predictions. */
export function targetsFor(loss: LossName, rows: number, n: number, seed: number): Float32Array {
  const raw = noise(rows * n, seed)
  if (loss === 'hinge' || loss === 'squaredHinge') return raw.map(x => (x < 0 ? -1 : 1))
  if (loss.startsWith('binary')) return raw.map(x => (x < -0.5 ? 0 : x < 0.5 ? 1 : x))
  if (loss === 'sparseCategoricalCrossentropy')
    return noise(rows, seed).map(x => Math.floor(((x + 1) / 2) * n))
  if (loss === 'categoricalHinge') return raw.map((_, i) => Number(i % n === Math.floor(i / n) % n))
  if (loss === 'meanAbsolutePercentageError') return raw.map(x => x + Math.sign(x))
  if (nonNegative.includes(loss)) return raw.map(x => Math.abs(x) + 0.01)
  if (!loss.startsWith('categorical')) return raw
  // Every other row puts all on one class; the others need not sum to 1.
  return raw.map((x, i) => {
    const row = Math.floor(i / n)
    return row % 2 === 1 ? Number(i % n === row % n) : Math.abs(x)
  })
}

/** Whether a step is padding where some are: none of the first sample, all of the second. */
export function isPadding(step: number, steps: number): boolean {
  const sample = Math.floor(step / steps)
  return sample === 1 || (sample > 1 && (step * 5) % 3 !== 0)
}

/**
 * Draws inputs in centre ± spread, integers below `integers`, or in (0.05, 0.95) where predictions must be
 * probabilities.
 */
export function drawFor(
  setup: Setup,
  loss: LossName,
  {
    spread = 2,
    centre = 0,
    integers = 0,
    weighted = false,
    probable = false,
    masked = false,
    padding = 0,
  } = {},
): Draw {
  const { shape } = build(setup)
  const { input, samples } = setup
  const n = shape.at(-1) ?? 1
  const size = sizeOf(input.slice(1))
  return seed => ({
    x: noise(samples * sizeOf(input), seed).map((x, i) => {
      if (masked && isPadding(Math.floor(i / size), input[0]!)) return padding
      if (integers > 0) return Math.floor(((x + 1) / 2) * integers)
      return probable ? 0.5 + 0.45 * x : centre + x * spread
    }),
    target: targetsFor(loss, (samples * sizeOf(shape)) / n, n, seed + 7000),
    weight: weighted ? noise(samples, seed + 8000).map(x => 1.5 + x) : undefined,
    weights: drawWeights(setup, seed),
  })
}

/** Layers that mask sequences of this shape: of images, say, as rows of features first. */
export function maskingFor(input: readonly number[]): Layer[] {
  if (input.length === 2) return [layers.masking({})]
  const [steps, ...shape] = input as [number, ...number[]]
  const [flat, back] = [[steps, sizeOf(shape)], shape].map(targetShape => layers.reshape({ targetShape }))
  return [flat!, layers.masking({}), layers.timeDistributed({ layer: back! })]
}

/** An example as a network that is proved under the mean squared error. */
export function setupOf({ layer, input, samples, integers, masked = false }: Example): Setup {
  const stack = masked ? [...maskingFor(input), layer] : [layer]
  return { layers: stack, input, samples, discrete: integers !== undefined, loss: losses.meanSquaredError }
}

/** Draws what suits an example. */
export function drawOf(
  { layer, samples, spread, centre = 0, integers, masked = false }: Example,
  setup: Setup,
): Draw {
  return drawFor(setup, 'meanSquaredError', {
    spread,
    centre,
    integers: integers ?? 0,
    masked: masked || 'maskValue' in layer.config,
    padding: (layer.config.maskValue as number) ?? 0,
    weighted: samples > 2,
  })
}
