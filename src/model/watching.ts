import { type BaseCallback, hasHook, type Logs } from '../training/callback.ts'
import type { TrainingSettings } from './options.ts'

/** Milliseconds between two reports. */
const defaultProgressMs = 100
/** TensorFlow.js'. */
const defaultYieldMs = 125

/** Hears of training at intervals. */
interface Watcher {
  readonly intervalMs: number
  report(step: number, logs: Logs): void | Promise<void>
}

/** Tells a callback, but not while it is still busy. */
function yielding(callback: BaseCallback, intervalMs: number, epoch: number): Watcher {
  let busy = false
  const report = async (step: number, logs: Logs) => {
    if (busy) return
    busy = true
    await callback.onYield(epoch, step - 1, logs)
    busy = false
  }
  return { intervalMs, report }
}

/** Who hears at intervals what the workers have summed so far. */
export function watchersOf(
  { onProgress, yieldEvery }: Pick<TrainingSettings, 'onProgress' | 'yieldEvery'>,
  callbacks: readonly BaseCallback[],
  epoch: number,
): Watcher[] {
  const intervalMs = yieldEvery === 'auto' ? defaultYieldMs : yieldEvery
  const watchers: Watcher[] = []
  if (onProgress) {
    const report = (step: number, logs: Logs) => onProgress.report(step, logs)
    watchers.push({ intervalMs: onProgress.intervalMs ?? defaultProgressMs, report })
  }
  if (typeof intervalMs !== 'number') return watchers
  const listeners = callbacks.filter(callback => hasHook(callback, 'onYield'))
  return [...watchers, ...listeners.map(callback => yielding(callback, intervalMs, epoch))]
}

/**
 * Reports to the watchers while `run` goes on; the workers are not asked to wait. `failed` hears of what reports throw.
 */
export async function watched<T>(
  watchers: readonly Watcher[],
  progress: () => { step: number; logs: Logs } | undefined,
  failed: (error: unknown) => void,
  run: () => Promise<T>,
): Promise<T> {
  const reports = new Set<Promise<void>>()
  const report = async (watcher: Watcher) => {
    try {
      const now = progress()
      if (now) await watcher.report(now.step, now.logs)
    } catch (error) {
      failed(error)
    }
  }
  const timers = watchers.map(watcher =>
    setInterval(() => {
      const reported = report(watcher).finally(() => reports.delete(reported))
      reports.add(reported)
    }, watcher.intervalMs),
  )
  try {
    return await run()
  } finally {
    timers.forEach(clearInterval)
    await Promise.all(reports)
  }
}
