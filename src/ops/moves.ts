import type { Graph } from '../graph/graph.ts'
import { type Access, samples, sizeOf, update, type Value, write } from '../graph/value.ts'

/** One axis that a move runs along: its size, and how far apart its elements lie in x and in y. */
interface Axis {
  readonly n: number
  readonly x: number
  readonly y: number
}

/** Axes that the kernel loops over. */
export const mostAxes = 5

/** Elements between neighbours along each axis, row-major. */
export const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))

/**
 * Fewer and longer axes, the two inner ones as the kernel is fast with: one that is contiguous in both
 * arrays, or the one contiguous in x before the one contiguous in y.
 */
function arranged(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = []
  for (const axis of axes) {
    if (axis.n === 1) continue
    const last = merged.at(-1)
    if (last && last.x === axis.n * axis.x && last.y === axis.n * axis.y)
      merged.splice(-1, 1, { ...axis, n: last.n * axis.n })
    else merged.push(axis)
  }
  const contiguous = merged.findIndex(axis => axis.x === 1)
  if (contiguous !== -1 && contiguous < merged.length - 1)
    merged.splice(-1, 0, ...merged.splice(contiguous, 1))
  while (merged.length < mostAxes) merged.unshift({ n: 1, x: 0, y: 0 })
  return merged
}

type Five = [number, number, number, number, number]

/** y[yStart + Σ i·axis.y] = x[xStart + Σ i·axis.x] in each sample; at most five axes after merging. */
function move(g: Graph, x: Value, y: Access, axes: readonly Axis[], xStart = 0, yStart = 0): void {
  const list = arranged(axes)
  g.call(
    'move',
    samples(),
    x,
    y,
    sizeOf(x.shape),
    sizeOf(y.value.shape),
    xStart,
    yStart,
    ...(list.map(axis => axis.n) as Five),
    ...(list.map(axis => axis.x) as Five),
    ...(list.map(axis => axis.y) as Five),
  )
}

const axesOf = (shape: readonly number[], x: readonly number[], y: readonly number[]): Axis[] =>
  shape.map((n, axis) => ({ n, x: x[axis]!, y: y[axis]! }))

/** y = x with its axes in another order: axis i of y is axis order[i] of x, counted from 0 in the sample. */
export function permute(g: Graph, x: Value, order: readonly number[]): Value {
  const shape = order.map(axis => x.shape[axis]!)
  const from = stridesOf(x.shape)
  const [xStrides, yStrides] = [order.map(axis => from[axis]!), stridesOf(shape)]
  const y = g.batch('permute', shape, x)
  move(g, x, write(y), axesOf(shape, xStrides, yStrides))
  g.onBackward(y, dy =>
    g.contribute(x, dx => {
      const inverse = x.shape.map((_, axis) => order.indexOf(axis))
      const dyStrides = inverse.map(axis => yStrides[axis]!)
      move(g, dy, dx, axesOf(x.shape, dyStrides, from))
    }),
  )
  return y
}

/** The element of `whole` where the box at `at` begins. */
const startOf = (whole: readonly number[], at: readonly number[]): number =>
  stridesOf(whole).reduce((sum, stride, axis) => sum + stride * at[axis]!, 0)

/** box = the elements of `whole` from `at` on. */
export function extract(g: Graph, whole: Value, box: Access, at: readonly number[]): void {
  const { shape } = box.value
  const axes = axesOf(shape, stridesOf(whole.shape), stridesOf(shape))
  move(g, whole, box, axes, startOf(whole.shape, at))
}

/** Puts the box into `whole` from `at` on; the rest stays as it is. */
function insert(g: Graph, box: Value, whole: Access, at: readonly number[]): void {
  const { shape } = whole.value
  const axes = axesOf(box.shape, stridesOf(box.shape), stridesOf(shape))
  move(g, box, whole, axes, 0, startOf(shape, at))
}

/** `whole` = zeros around the box at `at`. */
function surround(g: Graph, box: Value, whole: Access, at: readonly number[]): void {
  g.call('clear', samples(sizeOf(whole.value.shape)), whole)
  insert(g, box, update(whole.value), at)
}

/** y = the box of x of the given shape that begins at `at`; dx is zero around it. */
export function crop(g: Graph, x: Value, at: readonly number[], shape: readonly number[]): Value {
  const y = g.batch('crop', shape, x)
  extract(g, x, write(y), at)
  g.onBackward(y, dy => g.contribute(x, dx => surround(g, dy, dx, at)))
  return y
}

/** y = x with so many zeros before and after it along each axis. */
export function pad(g: Graph, x: Value, before: readonly number[], after: readonly number[]): Value {
  const shape = x.shape.map((n, axis) => before[axis]! + n + after[axis]!)
  const y = g.batch('pad', shape, x)
  surround(g, x, write(y), before)
  g.onBackward(y, dy => g.contribute(x, dx => extract(g, dy, dx, before)))
  return y
}

/** y = the `size` elements of x from `start` on along one axis, counted from 0 in the sample's shape. */
export function sliceAxis(g: Graph, x: Value, axis: number, start: number, size: number): Value {
  const at = x.shape.map((_, i) => (i === axis ? start : 0))
  return crop(g, x, at, x.shape.with(axis, size))
}

/**
 * The n equal parts of x along one axis, counted from 0 in the sample's shape. dx is put together from all their
 * gradients, however many there are.
 */
