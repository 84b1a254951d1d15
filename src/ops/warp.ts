import type { Graph } from '../graph/graph.ts'
import { type Access, samples, type Value, write } from '../graph/value.ts'
import type { Interpolation } from './resize.ts'

/** Names of what lies outside of an image, in the order in which the kernel (assembly/warp.ts) numbers them. */
export const fillModes = ['reflect', 'wrap', 'nearest', 'constant'] as const
export type FillMode = (typeof fillModes)[number]

/** Lowest and highest value of what is drawn evenly between them. */
export type Range = readonly [low: number, high: number]

/** How an image is read between its pixels and beyond its edges. */
export interface Sampling {
  readonly fillMode: FillMode
  /** With `constant`. */
  readonly fillValue: number
  readonly interpolation: Interpolation
}

/**
 * In training x (height, width, channels) seen through transforms that `draw` writes, six floats a sample (see
 * assembly/transforms.ts); elsewhere x. dx is the transpose: each pixel of dy goes back to where it was read.
 */
function warp(
  g: Graph,
  x: Value,
  [outHeight, outWidth]: readonly [number, number],
  { fillMode, fillValue, interpolation }: Sampling,
  draw: (transforms: Access, site: number) => void,
): Value {
  const site = g.site()
  if (!g.training) return x
  const [height, width, channels] = x.shape as [number, number, number]
  const transforms = g.batch('transforms', [6])
  draw(write(transforms), site)
  const y = g.batch('warp', [outHeight, outWidth, channels], x)
  const bilinear = interpolation === 'bilinear' ? 1 : 0
  const sizes = [height, width, channels, outHeight, outWidth, fillModes.indexOf(fillMode), bilinear] as const
  const outside = write(g.scratch(4 * channels + 16))
  g.call('warp', samples(), x, transforms, write(y), ...sizes, fillValue, outside)
  g.onBackward(y, dy =>
    g.contribute(x, dx => g.call('warpGradient', samples(), dy, transforms, dx, ...sizes)),
  )
  return y
}

const sizeOfImage = (x: Value): [height: number, width: number] => [x.shape[0]!, x.shape[1]!]

/** No pixel is read between others or outside. */
const exact: Sampling = { fillMode: 'nearest', fillValue: 0, interpolation: 'nearest' }

/** Each image upside down, or mirrored, with probability ½ each; drawn as `dropout`. */
export function flip(g: Graph, x: Value, vertical: boolean, horizontal: boolean): Value {
  const size = sizeOfImage(x)
  const chances = [vertical ? 0.5 : 0, horizontal ? 0.5 : 0] as const
  return warp(g, x, size, exact, (t, site) =>
    g.call('flips', samples(), t, g.cells.key, site, ...size, ...chances),
  )
}

/** Each image turned about its middle by an angle (radians, counter-clockwise); drawn as `dropout`. */
export function rotate(g: Graph, x: Value, angles: Range, sampling: Sampling): Value {
  const size = sizeOfImage(x)
  return warp(g, x, size, sampling, (t, site) =>
    g.call('rotations', samples(), t, g.cells.key, site, ...size, ...angles),
  )
}

/**
 * Each image shrunk about its middle by factors (below 1 it grows); without those of the width both axes share
 * theirs. Drawn as `dropout`.
 */
export function zoom(g: Graph, x: Value, height: Range, width: Range | null, sampling: Sampling): Value {
  const size = sizeOfImage(x)
  const ranges = [...height, ...(width ?? height)] as const
  return warp(g, x, size, sampling, (t, site) =>
    g.call('zooms', samples(), t, g.cells.key, site, ...size, ...ranges, width ? 0 : 1),
  )
}

/** Each image's width times a factor, cut or filled at both sides to the width it had; drawn as `dropout`. */
export function stretchWidth(g: Graph, x: Value, factors: Range, sampling: Sampling): Value {
  const size = sizeOfImage(x)
  return warp(g, x, size, sampling, (t, site) =>
    g.call('widths', samples(), t, g.cells.key, site, ...size, ...factors),
  )
}

/** Each image moved by so many rows down and columns to the right; drawn as `dropout`. */
export function translate(g: Graph, x: Value, rows: Range, columns: Range, sampling: Sampling): Value {
  const size = sizeOfImage(x)
  return warp(g, x, size, sampling, (t, site) =>
    g.call('translations', samples(), t, g.cells.key, site, ...size, ...rows, ...columns),
  )
}

/** A box of each image, which must not be smaller, anywhere in it; drawn as `dropout`; only in training. */
export function randomBox(g: Graph, x: Value, size: readonly [height: number, width: number]): Value {
  const [height, width] = sizeOfImage(x)
  return warp(g, x, size, exact, (t, site) =>
    g.call('crops', samples(), t, g.cells.key, site, height - size[0], width - size[1]),
  )
}
