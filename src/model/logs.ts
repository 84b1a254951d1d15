import type { Logs } from '../training/callback.ts'
import type { Compiled } from './record.ts'
import type { Stage } from './stage.ts'

/** The sums of a stage, copied: a moment to measure from. */
export type Sums = Map<string, number[]>

export function sumsNow(stage: Stage): Sums {
  return new Map(stage.totals.map(total => [total.key, [...stage.sumsOf(total)]]))
}

/**
 * Loss and metrics of the `count` samples seen since `before` (since the sums were cleared, if left out). With
 * several outputs the loss of each is NAME_loss, and `loss` their weighted sum.
 */
export function logsOf(stage: Stage, { outputs }: Compiled, count: number, before?: Sums): Logs {
  const sums = sumsNow(stage)
  const since = (key: string): number[] => sums.get(key)!.map((sum, i) => sum - (before?.get(key)?.[i] ?? 0))
  // Where no step counts, all sums are 0, and so are the means.
  const counted = (per: string | undefined) => (per === undefined ? count : Math.max(1, since(per)[0]!))
  const rows = new Map(stage.totals.map(({ key, inner, per }) => [key, inner * counted(per)]))
  const penalty = sums.has('penalty') ? since('penalty')[0]! / count : 0
  const losses = outputs.map((_, i) => since(`loss ${i}`)[0]! / rows.get(`loss ${i}`)!)
  const logs: Logs = { loss: losses.reduce((sum, loss, i) => sum + outputs[i]!.lossWeight * loss, penalty) }
  if (outputs.length > 1) for (const [i, { name }] of outputs.entries()) logs[`${name}_loss`] = losses[i]!
  for (const { key, metric } of outputs.flatMap(({ metrics }) => metrics))
    logs[key] = metric.result(since(key), rows.get(key)!)
  return logs
}

/** TensorFlow.js returns a lone loss as a number, else a list of loss and metrics. */
export const numbersOf = (logs: Logs): number | number[] => {
  const values = Object.values(logs)
  return values.length === 1 ? values[0]! : values
}
