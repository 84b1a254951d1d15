import type { Study } from '../tune/study.ts'
import type { RunReport, StudyReport } from './report.ts'
import { figure } from './scales.ts'

const wordOf = (value: unknown): string => (typeof value === 'number' ? figure(value) : String(value))

function pictures(study: Study): StudyReport {
  const { trials, best, direction } = study
  const states: Record<string, number> = {}
  for (const { state } of trials) states[state] = (states[state] ?? 0) + 1
  const { axes, lines } = study.parallelCoordinates()
  const points = study.slices().map(slice =>
    slice.points.map(({ x, value }) => {
      const at = slice.choices.length > 0 ? slice.choices.indexOf(x) : Number(x)
      return [at, value] as const
    }),
  )
  return {
    direction,
    states,
    history: study.history(),
    importance: trials.filter(({ state }) => state === 'complete').length < 4 ? [] : study.importance(),
    axes: axes.map(({ name, log, bounds, choices }, i) => ({
      name,
      log,
      bounds,
      choices: choices.map(String),
      points: points[i]!,
    })),
    lines: lines.map(({ heights, ...line }) => ({ ...line, heights: heights.map(height => height ?? null) })),
    ...(best && {
      best: {
        number: best.number,
        value: best.value!,
        parameters: Object.entries(best.parameters)
          .map(([name, value]) => `${name} ${wordOf(value)}`)
          .join(', '),
      },
    }),
  }
}

/** The report of a search. */
export function studyReport(study: Study, name: string): RunReport {
  const pictured = pictures(study)
  const { best, states, direction } = pictured
  const seconds = study.trials.reduce((sum, trial) => sum + trial.seconds, 0)
  const failed = study.trials.find(({ state }) => state === 'failed')
  return {
    format: 'lockstep report 1',
    title: name,
    subtitle: `A search that is to ${direction} a value · seed ${study.seed}`,
    state: 'done',
    facts: [
      ...(best ? [{ name: 'Best value', value: figure(best.value), note: `trial ${best.number}` }] : []),
      {
        name: 'Trials',
        value: figure(study.trials.length),
        note: Object.entries(states)
          .map(([state, count]) => `${count} ${state}`)
          .join(', '),
      },
      { name: 'Time of trials', value: `${figure(Number(seconds.toPrecision(3)))} s` },
    ],
    remarks: best ? [{ kind: 'good', text: `The best trial, ${best.number}: ${best.parameters}.` }] : [],
    study: pictured,
    warnings: failed
      ? [`Failed trials: ${states.failed}, the first ${failed.number}: ${failed.error ?? ''}`]
      : [],
    commands: [],
  }
}
