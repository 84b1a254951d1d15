import { checkOptions, inRange, positiveInteger, show, withDefaults } from '../errors.ts'
import { BaseCallback } from './callback.ts'
import { checkWatch, type Mode, type Watch } from './watch.ts'

/** How often a checkpoint is saved; of several, each counts. */
export interface Every {
  /** Updates over the life of the model: after each multiple of so many. */
  steps?: number
  epochs?: number
  seconds?: number
}

export interface CheckpointOptions {
  /** A folder for the checkpoints of one training; made if need be. */
  directory: string
  /** Default `{ epochs: 1 }`. */
  every?: Every
  /** How many of the newest stay. Default 3. */
  keep?: number
  /** The one at the end of the best epoch stays, too. */
  best?: { monitor: string; mode?: Mode; minDelta?: number }
}

function checkEvery(every: Every): void {
  checkOptions('checkpoint', every, ['steps', 'epochs', 'seconds'])
  const { steps, epochs, seconds } = every
  if (steps === undefined && epochs === undefined && seconds === undefined)
    throw new TypeError('checkpoint: every must have steps, epochs or seconds, got none; try { epochs: 1 }')
  if (steps !== undefined) positiveInteger('checkpoint', 'every.steps', steps)
  if (epochs !== undefined) positiveInteger('checkpoint', 'every.epochs', epochs)
  if (seconds !== undefined) inRange('checkpoint', 'every.seconds', seconds, '(0, 2000000]')
}

/** Says when checkpoints are saved, and where; `fit` sees to it. */
export class CheckpointCallback extends BaseCallback {
  readonly directory: string
  readonly every: Every
  readonly keep: number
  readonly best: Watch | undefined

  constructor(options: CheckpointOptions) {
    super()
    const where = 'checkpoint'
    checkOptions(where, options, ['directory', 'every', 'keep', 'best'])
    const { directory, every = { epochs: 1 }, keep = 3, best } = options ?? {}
    if (typeof directory !== 'string' || directory === '')
      throw new TypeError(`${where}: directory must be a folder, got ${show(directory)}; write 'checkpoints'`)
    checkEvery(every)
    this.directory = directory
    this.every = { ...every }
    this.keep = positiveInteger(where, 'keep', keep)
    if (!best) return
    const defaults: Watch = { monitor: undefined as never, mode: 'auto', minDelta: 0 }
    this.best = withDefaults(`${where}: best`, defaults, best)
    checkWatch(`${where}: best`, this.best)
  }
}
