import type { EpochRecord } from '../training/recorder.ts'
import type { Point } from './charts.ts'

/** A number of the logs over the epochs. */
export const curveOf = (epochs: readonly EpochRecord[], name: string): Point[] =>
  epochs.map(({ epoch, logs }) => [epoch, logs[name] ?? Number.NaN])

/** Place of the epoch with the least validation loss (or loss), the first of several; −1 where there is none. */
export function bestEpochOf(epochs: readonly EpochRecord[]): number {
  const name = epochs.some(({ logs }) => logs.val_loss !== undefined) ? 'val_loss' : 'loss'
  const values = epochs.map(({ logs }) => logs[name] ?? Number.POSITIVE_INFINITY)
  return values.indexOf(Math.min(...values))
}
