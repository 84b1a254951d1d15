import { Allocator } from './allocator.ts'
import type { Fault } from './cells.ts'
import type { KernelName, Kernels } from './kernels.ts'
import { byStorage, byValue, Notes } from './notes.ts'
import type { GraphOptions, Recompute } from './options.ts'
import { LeafSums, TreeSum } from './tree.ts'
import type { Access, Argument, Block, Call, Cut, Storage, Value } from './value.ts'
import { samples, sizeOf, slices, touched, update, write } from './value.ts'

/** A kernel's arguments after `begin` and `end`, by name of the kernel. */
type Arguments<K extends KernelName> =
  Parameters<Kernels[K]> extends [number, number, ...infer Rest] ? { [I in keyof Rest]: Argument } : never

/**
 * Records kernel calls. Ops add forward calls and, by `onBackward`, closures that add the backward ones;
 * `differentiate` runs these once, in reverse. Nothing dynamic is left in the result, a flat list of calls.
 */
export class Graph extends Allocator {
  readonly calls: Call[] = []
  /** Calls that compute a value from parameters alone: run before the first step and after each update. */
  readonly derivations: Call[] = []
  /** Calls that compute a value from nothing: run before the first step. */
  readonly constants: Call[] = []
  /** Calls that come before all others of a step, but only those whose results are read: see `ahead`. */
  readonly aheadOfAll: Call[] = []
  /** What each fault number means; entry 0 is unused. */
  readonly faults: Fault[] = [{ problem: '' }]
  readonly training: boolean
  /** Whether nothing will run: an op may leave out what changes no shape. */
  readonly shapesOnly: boolean
  readonly recompute: Recompute
  /** Which steps of a sequence count: (steps) of 1 or 0 a sample; none where all do. */
  readonly masks = new Notes<Value>(byValue)
  /** Values that cost l1·Σ|y| + l2·Σy² a sample (outputs of layers), or Σy where neither is given. */
  readonly penalized: { readonly y: Value; readonly l1?: number; readonly l2?: number }[] = []
  /** What y = activation(logits) was computed from: a loss of the logits is stable. */
  readonly logits = new Notes<{ activation: 'softmax' | 'sigmoid'; logits: Value }>(byStorage)
  private readonly gradients = new Map<Storage, Value>()
  private readonly derived = new Map<string, Value[]>()
  private readonly backward: {
    outputs: readonly Value[]
    fold: number
    block: Block | undefined
    record: (dys: readonly (Value | undefined)[]) => void
  }[] = []
  private recording: Call[] = this.calls
  private readonly leafSums = new LeafSums(() => this.treeSum())
  private sites = 0
  private group = 0
  private block: Block | undefined
  private pass: Call['pass'] = 'forward'

  constructor(options: GraphOptions) {
    super(options)
    this.training = options.training
    this.shapesOnly = options.shapesOnly ?? false
    this.recompute = options.recompute ?? 'asked'
  }

  /**
   * Records the leaves one after the other, so that only one leaf's values are alive at a time: `record` is
   * called for each. The gradients have the bits of `contributeParameter` on all leaves at once.
   */
  eachLeaf(record: () => void): void {
    for (let leaf = 0; leaf < this.leaves; leaf++) {
      this.leaf = leaf
      this.sites = 0
      this.leafSums.beginLeaf()
      record()
      this.group++
    }
    this.leaf = undefined
    for (const [w, dw] of this.leafSums.totals()) this.contributeParameterValue(w, dw)
  }

  /**
   * Records as if each sample were `times` of them, rows that follow each other: (times, …) a sample is (…) a row, the
   * same memory seen through `view`. Rows are numbered through the mini-batch, so that random numbers differ between
   * them. What costs a penalty costs it in all its rows.
   */
  folded<T>(times: number, record: () => T): T {
    const { length } = this.penalized
    const result = this.within(this.fold * times, record)
    for (const { y, ...penalty } of this.penalized.splice(length))
      this.penalized.push({ y: this.view(y, [times, ...y.shape]), ...penalty })
    return result
  }

  /**
   * Records a block: in training what it computes is not kept for the gradients, but computed again when they need it,
   * from its inputs and with the same bits (see `recompute` in plan/recompute.ts). Blocks may contain blocks.
   */
  recomputed<T>(record: () => T): T {
    const outer = this.block
    if (this.training && this.recompute !== 'none') this.block = { outer }
    const result = record()
    this.block = outer
    return result
  }

  /** A number that no other call site of this graph has; the same in every graph of the model. */
  readonly site = (): number => this.sites++

  /**
   * Records a call. Plain values are read; wrap an output in `write`, an accumulator in `update`.
   * @internal
   */
  call<K extends KernelName>(kernel: K, cut: Cut, ...args: Arguments<K>): void {
    this.record(kernel, cut, args as readonly Argument[], 'compute')
  }

  /**
   * As `call`, for calls that change the model's state.
   * @internal
   */
  update<K extends KernelName>(kernel: K, cut: Cut, ...args: Arguments<K>): void {
    this.record(kernel, cut, args as readonly Argument[], 'update')
  }

  /**
   * The values (of so many bytes each) that `record` computes from parameter w alone; recorded once however
   * often asked for.
   */
  derive(w: Value, purpose: string, bytes: readonly number[], record: (...to: Access[]) => void): Value[] {
    const key = `${w.storage.id} ${purpose}`
    const known = this.derived.get(key)
    if (known) return known
    const results = bytes.map(size => this.allocate('run', `${w.storage.label} ${purpose}`, w.shape, size))
    this.derived.set(key, results)
    this.into(this.derivations, () => record(...results.map(update)))
    return results
  }

