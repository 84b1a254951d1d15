/** Counts the epochs of one fit from the first one's end on, so that neither start nor copying counts. */
export class EpochClock {
  private readonly ms: number
  private readonly stop: () => void
  private epochs = -1
  private start = 0
  private end = 0

  /** `stop` is called when `ms` have passed. */
  constructor(ms: number, stop: () => void) {
    this.ms = ms
    this.stop = stop
  }

  readonly callbacks = {
    onEpochEnd: (): void => {
      this.end = performance.now()
      if (++this.epochs === 0) this.start = this.end
      if (this.end - this.start >= this.ms) this.stop()
    },
  }

  get epochsPerSecond(): number {
    return this.epochs / ((this.end - this.start) / 1000)
  }
}
