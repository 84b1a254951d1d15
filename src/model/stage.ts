import type { Place, Plan } from '../plan/plan.ts'
import type { Arena, Block } from '../runtime/arena.ts'
import type { Bases } from '../runtime/binding.ts'
import type { Claims } from './claims.ts'
import type { Recorded } from './record.ts'
import type { Total } from './totals.ts'

/** A plan with the memory that it runs in, for up to `workers` threads. */
export class Stage {
  readonly plan: Plan
  readonly totals: readonly Total[]
  private readonly arena: Arena
  private readonly blocks: { arena: Block; run: Block; worker: Block }

  constructor(claims: Claims, { plan, totals }: Recorded, workers: number) {
    this.arena = claims.arena
    this.plan = plan
    this.totals = totals
    this.blocks = {
      arena: claims.allocate(plan.arenaBytes, 'the values of a mini-batch'),
      run: claims.allocateZeroed(plan.runBytes, 'values derived from the weights'),
      worker: claims.allocateZeroed(plan.workerBytes * workers, 'the private memory of the workers'),
    }
  }

  /** Addresses for a run over the state at `state` and the given data sources. */
  bases(state: number, data: Readonly<Record<string, number>>): Bases {
    const { arena, run, worker } = this.blocks
    return { arena: arena.address, run: run.address, worker: worker.address, state, data }
  }

  /** Sets the sums to zero: at the start of an epoch. */
  clearTotals(): void {
    for (const total of this.totals) this.sumsOf(total).fill(0)
  }

  /** The sums so far. They may be read while workers add to them. */
  sumsOf({ key, width }: Total): Float64Array {
    const place = this.plan.outputs[key] as Place
    return new Float64Array(this.arena.memory.buffer, this.blocks.run.address + place.offset, width)
  }
}
