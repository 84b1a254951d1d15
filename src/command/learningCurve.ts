import { basename } from 'node:path'
import type { Series } from '../report/charts.ts'
import {
  type CurvePoint,
  compareVariants,
  learningCurve,
  type Measured,
  type Measurement,
} from '../tables/curves.ts'
import type { TrainOptions } from '../tables/options.ts'
import { chart } from './chart.ts'
import { figure } from './describe.ts'
import { checkPicture, writePicture } from './pictures.ts'
import { aligned, barOf, interruption, isLive, note, say, warn } from './terminal.ts'
import { optionsOf, progressOf } from './train.ts'

type Given = Partial<TrainOptions> & {
  config?: string
  json?: boolean
  output?: string
  sizes?: number
  repeats?: number
  compare?: readonly string[]
}

/** Mean and standard deviation; of one value no deviation. */
export function meanOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 }
}

const of = ({ seeds }: Measured, what: keyof Measurement) => meanOf(seeds.map(each => each[what]))
const plusMinus = ({ mean, deviation }: { mean: number; deviation: number }) =>
  `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`

const namesOf = (task: 'class' | 'regression') =>
  task === 'class'
    ? { loss: 'log loss', score: 'accuracy' }
    : { loss: 'root mean squared error', score: 'R²' }

/** What the last doubling of the rows says of the next one. */
export function outlook(points: readonly CurvePoint[], loss: string, unit: string): string {
  const [before, last] = [points.at(-2), points.at(-1)]
  if (!before || !last) return 'More sizes would say whether more data helps.'
  const repeats = Math.min(before.seeds.length, last.seeds.length)
  const gains = Array.from(
    { length: repeats },
    (_, n) => before.seeds[n]!.validation - last.seeds[n]!.validation,
  )
  const { mean, deviation } = meanOf(gains)
  const error = deviation / Math.sqrt(repeats)
  const said = `From ${before.rows} to ${last.rows} ${unit} the ${loss} fell by ${figure(mean)} ± ${figure(error)}`
  if (mean > 2 * error && mean > 0.01 * of(last, 'validation').mean)
    return `${said}: more data will help, twice as much perhaps by up to as much again.`
  if (mean < -2 * error)
    return `${said.replace('fell', 'rose').replace(figure(mean), figure(-mean))}: more data of this kind will not help.`
  return `${said}, which is within what chance does: more data of this kind will hardly help.`
}

function printCurve(points: readonly CurvePoint[], task: 'class' | 'regression', unit: string): void {
  const { loss, score } = namesOf(task)
  const rows = points.map(point => [
    String(point.rows),
    plusMinus(of(point, 'training')),
    plusMinus(of(point, 'validation')),
    plusMinus(of(point, 'score')),
  ])
  for (const line of aligned([[unit, `training ${loss}`, `validation ${loss}`, score], ...rows])) say(line)
  const curves = (['validation', 'training'] as const).map(part => ({
    points: points.map(point => [point.rows, of(point, part).mean] as const),
  }))
  const labels = { xLabel: `${unit} trained on`, yLabel: `${loss}: validation above, training below` }
  for (const line of chart({ curves, log: true, ...labels })) say(line)
  say(outlook(points, loss, unit))
}

function printVariants(
  results: readonly (Measured & { name: string })[],
  task: 'class' | 'regression',
): void {
  const { loss, score } = namesOf(task)
  const [plain] = results
  const rows = results.map(result => {
    const better = result.seeds.filter(
      (each, n) => each.validation < (plain!.seeds[n]?.validation ?? 0),
    ).length
    return [
      result.name,
      plusMinus(of(result, 'training')),
      plusMinus(of(result, 'validation')),
      plusMinus(of(result, 'score')),
      result === plain ? '' : `${better} of ${result.seeds.length}`,
    ]
  })
  const head = ['variant', `training ${loss}`, `validation ${loss}`, score, 'better than plain']
  for (const line of aligned([head, ...rows])) say(line)
}

function seriesOf(points: readonly CurvePoint[]): Series[] {
  return (['validation', 'training'] as const).map(name => ({
    name,
    points: points.map(point => [point.rows, of(point, name).mean] as const),
  }))
}

/** `lockstep learning-curve`. Resolves with the exit code. */
export async function learningCurveOf(given: Given): Promise<number> {
  const { output, sizes, repeats, compare, maxSeconds, ...training } = given
  checkPicture('learning-curve', output)
  const options = await optionsOf('learning-curve', training)
  const interrupted = interruption()
  const progress = await progressOf(note)
  const bar = await barOf('training {value}/{total} {bar} {what}  {eta} s left')
  const shared = {
    ...options,
    ...(repeats !== undefined && { repeats }),
    ...(maxSeconds !== undefined && { maxSeconds }),
    signal: interrupted.signal,
    progress,
    onTraining(done: number, total: number, what: string, { training, validation }: Measurement) {
      bar.update(done, total, { what })
      if (!isLive())
        note(`training ${done}/${total}: ${what}, loss ${figure(training)}, validation ${figure(validation)}`)
    },
  }
  try {
    if (compare) {
      const { results, plan, task, warnings } = await compareVariants({ ...shared, variants: compare })
      bar.stop()
      if (interrupted.code() !== undefined) return interrupted.code()!
      warn(warnings)
      if (given.json) say(JSON.stringify({ task, plan, variants: results, warnings }))
      else printVariants(results, task)
      return 0
    }
    const curve = await learningCurve({ ...shared, ...(sizes !== undefined && { sizes }) })
    const { points, plan, task, unit, warnings } = curve
    bar.stop()
    if (interrupted.code() !== undefined) return interrupted.code()!
    warn(warnings)
    const { loss } = namesOf(task)
    const title = `Learning curve of ${basename(options.data)}`
    const x = { label: `${unit} trained on`, log: true }
    const said = outlook(points, loss, unit)
    await writePicture(output, title, [
      { title, x, y: { label: loss }, dots: true, series: seriesOf(points), note: said },
    ])
    if (given.json) say(JSON.stringify({ task, plan, points, outlook: said, warnings }))
    else printCurve(points, task, unit)
    return 0
  } finally {
    bar.stop()
    progress.stop()
  }
}
