import type { CheckpointStore } from '../checkpoints/store.ts'
import type { Logs } from '../training/callback.ts'
import type { CheckpointCallback } from '../training/checkpointing.ts'
import { improves, monitored, worst } from '../training/watch.ts'
import type { Captured } from './capture.ts'

/** A checkpoint could not be saved; the model stays as it is. */
export class SaveError extends Error {
  override readonly name = 'SaveError'
}

interface Waiting {
  readonly captured: Captured
  readonly best: boolean
}

/**
 * Says when a checkpoint is due, and writes it while training goes on. While one is written, the next one waits as a
 * copy, and a newer one takes its place: so there are two copies at most, and training never waits for the disk;
 * unless the one that waits is the best, which is written first.
 */
export class Keeper {
  /** The last one that was saved. */
  path: string | undefined
  /** Of the number that is watched. */
  best: number
  failure: SaveError | undefined
  /** Called when the time of a checkpoint has come in the middle of a command, and when one could not be saved. */
  interrupt: (() => void) | undefined
  private readonly where: string
  private readonly store: CheckpointStore
  private readonly asked: CheckpointCallback
  private timer: NodeJS.Timeout | undefined
  /** Whether the time of a checkpoint has come. */
  timeIsUp = false
  private waiting: Waiting | undefined
  private writing: Promise<void> | undefined

  constructor(where: string, store: CheckpointStore, asked: CheckpointCallback) {
    this.where = where
    this.store = store
    this.asked = asked
    this.best = asked.best ? worst(asked.best) : Number.NaN
  }

  /** Starts the clock: training begins, or a checkpoint was taken. */
  start(): void {
    const { seconds } = this.asked.every
    clearTimeout(this.timer)
    this.timeIsUp = false
    if (seconds === undefined) return
    this.timer = setTimeout(() => {
      this.timeIsUp = true
      this.interrupt?.()
    }, 1000 * seconds)
  }

  /** Steps that may be made before the next checkpoint. */
  stepsLeft(step: number): number {
    const { steps } = this.asked.every
    return steps === undefined ? Number.POSITIVE_INFINITY : steps - (step % steps)
  }

  /** Whether one is due between two steps. */
  isDue(step: number): boolean {
    const { steps } = this.asked.every
    return this.timeIsUp || (steps !== undefined && step % steps === 0)
  }

  /** Whether one is due at the end of an epoch. */
  isDueAfter(epoch: number): boolean {
    const { epochs } = this.asked.every
    return this.timeIsUp || (epochs !== undefined && (epoch + 1) % epochs === 0)
  }

  /** Whether this epoch is the best so far, which it then is. @throws Error when the logs lack what is watched */
  isBest(logs: Logs): boolean {
    const { best: watch } = this.asked
    if (!watch) return false
    const value = monitored('checkpoint: best', watch.monitor, logs)
    if (!improves(watch, value, this.best)) return false
    this.best = value
    return true
  }

  /** Has it written as soon as the disk is free, unless one before could not be: training is about to end. */
  async keep(captured: Captured, best: boolean): Promise<void> {
    this.start()
    if (this.failure) return
    while (this.waiting?.best && this.writing) await this.writing
    this.waiting = { captured, best }
    this.writing ??= this.write()
  }

  /** Waits for all that is to be written. @throws SaveError */
  async settle(): Promise<void> {
    await this.writing
    if (this.failure) throw this.failure
  }

  async close(): Promise<void> {
    clearTimeout(this.timer)
    await this.writing
    await this.store.close().catch(error => {
      // A folder that is gone has been told of.
      if (!this.failure) throw error
    })
  }

  private async write(): Promise<void> {
    let step = 0
    try {
      for (let next = this.waiting; next; next = this.waiting) {
        this.waiting = undefined
        const { captured, best } = next
        step = captured.step
        this.path = await this.store.save(await captured.toCheckpoint(), { step, best })
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const { directory } = this.asked
      const advice = 'the model is as after its last step; make room and fit again, or save it elsewhere'
      const what = `the checkpoint of step ${step} must be saved in ${directory}, got ${reason}`
      this.failure = new SaveError(`${this.where}: ${what}; ${advice}`, { cause: error })
      this.waiting = undefined
      this.interrupt?.()
    } finally {
      this.writing = undefined
    }
  }
}
