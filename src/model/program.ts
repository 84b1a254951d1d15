import type { Recompute } from '../graph/options.ts'
import type { Run, StepsOptions } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Report } from '../runtime/worker.ts'
import type { Claims } from './claims.ts'
import { type Feed, type Residents, sourcesOf, streamedFeed } from './feed.ts'
import { byName, type Part } from './fitData.ts'
import type { Internals } from './internals.ts'
import { type Compiled, type Recorded, recordStep } from './record.ts'
import { Slots } from './ring.ts'
import { Stage } from './stage.ts'

export interface ProgramOptions {
  readonly mode: 'train' | 'evaluate'
  readonly batchSize: number
  /** Whether samples are taken in an order of their own. */
  readonly ordered: boolean
  readonly accumulate: boolean
  /** Whether batches are streamed. */
  readonly stream: boolean
  readonly recompute?: Recompute
}

/** One kind of step over one set of samples, as far as it can be known before anything takes memory. */
export interface Prepared {
  readonly part: Part
  readonly ordered: boolean
  readonly recorded: Recorded
  /** How batches lie in a ring, where they are streamed. */
  readonly slots: Slots | undefined
}

/** `compiled` may differ from the model's own. */
export function prepare(
  model: Internals,
  compiled: Compiled,
  part: Part,
  { mode, batchSize, ordered, accumulate, stream, recompute }: ProgramOptions,
): Prepared {
  const rows = Math.min(batchSize, part.count)
  const columns = byName(part.columns)
  const sources = sourcesOf(columns, ordered && !stream)
  const recorded = recordStep(model, compiled, { mode, rows, sources, accumulate, recompute })
  return { part, ordered, recorded, slots: stream ? new Slots(columns, rows) : undefined }
}

/** A step that is prepared, bound in a run: its memory and its data. */
export class Program {
  readonly stage: Stage
  readonly part: Part
  private readonly run: Run
  private readonly feed: Feed
  private readonly id: number

  /**
   * Samples that are not streamed are in `residents`. `order` is the address of the order in which they are taken, if they
   * have one.
   */
  constructor(
    claims: Claims,
    residents: Residents,
    model: Internals,
    run: Run,
    prepared: Prepared,
    order?: number,
  ) {
    const { part, ordered, recorded, slots } = prepared
    this.run = run
    this.part = part
    const columns = byName(part.columns)
    this.feed = slots ? streamedFeed(claims, columns, slots) : residents.feed(columns, ordered)
    this.stage = new Stage(claims, recorded, run.workers)
    const addresses = order === undefined ? this.feed.addresses : { ...this.feed.addresses, order }
    this.id = run.bind(this.stage.plan, this.stage.bases(model.state.address, addresses))
  }

  /** Runs steps; `order` is where streamed samples are looked up. */
  async steps(steps: Steps, options: StepsOptions, order?: Int32Array): Promise<Report[]> {
    const { ring } = this.feed
    if (!ring) return this.run.steps(this.id, steps, options)
    const { run } = this
    let over = false
    let served: Promise<void> | undefined
    const begin = () => {
      run.startStream(steps.from)
      served = ring.serve(run, steps, order, () => over)
    }
    const reports = await run
      .steps(this.id, { ...steps, slots: ring.slots }, { ...options, begin })
      .finally(() => {
        over = true
      })
    await served
    return reports
  }
}
