import { drawSeed, randomNumbers } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import { nonNegativeInteger } from '../errors.ts'
import { cos, log } from './elementary.ts'

/** Samples (n, features), and the class of each (n), an integer. */
export interface GeneratedClasses {
  x: Tensor
  y: Tensor
}

/** Uniform and normal numbers from a seed. */
export class Draws {
  readonly uniform: () => number

  constructor(seed: number | null) {
    if (seed !== null) nonNegativeInteger('datasets', 'seed', seed)
    this.uniform = randomNumbers(seed ?? drawSeed())
  }

  /** G. Box & M. Muller (1958), in arithmetic of our own. */
  normal(): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()))
    return radius * cos(2 * Math.PI * this.uniform())
  }

  below(count: number): number {
    return Math.floor(this.uniform() * count)
  }

  /** The numbers 0 … count − 1, shuffled where they are to be. */
  order(count: number, shuffle: boolean): number[] {
    const order = Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; shuffle && i > 0; i--) {
      const j = this.below(i + 1)
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return order
  }
}

export const common = { nSamples: 100, shuffle: true, seed: null as number | null }

export const matrix = (rows: readonly (readonly number[])[], columns: number): Tensor =>
  new Tensor(Float32Array.from(rows.flat()), [rows.length, columns], 'float32')

/** Rows and classes in an order. */
export const inOrder = (
  order: readonly number[],
  rows: readonly (readonly number[])[],
  classes: readonly number[],
) => ({
  x: matrix(
    order.map(i => rows[i]!),
    rows[0]!.length,
  ),
  y: new Tensor(
    Int32Array.from(order, i => classes[i]!),
    [order.length],
    'int32',
  ),
})

/** Sizes of `count` groups that differ by one at most. */
export const shared = (total: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(total / count) + (i < total % count ? 1 : 0))
