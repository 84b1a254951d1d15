/** Trials of each candidate; the quickest counts. */
const rounds = 3
/** A trial should last about this long, so that the clock and one late thread do not decide. */
const trialMs = 4

/**
 * How many workers train: a number that was asked for, or ('auto') whichever of 1, 2, 4 … makes the quickest
 * steps in the first ones of the run. It may be chosen by time because results do not depend on it.
 */
export class WorkerChoice {
  private readonly candidates: number[]
  private readonly best: number[]
  private trials = 0
  private stepsATrial = 1
  private settled: number | undefined

  constructor(asked: number | 'auto', most: number) {
    this.candidates = []
    for (let workers = 1; workers < most; workers *= 2) this.candidates.push(workers)
    this.candidates.push(most)
    this.best = this.candidates.map(() => Number.POSITIVE_INFINITY)
    this.settled = asked === 'auto' && most > 1 ? undefined : most
  }

  /** Workers of the next command. */
  get workers(): number {
    return this.settled ?? this.candidates[this.trials % this.candidates.length]!
  }

  /** Steps of the next command: as many as there are, once it is settled. */
  get stepsAtOnce(): number {
    return this.settled ? Number.POSITIVE_INFINITY : this.stepsATrial
  }

  /** Takes the time of a command into account. */
  learn(steps: number, milliseconds: number): void {
    if (this.settled || steps === 0) return
    const step = milliseconds / steps
    const index = this.trials % this.candidates.length
    this.best[index] = Math.min(this.best[index]!, step)
    this.trials++
    if (index === this.candidates.length - 1)
      this.stepsATrial = Math.max(1, Math.min(1000, Math.round(trialMs / step)))
    if (this.trials < rounds * this.candidates.length) return
    this.settled = this.candidates[this.best.indexOf(Math.min(...this.best))]!
  }
}
