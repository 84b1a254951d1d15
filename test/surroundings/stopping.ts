import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./stopped.ts', import.meta.url))

interface Stops {
  readonly epochs: number
  /** After how long without a sign of life a worker is taken for hung. */
  readonly stallMs: number
  /** Milliseconds that the process is stopped, time after time, and that it runs in between. */
  readonly stopped: readonly number[]
  readonly running: number
}

/** Stops a training process and lets it go on; resolves with what it said and how often it was stopped. */
export async function stopAndGo({ epochs, stallMs, stopped, running }: Stops) {
  const child = spawn(process.execPath, [program, String(epochs), String(stallMs)])
  let said = ''
  let complaint = ''
  child.stdout.on('data', text => {
    said += text
  })
  child.stderr.on('data', text => {
    complaint += text
  })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  let stops = 0
  for (const ms of stopped) {
    await sleep(running)
    if (child.exitCode !== null || !child.kill('SIGSTOP')) break
    await sleep(ms)
    child.kill('SIGCONT')
    stops++
  }
  await closed
  return { said: said.trim().split('\n'), complaint, stops }
}
