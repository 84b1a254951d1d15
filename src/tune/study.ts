import { realFiles } from '../formats/files.ts'
import { readStudyFile, type StudyHeader } from './file.ts'
import { explainedVariance } from './importance.ts'
import { pointOf } from './parzen.ts'
import { type Choice, type Dimension, dimensionsOf, type Values } from './space.ts'
import { bestUntil, type Direction, isBetter, type TrialRecord } from './trial.ts'

/** A vertical axis of parallel coordinates. */
export interface Axis {
  readonly name: string
  readonly log: boolean
  /** Of a number; of a choice the numbers of the first and the last of `choices`. */
  readonly bounds: readonly [low: number, high: number]
  readonly choices: readonly Choice[]
}

/** A trial as a line across the axes. */
export interface Line {
  readonly number: number
  readonly state: 'complete' | 'pruned'
  readonly value: number
  /** Height on each axis, from 0 to 1; undefined where the parameter is left out. */
  readonly heights: readonly (number | undefined)[]
}

const text = (value: Choice | undefined): string => {
  if (value === undefined) return ''
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value)
  return String(Number(value.toPrecision(4)))
}

/** Columns apart by two spaces, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => [...row[column]!].length)))
  const isNumber = (cell: string) => cell !== '' && !Number.isNaN(Number(cell))
  const right = widths.map((_, column) =>
    rows.slice(1).every(row => row[column] === '' || isNumber(row[column]!)),
  )
  const pad = (cell: string, column: number) => {
    const space = ' '.repeat(widths[column]! - [...cell].length)
    return right[column] ? space + cell : cell + space
  }
  return rows.map(row => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** The trials of a search and what they say. */
export class Study<P = Values> {
  readonly direction: Direction
  /** Of the proposals: given, drawn, or that of the file. */
  readonly seed: number
  /** In the order of their numbers. */
  readonly trials: readonly TrialRecord<P>[]
  private readonly dimensions: readonly Dimension[]
  private readonly header: StudyHeader

  constructor(header: StudyHeader, trials: readonly TrialRecord[]) {
    this.header = header
    this.direction = header.direction
    this.seed = header.seed
    this.trials = trials.toSorted((a, b) => a.number - b.number) as unknown as TrialRecord<P>[]
    this.dimensions = dimensionsOf(header.space)
  }

  /** What the study was made with. */
  get settings(): StudyHeader {
    return this.header
  }

  /** The complete trial of the best value, the first of several; undefined if none is complete. */
  get best(): TrialRecord<P> | undefined {
    return this.trials
      .filter(({ state }) => state === 'complete')
      .reduce<TrialRecord<P> | undefined>(
        (best, each) => (best && !isBetter(this.direction, each.value!, best.value!) ? best : each),
        undefined,
      )
  }

  /**
   * How much of the variation of the complete trials' values each parameter explains by itself, from 0 to 1, the most
   * important first: functional ANOVA of the ranks by a random forest; what is missing to 1 is due to several together.
   */
  importance(): { name: string; share: number }[] {
    const complete = this.records.filter(({ state }) => state === 'complete')
    const points = complete.map(({ parameters }) => pointOf(this.dimensions, parameters))
    const values = complete.map(({ value }) => value!)
    const shares = explainedVariance(points, values, this.dimensions.length)
    return this.dimensions
      .map(({ name }, d) => ({ name, share: shares[d]! }))
      .sort((a, b) => b.share - a.share)
  }

  /** Plain text: the best trials (all unless `limit` says how many), the best first, then those without a value. */
  table(limit = Number.POSITIVE_INFINITY): string {
    const names = this.dimensions.map(({ name }) => name)
    const tier = { complete: 0, pruned: 1, failed: 2 }
    const order = this.records.toSorted((a, b) => {
      const apart = tier[a.state] - tier[b.state]
      if (apart !== 0 || a.value === undefined || b.value === undefined) return apart
      return isBetter(this.direction, a.value, b.value) ? -1 : a.value === b.value ? 0 : 1
    })
    const rows = order
      .slice(0, limit)
      .map(({ number, state, value, reports, parameters, seconds }) => [
        String(number),
        state,
        text(value),
        text(reports.at(-1)?.[0]),
        seconds.toFixed(1),
        ...names.map(name => text(parameters[name])),
      ])
    return aligned([['trial', 'state', 'value', 'epoch', 'seconds', ...names], ...rows])
  }

  /** The value of each complete trial, and the best until then. */
  history(): { number: number; value: number; best: number }[] {
    const complete = this.records.filter(({ state }) => state === 'complete')
    return complete.map(({ number, value }, i) => {
      const reports = complete.slice(0, i + 1).map(each => [each.number, each.value!] as const)
      return { number, value: value!, best: bestUntil(this.direction, reports, number)! }
    })
  }

  /** For parallel coordinates: an axis for each parameter, a line for each trial that has a value. */
  parallelCoordinates(): { axes: Axis[]; lines: Line[] } {
    const axes = this.dimensions.map(({ name, log, bounds, choices }) => ({ name, log, bounds, choices }))
    const lines = this.records.flatMap(({ number, state, value, parameters }) =>
      state === 'failed'
        ? []
        : [{ number, state, value: value!, heights: pointOf(this.dimensions, parameters) }],
    )
    return { axes, lines }
  }

  /** For each parameter the value of every trial that has both, over the parameter's value. */
  slices(): (Axis & { points: { number: number; x: Choice; value: number }[] })[] {
    return this.dimensions.map(({ name, log, bounds, choices }) => {
      const points = this.records.flatMap(({ number, value, parameters }) =>
        value === undefined || !(name in parameters) ? [] : [{ number, x: parameters[name]!, value }],
      )
      return { name, log, bounds, choices, points }
    })
  }

  private get records(): readonly TrialRecord[] {
    return this.trials as unknown as readonly TrialRecord[]
  }
}

/** The study in a file, as far as it has come; another process may be writing it. */
export async function readStudy(path: string): Promise<Study> {
  const { header, trials } = await readStudyFile(path, realFiles)
  return new Study(header, trials)
}
