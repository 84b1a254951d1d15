import { checkOptions, show } from '../errors.ts'
import type { Awaitable, BaseCallback, CallbackState, TrainingModel } from './callback.ts'
import { type EpochRecord, Recorder } from './recorder.ts'

/** Who is told of epochs. */
export interface Audience {
  /** After each epoch: all so far. */
  told(epochs: readonly EpochRecord[]): Awaitable
  end(epochs: readonly EpochRecord[]): Awaitable
  /** What a checkpoint must hold for it to go on. */
  getState?(): number
  setState?(state: number): void
}

/** A training as its audience knows it. */
export interface Announced {
  readonly model: TrainingModel
  readonly params: Readonly<Record<string, unknown>>
}

/** Has a module loaded once training begins, and tells it of epochs. */
class Announcer extends Recorder {
  private readonly open: (announced: Announced) => Promise<Audience>
  private audience: Audience | undefined

  constructor(open: (announced: Announced) => Promise<Audience>) {
    super()
    this.open = open
  }

  override async onTrainBegin(): Promise<void> {
    super.onTrainBegin()
    this.audience = await this.open({ model: this.model, params: this.params })
  }

  override async onEpochEnd(...args: Parameters<Recorder['onEpochEnd']>): Promise<void> {
    super.onEpochEnd(...args)
    await this.audience!.told(this.epochs)
  }

  override async onTrainEnd(): Promise<void> {
    await this.audience?.end(this.epochs)
  }

  override getState(): CallbackState {
    return { ...super.getState(), audience: this.audience?.getState?.() ?? 0 }
  }

  override setState({ audience, ...state }: CallbackState): void {
    super.setState(state)
    this.audience?.setState?.(audience as number)
  }
}

export interface DashboardCallbackOptions {
  /** Default 0: any that is free. */
  port?: number
  /** What the page is called; default: the model's name. */
  title?: string
  /** Told the address, with its token, in place of the console. */
  onUrl?: (url: string) => void
}

function checkDashboard(options: DashboardCallbackOptions): void {
  checkOptions('dashboard', options, ['port', 'title', 'onUrl'])
  const { port = 0, onUrl } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`dashboard: port must be an integer from 0 to 65535, got ${show(port)}; try 0`)
  if (onUrl !== undefined && typeof onUrl !== 'function')
    throw new TypeError(`dashboard: onUrl must be a function, got ${show(onUrl)}; try console.log`)
}

function checkPath(where: string, name: string, kind: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return
  throw new TypeError(`${where}: ${name} must be that of a ${kind}, got ${show(path)}; name one`)
}

/** Ready-made callbacks that tell others of epochs, by modules that are loaded when training begins. */
export const announcingCallbacks = {
  /**
   * Shows training in a browser of this machine while it goes on: the report's curves, on a page whose address, with a token,
   * is printed. The server listens at 127.0.0.1 and ends with training; what happens to it does not stop training.
   * @throws TypeError or RangeError for wrong options
   */
  dashboard: (options: DashboardCallbackOptions = {}): BaseCallback => {
    checkDashboard(options)
    return new Announcer(async run => (await import('../report/live.ts')).openLive(run, options))
  },
  /**
   * Writes loss, metrics, learning rate and samples a second of each epoch as TensorBoard's event files, training in
   * `logDir`/train, what begins with val_ in `logDir`/validation. Names are Keras': epoch_loss, epoch_learning_rate.
   * @throws TypeError for wrong options; the file system's own errors in training
   */
  tensorBoard: (options: { logDir: string }): BaseCallback => {
    checkOptions('tensorBoard', options, ['logDir'])
    checkPath('tensorBoard', 'logDir', 'folder', options?.logDir)
    return new Announcer(async () => (await import('../report/tensorBoard.ts')).openEvents(options.logDir))
  },
  /**
   * Writes a JSON object a line for each epoch to a file: `epoch` (from 0), `learningRate`, loss and metrics, `samples`,
   * `seconds`, `barrierShares` of the workers. With `append` the lines are added to what the file holds.
   * @throws TypeError for a wrong path or option; the file system's own errors in training
   */
  jsonLogger: (path: string, options: { append?: boolean } = {}): BaseCallback => {
    checkPath('jsonLogger', 'path', 'file', path)
    checkOptions('jsonLogger', options, ['append'])
    const { append = false } = options
    if (typeof append !== 'boolean')
      throw new TypeError(`jsonLogger: append must be true or false, got ${show(append)}; correct it`)
    return new Announcer(async () => (await import('../report/jsonLines.ts')).openLines(path, append))
  },
}
