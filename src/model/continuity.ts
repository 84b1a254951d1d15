import type { BaseCallback } from '../training/callback.ts'
import { type Counters, capture, copied, countersOf, putBack, type Restored } from './capture.ts'
import type { Course } from './course.ts'
import { type Fingerprint, holdsState } from './fingerprint.ts'
import type { History } from './history.ts'
import type { Internals } from './internals.ts'
import type { Keeper } from './keeper.ts'

/** Where a training goes on, and what its history tells of that. */
export interface Resumption {
  readonly state: Restored
  readonly told: NonNullable<History['resumed']>
}

/** What a checkpoint is of: the next step, and the state that is copied, the model's or its snapshot. */
interface Moment {
  readonly epoch: number
  readonly batch: number
  readonly best?: boolean
  readonly snapshot?: boolean
  readonly counters?: Counters
}

/** Left out where nothing is saved, and nothing resumed. */
interface Opened {
  readonly keeper?: Keeper | undefined
  readonly resumption?: Resumption | undefined
  readonly fingerprint?: Fingerprint | undefined
}

/** The checkpoints of one training: those that it saves, and the one that it goes on from. */
export class Continuity {
  readonly keeper: Keeper | undefined
  readonly resumption: Resumption | undefined
  private readonly model: Internals
  private readonly callbacks: readonly BaseCallback[]
  private readonly fingerprint: Fingerprint | undefined
  /** Whether the course stands where the checkpoint says. */
  private ready: boolean
  /** The moment of the last checkpoint. */
  private kept = ''

  constructor(
    model: Internals,
    callbacks: readonly BaseCallback[],
    { keeper, resumption, fingerprint }: Opened = {},
  ) {
    this.model = model
    this.callbacks = callbacks
    this.keeper = keeper
    this.resumption = resumption
    this.fingerprint = fingerprint
    this.ready = resumption === undefined
    // What lies in the folder already need not be saved again.
    if (keeper?.path !== undefined && this.state) this.kept = nameOf(this.state, this.state.stopCause)
  }

  get state(): Restored | undefined {
    return this.resumption?.state
  }

  /** Puts model and callbacks back as the checkpoint has them, over what hooks have changed. */
  putBack(): void {
    const { model, state } = this
    if (!state) return
    putBack(model, state)
    const states = [...state.callbacks]
    for (const callback of this.callbacks) {
      const index = states.findIndex(({ kind }) => kind === callback.constructor.name)
      if (index === -1 || !holdsState(callback)) continue
      const [own] = states.splice(index, 1)
      callback.setState(copied(own!.state) as Record<string, unknown>)
    }
  }

  /** Goes on in the epoch in which the checkpoint was saved, once it has begun; says after how many batches. */
  async takeUp(course: Course): Promise<number> {
    const { state } = this
    if (!state || this.ready) return 0
    if (state.batch > 0) this.putBack()
    this.ready = await course.setState(state.course, state.batch)
    return state.batch
  }

  /** While the workers stand still: has a checkpoint made, unless the last one was of this moment. */
  async keep(
    moment: Moment,
    course: Course,
    { epoch: epochs, history: columns, seed }: History,
  ): Promise<void> {
    const { model, keeper, fingerprint, state } = this
    const { epoch, batch, best = false, snapshot = false, counters = countersOf(model) } = moment
    const stopCause = model.stopCause ?? null
    const name = nameOf(moment, stopCause)
    if (!keeper || !fingerprint || (name === this.kept && !best)) return
    // An interruption came before the course was where the checkpoint is that lies there already.
    if (!this.ready && batch > 0) return
    this.kept = name
    const callbacks = this.callbacks.filter(holdsState).map(callback => {
      return { kind: callback.constructor.name, state: copied(callback.getState()) }
    })
    const progress = {
      ...{ ...counters, epoch, batch, seed, stopCause, history: { epoch: epochs, columns } },
      course: this.ready ? course.getState(batch) : state!.course,
      best: Number.isNaN(keeper.best) ? null : keeper.best,
      ...{ callbacks, fingerprint },
    }
    await keeper.keep(await capture(model, progress, snapshot), best)
  }
}

const nameOf = ({ epoch, batch }: { epoch: number; batch: number }, stopCause: string | null): string =>
  `${epoch} ${batch} ${stopCause}`
