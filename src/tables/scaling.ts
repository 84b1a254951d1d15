import { sizeOf } from '../data/nested.ts'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { clip } from './encoding.ts'

/** x ↦ (x − mean) / deviation, one of each for every place on the last axis, or one for all. */
export interface Scaling {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/** Samples of these numbers, in their order. */
export function pick({ values, shape, dtype, scale }: Tensor, rows: ArrayLike<number>): Tensor {
  const size = sizeOf(shape.slice(1))
  const picked = new (values.constructor as typeof Float32Array)(rows.length * size)
  for (let i = 0; i < rows.length; i++)
    picked.set(values.subarray(rows[i]! * size, (rows[i]! + 1) * size) as Float32Array, i * size)
  return new Tensor(picked, [rows.length, ...shape.slice(1)], dtype, scale)
}

/** @throws RangeError naming the place of a number that is not finite */
export function checkFinite(where: string, { values, shape }: Tensor): void {
  if (!(values instanceof Float32Array)) return
  const at = values.findIndex(value => !Number.isFinite(value))
  if (at < 0) return
  const size = sizeOf(shape.slice(1))
  throw new RangeError(
    `${where}: must hold finite numbers, got ${values[at]} in sample ${Math.floor(at / size)}, place ${at % size}; ` +
      `correct it, or leave the sample out`,
  )
}

/**
 * The scaling that brings training samples near 1: bytes are divided by the largest of them, so that they may stay bytes;
 * other numbers get mean 0 and deviation 1, each channel of images, each column of tables.
 */
export function fitScaling({ values, shape, dtype }: Tensor): Scaling {
  if (dtype === 'uint8' || dtype === 'bool') {
    const largest = (values as Uint8Array).reduce((most, value) => Math.max(most, value), 1)
    return { mean: [0], deviation: [largest] }
  }
  const channels = shape.at(-1)!
  const mean = new Float64Array(channels)
  const squares = new Float64Array(channels)
  // Source: B. Welford (1962).
  for (let i = 0, count = 0; i < values.length; i += channels) {
    count++
    for (let c = 0; c < channels; c++) {
      const delta = values[i + c]! - mean[c]!
      mean[c]! += delta / count
      squares[c]! += delta * (values[i + c]! - mean[c]!)
    }
  }
  const count = Math.max(1, values.length / channels)
  const deviation = Array.from(squares, (sum, c) => {
    const root = Math.sqrt(sum / count)
    return root > 1e-12 * Math.abs(mean[c]!) ? root : 1
  })
  return { mean: [...mean], deviation }
}

/** Samples as the network takes them; bytes stay bytes with a scale where no more than that was learned. */
export function scaled({ values, shape, dtype }: Tensor, { mean, deviation }: Scaling): Tensor {
  const isByte = dtype === 'uint8' || dtype === 'bool'
  if (isByte && mean.length === 1 && mean[0] === 0)
    return new Tensor(values, shape, 'uint8', 1 / deviation[0]!)
  const channels = mean.length
  const result = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const c = i % channels
    result[i] = Math.max(-clip, Math.min(clip, (values[i]! - mean[c]!) / deviation[c]!))
  }
  return new Tensor(result, shape, 'float32')
}

/** @throws RangeError for what `fitScaling` did not make */
export function checkScaling(where: string, scaling: unknown, channels: number): Scaling {
  const { mean, deviation } = (scaling ?? {}) as Scaling
  const are = (list: unknown, test: (value: number) => boolean) =>
    Array.isArray(list) &&
    (list.length === 1 || list.length === channels) &&
    list.every(Number.isFinite) &&
    list.every(test)
  if (are(mean, () => true) && are(deviation, value => value > 0) && mean.length === deviation.length)
    return { mean, deviation }
  throw new RangeError(`${where}: scaling must be means and deviations, got ${show(scaling)}; train again`)
}
