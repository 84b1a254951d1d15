import { constants } from 'node:os'
import { codeOf } from '../formats/files.ts'

/** A mistake in what was typed: exit code 2. */
export class UsageError extends Error {}

/** Whether lines may move: a person looks on. */
export const isLive = (): boolean => process.stderr.isTTY === true

/** Progress and warnings go beside the results. */
export const note = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** A reader that has had enough ends nothing; what could not be written for another reason is an error in the end. */
export function heedOutput(): void {
  let isTold = false
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', error => {
      if (codeOf(error) === 'EPIPE' || isTold) return
      isTold = true
      process.on('exit', () => {
        process.exitCode = 1
        note(`lockstep: not all could be written to the standard output: ${error.message}`)
      })
    })
}

export function warn(warnings: readonly string[]): void {
  for (const warning of warnings) note(`warning: ${warning}`)
}

/** Columns of text side by side; numbers to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  const isNumber = (text: string) => /^[-\d]/.test(text)
  const right = rows[0]!.map((_, i) => rows.slice(1).every(row => row[i] === '' || isNumber(row[i]!)))
  return rows.map(row =>
    row
      .map((text, i) => (right[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** A bar that moves where a person looks on, and nothing elsewhere. */
export async function barOf(
  format: string,
): Promise<{ update(done: number, total: number, payload?: object): void; stop(): void }> {
  if (!isLive()) return { update() {}, stop() {} }
  const { Presets, SingleBar } = (await import('cli-progress')).default
  const bar = new SingleBar(
    { format, hideCursor: true, clearOnComplete: true, stream: process.stderr },
    Presets.shades_classic,
  )
  let started = false
  return {
    update(done, total, payload = {}) {
      if (!started) bar.start(total, 0, payload)
      started = true
      bar.update(done, payload)
    },
    stop() {
      if (started) bar.stop()
      started = false
    },
  }
}

/** The first SIGINT or SIGTERM aborts `signal`; the second ends the process. */
export function interruption(): { signal: AbortSignal; code(): number | undefined } {
  const controller = new AbortController()
  let code: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (code !== undefined) process.exit(128 + constants.signals[name])
      code = 128 + constants.signals[name]
      controller.abort()
    })
  return { signal: controller.signal, code: () => code }
}
