import type { Graph } from '../graph/graph.ts'
import { once, samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import { keepSteps, stepMask } from '../ops/masks.ts'
import type { Comparison, Loss, RowLosses } from '../training/rowLosses.ts'

/** Which steps of a prediction (steps, …) count. A prediction of one row is never masked. */
export const maskOf = (g: Graph, prediction: Value): Value | undefined =>
  prediction.shape.length > 1 ? g.masks.of(prediction) : undefined

/** Which rows of a prediction count in its loss: those of steps that count, without targets that are ignored. */
export function countedRows(
  g: Graph,
  { ignoreClass = null }: Loss,
  prediction: Value,
  target: Value | undefined,
): Value | undefined {
  const mask = maskOf(g, prediction)
  if (ignoreClass === null || !target) return mask
  const rows = sizeOf(target.shape)
  const known = stepMask(g, g.view(target, [rows]), ignoreClass)
  if (!mask) return known
  const [steps] = mask.shape as [number]
  return g.view(keepSteps(g, g.view(known, [steps, rows / steps]), mask), [rows])
}

/** How many rows of each output count in the whole mini-batch. */
export class RowCounts {
  private readonly g: Graph
  private readonly counts = new Map<number, Value>()

  constructor(g: Graph) {
    this.g = g
  }

  /** Adds the rows of output i that count; nothing where all do. */
  add(i: number, counted: Value | undefined): void {
    if (!counted) return
    const known = this.counts.get(i)
    const count = known ?? this.g.allocate('shared', 'counted rows', [1], 8)
    const to = known ? update(count) : write(count)
    this.g.call('countSteps', once, counted, to, this.g.rowCount, counted.shape[0]!, known ? 1 : 0)
    this.counts.set(i, count)
  }

  of(i: number): Value | undefined {
    return this.counts.get(i)
  }
}

/**
 * Records a loss whose gradient is that of the mean over the rows that count, as Keras 3 has it: Σ weight·loss /
 * the rows of the mini-batch that are `counted` (all where that is undefined; `count` is their number, needed in
 * training). The others have the loss 0.
 */
export function recordLoss(
  g: Graph,
  loss: Loss,
  comparison: Comparison,
  counted: Value | undefined,
  count: Value | undefined,
): RowLosses {
  const { prediction, target, weight } = comparison
  if (!counted) return loss.record(g, comparison)
  const [rows] = counted.shape as [number]
  const weights = count && g.batch('row weights', [rows])
  if (weights)
    g.call('weighSteps', samples(), counted, weight ?? 0, count, g.cells.rows, write(weights), rows)
  const { values, inner } = loss.record(g, { prediction, target, weight: weights ?? weight })
  return { values: keepSteps(g, values, counted), inner }
}
