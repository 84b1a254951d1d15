import { inRange, positiveInteger, show, withDefaults } from '../errors.ts'
import { Callback, type CallbackState, type Logs } from './callback.ts'
import { monitored } from './watch.ts'

const defaults = { monitor: 'loss', tolerance: 1e-4, patience: 3 }
export type ConvergenceOptions = Partial<typeof defaults>

/** Ends training once a number stands still. */
export class Convergence extends Callback {
  readonly options: typeof defaults
  private last = Number.NaN
  private still = 0

  constructor(options?: ConvergenceOptions) {
    super()
    this.options = withDefaults('convergence', defaults, options)
    const { monitor, tolerance, patience } = this.options
    if (typeof monitor !== 'string')
      throw new TypeError(`convergence: monitor must be a string, got ${show(monitor)}; try 'loss'`)
    inRange('convergence', 'tolerance', tolerance, '[0, Infinity)')
    positiveInteger('convergence', 'patience', patience)
  }

  override onTrainBegin(): void {
    this.last = Number.NaN
    this.still = 0
  }

  override onEpochEnd(_epoch: number, logs?: Logs): void {
    const { monitor, tolerance, patience } = this.options
    const now = monitored('convergence', monitor, logs)
    // Of the first epoch, and of NaN, nothing is true.
    this.still = Math.abs(now - this.last) <= tolerance * Math.abs(this.last) ? this.still + 1 : 0
    this.last = now
    if (this.still >= patience) this.model.stopTraining = 'converged'
  }

  override getState(): CallbackState {
    return { last: this.last, still: this.still }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }
}
