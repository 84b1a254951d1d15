import { countsOf } from '../report/regression.ts'
import type { Column } from './columns.ts'
import type { ColumnType } from './fields.ts'
import type { Roles } from './planning.ts'

/** Rows that a distribution is drawn from, and values of all columns together, at most: they are in memory. */
const [mostRows, mostValues] = [100_000, 2 ** 20]
const mostWords = 24

/** Gathers what the report shows of a column's values: of rows that are evenly taken, some at a time. */
export class Distribution {
  private readonly type: ColumnType
  private readonly step: number
  private readonly values: number[] = []
  private readonly words = new Map<string, number>()

  /** One of so many columns of a table of so many rows. */
  constructor({ type }: Pick<Column, 'type'>, rows: number, columns: number) {
    this.type = type
    this.step = Math.max(1, Math.ceil(rows / Math.min(mostRows, Math.ceil(mostValues / columns))))
  }

  /** The column's values, of which the first is that of row `first` of the table. */
  take(column: Column, first = 0): void {
    const { type, step, values, words } = this
    for (let i = (step - (first % step)) % step; i < column.values.length; i += step) {
      const value = column.values[i]!
      if (Number.isNaN(value)) continue
      if (type !== 'category') values.push(value)
      else words.set(column.word(i)!, (words.get(column.word(i)!) ?? 0) + 1)
    }
  }

  /** Counts in equal intervals; of false and true; of the commonest words. */
  finish(): number[] {
    const { type, values, words } = this
    if (type === 'category') return [...words.values()].sort((a, b) => b - a).slice(0, mostWords)
    if (type !== 'boolean') return [...countsOf(values).counts]
    const yes = values.filter(value => value === 1).length
    return [values.length - yes, yes]
  }
}

/** Distributions of inputs and target, by name, in a table of so many rows. */
export function distributionsOf({ inputs, target }: Roles, rows: number): Map<string, Distribution> {
  const columns = [...inputs, target]
  return new Map(columns.map(column => [column.name, new Distribution(column, rows, columns.length)]))
}

/** What they come to, where all columns are in memory. */
export function countsInMemory(roles: Roles, rows: number): Map<string, number[]> {
  const distributions = distributionsOf(roles, rows)
  for (const column of [...roles.inputs, roles.target]) distributions.get(column.name)!.take(column)
  return finished(distributions)
}

export const finished = (distributions: ReadonlyMap<string, Distribution>): Map<string, number[]> =>
  new Map(Array.from(distributions, ([name, distribution]) => [name, distribution.finish()]))
