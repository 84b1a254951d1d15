import { basename } from 'node:path'
import type { TrainOptions } from '../tables/options.ts'
import { findTrainRate, type RateOptions } from '../tables/rates.ts'
import { chart } from './chart.ts'
import { figure } from './describe.ts'
import { checkPicture, writePicture } from './pictures.ts'
import { interruption, note, say, warn } from './terminal.ts'
import { optionsOf, progressOf } from './train.ts'

type Given = Partial<TrainOptions> &
  Omit<RateOptions, 'steps'> & {
    updates?: number
    config?: string
    json?: boolean
    output?: string
  }

/** `lockstep lr`. Resolves with the exit code. */
export async function lr({ from, to, updates, output, maxSeconds, ...given }: Given): Promise<number> {
  checkPicture('lr', output)
  const options = await optionsOf('lr', given)
  const interrupted = interruption()
  const timeout = maxSeconds === undefined ? [] : [AbortSignal.timeout(1000 * maxSeconds)]
  const signal = AbortSignal.any([interrupted.signal, ...timeout])
  const asked = { from, to, steps: updates }
  const range = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const progress = await progressOf(note)
  const found = await findTrainRate({ ...options, ...range, signal, progress })
    .catch(error => {
      if (interrupted.code() !== undefined) return undefined
      throw error
    })
    .finally(progress.stop)
  if (!found || interrupted.code() !== undefined) return interrupted.code()!
  const { rates, losses, smoothed, suggested, steepest, lowest, diverged, plan, shape, rows, warnings } =
    found
  warn(warnings)
  const title = `Learning rates for ${basename(options.data)}`
  const pairs = (values: readonly number[]) => values.map((value, i) => [rates[i]!, value] as const)
  const most = smoothed[0]! * 1.5
  const shown = pairs(smoothed).map(([rate, loss]) => [rate, Math.min(loss, most)] as const)
  await writePicture(output, title, [
    {
      title,
      x: { label: 'learning rate', log: true },
      y: { label: 'smoothed loss', high: most },
      series: [{ name: 'smoothed loss', points: shown }],
      marks: [{ x: suggested, label: 'suggested' }],
      note: 'The rate rises from step to step; where the loss falls lies a good one.',
    },
  ])
  if (given.json) {
    const { batchSize, optimizer, hidden } = plan
    const about = { rows, batchSize, optimizer, hidden, steps: rates.length }
    say(
      JSON.stringify({ suggested, steepest, lowest, diverged, ...about, rates, losses, smoothed, warnings }),
    )
    return 0
  }
  const by = plan.optimizer ?? (options.text ? 'adamw' : 'the optimizer that it is compiled with')
  const of = options.text ? 'windows of a text of' : 'of'
  note(
    `${rates.length} steps of ${plan.batchSize} ${of} ${rows} ${options.text ? 'characters' : 'rows'}; ${shape}, ${by}`,
  )
  for (const line of chart({
    curves: [{ points: shown }],
    xLabel: 'learning rate',
    yLabel: 'smoothed loss',
    log: true,
    mark: suggested,
  }))
    say(line)
  say(`lowest smoothed loss at ${figure(lowest)}, fastest fall at ${figure(steepest)}`)
  say(diverged ? `it diverged at ${figure(rates.at(-1))}` : 'it did not diverge')
  say(`suggested: --learning-rate ${figure(suggested)} (a tenth of the rate where the loss is lowest)`)
  return 0
}
