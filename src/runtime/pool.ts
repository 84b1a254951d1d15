import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { RunTask } from './worker.ts'

/** The worker file stands beside this one, built or not. */
const workerFile = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))

/** Threads that each take one task of a run at a time and stay until the pool is closed. */
export class Pool {
  readonly size: number
  private readonly piscina: Piscina

  constructor(size: number, file = workerFile) {
    this.size = size
    this.piscina = new Piscina({
      filename: file,
      minThreads: size,
      maxThreads: size,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      // Else idle threads sleep outside of their event loop, and the ports of runs that are over are never freed.
      atomics: 'disabled',
    })
    // A thread that dies fails its task; one that dies without a task is replaced, and need not end the
    // process.
    this.piscina.on('error', () => {})
  }

  /** Resolves when the task is over; rejects with what it threw, or when its thread died. */
  run(task: RunTask): Promise<void> {
    return this.piscina.run(task, { transferList: [task.port] })
  }

  /** Ends every thread, whatever it is doing. */
  async close(): Promise<void> {
    await this.piscina.destroy()
  }
}
