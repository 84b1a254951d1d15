import type { Graph } from '../graph/graph.ts'
import { bytesOf, unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, update, type Value, write } from '../graph/value.ts'

export interface BatchNorm {
  /** Scale and offset after normalisation, or none. */
  readonly gamma: Value | undefined
  readonly beta: Value | undefined
  readonly movingMean: Value
  readonly movingVariance: Value
  readonly momentum: number
  readonly epsilon: number
}

/** At most this many chunks of samples are summed apart; more would only serve more workers. */
const mostChunks = 64
/**
 * Below this many rows, combining the chunks costs more than summing them (64 chunks of 2 rows: 22 µs, of 32:
 * 0.8 µs).
 */
const fewestRows = 16

/** Samples a chunk: a power of two that follows from the shapes alone, never from the workers. */
function chunkOf(samples: number, perSample: number): number {
  let chunk = 1
  while (chunk * mostChunks < samples || chunk * perSample < fewestRows) chunk *= 2
  return chunk
}

/**
 * y = gamma·(x − mean) / √(variance + epsilon) + beta over the last axis. In training mean and variance are
 * those of the whole mini-batch, over all workers, summed in fixed chunks; the moving ones follow with
 * `momentum`, and are used elsewhere. Source: Ioffe & Szegedy, "Batch Normalization" (2015), algorithms 1 and
 * 2.
 */
export function batchNorm(g: Graph, x: Value, options: BatchNorm): Value {
  return g.training ? trainingNorm(g, x, options) : inferenceNorm(g, x, options)
}

function inferenceNorm(g: Graph, x: Value, options: BatchNorm): Value {
  const { gamma, beta, movingMean, movingVariance, epsilon } = options
  const n = x.shape.at(-1)!
  const y = g.batch('batchNorm', x.shape, x)
  const bytes = bytesOf([n])
  const [scale, shift] = g.derive(movingVariance, 'normalisation', [bytes, bytes], (scale, shift) => {
    const affine = [gamma ?? 0, beta ?? 0] as const
    g.call(
      'inferenceScale',
      slices(unitsOf([n])),
      movingMean,
      movingVariance,
      scale!,
      shift!,
      ...affine,
      epsilon,
    )
  }) as [Value, Value]
  g.call('normalize', samples(sizeOf(x.shape) / n), x, scale, shift, write(y), n)
  return y
}

function trainingNorm(g: Graph, x: Value, options: BatchNorm): Value {
  const { gamma, beta, movingMean, movingVariance, momentum, epsilon } = options
  const n = x.shape.at(-1)!
  const perSample = sizeOf(x.shape) / n
  if (g.oneLeafAtATime) {
    throw new RangeError(
      'fit: accumulate must be false for a model with batchNormalization, got true; its statistics need the whole mini-batch',
    )
  }
  const chunk = chunkOf(g.rows, perSample)
  g.keepTogether(chunk)
  const { rows } = g.cells
  const units = slices(unitsOf([n]))
  const vector = (label: string): Value => g.allocate('shared', label, [n], bytesOf([n]))
  const partials = (): Value => {
    return g.allocate('shared', 'partial statistics', [], Math.ceil(g.rows / chunk) * 2 * bytesOf([n]))
  }
  const partial = partials()
  const [mean, variance, scale, shift] = ['mean', 'variance', 'scale', 'shift'].map(vector) as [
    Value,
    Value,
    Value,
    Value,
  ]
  g.call('batchMoments', samples(), x, write(partial), rows, chunk, perSample, n)
  g.call(
    'batchStatistics',
    units,
    partial,
    rows,
    chunk,
    perSample,
    write(mean),
    write(variance),
    write(scale),
    write(shift),
    gamma ?? 0,
    beta ?? 0,
    epsilon,
    n,
  )
  g.update('movingAverage', units, update(movingMean), mean, momentum)
  g.update('movingAverage', units, update(movingVariance), variance, momentum)
  const y = g.batch('batchNorm', x.shape, x, ...(gamma ? [gamma] : []), ...(beta ? [beta] : []))
  g.call('normalize', samples(perSample), x, scale, shift, write(y), n)
  g.onBackward(y, dy => {
    g.checkFinite(dy, 'the gradient of a batch normalisation')
    const sums = partials()
    const [sumDy, sumDyXhat] = [vector('sum dy'), vector('sum dy·x̂')]
    g.call(
      'batchGradientSums',
      samples(),
      x,
      dy,
      mean,
      variance,
      epsilon,
      write(sums),
      rows,
      chunk,
      perSample,
      n,
    )
    g.call('batchGradientCombine', units, sums, rows, chunk, perSample, write(sumDy), write(sumDyXhat), n)
    if (gamma) g.contributeParameterValue(gamma, sumDyXhat)
    if (beta) g.contributeParameterValue(beta, sumDy)
    g.contribute(x, dx => {
      g.call(
        'batchGradient',
        samples(perSample),
        x,
        dy,
        dx,
        mean,
        variance,
        gamma ?? 0,
        sumDy,
        sumDyXhat,
        rows,
        perSample,
        n,
        epsilon,
      )
    })
  })
  return y
}
