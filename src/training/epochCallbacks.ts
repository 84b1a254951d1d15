import { appendFile, stat, truncate } from 'node:fs/promises'
import { checkOptions, inRange, show, withDefaults } from '../errors.ts'
import { BaseCallback, Callback, type CallbackState, type Logs } from './callback.ts'

/** The learning rate of an epoch, from its number (from 0) and the rate so far. */
type RateOfEpoch = (epoch: number, rate: number) => number | Promise<number>

class LearningRateScheduler extends Callback {
  private readonly schedule: RateOfEpoch
  private readonly verbose: number | boolean

  constructor(schedule: RateOfEpoch, options?: { verbose?: number | boolean }) {
    super()
    if (typeof schedule !== 'function') {
      throw new TypeError(
        `learningRateScheduler: schedule must be a function, got ${show(schedule)}; write epoch => 0.1 / (1 + epoch)`,
      )
    }
    checkOptions('learningRateScheduler', options, ['verbose'])
    this.schedule = schedule
    this.verbose = options?.verbose ?? 0
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    const rate = await this.schedule(epoch, this.model.learningRate)
    inRange('learningRateScheduler', `the rate of epoch ${epoch}`, rate, '[0, Infinity)')
    this.model.learningRate = rate
    if (this.verbose) console.log(`Epoch ${epoch}: learning rate ${rate}.`)
  }
}

const csvDefaults = { separator: ',', append: false }
type CsvLoggerOptions = Partial<typeof csvDefaults>

class CsvLogger extends BaseCallback {
  readonly path: string
  readonly options: typeof csvDefaults
  private columns: string[] | undefined
  /** Of the file: at first, then after each line. */
  private bytes = 0
  private opened = false

  constructor(path: string, options?: CsvLoggerOptions) {
    super()
    if (typeof path !== 'string' || path === '')
      throw new TypeError(`csvLogger: path must be that of a file, got ${show(path)}; write 'training.csv'`)
    this.path = path
    this.options = withDefaults('csvLogger', csvDefaults, options)
    const { separator, append } = this.options
    if (typeof separator !== 'string' || separator === '' || /["\r\n]/.test(separator)) {
      throw new TypeError(
        `csvLogger: separator must be text without quotes and line breaks, got ${show(separator)}; write ','`,
      )
    }
    if (typeof append !== 'boolean')
      throw new TypeError(`csvLogger: append must be true or false, got ${show(append)}; correct it`)
  }

  override async onTrainBegin(): Promise<void> {
    this.columns = undefined
    // A training that is resumed goes on in the file: it is only emptied, or cut, before the first line.
    await appendFile(this.path, '')
    this.bytes = this.options.append ? await this.size() : 0
    this.opened = false
  }

  override async onEpochEnd(epoch: number, logs: Logs = {}): Promise<void> {
    await this.open()
    this.columns ??= Object.keys(logs)
    const row = [epoch, ...this.columns.map(name => logs[name] ?? 'NA')]
    const head = this.bytes > 0 ? '' : this.line(['epoch', ...this.columns])
    await appendFile(this.path, head + this.line(row))
    this.bytes = await this.size()
  }

  override async onTrainEnd(): Promise<void> {
    await this.open()
  }

  override getState(): CallbackState {
    return { columns: this.columns, bytes: this.bytes }
  }

  override setState({ columns, bytes }: CallbackState): void {
    this.columns = columns as string[] | undefined
    this.bytes = bytes as number
  }

  /** Leaves in the file what it held at first, or when the checkpoint was saved. */
  private async open(): Promise<void> {
    if (this.opened) return
    this.opened = true
    this.bytes = Math.min(await this.size(), this.bytes)
    await truncate(this.path, this.bytes)
  }

  private async size(): Promise<number> {
    return (await stat(this.path)).size
  }

  private line(fields: readonly (string | number)[]): string {
    const { separator } = this.options
    const quoted = fields.map(field => {
      const text = String(field)
      return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    return `${quoted.join(separator)}\n`
  }
}

/** Ready-made callbacks that act once an epoch. */
export const epochCallbacks = {
  /**
   * Sets the learning rate at the start of each epoch: `learningRateScheduler((epoch, rate) => rate / 2)`.
   * Source: Keras 3.
   * @throws TypeError for no function; RangeError in training for a rate that is none; Error where the
   * optimizer follows a schedule
   */
  learningRateScheduler: (schedule: RateOfEpoch, options?: { verbose?: number | boolean }): Callback =>
    new LearningRateScheduler(schedule, options),
  /**
   * Writes epoch, loss and metrics to a file, one line an epoch, the names in the first. With `append` the
   * lines are added to what the file holds. Source: Keras 3.
   * @throws TypeError for a wrong path or option; the file system's own errors in training
   */
  csvLogger: (path: string, options?: CsvLoggerOptions): BaseCallback => new CsvLogger(path, options),
}
