import type { Value } from './value.ts'

/** What it means that a check found something. */
export interface Fault {
  /** Such as `the loss became NaN or infinite`. */
  readonly problem: string
  /** What to do; undefined where the learning rate may be too high. */
  readonly fix?: string
}

/** The run-time scalars that count rows: samples, or parts of samples (see `Graph.folded`). */
export interface RowCells {
  /** i32: rows in this mini-batch. */
  rows: Value
  /** 2 × i32 a leaf: its first row and the one past its last. */
  spans: Value[]
  /** i32 a leaf: its rows. */
  leafRows: Value[]
}

/** Run-time scalars, private to each worker and renewed by it before each step. */
export interface Cells extends RowCells {
  /** i32: first sample of this mini-batch in the order of the epoch. */
  position: Value
  /** i32: updates so far, counted from 1, over the life of the model. */
  step: Value
  /** f32: learning rate of this step. */
  rate: Value
  /** f32: 1 / rows. */
  scale: Value
  /** 3 × u32: seed (low, high) and lifetime step, the key of every random draw. */
  key: Value
  /** i32: 0, or the number of the check that found something wrong. */
  fault: Value
}

/** Makes a cell with its name and number of 32-bit words. */
type MakeCell = (name: string, words: number) => Value

export function makeRowCells(leaves: number, cell: MakeCell): RowCells {
  const forEachLeaf = (name: string, words: number) =>
    Array.from({ length: leaves }, (_, leaf) => cell(`${name} ${leaf}`, words))
  return {
    rows: cell('rows', 1),
    spans: forEachLeaf('span', 2),
    leafRows: forEachLeaf('rows of leaf', 1),
  }
}

export function makeCells(leaves: number, cell: MakeCell): Cells {
  return {
    ...makeRowCells(leaves, cell),
    position: cell('position', 1),
    step: cell('step', 1),
    rate: cell('rate', 1),
    scale: cell('scale', 1),
    key: cell('key', 3),
    fault: cell('fault', 1),
  }
}
