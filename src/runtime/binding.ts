import { cutAt, leafBegin, type Phase, type Place, type Plan, type PlanCall } from '../plan/plan.ts'
import type { Kernels } from './tiers.ts'

/** Byte addresses that a run gives to a plan's bases; `data NAME` is looked up in `data`. */
export interface Bases {
  readonly arena: number
  readonly state: number
  readonly run: number
  /** Address of rank 0's private block; the others follow, `workerBytes` apart. */
  readonly worker: number
  readonly data: Readonly<Record<string, number>>
}

/**
 * A kernel and its complete arguments, ready for `kernel.apply(undefined, args)` (16–30 ns a call, nothing
 * allocated).
 */
export interface BoundCall {
  readonly kernel: (...args: number[]) => void
  readonly args: number[]
}

/** The units of a call that fall to `rank`, when the mini-batch has `rows` samples; see `Shares` for bounds. */
export function shardOf(
  plan: Plan,
  { cut }: PlanCall,
  rank: number,
  bounds: ArrayLike<number>,
  rows: number,
): [number, number] {
  if (cut.axis === 'each') return [0, 1]
  if (cut.axis === 'once') return rank === 0 ? [0, 1] : [0, 0]
  const [from, to] = [bounds[rank]!, bounds[rank + 1]!]
  if (cut.axis === 'slices') {
    const { count, unit = 1 } = cut
    return [cutAt(count, from) * unit, cutAt(count, to) * unit]
  }
  const leaves = plan.cells.spans.length
  const first = cut.leaf === undefined ? 0 : leafBegin(rows, cut.leaf, leaves)
  const last = cut.leaf === undefined ? rows : leafBegin(rows, cut.leaf + 1, leaves)
  const begin = first + cutAt(last - first, from, plan.grain)
  const end = first + cutAt(last - first, to, plan.grain)
  return [begin * cut.unit, end * cut.unit]
}

/** Signed 32-bit, so that the engine keeps it as a small integer. */
function addressOf(place: Place, plan: Plan, bases: Bases, rank: number, rows: number): number {
  const { base, leaf, rowBytes = 0 } = place
  // Rows keep their number in the whole mini-batch, so the buffer of a leaf begins before itself.
  const before = leaf === undefined ? 0 : leafBegin(rows, leaf, plan.cells.spans.length) * rowBytes
  const offset = place.offset - before
  if (base === 'worker') return (bases.worker + rank * plan.workerBytes + offset) | 0
  if (base === 'arena' || base === 'state' || base === 'run') return (bases[base] + offset) | 0
  const address = bases.data[base.slice('data '.length)]
  if (address === undefined) throw new Error(`bind: the run must give an address for "${base}"`)
  return (address + offset) | 0
}

/**
 * Resolves names to functions and places to addresses for one worker and one batch size; empty shards are
 * left out.
 */
export function bindPhases(
  phases: Plan['phases'],
  plan: Plan,
  bases: Bases,
  kernels: Kernels,
  shard: { rank: number; bounds: ArrayLike<number>; rows: number },
): BoundCall[][] {
  const { rank, bounds, rows } = shard
  const bind = (call: PlanCall, begin: number, end: number): BoundCall => {
    const kernel = (kernels as unknown as Record<string, (...args: number[]) => void>)[call.kernel]
    if (!kernel) throw new Error(`bind: there is no kernel "${call.kernel}"`)
    // An array that once held a string keeps boxed elements: applying it allocates nothing, even where it
    // holds fractions.
    const args: unknown[] = ['']
    args.length = 0
    args.push(begin, end)
    for (const arg of call.args)
      args.push(typeof arg === 'number' ? arg : addressOf(arg, plan, bases, rank, rows))
    return { kernel, args: args as number[] }
  }
  return phases.map(phase =>
    neighbours(phase).flatMap(calls => {
      const shards = calls.map(call => shardOf(plan, call, rank, bounds, rows))
      return paced(calls, shards).flatMap(([call, begin, end]) =>
        begin < end ? [bind(call, begin, end)] : [],
      )
    }),
  )
}

/** Calls that keep pace with each other, the others by themselves. */
function neighbours(phase: Phase): PlanCall[][] {
  const groups: PlanCall[][] = []
  for (const call of phase) {
    const before = groups.at(-1)?.at(-1)
    const alike = call.pace !== undefined && call.pace === before?.pace && leafOf(call) === leafOf(before)
    if (alike) groups.at(-1)!.push(call)
    else groups.push([call])
  }
  return groups
}

const leafOf = ({ cut }: PlanCall): number | undefined => (cut.axis === 'rows' ? cut.leaf : undefined)

/** The shards of neighbours, cut to their pace. */
function paced(
  calls: readonly PlanCall[],
  shards: readonly [number, number][],
): [PlanCall, number, number][] {
  const { pace, cut } = calls[0]!
  if (pace === undefined || cut.axis !== 'rows') return calls.map((call, i) => [call, ...shards[i]!])
  const [first, last] = shards[0]!.map(bound => bound / cut.unit) as [number, number]
  const pieces: [PlanCall, number, number][] = []
  for (let row = first; row < last; row += pace)
    for (const call of calls) {
      const { unit } = call.cut as typeof cut
      pieces.push([call, row * unit, Math.min(row + pace, last) * unit])
    }
  return pieces
}
