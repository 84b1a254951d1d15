import type { Graph } from '../graph/graph.ts'
import { samples, type Value, write } from '../graph/value.ts'

export type Interpolation = 'nearest' | 'bilinear'

/** Place of output i along an axis is i·rise / fall: from corner to corner, or from the first edge on. */
function slopeOf(size: number, out: number, alignCorners: boolean): [rise: number, fall: number] {
  return alignCorners && out > 1 ? [size - 1, out - 1] : [size, out]
}

/**
 * x (height, width, channels) seen at outHeight × outWidth places: the pixel at or before each (with
 * `alignCorners` the nearest), or the mean of the four around it by nearness. Pixels are points at their upper
 * left corners, as in TensorFlow.js' resizeNearestNeighbor and resizeBilinear; Keras 3 has them in the middle.
 */
export function resize(
  g: Graph,
  x: Value,
  [outHeight, outWidth]: readonly [number, number],
  interpolation: Interpolation,
  alignCorners = false,
): Value {
  const [height, width, channels] = x.shape as [number, number, number]
  const [rise, fall] = slopeOf(height, outHeight, alignCorners)
  const [run, reach] = slopeOf(width, outWidth, alignCorners)
  const sizes = [height, width, channels, outHeight, outWidth, rise, fall, run, reach] as const
  const y = g.batch('resize', [outHeight, outWidth, channels], x)
  if (interpolation === 'nearest') {
    const round = alignCorners ? 1 : 0
    g.call('resizeNearest', samples(), x, write(y), ...sizes, round)
    g.onBackward(y, dy =>
      g.contribute(x, dx => g.call('resizeNearestGradient', samples(), dy, dx, ...sizes, round)),
    )
    return y
  }
  g.call('resizeBilinear', samples(), x, write(y), ...sizes)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('resizeBilinearGradient', samples(), dy, dx, ...sizes)))
  return y
}
