import { show, suggestion } from '../errors.ts'
import { Column } from './columns.ts'
import { wordOf } from './fields.ts'
import type { TableConfiguration } from './options.ts'
import type { ColumnProfile } from './profile.ts'
import type { Table } from './source.ts'
import { type Parts, splitByTime, splitGrouped, splitStratified } from './splitting.ts'
import type { Warnings } from './warnings.ts'
import { columnOf } from './words.ts'

/** Integers of at most so many different values are classes. */
export const mostIntegerClasses = 10

/** Which columns do what. */
export interface Roles {
  readonly target: Column
  readonly task: 'class' | 'regression'
  readonly inputs: readonly Column[]
  /** Decides the split, if given. */
  readonly divider: Column | undefined
}

/** @throws RangeError for a column that the table does not have */
export function checkColumn(table: Table, what: string, name: string): void {
  if (table.names.includes(name)) return
  throw new RangeError(
    `${table.path}: ${what} must be a column, got ${show(name)}; ${suggestion(name, table.names)}`,
  )
}

function targetOf(
  profile: ColumnProfile,
  { task, target }: TableConfiguration,
): Pick<Roles, 'target' | 'task'> {
  const { type, distinct, integers, useless, name } = profile
  const at = `train: target ${show(target)}`
  if (type === 'text' || type === 'date')
    throw new RangeError(
      `${at} must be a number or a category, got ${type}${useless ? `: ${useless}` : ''}; choose another column, or say its type`,
    )
  if (distinct < 2)
    throw new RangeError(`${at} must have two values or more, got ${distinct}; choose another column`)
  const guessed = type === 'number' && !(integers && distinct <= mostIntegerClasses) ? 'regression' : 'class'
  const chosen = task ?? guessed
  if (chosen === 'regression' && type !== 'number')
    throw new RangeError(`${at} must be a number for regression, got ${type}; leave the task out`)
  if (chosen === 'class' && distinct > 1000)
    throw new RangeError(`${at} must have at most 1000 classes, got ${distinct}; choose regression`)
  return { target: new Column(name, type), task: chosen }
}

/** Decides what each column is for; columns that teach nothing are set aside with a warning. */
export function assignRoles(
  table: Table,
  profiles: readonly ColumnProfile[],
  configuration: TableConfiguration,
  warnings: Warnings,
): Roles {
  const { target, ignore = [], group, time, types = {} } = configuration
  checkColumn(table, 'target', target)
  for (const name of ignore) checkColumn(table, 'ignore', name)
  for (const name of Object.keys(types)) checkColumn(table, 'types', name)
  const of = (name: string) => profiles.find(profile => profile.name === name)!
  let divider: Column | undefined
  if (group !== undefined) {
    checkColumn(table, 'group', group)
    divider = new Column(group, 'category')
  }
  if (time !== undefined) {
    checkColumn(table, 'time', time)
    const { type } = of(time)
    if (type !== 'date' && type !== 'number')
      throw new RangeError(
        `train: time ${show(time)} must be a column of dates or numbers, got ${type}; correct it`,
      )
    divider = new Column(time, type)
  }
  const inputs: Column[] = []
  for (const profile of profiles) {
    const { name, type, useless } = profile
    const isUsed = name !== target && name !== group && !ignore.includes(name)
    if (!isUsed || (name === time && type === 'number')) continue
    if (useless === undefined) inputs.push(columnOf(name, type))
    else warnings.say(`column ${show(name)} is set aside: ${useless}`)
  }
  if (inputs.length === 0)
    throw new RangeError(
      `train: ${table.path} must have a column to predict from, got none that helps; say their types`,
    )
  return { ...targetOf(of(target), configuration), inputs, divider }
}

/** The rows that can be used; those without a target, or without what divides them, are set aside with a warning. */
export function usableRows(
  table: Table,
  { target, divider }: Roles,
  lines: Float64Array,
  warnings: Warnings,
): Uint32Array {
  const usable: number[] = []
  for (let row = 0; row < lines.length; row++) {
    const lacking = [target, divider].find(column => column && Number.isNaN(column.values[row]!))
    if (lacking)
      warnings.add(`rows set aside that have no ${show(lacking.name)}`, `${table.placeName} ${lines[row]}`)
    else usable.push(row)
  }
  return Uint32Array.from(usable)
}

/** Names of the classes in their order, and the number of each row's class. */
export function classesOf(
  target: Column,
  rows: Uint32Array,
): { classes: string[]; classAt: (row: number) => number } {
  const found = [...new Set(Array.from(rows, row => target.values[row]!))]
  const nameOf = (value: number) =>
    target.type === 'boolean'
      ? String(value === 1)
      : target.type === 'number'
        ? String(value)
        : target.words[value]!
  if (target.type === 'category') found.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  else found.sort((a, b) => a - b)
  const numbers = new Map(found.map((value, i) => [value, i]))
  return { classes: found.map(nameOf), classAt: row => numbers.get(target.values[row]!)! }
}

/** The name of the class that a field says. */
export function classNameOf(
  type: 'category' | 'boolean' | 'number',
  field: string | number | boolean,
): string {
  if (type === 'number') return String(Number(field))
  return type === 'boolean' ? wordOf(field).toLowerCase() : wordOf(field)
}

export function split(
  rows: Uint32Array,
  { divider, task }: Roles,
  classAt: (row: number) => number,
  { group, validation = 0.15, test = 0.15, seed = 7 }: TableConfiguration,
): Parts {
  const shares = { validation, test }
  const dividerAt = (row: number) => divider!.values[row]!
  if (group !== undefined) return splitGrouped(rows, dividerAt, shares, seed)
  if (divider) return splitByTime(rows, dividerAt, shares)
  return splitStratified(rows, task === 'class' ? classAt : () => 0, shares, seed)
}
