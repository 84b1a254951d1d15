/**
 * Where a value lives. `batch`: one row a sample, `bytes` a row, as many rows as the plan allows; the planner
 * reuses its memory. `shared`: `bytes` in all, temporary (gradients, partial sums); reused too. `state`:
 * parameters, slots and moving statistics, at a fixed offset in the model's block. `run`: kept for a whole
 * run (epoch totals). `worker`: private to each worker (scratch, cells). `data`: bound by the run.
 */
export type Placement = 'batch' | 'shared' | 'state' | 'run' | 'worker' | 'data'

/** A piece of memory; several values (views) may show the same one. */
export interface Storage {
  readonly id: number
  readonly placement: Placement
  readonly label: string
  /** Bytes a sample for `batch`, bytes in all otherwise. */
  readonly bytes: number
  /** Byte offset in the model's block; only for `state`. */
  readonly offset: number
  /**
   * The leaf whose rows a `batch` storage holds, where leaves are run one after the other; all rows if
   * undefined.
   */
  readonly leaf?: number | undefined
}

/** What a graph computes: a storage seen with a shape (without the batch axis). */
export interface Value {
  readonly storage: Storage
  readonly shape: readonly number[]
  /** Whether a trainable parameter lies upstream, so that gradients must flow through. */
  readonly differentiable: boolean
  /** Elementwise ops take a parameter, or what lies as one, in its panels: as optimizers do. */
  readonly panels?: true
}

/** An argument that its kernel writes (`write`), or reads and writes (`update`). */
export interface Access {
  readonly value: Value
  readonly mode: 'write' | 'update'
}

export const write = (value: Value): Access => ({ value, mode: 'write' })
export const update = (value: Value): Access => ({ value, mode: 'update' })

/** A kernel argument: a constant, a value that is read, or an access that writes. */
export type Argument = number | Value | Access

/** Number of elements of a shape (of one sample). */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** The axis along which a call may be cut between workers, and what `begin` and `end` count. */
export type Cut =
  /** Samples of the mini-batch; the kernel counts `unit` rows or elements a sample. */
  | { readonly axis: 'rows'; readonly unit: number; readonly leaf?: number | undefined }
  /** Units of a parameter or feature axis (16 floats each, or fixed chunks of them); the kernel counts `unit` each. */
  | { readonly axis: 'slices'; readonly count: number; readonly unit?: number | undefined }
  /** One worker does all of it. */
  | { readonly axis: 'once' }
  /** Every worker does it for itself, on memory of its own. */
  | { readonly axis: 'each' }

export const once: Cut = { axis: 'once' }
export const each: Cut = { axis: 'each' }
export const slices = (count: number, unit?: number): Cut => ({ axis: 'slices', count, unit })
export const samples = (unit = 1): Cut => ({ axis: 'rows', unit })

/** Calls that were recorded together; see `Graph.recomputed`. */
export interface Block {
  readonly outer: Block | undefined
}

/** One recorded kernel call. */
export interface Call {
  readonly kernel: string
  readonly cut: Cut
  readonly args: readonly (number | Storage)[]
  readonly reads: readonly Storage[]
  readonly writes: readonly Storage[]
  /** `update` calls change the model's state: they come after every check that the step is finite. */
  readonly stage: 'compute' | 'update'
  /** Calls of a later group come in later phases than all of an earlier one. */
  readonly group: number
  /** Whether the kernel counts samples over the whole mini-batch, as calls cut by rows do. */
  readonly wholeRows: boolean
  /** The innermost block that it belongs to, and to which pass through it. */
  readonly block: Block | undefined
  readonly pass: 'forward' | 'backward'
}

/** The arguments of a call as it keeps them, and what it reads and writes. */
export function touched(kernel: string, given: readonly Argument[]): Pick<Call, 'args' | 'reads' | 'writes'> {
  const reads: Storage[] = []
  const writes: Storage[] = []
  const args = given.map(arg => {
    if (typeof arg === 'number') return arg
    const { storage } = 'mode' in arg ? arg.value : arg
    if (!('mode' in arg) || arg.mode === 'update') reads.push(storage)
    if ('mode' in arg) writes.push(storage)
    return storage
  })
  if (new Set(writes.filter(({ label }) => label === 'scratch')).size > 1)
    throw new Error(
      `${kernel}: a call must have one scratch, got several, which share their memory; join them`,
    )
  return { args, reads, writes }
}
