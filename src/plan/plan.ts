import type { Fault } from '../graph/cells.ts'

/**
 * A place relative to a base that the run supplies: the plan's own blocks, the model's state, or a data
 * source by name.
 */
export interface Place {
  readonly base: 'arena' | 'state' | 'run' | 'worker' | `data ${string}`
  readonly offset: number
  /**
   * The place holds only the rows of this leaf, `rowBytes` each, but is addressed by rows of the whole
   * mini-batch.
   */
  readonly leaf?: number
  readonly rowBytes?: number
}

/** How a call is cut: by samples of `unit` each, a count of units (1 by default each), or not at all. */
export type PlanCut =
  | { readonly axis: 'rows'; readonly unit: number; readonly leaf?: number | undefined }
  | { readonly axis: 'slices'; readonly count: number; readonly unit?: number | undefined }
  | { readonly axis: 'once' }
  | { readonly axis: 'each' }

/** One kernel call with its arguments after `begin` and `end`. */
export interface PlanCall {
  readonly kernel: string
  readonly cut: PlanCut
  readonly args: readonly (number | Place)[]
  /**
   * Samples at once: neighbours with the same number go through so many samples, one call after the other, then
   * through the next, so that what one leaves the next finds in the cache.
   */
  readonly pace?: number
}

/** The calls between two barriers, in order. */
export type Phase = readonly PlanCall[]

/** Byte offsets of the run-time scalars that count rows; see `RowCells` in the graph. */
export interface RowCellOffsets {
  readonly rows: number
  readonly spans: readonly number[]
  readonly leafRows: readonly number[]
}

/** Byte offsets of the run-time scalars in a worker's block; see `Cells` in the graph. */
export interface CellOffsets extends RowCellOffsets {
  readonly position: number
  readonly step: number
  readonly rate: number
  readonly scale: number
  readonly key: number
  readonly fault: number
}

/** Everything a worker needs for one kind of step. Plain data: it can be posted, printed and tested. */
export interface Plan {
  /** Largest number of samples a step. */
  readonly rows: number
  /** Shards begin at multiples of this many samples, so that fixed chunks of samples are never cut. */
  readonly grain: number
  /** Run once before the first step: what is derived from parameters alone. */
  readonly prologue: readonly Phase[]
  readonly phases: readonly Phase[]
  readonly cells: CellOffsets
  /** The cells that count rows which are `times` a sample. */
  readonly folds: readonly { readonly times: number; readonly cells: RowCellOffsets }[]
  /** What each fault number means. */
  readonly faults: readonly Fault[]
  /** Bytes of the temporary values, of what lasts a run, and of each worker's private block. */
  readonly arenaBytes: number
  readonly runBytes: number
  readonly workerBytes: number
  /** Places that the caller reads or fills: outputs by name. */
  readonly outputs: Readonly<Record<string, Place>>
}

/** Bounds between the parts of workers are given in so many parts of the whole. */
export const wholeWork = 1 << 16

/** The unit at `bound` when `count` units are cut, at a multiple of `grain`. */
export function cutAt(count: number, bound: number, grain = 1): number {
  const blocks = Math.ceil(count / grain)
  return Math.min(count, Math.round((blocks * bound) / wholeWork) * grain)
}

/** First sample of a leaf, in a mini-batch of `rows`; that of the next leaf is where it ends. */
export function leafBegin(rows: number, leaf: number, leaves: number): number {
  return Math.floor((rows * leaf) / leaves)
}
