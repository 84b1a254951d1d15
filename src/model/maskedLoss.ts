import type { Graph } from '../graph/graph.ts'
import { once, samples, update, type Value, write } from '../graph/value.ts'
import { keepSteps } from '../ops/masks.ts'
import type { Comparison, Loss, RowLosses } from '../training/rowLosses.ts'

/** Which steps of a prediction (steps, …) count. A prediction of one row is never masked. */
export const maskOf = (g: Graph, prediction: Value): Value | undefined =>
  prediction.shape.length > 1 ? g.masks.of(prediction) : undefined

/** How many steps of each output count in the whole mini-batch. */
export class StepCounts {
  private readonly g: Graph
  private readonly counts = new Map<number, Value>()

  constructor(g: Graph) {
    this.g = g
  }

  /** Adds the steps of the prediction of output i; nothing where it has no mask. */
  add(i: number, prediction: Value): void {
    const mask = maskOf(this.g, prediction)
    if (!mask) return
    const known = this.counts.get(i)
    const count = known ?? this.g.allocate('shared', 'counted steps', [1], 8)
    const more = known ? 1 : 0
    const to = known ? update(count) : write(count)
    this.g.call('countSteps', once, mask, to, this.g.rowCount, mask.shape[0]!, more)
    this.counts.set(i, count)
  }

  of(i: number): Value | undefined {
    return this.counts.get(i)
  }
}

/**
 * Records a loss whose gradient is that of the mean over the rows that count, as Keras 3 has it: Σ weight·loss /
 * the rows of the mini-batch that its mask counts (all without a mask; `count` is the number of its steps, needed
 * in training). Masked rows have the loss 0.
 */
export function recordLoss(
  g: Graph,
  loss: Loss,
  comparison: Comparison,
  count: Value | undefined,
): RowLosses {
  const { prediction, target, weight } = comparison
  const mask = maskOf(g, prediction)
  if (!mask) return loss.record(g, comparison)
  const [steps] = mask.shape as [number]
  const weights = count && g.batch('step weights', [steps])
  if (weights) g.call('weighSteps', samples(), mask, weight ?? 0, count, g.cells.rows, write(weights), steps)
  const { values, inner } = loss.record(g, { prediction, target, weight: weights ?? weight })
  return { values: keepSteps(g, values, mask), inner }
}
