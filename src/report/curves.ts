import type { EpochRecord } from '../training/recorder.ts'
import type { Point } from './charts.ts'

/** A number of the logs over the epochs. */
export const curveOf = (epochs: readonly EpochRecord[], name: string): Point[] =>
  epochs.map(({ epoch, logs }) => [epoch, logs[name] ?? Number.NaN])

/**
 * Place of the epoch with the highest validation accuracy, if that is watched, else with the least validation loss (or loss); the
 * first of several, −1 where there is none.
 */
export function bestEpochOf(epochs: readonly EpochRecord[], monitor = 'val_loss'): number {
  const name = epochs.some(({ logs }) => logs[monitor] !== undefined) ? monitor : 'loss'
  const sign = name === 'val_acc' ? -1 : 1
  let [place, least] = [-1, Number.POSITIVE_INFINITY]
  for (const [i, { logs }] of epochs.entries()) {
    const value = sign * (logs[name] ?? Number.NaN)
    if (value < least) [place, least] = [i, value]
  }
  return place
}

/** Workers that measured their waiting in the last epoch: the first ones find out how many are fastest. */
export const workersOf = (epochs: readonly EpochRecord[]): number =>
  epochs.at(-1)?.pace?.barrierShares.length ?? 0
