// Other programs on the machine spoil a figure: wait until they rest, and measure again what they disturbed.
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const attempts = 3
const longestWaitMs = 2000
/** Part of one core that others may take. */
const tolerance = 0.1
const tickMs = 100
/** Time that a process may lose by waiting and repeating, in all; then it takes what it gets. */
let patienceMs = 240_000

/** How many results there are, and how many of them others disturbed. */
export const disturbance = { measured: 0, disturbed: 0 }

/** Milliseconds that all cores together have worked. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

/** Milliseconds of processor time of all threads of this process. */
function ownMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function awaitQuiet(): Promise<void> {
  const start = performance.now()
  for (
    let last = busyMs();
    patienceMs > 0 && performance.now() - start < longestWaitMs;
    patienceMs -= tickMs
  ) {
    await sleep(tickMs)
    const now = busyMs()
    if (now - last <= tickMs * 2 * tolerance) return
    last = now
  }
}

/**
 * The first result of `measure` that others left alone, or of several attempts the one that they disturbed least.
 * `cpuMsOf` says what other processes spent on the result.
 */
export async function undisturbed<T>(measure: () => Promise<T>, cpuMsOf?: (result: T) => number): Promise<T> {
  let best: { result: T; others: number } | undefined
  for (let attempt = 0; attempt < attempts; attempt++) {
    await awaitQuiet()
    const [start, busy, own] = [performance.now(), busyMs(), ownMs()]
    const result = await measure()
    const spent = ownMs() - own + (cpuMsOf?.(result) ?? 0)
    const ms = performance.now() - start
    const others = (busyMs() - busy - spent) / ms
    if (!best || others < best.others) best = { result, others }
    if (others <= tolerance) break
    patienceMs -= ms
    if (patienceMs <= 0) break
  }
  disturbance.measured++
  if (best!.others > tolerance) disturbance.disturbed++
  return best!.result
}
