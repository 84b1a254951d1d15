import { Engine } from './engine.ts'
import type { Run } from './run.ts'
import type { Report } from './worker.ts'

/** What one command to the workers took. */
export interface Timing {
  readonly steps: number
  /** Barriers of one step. */
  readonly barriers: number
  readonly reports: readonly Report[]
}

/** An engine whose runs report what each command took; models made with it train as ever. */
export class TimedEngine extends Engine {
  /** Called when a command has been carried out. */
  onTiming: ((timing: Timing) => void) | undefined
  /** Whether workers measure the time at barriers, which costs two readings of the clock for each. */
  timed = false

  override withRun<T>(workers: number, stallMs: number, body: (run: Run) => Promise<T>): Promise<T> {
    return super.withRun(workers, stallMs, run => {
      this.watch(run)
      return body(run)
    })
  }

  private watch(run: Run): void {
    const phases = new Map<number, number>()
    const [bind, steps] = [run.bind.bind(run), run.steps.bind(run)]
    run.bind = (plan, bases) => {
      const id = bind(plan, bases)
      phases.set(id, plan.phases.length)
      return id
    }
    run.steps = async (id, range, options) => {
      const reports = await steps(id, range, { ...options, timed: this.timed })
      this.onTiming?.({ steps: range.to - range.from, barriers: phases.get(id)!, reports })
      return reports
    }
  }
}
