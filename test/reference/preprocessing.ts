import { type Array64, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'
import { made, sampled } from './reshaping.ts'

/** Options of the layers in src/layers/preprocessing.ts. */
export interface PreprocessingOptions {
  numTokens: number
  outputMode: string
  height: number
  width: number
  scale: number
  offset: number
  cropToAspectRatio: boolean
}

const categoryEncoding: Reference = (x, _, { numTokens, outputMode }, { near }) => {
  const last = x.shape.at(-1)!
  const apart = outputMode === 'oneHot' && last !== 1
  const tokens = apart ? 1 : last
  const y = zeros([...(apart ? x.shape : x.shape.slice(0, -1)), numTokens])
  x.values.forEach((value, i) => {
    near(Math.abs(value - Math.round(value)))
    const at = Math.floor(i / tokens) * numTokens + Math.floor(value)
    y.values[at] = outputMode === 'count' ? y.values[at]! + 1 : 1
  })
  return y
}

/** The middle height × width pixels. */
function centred(x: Array64, height: number, width: number): Array64 {
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number]
  const [top, left] = [Math.floor((rows - height) / 2), Math.floor((columns - width) / 2)]
  return made([batch, height, width, channels], ([s, r, c, channel]) => {
    return x.values[((s! * rows + top + r!) * columns + left + c!) * channels + channel!]!
  })
}

/** Place i of `out` on an axis of `size` pixels whose ends lie upon each other. */
const between = (size: number, out: number) => (i: number) => (out > 1 ? (i * (size - 1)) / (out - 1) : 0)

const resizing: Reference = (x, _, { height, width, interpolation, cropToAspectRatio }) => {
  const [, rows, columns] = x.shape as [number, number, number]
  const ratio = width / height
  const inner = [Math.min(rows, Math.floor(columns / ratio)), Math.min(columns, Math.floor(rows * ratio))]
  const image = cropToAspectRatio ? centred(x, inner[0]!, inner[1]!) : x
  const [rowOf, columnOf] = [between(image.shape[1]!, height), between(image.shape[2]!, width)]
  const at = (f: (i: number) => number) => (i: number) =>
    interpolation === 'nearest' ? Math.round(f(i)) : f(i)
  return sampled(image, [height, width], interpolation, at(rowOf), at(columnOf))
}

export const preprocessingReferences = {
  categoryEncoding,
  centerCrop: (x, _, { height, width }) => {
    const [, rows, columns] = x.shape as [number, number, number]
    if (rows >= height && columns >= width) return centred(x, height, width)
    return sampled(
      x,
      [height, width],
      'bilinear',
      r => (r * rows) / height,
      c => (c * columns) / width,
    )
  },
  rescaling: (x, _, { scale, offset }) => ({ shape: x.shape, values: x.values.map(z => z * scale + offset) }),
  resizing,
} satisfies Record<string, Reference>
