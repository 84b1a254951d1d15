/** A float64 array with its shape, batch first. */
export interface Array64 {
  readonly shape: readonly number[]
  readonly values: Float64Array
}

/** What a reference may know beyond its input, and what it tells. */
export interface Context {
  readonly training: boolean
  /** What the layer under test returned for this input: a dropout mask is read off it. */
  readonly observed: ArrayLike<number>
  /** Which steps of the samples are no padding, where the network masks; whether the layer's input is masked. */
  readonly steps?: Float64Array | undefined
  readonly masked?: boolean
  /** Hears how far each value lies from a place without derivative. */
  near(distance: number): void
  /** Hears a weight's value after the step. */
  becomes(name: string, values: Float64Array): void
}

export const zeros = (shape: readonly number[]): Array64 => ({
  shape,
  values: new Float64Array(shape.reduce((product, n) => product * n, 1)),
})

/** x with `f` applied to each row of the last axis. */
export function mapRows(x: Array64, f: (row: Float64Array) => Float64Array): Array64 {
  const n = x.shape.at(-1) ?? 1
  const y = zeros(x.shape)
  for (let at = 0; at < x.values.length; at += n) y.values.set(f(x.values.subarray(at, at + n)), at)
  return y
}

/** y (…, n) = x (…, k)·w (k, n) + b. */
export function product(x: Array64, w: Float64Array, b: Float64Array | undefined, n: number): Array64 {
  const k = x.shape.at(-1)!
  const y = zeros([...x.shape.slice(0, -1), n])
  for (let row = 0; row < x.values.length / k; row++) {
    for (let j = 0; j < n; j++) {
      let sum = b ? b[j]! : 0
      for (let i = 0; i < k; i++) sum += x.values[row * k + i]! * w[i * n + j]!
      y.values[row * n + j] = sum
    }
  }
  return y
}
