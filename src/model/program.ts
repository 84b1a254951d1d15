import type { Run, StepsOptions } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Report } from '../runtime/worker.ts'
import type { Claims } from './claims.ts'
import { type Feed, mustStream, residentFeed, streamedFeed } from './feed.ts'
import { byName, type Part } from './fitData.ts'
import type { Internals } from './internals.ts'
import { recordStep } from './record.ts'
import { Stage } from './stage.ts'

export interface ProgramOptions {
  readonly mode: 'train' | 'evaluate'
  readonly batchSize: number
  /** Address of the order in which samples are taken, or none. */
  readonly order: number | undefined
  readonly accumulate: boolean
  /** Whether batches are streamed; if undefined, only where the data would take too much memory. */
  readonly stream: boolean | undefined
}

/** One kind of step over one set of samples, bound in a run: its plan, its memory and its data. */
export class Program {
  readonly stage: Stage
  readonly part: Part
  private readonly run: Run
  private readonly feed: Feed
  private readonly id: number

  constructor(claims: Claims, model: Internals, run: Run, part: Part, options: ProgramOptions) {
    const { mode, order, accumulate } = options
    const rows = Math.min(options.batchSize, part.count)
    this.run = run
    this.part = part
    const columns = byName(part.columns)
    const streamed = options.stream ?? mustStream(claims.arena, columns)
    this.feed = streamed
      ? streamedFeed(claims, columns, rows)
      : residentFeed(claims, columns, order !== undefined)
    const step = { mode, rows, sources: this.feed.sources, accumulate }
    this.stage = new Stage(claims, recordStep(model, model.compiled, step), run.workers)
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
