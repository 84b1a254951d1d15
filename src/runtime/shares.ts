import { cutAt, wholeWork } from '../plan/plan.ts'

const lineWords = 16
const boundsLines = (workers: number): number => Math.ceil((workers + 3) / lineWords)
export const sharesBytes = (workers: number): number => (boundsLines(workers) + workers) * lineWords * 4

/** A step that takes this long halves the distance to the fitting shares; a shorter one does less. */
const settlingMs = 50
/** Microseconds. */
const shortStep = 200
const [usualInterval, rareInterval] = [4, 4096]

/** Smaller shifts than this part of a worker's work are not worth a new cut. */
const leastShift = 0.01

/**
 * Which part of the work is whose: a worker on a slower core (of a busy host, or beside a sibling thread) gets
 * less, so that the others do not wait for it. How work is cut changes no bit of the results.
 *
 * In shared memory, 32-bit words: a version, the steps from one measurement to the next, then the bounds of the
 * parts in ascending order; behind them a line a worker with the microseconds that it worked in the last step
 * measured. All but these change only while all workers stand still.
 */
export class Shares {
  /** Worker r has the part from bounds[r] to bounds[r + 1], in `wholeWork` parts of the whole. */
  readonly bounds: Int32Array
  private readonly words: Int32Array
  private readonly busyAt: number
  /** The bounds before they are rounded, and the version that they belong to; only rank 0 uses them. */
  private readonly exact: Float64Array
  private exactVersion = -1

  constructor(memory: WebAssembly.Memory, address: number, workers: number) {
    this.words = new Int32Array(memory.buffer, address, sharesBytes(workers) / 4)
    this.bounds = this.words.subarray(2, workers + 3)
    this.busyAt = boundsLines(workers) * lineWords
    this.exact = new Float64Array(workers + 1)
  }

  /** Grows with each new cut. */
  get version(): number {
    return this.words[0]!
  }

  /** One step in so many is measured; few of the short ones, which have nothing to gain. */
  get interval(): number {
    return this.words[1]!
  }

  /** Main or rank 0, while all others stand still. */
  cut(bounds: ArrayLike<number>): void {
    this.bounds.set(bounds)
    this.words[0]!++
  }

  /** Equal parts for the first `workers`, unless these share the work already. */
  divide(workers: number): void {
    const { bounds } = this
    if (bounds[workers] === wholeWork && bounds[workers - 1]! < wholeWork) return
    this.words[1] = usualInterval
    this.cut(equalBounds(workers, bounds.length - 1))
  }

  /** Milliseconds that a worker did not wait for others. */
  setBusy(rank: number, milliseconds: number): void {
    this.words[this.busyAt + rank * lineWords] = Math.round(1000 * milliseconds)
  }

  /** Rank 0, while all others stand still: moves the bounds towards equal times. `rows` were cut, at `grain`. */
  balance(workers: number, rows: number, grain: number): void {
    const { bounds, exact } = this
    if (this.exactVersion !== this.version) exact.set(bounds)
    let [speeds, longest] = [0, 0]
    for (let rank = 0; rank < workers; rank++) {
      speeds += this.speed(rank, rows, grain)
      longest = Math.max(longest, this.busy(rank))
    }
    this.words[1] = longest < shortStep ? rareInterval : usualInterval
    const gain = Math.min(0.5, longest / 1000 / settlingMs)
    let [shifted, from, bound] = [0, 0, 0]
    for (let rank = 0; rank < workers - 1; rank++) {
      const share = exact[rank + 1]! - from
      from = exact[rank + 1]!
      const fitting = (this.speed(rank, rows, grain) / speeds) * wholeWork
      // A worker that the system held up for once does not lose all.
      bound += share + gain * (Math.min(2 * share, Math.max(share / 2, fitting)) - share)
      exact[rank + 1] = Math.min(bound, wholeWork - workers)
      shifted = Math.max(shifted, Math.abs(exact[rank + 1]! - bounds[rank + 1]!))
    }
    if (shifted > (leastShift * wholeWork) / workers) this.cut(exact)
    this.exactVersion = this.version
  }

  private busy(rank: number): number {
    return this.words[this.busyAt + rank * lineWords]!
  }

  /** Rows a microsecond in the last step. */
  private speed(rank: number, rows: number, grain: number): number {
    const own = cutAt(rows, this.bounds[rank + 1]!, grain) - cutAt(rows, this.bounds[rank]!, grain)
    return Math.max(own, 1) / Math.max(this.busy(rank), 1)
  }
}

/** Bounds of equal parts for the first `active` of `workers`. */
export function equalBounds(active: number, workers = active): number[] {
  return Array.from({ length: workers + 1 }, (_, rank) =>
    Math.round((Math.min(rank, active) * wholeWork) / active),
  )
}
