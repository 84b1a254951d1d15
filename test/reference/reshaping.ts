import { type Array64, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'

type Two = readonly [number, number]
type Edges = number | Two | readonly [Two, Two]

/** Options of the layers in src/layers/reshaping.ts. */
export interface ReshapingOptions {
  dims: readonly number[]
  n: number
  cropping: Edges
  dataFormat: string
  size: Two
  interpolation: string
}

/** The place of each element of a shape, in row-major order. */
function* places(shape: readonly number[]): Generator<number[]> {
  const size = shape.reduce((product, n) => product * n, 1)
  for (let i = 0; i < size; i++) {
    let rest = i
    const place = shape.toReversed().map(n => {
      const at = rest % n
      rest = Math.floor(rest / n)
      return at
    })
    yield place.reverse()
  }
}

/** The element at a place, 0 outside. */
function at({ shape, values }: Array64, place: readonly number[]): number {
  if (place.some((i, axis) => i < 0 || i >= shape[axis]!)) return 0
  return values[place.reduce((index, i, axis) => index * shape[axis]! + i, 0)]!
}

/** An array of `shape` (batch first) whose element at each place is `f` of it. */
export function made(shape: readonly number[], f: (place: number[]) => number): Array64 {
  const y = zeros(shape)
  let i = 0
  for (const place of places(shape)) y.values[i++] = f(place)
  return y
}

export const permuted = (x: Array64, order: readonly number[]): Array64 =>
  made(
    order.map(axis => x.shape[axis]!),
    place =>
      at(
        x,
        x.shape.map((_, axis) => place[order.indexOf(axis)]!),
      ),
  )

/** Rows and columns before and after: [[top, bottom], [left, right]]. */
function sides(edges: Edges): [Two, Two] {
  const [height, width] = typeof edges === 'number' ? [edges, edges] : edges
  const both = (side: number | Two): Two => (typeof side === 'number' ? [side, side] : side)
  return [both(height), both(width)]
}

/** x moved by so many rows and columns per side; negative ones fall away. */
function framed(x: Array64, edges: Edges, sign: number, dataFormat: string): Array64 {
  const [rows, columns] = sides(edges)
  const first = dataFormat === 'channelsLast' ? 1 : 2
  const sideOf = (axis: number) => (axis === first ? rows : axis === first + 1 ? columns : [0, 0])
  return made(
    x.shape.map((n, axis) => n + sign * (sideOf(axis)[0]! + sideOf(axis)[1]!)),
    place =>
      at(
        x,
        place.map((i, axis) => i - sign * sideOf(axis)[0]!),
      ),
  )
}

/** The samples of x (batch, height, width, channels) at places (rowOf(r), columnOf(c)), which may be fractions. */
export function sampled(
  x: Array64,
  [outHeight, outWidth]: Two,
  interpolation: string,
  rowOf: (r: number) => number,
  columnOf: (c: number) => number,
): Array64 {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  return made([batch, outHeight, outWidth, channels], ([s, r, c, channel]) => {
    const [row, column] = [rowOf(r!), columnOf(c!)]
    const pixel = (i: number, j: number) =>
      at(x, [s!, Math.min(i, height - 1), Math.min(j, width - 1), channel!])
    const [top, left] = [Math.floor(row), Math.floor(column)]
    if (interpolation === 'nearest') return pixel(top, left)
    const [down, across] = [row - top, column - left]
    const above = pixel(top, left) * (1 - across) + pixel(top, left + 1) * across
    const below = pixel(top + 1, left) * (1 - across) + pixel(top + 1, left + 1) * across
    return above * (1 - down) + below * down
  })
}

const upSampling2d: Reference = (x, _, { size: [rows, columns], dataFormat, interpolation }) => {
  const first = dataFormat === 'channelsFirst'
  const image = first ? permuted(x, [0, 2, 3, 1]) : x
  const out = [rows * image.shape[1]!, columns * image.shape[2]!] as const
  const y = sampled(
    image,
    out,
    interpolation,
    r => r / rows,
    c => c / columns,
  )
  return first ? permuted(y, [0, 3, 1, 2]) : y
}

export const reshapingReferences = {
  cropping2D: (x, _, { cropping, dataFormat }) => framed(x, cropping, -1, dataFormat),
  permute: (x, _, { dims }) => permuted(x, [0, ...dims]),
  repeatVector: (x, _, { n }) => made([x.shape[0]!, n, x.shape[1]!], ([s, , k]) => at(x, [s!, k!])),
  upSampling2d,
  zeroPadding2d: (x, _, { padding, dataFormat }) => framed(x, padding as unknown as Edges, 1, dataFormat),
} satisfies Record<string, Reference>
