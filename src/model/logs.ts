import type { Logs } from '../training/callback.ts'
import type { Packable } from './packing.ts'
import type { Compiled } from './record.ts'
import type { Stage } from './stage.ts'

/** The sums of a stage, copied: a moment to measure from. */
export type Sums = Map<string, number[]>

export function sumsNow(stage: Stage): Sums {
  return new Map(stage.totals.map(total => [total.key, [...stage.sumsOf(total)]]))
}

/** What was summed under one name, over so many rows; `mean` is the first sum by the rows of a sample. */
interface Tallied {
  readonly values: number[]
  /** The sum of the steps that count, where not every sample does. */
  readonly per: string | undefined
  rows: number
  mean: number
}

/**
 * Sums of several stages: plans for sequences of other lengths. Metrics are over all rows, losses are those of
 * the samples, a long one counting no more than a short one.
 */
export class Tally {
  count = 0
  private readonly sums = new Map<string, Tallied>()

  constructor(from?: Tally) {
    if (!from) return
    this.count = from.count
    for (const [key, tallied] of from.sums) this.sums.set(key, { ...tallied, values: [...tallied.values] })
  }

  /** What `from` takes. */
  getState(): Packable {
    const sums = [...this.sums].map(([key, { per, ...sum }]) => ({ key, per: per ?? null, ...sum }))
    return { count: this.count, sums }
  }

  static from(state: Packable | undefined): Tally {
    const { count, sums } = state as unknown as { count: number; sums: ({ key: string } & Tallied)[] }
    const tally = new Tally()
    tally.count = count
    for (const { key, per, values, ...sum } of sums)
      tally.sums.set(key, { ...sum, per: per ?? undefined, values: [...values] })
    return tally
  }

  /** Adds what a stage has summed over `count` samples since `before` (since its sums were cleared). */
  add(stage: Stage, count: number, before?: Sums): this {
    this.count += count
    const sums = new Map(
      stage.totals.map(total => {
        const { key } = total
        return [key, [...stage.sumsOf(total)].map((sum, i) => sum - (before?.get(key)?.[i] ?? 0))]
      }),
    )
    for (const { key, inner, per } of stage.totals) {
      const since = sums.get(key)!
      const known = this.sums.get(key) ?? { values: since.map(() => 0), per, rows: 0, mean: 0 }
      this.sums.set(key, known)
      for (const [i, sum] of since.entries()) known.values[i]! += sum
      known.rows += inner * (per === undefined ? count : sums.get(per)![0]!)
      known.mean += since[0]! / inner
    }
    return this
  }

  /** Loss and metrics. With several outputs the loss of each is NAME_loss, and `loss` their weighted sum. */
  logs({ outputs }: Compiled): Logs {
    const { count, sums } = this
    // Where no step counts, all sums are 0, and so are the means.
    const counted = ({ per }: Tallied) => (per === undefined ? count : Math.max(1, sums.get(per)!.values[0]!))
    const meanOf = (sum: Tallied) => sum.mean / counted(sum)
    const penalty = (sums.get('penalty')?.mean ?? 0) / count
    const losses = outputs.map((_, i) => meanOf(sums.get(`loss ${i}`)!))
    const loss = losses.reduce((sum, each, i) => sum + outputs[i]!.lossWeight * each, penalty)
    const logs: Logs = { loss }
    if (outputs.length > 1) for (const [i, { name }] of outputs.entries()) logs[`${name}_loss`] = losses[i]!
    for (const { key, metric } of outputs.flatMap(({ metrics }) => metrics))
      logs[key] = metric.result(sums.get(key)!.values, sums.get(key)!.rows || 1)
    const squares = sums.get('gradientNorm')
    if (squares) logs.gradientNorm = Math.sqrt(squares.mean / count)
    return logs
  }
}

/** Loss and metrics of the `count` samples seen since `before`. */
export function logsOf(stage: Stage, compiled: Compiled, count: number, before?: Sums): Logs {
  return new Tally().add(stage, count, before).logs(compiled)
}

/** TensorFlow.js returns a lone loss as a number, else a list of loss and metrics. */
export const numbersOf = (logs: Logs): number | number[] => {
  const values = Object.values(logs)
  return values.length === 1 ? values[0]! : values
}