export function split(g: Graph, x: Value, axis: number, n: number): Value[] {
  const size = x.shape[axis]! / n
  const shape = x.shape.with(axis, size)
  const places = Array.from({ length: n }, (_, part) => x.shape.map((_, i) => (i === axis ? part * size : 0)))
  const parts = places.map(at => {
    const part = g.batch('part', shape, x)
    extract(g, x, write(part), at)
    return part
  })
  g.onBackwardOf(parts, gradients =>
    g.contribute(x, dx => {
      const isWhole = !gradients.includes(undefined)
      if (!isWhole) g.call('clear', samples(sizeOf(x.shape)), dx)
      gradients.forEach((dy, i) => {
        if (dy) insert(g, dy, isWhole && i === 0 ? dx : update(dx.value), places[i]!)
      })
    }),
  )
  return parts
}

/**
 * y = the values side by side along one axis, counted from 0 in the sample's shape; the other axes must be
 * alike. Each gradient is its part of dy.
 */
export function concat(g: Graph, xs: readonly Value[], axis: number): Value {
  const [first] = xs as readonly [Value, ...Value[]]
  const whole = xs.reduce((sum, { shape }) => sum + shape[axis]!, 0)
  const y = g.batch('concat', first.shape.with(axis, whole), ...xs)
  let next = 0
  const starts = xs.map(({ shape }) => (next += shape[axis]!) - shape[axis]!)
  const places = starts.map(start => first.shape.map((_, i) => (i === axis ? start : 0)))
  xs.forEach((x, i) => insert(g, x, i === 0 ? write(y) : update(y), places[i]!))
  g.onBackward(y, dy => xs.forEach((x, i) => g.contribute(x, dx => extract(g, dy, dx, places[i]!))))
  return y
}

/** y = x with its elements along one axis in reverse order; the axis counted from 0 in the sample's shape. */
export function reverse(g: Graph, x: Value, axis: number): Value {
  const strides = stridesOf(x.shape)
  const [n, stride] = [x.shape[axis]!, strides[axis]!]
  const axes = axesOf(x.shape, strides.with(axis, -stride), strides)
  const flip = (from: Value, to: Access) => move(g, from, to, axes, (n - 1) * stride)
  const y = g.batch('reverse', x.shape, x)
  flip(x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => flip(dy, dx)))
  return y
}

/** y = x n times along a new axis, counted from 0 in the sample's shape of y; dx = Σ dy over it. */
export function repeat(g: Graph, x: Value, axis: number, n: number): Value {
  const outer = sizeOf(x.shape.slice(0, axis))
  const inner = sizeOf(x.shape.slice(axis))
  const y = g.batch('repeat', x.shape.toSpliced(axis, 0, n), x)
  move(g, x, write(y), axesOf([outer, n, inner], [inner, 0, 1], [n * inner, inner, 1]))
  g.onBackward(y, dy => g.contribute(x, dx => g.call('sumSample', samples(outer), dy, dx, n, inner)))
  return y
}

/** dx = Σ dy over the axes of which dx has one element and dy several. */
export function sumAlong(g: Graph, dy: Value, dx: Access): void {
  const { shape } = dx.value
  const isSummed = (axis: number) => shape[axis] === 1 && dy.shape[axis]! > 1
  const begins = dy.shape.map((_, axis) => axis).filter(axis => isSummed(axis) && !isSummed(axis - 1))
  let rest = dy
  for (const begin of begins.toReversed()) {
    let end = begin
    while (isSummed(end)) end++
    const [outer, n] = [sizeOf(dy.shape.slice(0, begin)), sizeOf(dy.shape.slice(begin, end))]
    const inner = sizeOf(shape.slice(end))
    const sum = begin === begins[0] ? dx : write(g.batch('partial sum', [outer * inner]))
    if (inner === 1) g.call('rowSums', samples(outer), rest, sum, n)
    else g.call('sumSample', samples(outer), rest, sum, n, inner)
    rest = sum.value
  }
}

/** y = x, with axes of size 1 repeated where y has more, of as many axes. */
export function expand(g: Graph, x: Value, y: Access): void {
  const { shape } = y.value
  const strides = stridesOf(x.shape).map((stride, axis) => (x.shape[axis] === 1 ? 0 : stride))
  move(g, x, y, axesOf(shape, strides, stridesOf(shape)))
}

/** y = x with axes of size 1 repeated to fill `shape`, of as many axes; dx = Σ dy over them. */
export function stretch(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sizeOf(x.shape) === sizeOf(shape)) return g.view(x, shape)
  const y = g.batch(x.storage.label, shape, x)
  expand(g, x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => sumAlong(g, dy, dx)))
  return y
}

/** The shape that values of these shapes are broadcast to, axes counted from the last one; undefined for none. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map(shape => shape.length))
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const found = shapes.map(shape => shape[axis - rank + shape.length] ?? 1).filter(n => n !== 1)
    return found.every(n => n === found[0]) ? (found[0] ?? 1) : -1
  })
  return sizes.includes(-1) ? undefined : sizes
}

/** x with the axes that it lacks, and those of size 1, repeated to fill `shape`. */
export function broadcast(g: Graph, x: Value, shape: readonly number[]): Value {
  const leading = Array<number>(shape.length - x.shape.length).fill(1)
  return stretch(g, g.view(x, [...leading, ...x.shape]), shape)
}
