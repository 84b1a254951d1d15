import { type Cells, makeCells, makeRowCells, type RowCells } from './cells.ts'
import type { GraphOptions } from './options.ts'
import { own } from './owners.ts'
import { bytesOf, type Parameter } from './parameter.ts'
import { type Placement, type Storage, sizeOf, type Value } from './value.ts'

/** Makes the values of a graph, and knows which rows they hold. */
export class Allocator {
  readonly leaves: number
  /** Run-time scalars; of the rows that are being recorded. */
  cells: Cells
  /** The cells of rows that are so many a sample. */
  readonly folds = new Map<number, RowCells>()
  /** Shards begin at multiples of this many samples. */
  grain = 1
  /** The leaf that is being recorded, where leaves run one after the other. */
  protected leaf: number | undefined
  /** Rows that stand for one sample; see `Graph.folded`. */
  protected fold = 1
  private readonly mostSamples: number
  private readonly fixedSamples: number | undefined
  private readonly parameters = new Map<Parameter, Value>()
  private storages = 0

  constructor({ leaves, rows, batchSize }: GraphOptions) {
    this.leaves = leaves
    this.mostSamples = rows
    this.fixedSamples = batchSize
    this.cells = makeCells(leaves, this.cell)
  }

  private readonly cell = (name: string, words: number): Value =>
    this.allocate('worker', `cell ${name}`, [words], 4 * words)

  /** The largest mini-batch, in the rows that are being recorded. */
  get rows(): number {
    return this.mostSamples * this.fold
  }

  /** Rows of every mini-batch, where that is fixed. */
  get batchSize(): number | undefined {
    return this.fixedSamples && this.fixedSamples * this.fold
  }

  /** A value of `bytes` (a row for `batch`, in all otherwise). */
  allocate(
    placement: Placement,
    label: string,
    shape: readonly number[],
    bytes: number,
    differentiable = false,
  ): Value {
    const [leaf, rows] = placement === 'batch' ? [this.leaf, this.fold] : [undefined, 1]
    const storage: Storage = { id: this.storages++, placement, label, bytes: bytes * rows, offset: 0, leaf }
    return { storage: own(storage, this), shape, differentiable }
  }

  /** Whether leaves are recorded one after the other, so that no value spans the whole mini-batch. */
  get oneLeafAtATime(): boolean {
    return this.leaf !== undefined
  }

  /** Address of the number of samples that are being recorded: the mini-batch's, or one leaf's. */
  get rowCount(): Value {
    return this.leaf === undefined ? this.cells.rows : this.cells.leafRows[this.leaf]!
  }

  /** A float32 value of the mini-batch with `shape` a sample; differentiable if one of `inputs` is. */
  batch(label: string, shape: readonly number[], ...inputs: Value[]): Value {
    const differentiable = inputs.some(input => input.differentiable)
    return this.allocate('batch', label, shape, 4 * sizeOf(shape), differentiable)
  }

  /** Memory private to each worker for the duration of one call. */
  scratch(bytes: number): Value {
    return this.allocate('worker', 'scratch', [bytes], bytes)
  }

  /** A parameter as a value, the same one however often it is asked for: shared layers share gradients. */
  parameter(parameter: Parameter): Value {
    const known = this.parameters.get(parameter)
    if (known) return known
    const { name, shape, columnAxes, offset, trainable } = parameter
    const storage: Storage = {
      id: this.storages++,
      placement: 'state',
      label: name,
      bytes: bytesOf(shape, columnAxes),
      offset,
    }
    const value: Value = { storage: own(storage, this), shape, differentiable: trainable }
    this.parameters.set(parameter, value)
    return value
  }

  /** The same memory under another shape of the same size. */
  view(x: Value, shape: readonly number[]): Value {
    return { ...x, shape }
  }

  /** Records with `fold` rows a sample. */
  protected within<T>(fold: number, record: () => T): T {
    const [before, cells] = [this.fold, this.cells]
    if (fold !== before) {
      const known = this.folds.get(fold) ?? makeRowCells(this.leaves, this.cell)
      this.folds.set(fold, known)
      this.cells = { ...cells, ...known }
    }
    this.fold = fold
    const result = record()
    this.fold = before
    this.cells = cells
    return result
  }

  /** No shard begins within so many rows (a power of two), which a kernel takes as one chunk. */
  keepTogether(rows: number): void {
    const shared = this.fold & -this.fold
    this.grain = Math.max(this.grain, rows / Math.min(rows, shared))
  }
}
