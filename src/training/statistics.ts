import { type Input, toRows } from '../data/inputs.ts'
import { flatten, isTypedArray, type Nested, shapeOf } from '../data/nested.ts'
import { isPlainObject, show } from '../errors.ts'

/** Data in one piece, or in batches: arrays or tensors, or { xs } of them. */
export type StatisticsInput = Input | AsyncIterable<unknown>

interface Batch {
  readonly values: ArrayLike<number>
  readonly scale: number
  /** Of the batch, which is axis 0, and a sample. */
  readonly shape: readonly number[]
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1)

/** @throws TypeError or RangeError as `fit` does for its x */
function readBatch(where: string, given: unknown): Batch {
  const data = isPlainObject(given) && 'xs' in given ? given.xs : given
  const shape = Array.isArray(data) ? shapeOf(data) : (data as { shape?: readonly number[] } | null)?.shape
  if (!shape && isTypedArray(data))
    throw new TypeError(`${where}: data must have a shape, got ${show(data)}; give a tensor`)
  const sample = (shape ?? []).slice(1)
  const rows = toRows(where, 'data', data, sample.length === 0 ? [1] : sample)
  return { values: rows.values, scale: rows.scale, shape: [rows.count, ...rows.shape] }
}

/** Mean and variance, in float64, of each place along some axes of data that comes in batches. */
export class Moments {
  /** Axes of the batch, rising, that have statistics place by place. */
  private readonly axes: readonly number[]
  private readonly sizes: readonly number[]
  private count = 0
  private readonly means: Float64Array
  /** Σ (x − mean)². */
  private readonly squares: Float64Array

  constructor(axes: readonly number[], shape: readonly number[]) {
    this.axes = axes
    this.sizes = axes.map(axis => shape[axis]!)
    this.means = new Float64Array(sizeOf(this.sizes))
    this.squares = new Float64Array(this.means.length)
  }

  get mean(): Float64Array {
    return this.means
  }

  /** Of all data, not an estimate from a part of it. */
  get variance(): Float64Array {
    return this.squares.map(sum => sum / this.count)
  }

  /**
   * Takes a batch in: its own moments in two passes, joined with those before (Chan, Golub & LeVeque, 1979).
   * @throws RangeError for a batch of other sizes along the axes
   */
  add(where: string, batch: Batch): void {
    const { values, scale, shape } = batch
    const found = this.axes.map(axis => shape[axis])
    if (String(found) !== String(this.sizes))
      throw new RangeError(
        `${where}: batches must have the same features, got [${this.sizes}] and [${found}]; correct the data`,
      )
    const places = this.placesOf(shape)
    const each = values.length / this.means.length
    const means = new Float64Array(this.means.length)
    for (let i = 0; i < values.length; i++) means[places[i]!]! += (values[i]! * scale) / each
    const squares = new Float64Array(means.length)
    for (let i = 0; i < values.length; i++)
      squares[places[i]!]! += (values[i]! * scale - means[places[i]!]!) ** 2
    const all = this.count + each
    for (const [j, mean] of means.entries()) {
      const apart = mean - this.means[j]!
      this.means[j]! += (apart * each) / all
      this.squares[j]! += squares[j]! + (apart * apart * this.count * each) / all
    }
    this.count = all
  }

  /** For each element of a batch the place whose statistics it counts for. */
  private placesOf(shape: readonly number[]): Int32Array {
    const places = new Int32Array(sizeOf(shape))
    const strides = shape.map((_, axis) => {
      const own = this.axes.indexOf(axis)
      return own === -1 ? 0 : sizeOf(this.sizes.slice(own + 1))
    })
    for (let i = 0; i < places.length; i++) {
      let rest = i
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        places[i]! += (rest % shape[axis]!) * strides[axis]!
        rest = Math.floor(rest / shape[axis]!)
      }
    }
    return places
  }
}

const isInBatches = (data: unknown): data is AsyncIterable<unknown> =>
  typeof (data as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === 'function'

/**
 * Hands the batches of data, the first at once, to `begin`, which tells the axes and shape of the moments.
 * @throws TypeError or RangeError for what is no data; RangeError for a dataset without elements
 */
export async function momentsOf(
  where: string,
  data: StatisticsInput,
  axesOf: (shape: readonly number[]) => readonly number[],
): Promise<Moments> {
  let moments: Moments | undefined
  const take = (given: unknown) => {
    const batch = readBatch(where, given)
    moments ??= new Moments(axesOf(batch.shape), batch.shape)
    moments.add(where, batch)
  }
  if (isInBatches(data)) for await (const batch of data) take(batch)
  else take(data)
  if (!moments)
    throw new RangeError(`${where}: data must have a batch, got none; give a dataset with elements`)
  return moments
}

/** Numbers given as one or in nested arrays, repeated to fill `shape` from its first axis on. */
export function spread(where: string, name: string, given: Nested, shape: readonly number[]): Float32Array {
  const own = shapeOf(given)
  if (String(own) !== String(shape.slice(shape.length - own.length)))
    throw new RangeError(
      `${where}: ${name} must have shape [${shape}], got [${own}]; give a number for each feature`,
    )
  const values = own.length === 0 ? [given as number] : flatten(where, name, given, own)
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]!)
}
