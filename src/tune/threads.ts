import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { show } from '../errors.ts'
import type { Objective, Task, TrialRecord } from './trial.ts'

/** The thread's file stands beside this one, built or not. */
const threadFile = new URL(`./thread${extname(import.meta.url)}`, import.meta.url)

/** Runs a trial, whatever becomes of it. */
export type Runner = (task: Task, signal: AbortSignal) => Promise<TrialRecord>

/** What a thread is sent: a trial, or that its trial is to end. */
export type Order = Task | 'abort'

/** What a thread sends: a trial that has ended, or why the objective could not be loaded. */
export type Answer = TrialRecord | { readonly cannotLoad: unknown }

/** Loads a module's objective. @throws TypeError where its default export is no function */
export async function loadObjective(href: string): Promise<Objective> {
  const loaded: unknown = (await import(href)).default
  if (typeof loaded === 'function') return loaded as Objective
  throw new TypeError(
    `tune: ${href} must export the objective by default, got ${show(loaded)}; write export default async trial => …`,
  )
}

/** Threads that each run one trial at a time, with an engine of their own. One that dies has failed its trial only. */
export class TrialThreads {
  private readonly href: string
  private readonly idle: Worker[] = []
  private readonly all = new Set<Worker>()

  constructor(href: string) {
    this.href = href
  }

  readonly run: Runner = (task, signal) => {
    const worker = this.idle.pop() ?? this.start()
    const started = performance.now()
    return new Promise((resolve, reject) => {
      const abort = () => worker.postMessage('abort' satisfies Order)
      const release = () => {
        worker.off('message', listen).off('error', fail).off('exit', exit)
        signal.removeEventListener('abort', abort)
      }
      const listen = (answer: Answer) => {
        release()
        if ('cannotLoad' in answer) return reject(answer.cannotLoad)
        this.idle.push(worker)
        resolve(answer)
      }
      const fail = (reason: unknown) => {
        release()
        const { number, parameters } = task
        const seconds = Math.round(performance.now() - started) / 1000
        resolve({ number, parameters, state: 'failed', reports: [], error: String(reason), seconds })
      }
      const exit = (code: number) => fail(`Error: the thread ended with exit code ${code}`)
      worker.on('message', listen).on('error', fail).on('exit', exit)
      signal.addEventListener('abort', abort)
      worker.postMessage(task satisfies Order)
    })
  }

  private start(): Worker {
    const worker = new Worker(threadFile, { workerData: this.href })
    this.all.add(worker)
    // Errors between two trials must not end the process.
    worker.on('error', () => {})
    worker.on('exit', () => {
      this.all.delete(worker)
      if (this.idle.includes(worker)) this.idle.splice(this.idle.indexOf(worker), 1)
    })
    return worker
  }

  async close(): Promise<void> {
    await Promise.all([...this.all].map(worker => worker.terminate()))
  }
}
