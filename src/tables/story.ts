import { sizeOf } from '../data/nested.ts'
import type { Tensor } from '../data/tensor.ts'
import type { Trainable } from '../model/trainable.ts'
import { classReport } from '../report/classes.ts'
import { regressionReport } from '../report/regression.ts'
import type { ColumnSummary, RunReport } from '../report/report.ts'
import { figure } from '../report/scales.ts'
import { decided, probabilities } from './calibration.ts'
import type { Column } from './columns.ts'
import type { Target } from './encoding.ts'
import { type Examined, importanceOf, lossesOf } from './importance.ts'
import { outputsOf } from './predictions.ts'
import type { ColumnProfile } from './profile.ts'
import type { ClassScores, Scores } from './scores.ts'

export type ScoredPart = 'validation' | 'test'

/** Rows that curves are drawn from, at most, and numbers of theirs. */
const [mostRows, mostNumbers] = [50_000, 2 ** 25]
const worstRows = 10
/** Columns that the table of the worst rows shows. */
const shownColumns = 6

/** An input of the model as people know it. */
export interface StoryColumn {
  readonly name: string
  /** The network's inputs that it becomes: [from, to). */
  readonly from: number
  readonly to: number
}

/** What a report tells of data, beside how training went. */
export interface Story {
  readonly target: Target
  readonly data?: NonNullable<RunReport['data']>
  truth(part: ScoredPart): ArrayLike<number>
  /** Rows of a part, all of their inputs side by side. */
  inputs(part: ScoredPart, rows: Uint32Array): Tensor | Promise<Tensor>
  /** What the model takes for such rows, where it is not the rows themselves. */
  inputsOf?(x: Tensor): Tensor | Tensor[]
  /** Where a row of a part stands in the data: in line 12, say. */
  readonly place: { readonly name: string; at(part: ScoredPart, row: number): number | string }
  readonly columns: readonly StoryColumn[]
  /** What stands in some rows of a part, of each row the fields of `columns`. */
  texts?(part: ScoredPart, rows: readonly number[]): Promise<readonly (readonly string[])[]>
  /** Of images: a row of a part as a small PNG, in base64. */
  pictureAt?(part: ScoredPart, row: number): string
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().replace('T00:00:00.000Z', '').replace('.000Z', '')
}

/** What stands in a row of a column. */
export function textOf(column: Column, row: number): string {
  const value = column.values[row]!
  if (Number.isNaN(value)) return ''
  if (column.type === 'number') return figure(value)
  if (column.type === 'boolean') return String(value === 1)
  return column.type === 'date' ? isoDate(value) : column.word(row)!
}

function rangeOf({ type, minimum, maximum, top, useless }: ColumnProfile): string {
  if (useless !== undefined) return useless
  if (top.length > 0)
    return top
      .slice(0, 3)
      .map(([value]) => value)
      .join(', ')
  if (minimum === undefined || maximum === undefined) return ''
  const shown = type === 'date' ? isoDate : figure
  return `${shown(minimum)} to ${shown(maximum)}`
}

/** A column for the report's table; without `counts` where it was not read. */
export function summaryOf(
  profile: ColumnProfile,
  role: string,
  counts: readonly number[] = [],
): ColumnSummary {
  const { name, type, missing, distinct } = profile
  return { name, type, role, missing, distinct, values: rangeOf(profile), counts }
}

/** Rows of a part, evenly taken. */
async function someOf(story: Story, part: ScoredPart, { inputShapes }: Trainable) {
  const truth = story.truth(part)
  const width = inputShapes.reduce((sum, shape) => sum + sizeOf(shape as readonly number[]), 0)
  const most = Math.max(1, Math.min(mostRows, Math.floor(mostNumbers / width)))
  const step = Math.max(1, Math.ceil(truth.length / most))
  const rows = Uint32Array.from({ length: Math.ceil(truth.length / step) }, (_, i) => i * step)
  return { x: await story.inputs(part, rows), truth: Float64Array.from(rows, row => truth[row]!), rows }
}

const unscaled = ({ mean, deviation }: Extract<Target, { task: 'regression' }>, output: number) =>
  mean + deviation * output

async function worstOf(
  { target, place, columns, texts, pictureAt }: Story,
  part: ScoredPart,
  { outputs, truth, rows }: Examined & { readonly rows: Uint32Array },
  important: readonly string[],
): Promise<RunReport['worst']> {
  const losses = lossesOf(target, outputs, truth)
  const order = Uint32Array.from(losses.keys()).sort((a, b) => losses[b]! - losses[a]!)
  const nameOf = (c: number) => columns[c]!.name
  const shown = [...(texts ? columns : []).keys()]
    .sort((a, b) => important.indexOf(nameOf(a)) - important.indexOf(nameOf(b)))
    .slice(0, shownColumns)
  const said = (i: number): string[] => {
    if (target.task === 'regression')
      return [truth[i]!, unscaled(target, outputs[i]!), unscaled(target, outputs[i]!) - truth[i]!].map(figure)
    const { classes } = target
    const taken = decided(target, outputs, i * classes.length)
    const own = outputs[i * classes.length + truth[i]!]!
    return [classes[truth[i]!]!, classes[taken]!, `${figure(Number((100 * own).toPrecision(3)))} %`]
  }
  const third = target.task === 'class' ? 'probability of true' : 'difference'
  const worst = [...order.slice(0, worstRows)]
  const fields = await texts?.(
    part,
    worst.map(i => rows[i]!),
  )
  return {
    names: [place.name, 'true', 'predicted', third, ...shown.map(nameOf)],
    rows: worst.map((i, w) => [
      String(place.at(part, rows[i]!)),
      ...said(i),
      ...shown.map(c => fields![w]![c]!),
    ]),
    ...(pictureAt && { pictures: worst.map(i => pictureAt(part, rows[i]!)) }),
  }
}

/** What a model's predictions of a part came to, for the report. */
export async function examine(
  model: Trainable,
  story: Story,
  part: ScoredPart,
  scores: Scores,
  { seed, workers }: { readonly seed: number; readonly workers: number | 'auto' },
): Promise<Pick<RunReport, 'part' | 'classes' | 'regression' | 'importance' | 'worst'>> {
  const { target, columns } = story
  const { rows, ...some } = await someOf(story, part, model)
  const predict = async (x: Tensor) => {
    const outputs = await outputsOf(model, story.inputsOf?.(x) ?? x, workers)
    return Float32Array.from(target.task === 'class' ? probabilities(target, outputs) : outputs)
  }
  const examined = { ...some, rows, outputs: await predict(some.x) }
  const { outputs, truth } = examined
  const importance =
    columns.length > 0 ? await importanceOf(target, columns, examined, predict, seed) : undefined
  const important = importance?.columns.map(({ name }) => name) ?? []
  const results =
    target.task === 'class'
      ? {
          classes: classReport({ names: target.classes, outputs, truth }, scores as ClassScores),
        }
      : {
          regression: regressionReport(
            outputs.map(output => unscaled(target, output)),
            truth,
          ),
        }
  const worst = await worstOf(story, part, examined, important)
  return { part, ...results, ...(importance && { importance }), ...(worst && { worst }) }
}
