import type { Place, Plan } from '../plan/plan.ts'
import type { Block } from '../runtime/arena.ts'
import type { Bases } from '../runtime/binding.ts'
import type { Claims } from './claims.ts'
import type { Recorded } from './record.ts'
import type { Total } from './totals.ts'

/** The memory that plans run in, one at a time, for up to `workers` threads. It grows with the largest. */
export class Workspace {
  /** How often a block has moved: addresses taken before are then wrong. */
  moves = 0
  private readonly claims: Claims
  private readonly workers: number
  private readonly blocks: { arena?: Block; run?: Block; worker?: Block; ring?: Block } = {}

  constructor(claims: Claims, workers: number) {
    this.claims = claims
    this.workers = workers
  }

  /** Makes room for a plan, the blocks that last a run filled with zeros. */
  admit({ arenaBytes, runBytes, workerBytes }: Plan): void {
    this.reserve('arena', arenaBytes, 'the values of a mini-batch')
    this.claims.clear(this.reserve('run', runBytes, 'values derived from the weights'))
    const bytes = workerBytes * this.workers
    this.claims.clear(this.reserve('worker', bytes, 'the private memory of the workers'))
  }

  /** A block of at least so many bytes. */
  reserve(kind: keyof typeof this.blocks, bytes: number, what: string): Block {
    const known = this.blocks[kind]
    if (known && known.bytes >= bytes + 64) return known
    if (known) this.claims.release(known)
    this.moves++
    const block = this.claims.allocate(bytes, what)
    this.blocks[kind] = block
    return block
  }

  /** Addresses for a run over the state at `state` and the given data sources. */
  bases(state: number, data: Readonly<Record<string, number>>): Bases {
    const { arena, run, worker } = this.blocks
    return { arena: arena!.address, run: run!.address, worker: worker!.address, state, data }
  }

  /** `width` float64 numbers at a place of a plan that has been admitted. */
  doublesAt(place: Place, width: number): Float64Array {
    return new Float64Array(this.claims.arena.memory.buffer, this.blocks.run!.address + place.offset, width)
  }
}

/** A plan with the memory that it runs in. */
export class Stage {
  readonly plan: Plan
  readonly totals: readonly Total[]
  private readonly workspace: Workspace

  /** In memory of its own, for up to `workers` threads, or in that of others, of which it is the latest. */
  constructor(
    claims: Claims,
    { plan, totals }: Recorded,
    workers: number,
    workspace = new Workspace(claims, workers),
  ) {
    this.plan = plan
    this.totals = totals
    this.workspace = workspace
    workspace.admit(plan)
  }

  /** Addresses for a run over the state at `state` and the given data sources. */
  bases(state: number, data: Readonly<Record<string, number>>): Bases {
    return this.workspace.bases(state, data)
  }

  /** Sets the sums to zero: at the start of an epoch. */
  clearTotals(): void {
    for (const total of this.totals) this.sumsOf(total).fill(0)
  }

  /** Copies of the sums so far, by name. */
  getSums(): Record<string, Float64Array> {
    return Object.fromEntries(this.totals.map(total => [total.key, this.sumsOf(total).slice()]))
  }

  /** Goes on from sums that `getSums` gave; those it does not have stay. */
  setSums(sums: Readonly<Record<string, Float64Array>>): void {
    for (const total of this.totals) {
      const known = sums[total.key]
      if (known) this.sumsOf(total).set(known)
    }
  }

  /** The sums so far. They may be read while workers add to them. */
  sumsOf({ key, width }: Total): Float64Array {
    return this.workspace.doublesAt(this.plan.outputs[key] as Place, width)
  }
}
