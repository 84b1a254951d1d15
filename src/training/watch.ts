import { finiteNumber, oneOf, show } from '../errors.ts'
import type { Logs } from './callback.ts'

export type Mode = 'auto' | 'min' | 'max'

/**
 * Whether more is better: in mode auto for accuracies and their like (TF.js knows only 'acc'), else less is.
 */
function growsBetter(monitor: string, mode: Mode): boolean {
  return mode === 'max' || (mode === 'auto' && /acc|auc|precision|recall|f1|r2/i.test(monitor))
}

/** The monitored number. @throws Error when the logs do not have it */
export function monitored(where: string, monitor: string, logs: Logs | undefined): number {
  const value = logs && Object.hasOwn(logs, monitor) ? logs[monitor] : undefined
  if (typeof value === 'number') return value
  const names = Object.keys(logs ?? {})
  const available = names.length > 0 ? names.map(name => `"${name}"`).join(', ') : 'nothing'
  const hint = monitor.startsWith('val_') ? '; give fit validationData or validationSplit' : ''
  throw new Error(`${where}: monitor "${monitor}" must be among the logs, got ${available}${hint}`)
}

/** What callbacks that watch a number have in common. */
export interface Watch {
  monitor: string
  mode: Mode
  minDelta: number
}

export function checkWatch(where: string, { monitor, mode, minDelta }: Watch): void {
  if (typeof monitor !== 'string')
    throw new TypeError(`${where}: monitor must be a string, got ${show(monitor)}`)
  oneOf(where, 'mode', mode, ['auto', 'min', 'max'])
  finiteNumber(where, 'minDelta', minDelta)
}

export const worst = (watch: Watch) =>
  growsBetter(watch.monitor, watch.mode) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY

/** Whether a value is better than the best by more than minDelta; NaN never is. */
export function improves({ monitor, mode, minDelta }: Watch, value: number, best: number): boolean {
  const delta = Math.abs(minDelta)
  return growsBetter(monitor, mode) ? value - delta > best : value + delta < best
}
