import type { Block } from '../runtime/arena.ts'
import type { Run } from '../runtime/run.ts'
import type { Claims } from './claims.ts'
import { sourcesOf } from './feed.ts'
import { byName, type Columns } from './fitData.ts'
import type { Internals } from './internals.ts'
import { type Recorded, recordStep } from './record.ts'
import { Slots } from './ring.ts'
import { Stage, Workspace } from './stage.ts'

/** Plans that are kept, the latest used: one for each set of shapes. */
const mostPlans = 32

/** A plan for batches of certain shapes, and how they lie in the ring. */
interface Prepared {
  readonly key: string
  readonly recorded: Recorded
  readonly slots: Slots
  /** Its number in the run, and the moves of the workspace when it was bound. */
  bound?: { readonly id: number; readonly moves: number }
}

interface Current {
  readonly plan: Prepared
  readonly stage: Stage
  readonly ring: Block
}

export interface ShelfOptions {
  readonly mode: 'train' | 'evaluate'
  readonly accumulate: boolean
  /** Slots of a ring at most. */
  readonly prefetch: number
}

export const countOf = ({ x }: Columns): number => x[0]!.count

/** Says all that a plan depends on, but for the number of samples. */
const keyOf = (columns: Columns): string => JSON.stringify(sourcesOf(byName(columns), false).kinds)

/**
 * Plans for batches that differ in their shapes. One at a time is current: all share one workspace and one
 * ring, so that many lengths of sequences need the memory of the longest.
 */
export class Shelf {
  private readonly claims: Claims
  private readonly model: Internals
  private readonly run: Run
  private readonly options: ShelfOptions
  private readonly workspace: Workspace
  /** The least recently used first. */
  private readonly plans = new Map<string, Prepared>()
  /** The largest batch so far of each set of shapes: results may depend on it, and not on what is kept. */
  private readonly rows = new Map<string, number>()
  private current: Current | undefined

  constructor(claims: Claims, model: Internals, run: Run, options: ShelfOptions) {
    this.claims = claims
    this.model = model
    this.run = run
    this.options = options
    this.workspace = new Workspace(claims, run.workers)
  }

  /** Undefined before the first batch. */
  get stage(): Stage | undefined {
    return this.current?.stage
  }

  /** Of the current plan's ring. */
  get slots(): Slots {
    return this.current!.plan.slots
  }

  /** The current plan's number in the run. */
  get id(): number {
    return this.current!.plan.bound!.id
  }

  /** The largest batch so far of each set of shapes. */
  getRows(): Record<string, number> {
    return Object.fromEntries(this.rows)
  }

  setRows(rows: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(rows)) this.rows.set(key, count)
  }

  /** Whether a batch can go through the current plan. */
  fits(columns: Columns): boolean {
    const plan = this.current?.plan
    return plan !== undefined && plan.key === keyOf(columns) && countOf(columns) <= plan.slots.rows
  }

  /** Copies a batch into a slot. */
  write(slot: number, columns: Columns): void {
    const { plan, ring } = this.current!
    const { memory } = this.claims.arena
    for (const [name, { values }] of Object.entries(byName(columns)))
      plan.slots.view(memory, ring, name, slot).set(values)
  }

  /** Makes the plan for a batch current, while the workers stand still and all slots are empty. */
  change(columns: Columns): void {
    const { claims, model, run, workspace } = this
    const plan = this.planFor(columns)
    const stage = new Stage(claims, plan.recorded, run.workers, workspace)
    const ring = workspace.reserve('ring', plan.slots.bytes, 'the ring of batches')
    this.current = { plan, stage, ring }
    if (plan.bound?.moves === workspace.moves) return
    if (plan.bound) run.unbind(plan.bound.id)
    const bases = stage.bases(model.state.address, plan.slots.addresses(ring))
    plan.bound = { id: run.bind(stage.plan, bases), moves: workspace.moves }
  }

  /** A plan that is kept, or a new one in place of the least recently used. */
  private planFor(columns: Columns): Prepared {
    const { plans } = this
    const key = keyOf(columns)
    const rows = Math.max(this.rows.get(key) ?? 0, countOf(columns))
    this.rows.set(key, rows)
    let plan = plans.get(key)
    if (plan && plan.slots.rows < rows) {
      this.drop(plan)
      plan = undefined
    }
    const [oldest] = plans.values()
    if (!plan && plans.size === mostPlans) this.drop(oldest!)
    plan ??= this.prepare(key, columns, rows)
    plans.delete(key)
    plans.set(key, plan)
    return plan
  }

  private prepare(key: string, columns: Columns, rows: number): Prepared {
    const { mode, accumulate, prefetch } = this.options
    const sources = sourcesOf(byName(columns), false)
    const recorded = recordStep(this.model, this.model.compiled, { mode, rows, sources, accumulate })
    return { key, recorded, slots: new Slots(byName(columns), rows, prefetch) }
  }

  private drop({ key, bound }: Prepared): void {
    this.plans.delete(key)
    if (bound) this.run.unbind(bound.id)
  }
}
