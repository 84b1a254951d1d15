import type { Logs } from '../training/callback.ts'

/**
 * Why training ended: all epochs were made, or what a callback gave as its reason (`stopTraining` where it gave none),
 * or there was no time left, or the signal was aborted.
 */
export type StopReason =
  | 'epochs'
  | 'earlyStopping'
  | 'converged'
  | 'stopTraining'
  | 'maxSeconds'
  | 'aborted'
  // Callbacks may have reasons of their own.
  | (string & {})

/** What `fit` and `fitDataset` resolve with. */
export interface History {
  /** Numbers of the epochs that were finished. */
  epoch: number[]
  /** Loss and metrics of each epoch, by the names that callbacks see. */
  history: Record<string, number[]>
  params: Record<string, unknown>
  /** The seed that decided every random choice. */
  seed: number
  /** Threads that trained. */
  workers: number
  stopReason: StopReason
  /** Steps that were made, and the seconds that they took: no validation, no callbacks, no checkpoints. */
  worked: { steps: number; seconds: number }
  /** The last checkpoint that was saved, if there is a checkpoint callback. */
  checkpoint?: string
  /** What training went on from, and newer checkpoints that were damaged. */
  resumed?: {
    readonly path: string
    /** Updates before. */
    readonly step: number
    readonly skipped: readonly { readonly path: string; readonly reason: string }[]
  }
}

/** Adds the logs of an epoch. */
export function remember({ epoch, history }: History, number: number, logs: Logs): void {
  epoch.push(number)
  for (const [key, value] of Object.entries(logs)) (history[key] ??= []).push(value)
}

/** That of a training which has just begun. */
export const beginHistory = (params: Record<string, unknown>, seed: number, workers: number): History => ({
  epoch: [],
  history: {},
  params,
  seed,
  workers,
  stopReason: 'epochs',
  worked: { steps: 0, seconds: 0 },
})

/** Adds steps and the time that they took. */
export function addWork({ worked }: History, steps: number, milliseconds: number): void {
  worked.steps += steps
  worked.seconds += milliseconds / 1000
}