  /** A value of so many bytes that `record` computes from nothing; recorded once for each name. */
  constant(name: string, shape: readonly number[], bytes: number, record: (to: Access) => void): Value {
    const value = this.derived.get(name)?.[0] ?? this.allocate('run', name, shape, bytes)
    if (!this.derived.has(name)) this.into(this.constants, () => record(write(value)))
    this.derived.set(name, [value])
    return value
  }

  /**
   * Records what must be known of the whole mini-batch before its first leaf is run. Of these calls only those
   * remain that compute what is read later; no gradient flows through them, and they cost no penalty.
   */
  ahead(record: () => void): void {
    const [{ length: closures }, { length: penalties }] = [this.backward, this.penalized]
    this.into(this.aheadOfAll, record)
    this.backward.length = closures
    this.penalized.length = penalties
  }

  private into(calls: Call[], record: () => void): void {
    const before = this.recording
    this.recording = calls
    record()
    this.recording = before
  }

  /** `record` receives the gradient of y, in y's shape, when `differentiate` comes to this op. */
  onBackward(y: Value, record: (dy: Value) => void): void {
    this.onBackwardOf([y], ([dy]) => record(dy!))
  }

  /** As `onBackward`, of an op with several outputs; undefined stands for a gradient that does not come. */
  onBackwardOf(outputs: readonly Value[], record: (dys: readonly (Value | undefined)[]) => void): void {
    if (this.training && outputs.some(y => y.differentiable))
      this.backward.push({ outputs, fold: this.fold, block: this.block, record })
  }

  /** The gradient of a value, in its shape, once something has produced it. */
  gradientOf(x: Value): Value | undefined {
    const dx = this.gradients.get(x.storage)
    return dx && this.view(dx, x.shape)
  }

  /**
   * Lets `record` write the gradient of x, unless none is needed. A second contribution is added to the
   * first: fan-out is the graph's business, never an op's.
   */
  contribute(x: Value, record: (dx: Access) => void): void {
    if (!x.differentiable) return
    const before = this.gradients.get(x.storage)
    const dx = this.batch(`d ${x.storage.label}`, x.shape)
    record(write(dx))
    if (!before) {
      this.gradients.set(x.storage, dx)
    } else {
      this.call('add', samples(sizeOf(x.shape)), before, dx, update(before))
    }
  }

  /**
   * Makes dx, already computed, the gradient of x (an op whose gradient is a view or a by-product of its
   * forward call).
   */
  contributeValue(x: Value, dx: Value): void {
    const before = this.gradients.get(x.storage)
    if (before) this.call('add', samples(sizeOf(x.shape)), before, dx, update(before))
    else this.gradients.set(x.storage, dx)
  }

  /**
   * The gradient of parameter w: `record` is called once a leaf with where to write and which samples to sum,
   * and the leaves' gradients are summed in a fixed binary tree (like a binary counter, so log2(leaves) + 1
   * are alive at most).
   */
  contributeParameter(w: Value, record: (dw: Access, span: Value) => void): void {
    if (!w.differentiable) return
    const one = (span: Value): Value => {
      const dw = this.allocate('shared', `d ${w.storage.label}`, w.shape, w.storage.bytes)
      record(write(dw), span)
      return dw
    }
    if (this.leaf !== undefined) {
      this.leafSums.add(w, one(this.cells.spans[this.leaf]!))
      return
    }
    const sum = this.treeSum()
    for (const span of this.cells.spans) sum.push(one(span))
    this.contributeParameterValue(w, sum.total())
  }

  private treeSum = () => new TreeSum((into, from) => this.addInto(into, from))

  private addInto(into: Value, from: Value): void {
    this.call('addInto', slices(into.storage.bytes / 64), update(into), from)
  }

  /** Makes dw, summed over the whole mini-batch already, the gradient of parameter w. */
  contributeParameterValue(w: Value, dw: Value): void {
    if (!w.differentiable) return
    const before = this.gradients.get(w.storage)
    if (before) this.addInto(before, dw)
    else this.gradients.set(w.storage, dw)
  }

  /** Has the workers stop together, before any update, if an element of x is not finite. */
  checkFinite(x: Value, what: string): void {
    const fault = this.fault(`${what} became NaN or infinite`)
    this.call('checkFinite', samples(sizeOf(x.shape)), x, update(this.cells.fault), fault)
  }

  /** The number that a kernel puts into the fault cell to say this; see `Fault`. */
  fault(problem: string, fix?: string): number {
    return this.faults.push(fix === undefined ? { problem } : { problem, fix }) - 1
  }

  /** Records the backward calls of everything that the given gradients (see `contributeValue`) reach. */
  differentiate(): void {
    this.pass = 'backward'
    for (const { outputs, fold, block, record } of this.backward.splice(0).reverse()) {
      const dys = outputs.map(y => this.gradientOf(y))
      this.block = block
      if (dys.some(dy => dy !== undefined)) this.within(fold, () => record(dys))
    }
    this.block = undefined
    this.pass = 'forward'
  }

  private record(kernel: string, cut: Cut, args: readonly Argument[], stage: Call['stage']): void {
    const { args: bound, reads, writes } = touched(kernel, args)
    const wholeRows = cut.axis === 'rows' || this.cells.spans.some(span => reads.includes(span.storage))
    const { leaf, group, pass } = this
    const block = stage === 'compute' && this.recording === this.calls ? this.block : undefined
    const ownCut = cut.axis === 'rows' ? { ...cut, unit: cut.unit * this.fold, leaf } : cut
    this.recording.push({
      kernel,
      cut: ownCut,
      args: bound,
      reads,
      writes,
      stage,
      group,
      wholeRows,
      block,
      pass,
    })
  }
}
