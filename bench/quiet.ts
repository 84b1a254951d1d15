// Other programs on the machine spoil a figure: wait until they rest, and measure again what they disturbed.
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const attempts = 4
const longestWaitMs = 20_000
/** Part of one core that others may take. */
const tolerance = 0.1

/** Milliseconds that all cores together have worked. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

async function awaitQuiet(): Promise<void> {
  const start = performance.now()
  for (let last = busyMs(); performance.now() - start < longestWaitMs; ) {
    await sleep(200)
    const now = busyMs()
    if (now - last <= 200 * 2 * tolerance) return
    last = now
  }
}

/** Milliseconds of processor time of all threads of this process. */
function ownMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * The first result of `measure` that others left alone, or of several attempts the one that they disturbed least. What other
 * processes spent on the result is to be told.
 */
export async function undisturbed<T>(measure: () => Promise<T>, cpuMsOf?: (result: T) => number): Promise<T> {
  let best: { result: T; others: number } | undefined
  for (let attempt = 0; attempt < attempts; attempt++) {
    await awaitQuiet()
    const [start, busy, own] = [performance.now(), busyMs(), ownMs()]
    const result = await measure()
    const spent = ownMs() - own + (cpuMsOf?.(result) ?? 0)
    const others = (busyMs() - busy - spent) / (performance.now() - start)
    if (!best || others < best.others) best = { result, others }
    if (others <= tolerance) break
  }
  return best!.result
}
