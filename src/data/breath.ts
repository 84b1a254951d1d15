import { setImmediate as macrotask } from 'node:timers/promises'

/** Milliseconds for which long work may hold up everything else. */
const mostMs = 5
let last = 0

/** Inside of long work: lets other things happen if it has gone on for long, else returns nothing to wait for. */
export function breath(): Promise<void> | undefined {
  if (performance.now() - last < mostMs) return undefined
  return macrotask().then(() => {
    last = performance.now()
  })
}
