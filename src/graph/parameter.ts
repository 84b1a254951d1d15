import { sizeOf } from './value.ts'

/**
 * A piece of model state: a weight, a moving statistic, an optimizer's slot. Seen as a matrix (k, n), n its
 * last axis or axes, it lies in panels of 16 columns, [ceil(n/16)][k][16], the columns past n zero: products
 * read it as it is, and slices of 16 floats are what workers share out. A vector is the case k = 1.
 */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  /** How many of the last axes together are the columns: 1 if left out. */
  readonly columnAxes?: number | undefined
  /** Whether the optimizer changes it. */
  trainable: boolean
  /** Byte offset in the state block of the model that is being recorded. */
  offset: number
  /**
   * Where the latest values lie, and how often they have changed: layers may belong to several models, each
   * with a block of its own (see `ModelState`).
   */
  latest?: { readonly home: Home; readonly version: number }
}

/** A block that holds values of parameters. */
export interface Home {
  panels(parameter: Parameter): Float32Array
}

/** Rows and columns of a parameter seen as a matrix. */
export function matrixOf(shape: readonly number[], columnAxes = 1): { k: number; n: number } {
  const n = sizeOf(shape.slice(-columnAxes))
  return { k: sizeOf(shape) / n, n }
}

/** Units of 16 floats that a parameter of this shape takes. */
export function unitsOf(shape: readonly number[], columnAxes = 1): number {
  const { k, n } = matrixOf(shape, columnAxes)
  return Math.ceil(n / 16) * k
}

export const bytesOf = (shape: readonly number[], columnAxes = 1): number => 64 * unitsOf(shape, columnAxes)

/** Row-major values → panels. */
export function pack(
  values: ArrayLike<number>,
  shape: readonly number[],
  panels: Float32Array,
  columnAxes = 1,
): void {
  const { k, n } = matrixOf(shape, columnAxes)
  for (let panel = 0; panel * 16 < n; panel++) {
    const columns = Math.min(16, n - panel * 16)
    for (let row = 0; row < k; row++) {
      const source = row * n + panel * 16
      const target = (panel * k + row) * 16
      for (let j = 0; j < columns; j++) panels[target + j] = values[source + j]!
      for (let j = columns; j < 16; j++) panels[target + j] = 0
    }
  }
}

/** Gives a parameter values (row-major) that no model has: all that it belongs to take them over. */
export function assign(parameter: Parameter, values: ArrayLike<number>): void {
  const { shape, columnAxes } = parameter
  const panels = new Float32Array(bytesOf(shape, columnAxes) / 4)
  pack(values, shape, panels, columnAxes)
  parameter.latest = { home: { panels: () => panels }, version: (parameter.latest?.version ?? 0) + 1 }
}

/** Panels → row-major values. */
export function unpack(panels: Float32Array, shape: readonly number[], columnAxes = 1): Float32Array {
  const { k, n } = matrixOf(shape, columnAxes)
  const values = new Float32Array(k * n)
  for (let panel = 0; panel * 16 < n; panel++) unpackPanel(panels, panel, values, k, n)
  return values
}

/** One panel → its columns of values (k, n), row-major. */
export function unpackPanel(
  panels: Float32Array,
  panel: number,
  values: Float32Array,
  k: number,
  n: number,
): void {
  const columns = Math.min(16, n - panel * 16)
  for (let row = 0; row < k; row++) {
    const source = (panel * k + row) * 16
    const target = row * n + panel * 16
    for (let j = 0; j < columns; j++) values[target + j] = panels[source + j]!
  }
}
