import type { Report } from '../runtime/worker.ts'
import type { EpochPace } from '../training/callback.ts'

/** Adds up what the commands of an epoch took. */
export class Pace {
  private seconds = 0
  private before = 0
  private waits: { waited: number; measured: number }[] = []

  /** An epoch begins, with so many samples of it done before. */
  begin(before: number): void {
    this.seconds = 0
    this.before = before
    this.waits = []
  }

  add(reports: readonly Report[]): void {
    this.seconds += reports[0]!.milliseconds / 1000
    for (const { rank, measuredMilliseconds, barrierMilliseconds } of reports) {
      const { waited, measured } = this.waits[rank] ?? { waited: 0, measured: 0 }
      this.waits[rank] = {
        waited: waited + barrierMilliseconds,
        measured: measured + measuredMilliseconds,
      }
    }
  }

  /** Of an epoch that has come to so many samples. */
  taken(samples: number): EpochPace {
    const wereMeasured = this.waits.length > 1 && this.waits.every(({ measured }) => measured > 0)
    const barrierShares = wereMeasured ? this.waits.map(({ waited, measured }) => waited / measured) : []
    return { samples: samples - this.before, seconds: this.seconds, barrierShares }
  }
}
