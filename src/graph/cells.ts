import type { Value } from './value.ts'

/** What it means that a check found something. */
export interface Fault {
  /** Such as `the loss became NaN or infinite`. */
  readonly problem: string
  /** What to do; undefined where the learning rate may be too high. */
  readonly fix?: string
}

/** Run-time scalars, private to each worker and renewed by it before each step. */
export interface Cells {
  /** i32: samples in this mini-batch. */
  rows: Value
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
  /** 2 × i32 a leaf: its first sample and the one past its last. */
  spans: Value[]
  /** i32 a leaf: its samples. */
  leafRows: Value[]
}

/** Cells, each made by `cell` with its name and number of 32-bit words. */
export function makeCells(leaves: number, cell: (name: string, words: number) => Value): Cells {
  const forEachLeaf = (name: string, words: number) =>
    Array.from({ length: leaves }, (_, leaf) => cell(`${name} ${leaf}`, words))
  return {
    rows: cell('rows', 1),
    position: cell('position', 1),
    step: cell('step', 1),
    rate: cell('rate', 1),
    scale: cell('scale', 1),
    key: cell('key', 3),
    fault: cell('fault', 1),
    spans: forEachLeaf('span', 2),
    leafRows: forEachLeaf('rows of leaf', 1),
  }
}
