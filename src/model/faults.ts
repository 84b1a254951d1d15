import type { Plan } from '../plan/plan.ts'
import { FaultError, WorkerError } from '../runtime/run.ts'

/** What a check found, in the words of `where`; `rate` is the learning rate that may be too high. */
export function faultMessage(
  where: string,
  plan: Plan,
  { fault }: FaultError,
  when: string,
  rate = 0,
): string {
  const { problem, fix = `lower learningRate (${rate}) or set clipNorm` } = plan.faults[fault]!
  return `${where}: ${problem} ${when}; ${fix}`
}

/** Throws what a run failed with, in the words of `where`. */
export function rethrow(where: string, plan: Plan | undefined, error: unknown): never {
  if (!(error instanceof FaultError && plan)) throw error
  throw new RangeError(faultMessage(where, plan, error, `in batch ${error.batch}`))
}

/** An error of the run in the words of training. */
export function translated(
  where: string,
  error: unknown,
  { epoch, validating }: { readonly epoch: number; readonly validating: boolean },
  part: { readonly stage: { readonly plan: Plan } },
  rate: number,
): unknown {
  if (!(error instanceof FaultError || error instanceof WorkerError)) return error
  const when = `at epoch ${epoch}, step ${error.batch}${validating ? ' of the validation' : ''}`
  if (error instanceof WorkerError)
    return new Error(`${where}: ${error.worker} failed ${when}: ${error.reason}`, { cause: error })
  return new Error(faultMessage(where, part.stage.plan, error, when, rate), { cause: error })
}
