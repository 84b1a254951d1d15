import { createInterface } from 'node:readline'
import type { Workload } from '../workloads.ts'

/** What the parent asks for: train `workload` for about `ms`. */
export interface Question<W = Workload> {
  readonly workload: W
  readonly ms: number
}

function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/**
 * Answers the questions that come in on stdin, one a line: `measure` gives samples/s. What it builds for a workload it may
 * keep until another one is asked for.
 */
export async function serve<W>(measure: (question: Question<W>) => Promise<number>): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const before = process.cpuUsage()
    const answer = await measure(JSON.parse(line) as Question<W>).then(
      samplesPerSecond => ({ samplesPerSecond, cpuMs: cpuMs(before) }),
      error => ({ error: String((error as Error).message ?? error) }),
    )
    console.log(JSON.stringify(answer))
  }
  process.exit()
}
