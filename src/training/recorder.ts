import { Callback, type CallbackState, type EpochPace, type Logs } from './callback.ts'

/** What is remembered of an epoch; epochs count from 1. */
export interface EpochRecord {
  readonly epoch: number
  readonly logs: Logs
  /** At the start of the epoch. */
  readonly learningRate: number
  readonly pace?: EpochPace
}

/** Remembers each epoch: what reports and dashboards draw. A training that is resumed has the epochs before, too. */
export class Recorder extends Callback {
  epochs: EpochRecord[] = []
  private rate = 0
  private readonly heard: () => void

  /** `heard` is called after each epoch. */
  constructor(heard: () => void = () => {}) {
    super()
    this.heard = heard
  }

  override onTrainBegin(): void {
    this.epochs = []
  }

  override onEpochBegin(): void {
    this.rate = this.model.learningRate
  }

  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    const { pace } = this.model
    this.epochs.push({ epoch: epoch + 1, logs: { ...logs }, learningRate: this.rate, ...(pace && { pace }) })
    this.heard()
  }

  override getState(): CallbackState {
    return { epochs: this.epochs }
  }

  override setState({ epochs }: CallbackState): void {
    this.epochs = [...(epochs as EpochRecord[])]
  }
}
