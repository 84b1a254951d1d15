import type { Graph } from '../graph/graph.ts'
import { once, update, type Value } from '../graph/value.ts'
import type { OwnSums, RowValues } from '../training/rowMetrics.ts'

/** Sums over an epoch: where they lie, how many, and over how many rows. */
export interface Total {
  readonly key: string
  readonly width: number
  /** Rows a sample, or a step that counts where `per` is given. */
  readonly inner: number
  /** The total that is the number of steps that count; each sample counts if undefined. */
  readonly per?: string | undefined
}

/** Which steps of an output count, and the name of the total of these. */
export interface Mask {
  readonly key: string
  readonly steps: Value
}

/** How rows count: by a weight a sample, or not at all. */
interface Counting {
  readonly weight?: Value | undefined
  readonly mask?: Mask | undefined
}

/** Sums over an epoch that a step adds to. */
export class Totals {
  readonly list: Total[] = []
  readonly outputs: Record<string, Value> = {}
  private readonly g: Graph

  constructor(g: Graph) {
    this.g = g
  }

  /**
   * Adds what a step measured to the sums of this name: rows of values, weighted by sample if there are weights;
   * what a mask leaves out must be 0.
   */
  add(key: string, measured: RowValues | OwnSums, { weight, mask }: Counting = {}): void {
    const { width, inner } = measured
    const total = this.sum(key, width, mask ? inner / mask.steps.shape[0]! : inner, mask?.key)
    if ('accumulate' in measured) measured.accumulate(total)
    else {
      const { rowCount } = this.g
      this.g.call('accumulate', once, measured.values, weight ?? 0, update(total), rowCount, width, inner)
    }
  }

  /** Adds up the steps that count. */
  count({ key, steps }: Mask): void {
    this.g.call('countSteps', once, steps, update(this.sum(key, 1, 1)), this.g.rowCount, steps.shape[0]!, 1)
  }

  /** The sums of this name, made when first asked for. */
  sum(key: string, width: number, inner: number, per?: string): Value {
    const known = this.outputs[key]
    if (known) return known
    this.list.push({ key, width, inner, per })
    const total = this.g.allocate('run', `total ${key}`, [width], 8 * width)
    this.outputs[key] = total
    return total
  }
}
